"""Where a result comes from: what a submission must say of it, written beside LoadGen's files when it is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from engine.store.files import read_plain
from engine.text import clean

FILE = "provenance.json"

DISTURBED = "disturbed"
"""Fact of a measurement: what disturbed it, as a sentence. It is there only where something did."""
DISTURBED_FILE = "disturbed.txt"
"""The same beside the files of a result."""

MEASUREMENTS = (
    "starting_weights_filename",
    "weight_data_types",
    "input_data_types",
    "retraining",
    "weight_transformations",
)
"""What the measurements file of a submission asks of a model; steps that provide a model have facts of these names."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures that an int8 model was calibrated with."""

    text: str
    """How many and which, in words."""
    by_rules: bool
    """Whether they are a calibration list of the rules: closed allows no others."""
    sha256: str
    """Over names and contents of the pictures."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """One run's origin."""

    inferdeck: str
    command: tuple[str, ...]
    """The words after `inferdeck` that make it again."""
    notice: str
    """What must be said wherever it shows: a demonstration, a stand-in."""
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
    """Where the backend has an environment of its own: its Python, and all its packages by version."""
    samples: int
    """Size of the data set."""
    stand_in: bool
    """Weights made up here: it shows speed, never accuracy."""
    model: dict[str, str]
    """Facts of the model by the names in MEASUREMENTS."""
    model_sha256: str
    calibration: Calibration | None = None
    """None where the model was not calibrated."""
    disturbed: str = ""
    """What may have changed its figures, as a sentence: known once it is measured, so it is added for a submission."""


def disturbed(folder: Path) -> str:
    """Return what disturbed the run whose files lie in a results folder; empty where nothing did."""
    try:
        return clean(read_plain(folder / DISTURBED_FILE, 4096, follow=False).decode("utf-8", "replace").strip())
    except OSError:
        return ""
