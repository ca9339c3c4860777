"""Names that modules had when artifacts were first made by them.

An artifact's key covers the name of the module that made it. A module that is moved keeps its former name there, so
that what is in a store stays valid. A person's own profile may go on naming the former one, too.
"""

from __future__ import annotations

from typing import Final

FORMER: Final = {
    "engine.datasets.boxed_photographs": "engine.models.boxed_photographs",
    "engine.datasets.patterns": "engine.models.patterns",
    "engine.datasets.scene_canvas": "engine.models.scene_canvas",
    "engine.datasets.scenes": "engine.models.scenes",
    "engine.formats.onnx_files": "engine.models.onnx_files",
    "engine.formats.pickle_check": "engine.models.pickle_check",
    "engine.formats.tflite_file": "engine.models.tflite_file",
    "engine.formats.torch_pickle": "engine.models.torch_pickle",
    "engine.networks.convnet": "engine.models.convnet",
    "engine.networks.detection_head": "engine.models.detection_head",
    "engine.networks.efficientnet_lite": "engine.models.efficientnet_lite",
    "engine.networks.patterns_net": "engine.models.patterns_net",
    "engine.networks.ridge": "engine.models.ridge",
    "engine.networks.scenes_net": "engine.models.scenes_net",
    "engine.networks.shipped": "engine.models.shipped",
    "engine.networks.ssd_mobilenet": "engine.models.ssd_mobilenet",
    "engine.networks.suppression": "engine.models.suppression",
    "engine.networks.tensorflow_graph": "engine.models.tensorflow_graph",
    "engine.networks.tflite_convert": "engine.models.tflite_convert",
    "engine.standins.resnet50": "engine.models.standin_resnet50",
    "engine.standins.retinanet": "engine.models.standin_retinanet",
    "engine.tuning.bench": "engine.harness.bench",
    "engine.tuning.server_model": "engine.harness.server_model",
    "engine.tuning.tune": "engine.harness.tune",
}
"""Module: the name in keys. Only for modules that a component can name; never change or remove a former name."""

_CURRENT: Final = {old: new for new, old in FORMER.items()}


def former(named: str) -> str:
    """Return a module, or `module:function`, by the name that keys of artifacts have for it."""
    return _renamed(named, FORMER)


def current(named: str) -> str:
    """Return a module, or `module:function`, by the name that it has now; for any other the name itself."""
    return _renamed(named, _CURRENT)


def _renamed(named: str, names: dict[str, str]) -> str:
    module, colon, function = named.partition(":")
    return f"{names.get(module, module)}{colon}{function}"
