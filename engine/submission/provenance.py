"""Provenance of a result, written next to LoadGen's files when it is measured and used by the submission."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from engine.facts import CalibratedFacts
from engine.store.files import read_plain
from engine.text import clean

FILE = "provenance.json"

DISTURBED = "disturbed"
"""Fact of a measurement: what disturbed it, as a sentence. Present only where something did."""
DISTURBED_FILE = "disturbed.txt"
"""File with the same text, next to the files of a result."""

MEASUREMENTS = (
    "starting_weights_filename",
    "weight_data_types",
    "input_data_types",
    "retraining",
    "weight_transformations",
)
"""Model fields of the measurements file of a submission; steps that provide a model have facts of these names."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Provenance of one run."""

    inferdeck: str
    command: tuple[str, ...]
    """Arguments after `inferdeck` that repeat it."""
    notice: str
    """Notice to show wherever it is shown: a demonstration, synthetic weights."""
    round: str
    benchmark: str
    sut: str
    scenario: str
    mode: str
    style: str
    backend: str
    backend_version: str
    device: str
    settings: dict[str, str] = {}
    """The backend's own settings."""
    environment: dict[str, Any] = {}
    """Python and packages of the backend's separate environment, if it has one."""
    samples: int
    """Size of the data set."""
    stand_in: bool
    """Whether the model has synthetic weights: it shows speed, never accuracy."""
    model: dict[str, str]
    """Facts of the model by the names in MEASUREMENTS."""
    model_sha256: str
    calibration: CalibratedFacts | None = None
    """None where the model was not calibrated."""
    disturbed: str = ""
    """What may have changed its figures, as a sentence; known only after the run, so it is added for a submission."""


def disturbed(folder: Path) -> str:
    """Return what disturbed the run whose files are in a results folder; empty where nothing did."""
    try:
        return clean(read_plain(folder / DISTURBED_FILE, 4096, follow=False).decode("utf-8", "replace").strip())
    except OSError:
        return ""
