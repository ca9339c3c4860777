"""An exploration asked for by a file or by options: errors name file, line and the nearest word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.design_space.exploration_request import (
    ExplorationRequest,
    of_file,
    positive,
    seconds_of,
    specification,
    whole_number,
)
from engine.design_space.explorations import request_of
from engine.errors import InferdeckError, ProfileError, UsageError
from engine.store.folders import folders
from engine.survey.prepare import Workplace
from tests.engine.explore.history import our_catalog

TEXT = """\
tags: app,mlperf,inference,reference,python,_resnet50,_patterns-net,_test
options: {sut: demo-offline}
axes:
  sessions: [1, 2]
  max_batch: 1:8:log2
  precision: fp32,int8
objectives: [Offline, "min:peak_memory"]
constraints: ["accuracy>=99%"]
budget: 45m
seconds: 2.5
seed: 7
sampler: grid
"""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(folders(str(tmp_path / "home")), our_catalog())


def written(tmp_path: Path, text: str = TEXT) -> Path:
    path = tmp_path / "box-a.yaml"
    path.write_text(text)
    return path


def asked(tmp_path: Path, **changes: object) -> ExplorationRequest:
    return replace(of_file(written(tmp_path)), **changes)  # type: ignore[arg-type]


def test_a_file_says_what_options_say(tmp_path: Path, place: Workplace) -> None:
    request = of_file(written(tmp_path))
    assert [axis.values for axis in request.axes] == [("1", "2"), ("1", "2", "4", "8"), ("fp32", "int8")]
    assert (request.name, request.budget, request.seconds, request.seed) == ("box-a", 2700.0, 2.5, 7)
    spec, space = specification(place, request)
    assert spec.size == 16
    assert spec.keys == ("Offline", "peak_memory", "accuracy")
    assert space.default == (("sessions", "default"), ("max_batch", "default"), ("precision", "fp32"))
    assert spec.final_seconds == 12.5
    assert "--scenarios=Offline" not in spec.words, "it is the plan's own"
    again, _ = specification(place, request_of(spec))
    assert replace_times(again) == replace_times(spec)


def replace_times(spec: object) -> object:
    from msgspec.structs import replace as changed

    return changed(spec, created=0.0)  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "remedy"),
    [
        ("budget: 45m", "budgt: 45m", 9, "unknown key 'budgt'", "did you mean 'budget'?"),
        ("budget: 45m", "budget: 45", 9, "'45' is no time", "45m"),
        ("1:8:log2", "8:1:log2", 5, "no range", "LOW:HIGH"),
        ("[Offline, ", "[Ofline, ", 7, "no metric 'Ofline'", "did you mean 'Offline'?"),
        ("accuracy>=99%", "accuracy", 8, "not a constraint", "accuracy>=99%"),
        ("sampler: grid", "sampler: gird", 12, "no sampler 'gird'", "did you mean 'grid'?"),
        ("seconds: 2.5", "seconds: -1", 10, "no duration", "10"),
        ("seed: 7", "seed: seven", 11, "not a whole number", "digits"),
    ],
)
def test_an_error_names_file_line_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, what: str, remedy: str
) -> None:
    path = written(tmp_path, TEXT.replace(old, new))
    with pytest.raises(ProfileError) as caught:
        of_file(path)
    assert f"{path}:{line}" in caught.value.what
    assert what in caught.value.what
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "seconds"), [("45m", 2700), ("1h30m", 5400), ("90s", 90), ("1.5h", 5400), ("2 h", 7200), ("10min", 600)]
)
def test_a_time_has_a_unit(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "45", "m", "0m", "45x", "45m later", "-5m"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        seconds_of(text)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "²", "9999999999"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        whole_number(text)
    if text != "1.5":
        with pytest.raises(UsageError):
            positive(text)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"axes": ()}, "nothing is varied"),
        ({"objectives": ("Server",)}, "the rate that it was asked for"),
        ({"objectives": ("energy_per_sample",)}, "energy counters"),
    ],
)
def test_what_can_not_be_explored_is_refused(
    tmp_path: Path, place: Workplace, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], what: str
) -> None:
    monkeypatch.setattr("engine.system.usage.energy", dict)
    with pytest.raises(InferdeckError, match=what):
        specification(place, asked(tmp_path, **changes))


def test_the_reference_model_is_compared_with_the_rules(tmp_path: Path, place: Workplace) -> None:
    text = TEXT.replace(",_patterns-net", "")
    spec, _ = specification(place, of_file(written(tmp_path, text)))
    assert spec.limits[0].reference == 76.46
    closed, _ = specification(
        place, replace(of_file(written(tmp_path, text.replace("{sut", "{division: closed, sut"))), constraints=())
    )
    (limit,) = closed.limits
    assert (limit.key, limit.why) == ("accuracy", "the closed division demands it")
    assert limit.bound == pytest.approx(76.46 * 0.99)
