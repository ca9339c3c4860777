"""What segmentation is compared with: a SUT that works as the rules' reference implementation of 3D U-Net does.

`python -m tests.benchmarks.unet_baseline_sut SPEC.json` measures what a RunSpec says, but for its workers: one session
of ONNX Runtime with default options, one window at a time in LoadGen's own thread in every scenario, and sums and
weights for each class over the whole volume.
"""

from __future__ import annotations

import array
import sys
from collections.abc import Callable
from pathlib import Path

import mlperf_loadgen as lg
import numpy as np
import onnxruntime as ort

from engine.backends.base import Array
from engine.facts import Ragged
from engine.harness import loadgen
from engine.harness.failure import FailLoudly
from engine.harness.main import read_spec
from engine.harness.samples import SampleLibrary

ROI, STRIDE, CLASSES = 128, 64, 3


def main(argv: list[str]) -> None:
    """Run one test."""
    spec = read_spec(Path(argv[0]))
    folder = Path(spec.log_dir)
    folder.mkdir(parents=True, exist_ok=True)
    count = spec.settings.performance_sample_count
    library = SampleLibrary([one if isinstance(one, Ragged) else Path(one) for one in spec.samples], count)
    session = ort.InferenceSession(str(spec.model), providers=["CPUExecutionProvider"])

    def infer(window: Array) -> Array:
        found: Array = session.run(list(spec.outputs), {"input": window})[0]
        return found

    def issue(query: list[lg.QuerySample]) -> None:
        with FailLoudly("the query of the baseline"):
            for sample in query:
                labels = segmented(library.sample(0, sample.index), infer)
                data = array.array("B", labels.tobytes())
                lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, *data.buffer_info())])

    sut = lg.ConstructSUT(issue, lambda: None)
    qsl = lg.ConstructQSL(library.count, count, library.load, library.unload)
    lg.StartTestWithLogSettings(sut, qsl, loadgen.settings(spec, folder), loadgen.log_settings(folder))
    lg.DestroyQSL(qsl)
    lg.DestroySUT(sut)


def segmented(volume: Array, infer: Callable[[Array], Array]) -> Array:
    """Return the class of each voxel."""
    total = np.zeros((1, CLASSES, *volume.shape), np.float32)
    weight, patch = np.zeros_like(total), gaussian()
    for first in range(0, volume.shape[0] - ROI + 1, STRIDE):
        for second in range(0, volume.shape[1] - ROI + 1, STRIDE):
            for third in range(0, volume.shape[2] - ROI + 1, STRIDE):
                rows, columns, depth = (slice(start, start + ROI) for start in (first, second, third))
                window = volume[np.newaxis, np.newaxis, rows, columns, depth]
                total[..., rows, columns, depth] += infer(window) * patch
                weight[..., rows, columns, depth] += patch
    total /= weight
    labels: Array = total.argmax(axis=1).astype(np.uint8)
    return labels


def gaussian() -> Array:
    """Return the weights of a window."""
    bell = np.exp(-((np.arange(ROI) - (ROI - 1) / 2) ** 2) / (2 * (0.125 * ROI) ** 2))
    cube = np.cbrt(bell[:, None, None] * bell[:, None] * bell)
    weights: Array = (cube / cube.max()).astype(np.float32)
    return weights


if __name__ == "__main__":
    main(sys.argv[1:])
