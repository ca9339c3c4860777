from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from engine.backends.base import Array
from engine.errors import DataError
from engine.networks import efficientnet_lite
from engine.step import Artifact
from tests.engine.formats import torch_files
from tests.engine.networks.running import run, step

STAGES = (
    # kernel, repeats, expansion, channels in, channels out: Tan & Le 2019, table 1; lite0 has B0's widths and depths
    (3, 1, 1, 32, 16),
    (3, 2, 6, 16, 24),
    (5, 2, 6, 24, 40),
    (3, 3, 6, 40, 80),
    (5, 3, 6, 80, 112),
    (5, 4, 6, 112, 192),
    (3, 1, 6, 192, 320),
)


def layers() -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Convolution, its normalisation and the shape of its weight, for each layer of the published network."""
    yield "_conv_stem", "_bn0", (32, 3, 3, 3)
    number = 0
    for kernel, repeats, expansion, first, channels in STAGES:
        for repeat in range(repeats):
            inputs = channels if repeat else first
            wide, prefix = inputs * expansion, f"_blocks.{number}."
            if expansion > 1:
                yield f"{prefix}_expand_conv", f"{prefix}_bn0", (wide, inputs, 1, 1)
            yield f"{prefix}_depthwise_conv", f"{prefix}_bn1", (wide, 1, kernel, kernel)
            yield f"{prefix}_project_conv", f"{prefix}_bn2", (channels, wide, 1, 1)
            number += 1
    yield "_conv_head", "_bn1", (1280, 320, 1, 1)


def random_weights() -> dict[str, Array]:
    random = np.random.default_rng(5)
    weights: dict[str, Array] = {}
    for convolution, norm, shape in layers():
        scale = np.float32(np.sqrt(2 / np.prod(shape[1:])))
        weights[f"{convolution}.weight"] = random.standard_normal(shape, np.float32) * scale
        for part, low, high in (("weight", 0.9, 1.1), ("bias", 0, 0.1), ("running_mean", 0, 0.1)):
            weights[f"{norm}.{part}"] = random.uniform(low, high, shape[0]).astype(np.float32)
        weights[f"{norm}.running_var"] = random.uniform(0.5, 1.5, shape[0]).astype(np.float32)
        weights[f"{norm}.num_batches_tracked"] = np.array(1, np.int64)
    weights["_fc.weight"] = random.standard_normal((1000, 1280), np.float32) / 36
    weights["_fc.bias"] = np.zeros(1000, np.float32)
    return weights


WEIGHTS = random_weights()


def convert(folder: Path, data: bytes) -> dict[str, object]:
    (folder / "weights.pth").write_bytes(data)
    (folder / "out").mkdir()
    options = {"weights_file": "weights.pth"}
    return efficientnet_lite.convert(step(folder / "out", options, {"weights": Artifact(str(folder))}))


def test_the_step_writes_a_model_with_an_open_batch(tmp_path: Path) -> None:
    facts = convert(tmp_path, torch_files.state_dict(WEIGHTS))
    assert facts["outputs"] == ["logits"]
    assert facts["task_options"] == {"label_offset": 0}
    model = onnx.load(tmp_path / "out" / "model.onnx")
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("Conv") == 49
    assert kinds.count("Clip") == 33
    assert kinds.count("Add") == 9
    assert max(opset.version for opset in model.opset_import) <= 17
    images = np.random.default_rng(1).uniform(-1, 1, (2, 3, 224, 224)).astype(np.float32)
    both = run(model, {"input": images})["logits"]
    second = run(model, {"input": images[1:]})["logits"]
    assert both.shape == (2, 1000)
    assert np.ptp(both) > 0
    np.testing.assert_allclose(both[1:], second, rtol=1e-3, atol=1e-4)


def test_the_weights_count_as_published() -> None:
    """The tables above are those of the network that is published with 4,652,008 parameters."""
    published = sum(array.size for key, array in WEIGHTS.items() if "running" not in key and "num_" not in key)
    assert published == 4_652_008


@pytest.mark.parametrize(
    "change",
    [
        {"_blocks.7._bn1.running_var": None},
        {"_fc.weight": np.zeros((10, 1280), "f4")},
        {"_bn0.bias": np.zeros(3, "f4")},
    ],
    ids=["missing", "other classes", "other width"],
)
def test_another_network_is_refused(tmp_path: Path, change: dict[str, Array | None]) -> None:
    changed = {key: array for key, array in (WEIGHTS | change).items() if array is not None}
    with pytest.raises(DataError, match="EfficientNet-Lite0"):
        convert(tmp_path, torch_files.state_dict(changed))


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"weights\.pth"):
        convert(tmp_path, torch_files.state_dict(WEIGHTS)[:-1])
