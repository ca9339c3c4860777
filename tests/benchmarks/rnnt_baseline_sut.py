"""What speech recognition is compared with: a SUT that works as the rules' reference implementation of RNN-T does.

`python -m tests.benchmarks.rnnt_baseline_sut SPEC.json` measures what a RunSpec says, but for its workers: one session
of ONNX Runtime with default options per graph, one utterance at a time in LoadGen's own thread in every scenario, its
features, encoder and decoding one after another, and the prediction network computed anew for each joint. Features are
those of engine.tasks.speech_features: the reference's take longer.
"""

from __future__ import annotations

import array
import sys
from pathlib import Path

import mlperf_loadgen as lg
import numpy as np
import onnxruntime as ort

from engine.facts import Ragged
from engine.harness import loadgen
from engine.harness.failure import FailLoudly
from engine.harness.main import read_spec
from engine.harness.samples import SampleLibrary
from engine.harness.spec import RunSpec
from engine.tasks.base import Array
from engine.tasks.rnnt_program import MOST_SYMBOLS, START
from engine.tasks.speech_features import SPLICE, Features
from engine.tasks.speech_manifest import BLANK


class Reference:
    """The model, one utterance at a time."""

    def __init__(self, spec: RunSpec) -> None:
        assert not isinstance(spec.model, str)
        self._encoder, self._prediction, self._joint = (
            ort.InferenceSession(spec.model[name], providers=["CPUExecutionProvider"])
            for name in ("encoder", "prediction", "joint")
        )
        self._features = Features(self._encoder.get_inputs()[0].shape[2] // SPLICE)
        layers, _, width = self._prediction.get_inputs()[1].shape
        self._start = np.zeros((layers, 1, width), np.float32)

    def symbols(self, audio: Array) -> list[int]:
        """Return what is said, as the reference's greedy decoder does."""
        x = self._features.of(audio)
        encoded, (length,) = self._encoder.run(None, {"x": x[:, None], "lengths": np.array([len(x)])})
        said: list[int] = []
        state = (self._start, self._start)
        for frame in encoded[0, :length]:
            for _ in range(MOST_SYMBOLS):
                fed = {"symbol": np.array([said[-1] if said else START]), "hidden": state[0], "cell": state[1]}
                predicted, *after = self._prediction.run(None, fed)
                (logits,) = self._joint.run(None, {"encoded": frame[None], "predicted": predicted})
                best = int(logits[0].argmax())
                if best == BLANK:
                    break
                said.append(best)
                state = (after[0], after[1])
        return said


def main(argv: list[str]) -> None:
    """Run one test."""
    spec = read_spec(Path(argv[0]))
    folder = Path(spec.log_dir)
    folder.mkdir(parents=True, exist_ok=True)
    count = spec.settings.performance_sample_count
    library = SampleLibrary([one if isinstance(one, Ragged) else Path(one) for one in spec.samples], count)
    model = Reference(spec)

    def issue(query: list[lg.QuerySample]) -> None:
        with FailLoudly("the query of the baseline"):
            for sample in query:
                data = array.array("q", model.symbols(library.sample(0, sample.index)))
                address, length = data.buffer_info()
                lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, address, length * data.itemsize)])

    sut = lg.ConstructSUT(issue, lambda: None)
    qsl = lg.ConstructQSL(library.count, count, library.load, library.unload)
    lg.StartTestWithLogSettings(sut, qsl, loadgen.settings(spec, folder), loadgen.log_settings(folder))
    lg.DestroyQSL(qsl)
    lg.DestroySUT(sut)


if __name__ == "__main__":
    main(sys.argv[1:])
