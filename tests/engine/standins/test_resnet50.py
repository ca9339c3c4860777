from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from engine import events
from engine.datasets import patterns
from engine.standins import resnet50 as standin_resnet50
from engine.tasks import image_classification
from tests.engine.networks.running import run, step

pytestmark = pytest.mark.slow

FORM = standin_resnet50.PREPROCESSING


class Built:
    """One model with synthetic weights from few images, for all tests of this file."""

    def __init__(self, folder: Path) -> None:
        self.said: list[events.AnyEvent] = []
        options = {"seed": 1, "training_pictures": 60, "held_out_pictures": 10}
        self.facts: dict[str, Any] = standin_resnet50.build(step(folder, options, said=self.said))
        self.files = [path.name for path in folder.iterdir()]
        self.model = onnx.load(folder / "model.onnx")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("stand-in"))


def test_it_leaves_the_model_and_says_what_it_is(built: Built) -> None:
    assert built.files == ["model.onnx"]
    assert built.facts["stand_in"] is True
    assert built.facts["task_options"] == {"label_offset": 1}
    assert built.facts["outputs"] == ["ArgMax:0"]
    assert 0 <= built.facts["held_out_accuracy"] <= 100
    phases = [event.name for event in built.said if isinstance(event, events.Phase)]
    assert len(phases) >= 4
    assert any(isinstance(event, events.Progress) and event.done == event.total == 60 for event in built.said)


def test_the_graph_is_resnet50_version_one_and_a_half(built: Built) -> None:
    nodes = built.model.graph.node
    shapes = {tensor.name: tuple(tensor.dims) for tensor in built.model.graph.initializer}
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    assert len(convolutions) == 53
    assert sum(int(np.prod(shapes[node.input[1]])) for node in convolutions) == 23_454_912
    assert built.facts["parameters"] == 23_454_912 + 26_560 + 2048 * 1001 + 1001
    halving = [
        shapes[node.input[1]][2:] for node in convolutions if onnx.helper.get_node_attr_value(node, "strides") == [2, 2]
    ]
    assert halving == [(7, 7), *[(3, 3), (1, 1)] * 3]
    assert {node.op_type for node in nodes} == {
        "Conv", "Relu", "MaxPool", "Add", "GlobalAveragePool", "Flatten", "Gemm", "Softmax", "ArgMax",
    }  # fmt: skip
    assert max(opset.version for opset in built.model.opset_import) <= 17


def test_its_tensors_are_those_of_the_rules(built: Built, tmp_path: Path) -> None:
    """And its classes are labels plus one: far above the 2 % of chance after 60 images of 50 classes."""
    count = 50
    images = patterns.ImageSet(seed=1, count=count)
    list(patterns.write(images, tmp_path))
    samples = np.empty((count, *FORM.shape), FORM.dtype)
    for index, slot in enumerate(samples):
        image_classification.preprocess(tmp_path / patterns.file_name(index), FORM, slot)
    outputs = run(built.model, {"input_tensor:0": samples})
    assert list(outputs) == ["ArgMax:0", "softmax_tensor:0"]
    classes, scores = outputs.values()
    assert classes.dtype == np.int64
    assert classes.shape == (count,)
    assert scores.shape == (count, 1001)
    np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-4)
    assert np.array_equal(scores.argmax(1), classes)
    model = image_classification.ClassOptions(label_offset=standin_resnet50.LABEL_OFFSET)
    answers = image_classification.respond([classes], range(count), model).data
    found = (answers == [images.label(index) for index in range(count)]).mean()
    assert found > 0.1
