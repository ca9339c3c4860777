"""Samples that the disk can't hold are prepared on load: when, with which reason, and what a resumed job keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import CannotRunError
from engine.jobs.job_spec import JobSpec
from engine.plan.selection_syntax import selection_of
from engine.store.store import Store
from engine.survey import survey
from engine.survey.prepare import Prepared, Workplace, prepare
from profiles import FOLDER
from tests.helpers import catalog_of, folders_in

STEP = """
def make(step):
    return {}

def look(context):
    from engine.step import SurveyResult
    loaded = context.options.get("on_load")
    return SurveyResult("run", identity="on load" if loaded else "", disk_bytes=0 if loaded else 190_000_000_000)
"""
SAMPLES = """
name: samples
tags: [get, preprocessed]
summary: Samples
step: step.py:make
survey: step.py:look
options:
  on_load: {type: bool, default: false, key: false}
variations:
  on-load: {set: {on_load: true}}
"""
OTHERS = "name: others\ntags: [get, plain]\nsummary: Others\nstep: step.py:make\nsurvey: step.py:look\n"
RUN = "name: app\ntags: [app, run]\nsummary: Run\nneeds:\n  preprocessed: {tags: %s}\n"
FREE = 60_000_000_000


@pytest.fixture(autouse=True)
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 GB are free."""
    monkeypatch.setattr(survey, "disk_free", lambda _: FREE)


def prepared(tmp_path: Path, *words: str, tags: str = "get,preprocessed") -> Prepared:
    """Prepare a run of samples that take 190 GB."""
    files: Mapping[str, str] = {"samples": SAMPLES, "others": OTHERS, "app": RUN % f'"{tags}"'}
    ours = catalog_of(tmp_path / "profile", files)
    (tmp_path / "profile" / "components" / "step.py").write_text(STEP)
    ours = replace(ours, folders=(FOLDER, *ours.folders))  # the rounds are there
    return prepare(Workplace(folders_in(tmp_path / "home"), ours), selection_of(("--tags=app,run", *words))[0])


def on_load(found: Prepared) -> bool:
    """Return how the samples are prepared."""
    return bool(found.plan.nodes["samples"].options["on_load"].value)


def test_what_does_not_fit_is_prepared_on_load_and_the_plan_says_why(tmp_path: Path) -> None:
    found = prepared(tmp_path)
    assert on_load(found)
    assert str(found.plan.nodes["samples"].options["on_load"].reason) == "prepared on load: 190 GB needed, 60.0 GB free"
    assert found.seen.seen["samples"].text == "prepared on load: 190 GB needed, 60.0 GB free"
    found.seen.refuse_problems()


def test_what_fits_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "disk_free", lambda _: 4 * FREE)
    assert not on_load(prepared(tmp_path))


@pytest.mark.parametrize("word", ["--adr.preprocessed.tags=-_on-load", "--adr.preprocessed.on_load=no"])
def test_who_chose_to_store_them_is_told_that_they_do_not_fit(tmp_path: Path, word: str) -> None:
    found = prepared(tmp_path, word)
    assert not on_load(found)
    with pytest.raises(CannotRunError, match=r"190 GB of the disk"):
        found.seen.refuse_problems()


def test_a_stored_set_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as roomy:
        roomy.setattr(survey, "disk_free", lambda _: 4 * FREE)
        recipe = prepared(tmp_path).seen.seen["samples"].recipe
    assert recipe is not None
    store = Store(folders_in(tmp_path / "home").store)
    with store.making(recipe):
        store.publish(recipe, {}, 1.0)
    found = prepared(tmp_path)
    assert not on_load(found)
    assert found.seen.seen["samples"].state == "cached"


def test_a_component_without_the_option_stays_as_it_is(tmp_path: Path) -> None:
    found = prepared(tmp_path, tags="get,plain")
    with pytest.raises(CannotRunError, match="the most is for others"):
        found.seen.refuse_problems()


def test_a_job_is_the_same_whatever_the_disk_decides_and_another_where_the_user_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def job(found: Prepared) -> str:
        return JobSpec(plan=found.plan, command=found.command(), title="job").fingerprint()

    decided, asked = prepared(tmp_path), prepared(tmp_path, "--adr.preprocessed.tags=_on-load")
    monkeypatch.setattr(survey, "disk_free", lambda _: 4 * FREE)
    stored = prepared(tmp_path)
    assert [on_load(one) for one in (decided, asked, stored)] == [True, True, False]
    assert job(decided) == job(stored) != job(asked)
