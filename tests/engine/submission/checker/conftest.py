"""The sample of published results next to the repository, if it is there, unpacked once."""

from __future__ import annotations

import csv
import tarfile
from pathlib import Path

import pytest

from tests.helpers import SHARED

ARCHIVE = SHARED / "corpus" / "results_v2.1_sample.tar.xz"
VERDICTS = SHARED / "corpus" / "results_v2.1_sample_verdicts.csv"


def published_rows() -> list[dict[str, str]]:
    """The official checker's rows for each result; empty where the sample is not there."""
    if not VERDICTS.exists():
        return []
    with VERDICTS.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of published results, read-only."""
    if not ARCHIVE.exists():
        pytest.skip("the published results are not next to this repository (../shared/corpus)")
    root = tmp_path_factory.mktemp("corpus")
    with tarfile.open(ARCHIVE) as tar:
        tar.extractall(root, filter="data")
    return root
