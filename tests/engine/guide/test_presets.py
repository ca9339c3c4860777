"""What a guide's choices select."""

from __future__ import annotations

import pytest

from engine.guide import presets
from engine.guide.state import FIRST, Guide
from engine.profile.catalog import load


@pytest.mark.parametrize(
    ("benchmark", "model", "samples"),
    [
        ("resnet50", "patterns-net", "images"),
        ("retinanet", "scenes-net", "images"),
        ("bert-99", "span-net", "questions"),
        ("bert-99.9", "span-net", "questions"),
        ("rnnt", "letters-net", "utterances"),
    ],
)
def test_a_practice_says_what_its_samples_are(benchmark: str, model: str, samples: str) -> None:
    guide = Guide(name=FIRST, system="box", made=1.0, offer="practice", benchmark=benchmark)
    chosen = presets.selection(guide, load([]))
    assert model in chosen.query.variations
    notice = f"DEMONSTRATION: open division, short runs, a tiny model on generated {samples}. Not an MLPerf result."
    assert chosen.options["notice"] == notice
