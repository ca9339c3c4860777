"""The samples of published results next to the repository, if they are there, unpacked once."""

from __future__ import annotations

import csv
import tarfile
from pathlib import Path

import pytest

from tests.helpers import SHARED

FOLDER = SHARED / "corpus"


def published_rows(name: str = "v2.1") -> list[dict[str, str]]:
    """The official checker's rows for each result of a round; empty where the sample is not there."""
    verdicts = FOLDER / f"results_{name}_sample_verdicts.csv"
    if not verdicts.exists():
        return []
    with verdicts.open(newline="") as file:
        return list(csv.DictReader(file))


def published(name: str, root: Path) -> Path:
    """Unpack the sample of a round, or skip the test."""
    archive = FOLDER / f"results_{name}_sample.tar.xz"
    if not archive.exists():
        pytest.skip("the published results are not next to this repository (../shared/corpus)")
    with tarfile.open(archive) as tar:
        tar.extractall(root, filter="data")
    return root


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of results published in v2.1, read-only."""
    return published("v2.1", tmp_path_factory.mktemp("corpus"))
