"""Published logs of round v2.1 next to the repository, if they exist."""

import csv
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[3].parent / "shared" / "corpus"
KEPT = ("mlperf_log_detail.txt", "mlperf_log_summary.txt", "mlperf_log_accuracy.json")


@pytest.fixture(scope="session")
def published() -> Mapping[str, bytes]:
    """LoadGen's files of the sample of published results, by path."""
    archive = CORPUS / "results_v2.1_sample.tar.xz"
    if not archive.exists():
        pytest.skip("the published results are not beside this repository (../shared/corpus)")
    files = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(KEPT):
                stream = tar.extractfile(member)
                assert stream is not None
                files[member.name.removeprefix("./")] = stream.read()
    return files


@pytest.fixture(scope="session")
def verdicts() -> list[dict[str, str]]:
    """Verdicts of the rules' own checker about them."""
    table = CORPUS / "results_v2.1_sample_verdicts.csv"
    if not table.exists():
        pytest.skip("the published verdicts are not beside this repository (../shared/corpus)")
    with table.open(newline="") as file:
        return list(csv.DictReader(file))
