"""The least that a SUT in Python can do, in a process of its own: what the harness is compared with.

`python -m tests.benchmarks.bare_sut SCENARIO TARGET SECONDS FOLDER`: answers every query at once with the same four
bytes, without samples, model, task or live figures. The LoadGen settings are those of the run it stands beside.
"""

import os
import sys
from pathlib import Path

import mlperf_loadgen as lg
import numpy as np

from engine.harness import loadgen
from tests.benchmarks.runs import BATCH, null_spec

_ANSWER = np.zeros(1, np.float32)


def main(argv: list[str]) -> None:
    """Run one test."""
    scenario, target, seconds, folder = argv
    spec = null_spec(Path(folder), scenario, float(target), float(seconds))
    address = _ANSWER.ctypes.data

    def issue(samples: list[lg.QuerySample]) -> None:
        for start in range(0, len(samples), BATCH):
            part = samples[start : start + BATCH]
            lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, address, 4) for sample in part])

    log_dir = Path(spec.log_dir)
    log_dir.mkdir(parents=True, exist_ok=True)
    count = spec.settings.performance_sample_count
    sut = lg.ConstructSUT(issue, lambda: None)
    qsl = lg.ConstructQSL(count, count, lambda indices: None, lambda indices: None)
    lg.StartTestWithLogSettings(sut, qsl, loadgen.settings(spec, log_dir), loadgen.log_settings(log_dir))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
