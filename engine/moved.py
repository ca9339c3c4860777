"""Former names of inferdeck's modules and step functions.

An artifact's key covers the name of the code that made it. Renamed code keeps its first name in keys, so that existing
stores stay valid; a user's own component may use either name.
"""

from __future__ import annotations

from typing import Final

MOVED: Final = {
    "engine.harness.bench": "engine.tuning.bench",
    "engine.harness.server_model": "engine.tuning.server_model",
    "engine.harness.tune": "engine.tuning.tune",
    "engine.models.boxed_photographs": "engine.datasets.boxed_photographs",
    "engine.models.convnet": "engine.networks.convnet",
    "engine.models.detection_head": "engine.networks.detection_head",
    "engine.models.efficientnet_lite": "engine.networks.efficientnet_lite",
    "engine.models.onnx_files": "engine.formats.onnx_files",
    "engine.models.patterns": "engine.datasets.patterns",
    "engine.models.patterns_net": "engine.networks.patterns_net",
    "engine.models.pickle_check": "engine.formats.pickle_check",
    "engine.models.ridge": "engine.networks.ridge",
    "engine.models.scene_canvas": "engine.datasets.scene_canvas",
    "engine.models.scenes": "engine.datasets.scenes",
    "engine.models.scenes_net": "engine.networks.scenes_net",
    "engine.models.shipped": "engine.networks.shipped",
    "engine.models.ssd_mobilenet": "engine.networks.ssd_mobilenet",
    "engine.models.standin_resnet50": "engine.standins.resnet50",
    "engine.models.standin_retinanet": "engine.standins.retinanet",
    "engine.models.suppression": "engine.networks.suppression",
    "engine.models.tensorflow_graph": "engine.networks.tensorflow_graph",
    "engine.models.tflite_convert": "engine.networks.tflite_convert",
    "engine.models.tflite_file": "engine.formats.tflite_file",
    "engine.models.torch_pickle": "engine.formats.torch_pickle",
    "engine.mlperf_logs.accuracy": "engine.mlperf_logs.accuracy_log",
    "engine.steps.accuracy": "engine.steps.results.score_accuracy",
    "engine.steps.backend": "engine.steps.machine.backend",
    "engine.steps.calibration": "engine.steps.models.calibration",
    "engine.steps.compliance": "engine.steps.results.verify_compliance",
    "engine.steps.environment": "engine.steps.machine.environment",
    "engine.steps.find_performance": "engine.steps.measuring.find_performance",
    "engine.steps.findings": "engine.steps.measuring.run_findings",
    "engine.steps.foresight": "engine.steps.measuring.run_estimate",
    "engine.steps.imagenet": "engine.steps.datasets.imagenet",
    "engine.steps.imagenet:fetch_pictures": "engine.steps.datasets.imagenet:fetch_images",
    "engine.steps.labelled": "engine.tasks.labelled",
    "engine.steps.listening": "engine.steps.measuring.listening",
    "engine.steps.loadgen": "engine.steps.measuring.loadgen_run",
    "engine.steps.model": "engine.steps.models.model_file",
    "engine.steps.openimages": "engine.steps.datasets.openimages",
    "engine.steps.openimages:fetch_pictures": "engine.steps.datasets.openimages:fetch_images",
    "engine.steps.package_data": "engine.steps.datasets.package_data",
    "engine.steps.packages": "engine.steps.machine.python_packages",
    "engine.steps.prepared_calibration": "engine.steps.models.prepared_calibration",
    "engine.steps.preprocess": "engine.tasks.image_preparation",
    "engine.steps.preprocess:preprocess": "engine.tasks.image_preparation:prepare",
    "engine.steps.preprocess:survey": "engine.tasks.image_preparation:survey",
    "engine.steps.quantize": "engine.steps.models.quantize",
    "engine.steps.submission": "engine.steps.results.build_submission",
    "engine.steps.sut": "engine.steps.machine.sut_configuration",
    "engine.steps.system": "engine.steps.machine.detect",
    "engine.steps.target": "engine.steps.measuring.target",
    "engine.steps.target_search": "engine.steps.measuring.target_search",
    "engine.steps.trial": "engine.steps.measuring.trial",
    "engine.steps.workers": "engine.steps.measuring.workers",
    "engine.submission.compliance": "engine.submission.verification",
    "engine.tasks.pictures": "engine.tasks.image_task",
}
"""First name → present name, of everything that a component can name: modules, and `module:function` where a function
was renamed. Entries are permanent; only the present name may change again."""

_FIRST: Final = {present: first for first, present in MOVED.items()}


def first_name(named: str) -> str:
    """Return the name that keys use for a module, or for `module:function`."""
    return _renamed(named, _FIRST)


def present_name(named: str) -> str:
    """Return the import name of a module, or of `module:function`."""
    return _renamed(named, MOVED)


def _renamed(named: str, names: dict[str, str]) -> str:
    module, colon, function = named.partition(":")
    return names.get(named) or f"{names.get(module, module)}{colon}{function}"
