"""What question answering is compared with: a SUT that works as the rules' reference implementation of BERT does.

`python -m tests.benchmarks.bert_baseline_sut SPEC.json` measures what a RunSpec says, but for its workers: one session
of ONNX Runtime with default options, one sample at a time in LoadGen's own thread in every scenario, each filled up to
384 tokens, and answered with 384 pairs of logits.
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

LONGEST = 384


def main(argv: list[str]) -> None:
    """Run one test."""
    spec = read_spec(Path(argv[0]))
    folder = Path(spec.log_dir)
    folder.mkdir(parents=True, exist_ok=True)
    count = spec.settings.performance_sample_count
    library = SampleLibrary([one if isinstance(one, Ragged) else Path(one) for one in spec.samples], count)
    session = ort.InferenceSession(str(spec.model), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]

    def answer(sample: lg.QuerySample) -> None:
        feed = {name: np.zeros((1, LONGEST), np.int64) for name in names}
        library.gather([sample.index], list(feed.values()))
        logits = np.stack(session.run(list(spec.outputs), feed), axis=-1)[0]
        data = array.array("B", logits.tobytes())
        lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, *data.buffer_info())])

    def issue(query: list[lg.QuerySample]) -> None:
        with FailLoudly("the query of the baseline"):
            for sample in query:
                answer(sample)

    sut = lg.ConstructSUT(issue, lambda: None)
    qsl = lg.ConstructQSL(library.count, count, library.load, library.unload)
    lg.StartTestWithLogSettings(sut, qsl, loadgen.settings(spec, folder), loadgen.log_settings(folder))
    lg.DestroyQSL(qsl)
    lg.DestroySUT(sut)


if __name__ == "__main__":
    main(sys.argv[1:])
