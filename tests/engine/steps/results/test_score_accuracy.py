"""Score of an accuracy run: how many labelled samples it covers, and when it looks wrong."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import profiles
from engine import events
from engine.mlperf import ACCURACY_LOG
from engine.mlperf_logs import accuracy_log
from engine.step import Artifact, Step
from engine.steps.results import score_accuracy as accuracy

OPTIONS = {
    "round": "v2.1",
    "task": "engine.tasks.image_classification",
    "scenario": "Offline",
    "benchmark": "resnet50",
    "sut": "default",
    "division": "open",
}


def scored(
    folder: Path, answers: Sequence[int], labels: Sequence[int], *, stand_in: bool = False, **facts: Any
) -> tuple[dict[str, Any], list[events.AnyEvent]]:
    """Score these classes against these labels; returns the facts and the warnings."""
    (folder / "out").mkdir(parents=True)
    records = (accuracy_log.Record(n, n, struct.pack("<f", one)) for n, one in enumerate(answers))
    accuracy_log.write_log(folder / ACCURACY_LOG, records)
    (folder / "val_map.txt").write_text("".join(f"{n}.JPEG {label}\n" for n, label in enumerate(labels)))
    (folder / "provenance.json").write_text(json.dumps({"stand_in": stand_in}))
    samples = Artifact(str(folder), {"arrays": ["samples.npy"], "labels": "val_map.txt", "count": len(labels), **facts})
    said: list[events.AnyEvent] = []
    inputs = {"run": Artifact(str(folder)), "preprocessed": samples}
    ours = tuple(map(Path, profiles.__path__))
    step = Step("score", "Score", OPTIONS, inputs, folder / "out", said.append, profiles=ours)
    return accuracy.score(step), said


def warnings(said: Sequence[events.AnyEvent]) -> list[str]:
    return [one.text for one in said if isinstance(one, events.Warned) and not one.rule]


LABELS = list(range(20))


def test_a_score_says_of_how_many_labelled_images_it_is(tmp_path: Path) -> None:
    facts, said = scored(tmp_path / "a", LABELS, LABELS, labelled=25, left_out=5)
    assert facts["text"] == "accuracy=100.000%, good=20, total=20, 20 of 25 labelled samples"
    assert (facts["total"], facts["labelled"]) == (20, 25)
    assert [one.scored for one in said if isinstance(one, events.Measured)] == ["20 of 25"]
    assert (tmp_path / "a/out/accuracy.txt").read_text() == "accuracy=100.000%, good=20, total=20\n"
    assert scored(tmp_path / "b", LABELS, LABELS)[0]["labelled"] == 20, "of samples that were made before"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([n - 1 for n in LABELS], "20 are right if 1 is subtracted from each label"),
        ([n + 1 for n in LABELS], "20 are right if 1 is added to each label"),
        ([n - 1 for n in LABELS[:18]] + [18, 500], "18 are right if 1 is subtracted from each label"),
        ([n + 300 for n in LABELS], "shifted labels or labels of other images"),
    ],
)
def test_what_chance_would_give_is_doubted(tmp_path: Path, answers: list[int], words: str) -> None:
    _, said = scored(tmp_path, answers, LABELS)
    (warning,) = warnings(said)
    assert "of 20 right is not more than chance" in warning
    assert words in warning


@pytest.mark.parametrize(
    ("answers", "labels", "stand_in"),
    [
        (LABELS[:2] + [999] * 18, LABELS, False),
        ([n - 1 for n in LABELS], LABELS, True),
        ([3] * 20, [4] * 20, False),
    ],
    ids=["above chance", "stand-in", "one class"],
)
def test_what_is_not_doubted(tmp_path: Path, answers: list[int], labels: list[int], stand_in: bool) -> None:
    assert warnings(scored(tmp_path, answers, labels, stand_in=stand_in)[1]) == []
