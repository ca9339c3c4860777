"""Feasibility of valid runs, with workers that were measured on a machine of a given speed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from engine.plan.selection_syntax import selection_of
from engine.step import Artifact
from engine.survey import feasibility as tested
from engine.survey.feasibility import Feasibility, feasibility, probe_nodes
from engine.survey.prepare import Prepared, prepare, workplace

TAGS = "--tags=app,mlperf,inference,_resnet50,_synthetic-weights,_valid"
DATA = "--adr.dataset.tags=_patterns"


def plan(home: Path, *words: str) -> Prepared:
    return prepare(workplace(str(home)), selection_of([TAGS, DATA, *words])[0])


def measured(prepared: Prepared, batch_ms: float) -> Prepared:
    """Return a plan whose workers take so long for one sample."""
    workers = {"sessions": 1, "intra_op_threads": 1, "max_batch": 1, "cores": (), "batch_us": (round(1000 * batch_ms),)}
    trial = {"sessions": 1, "intra_op_threads": 1, "batch": 1, "pinned": False, "batch_ms": batch_ms}
    names = ("SingleStream", "MultiStream", "Server", "Offline")
    (node,) = probe_nodes(prepared)
    facts = {"workers": dict.fromkeys(names, workers), "table": [{**trial, "samples_per_second": 1000 / batch_ms}]}
    seen = dict(prepared.seen.seen)
    seen[node] = msgspec.structs.replace(seen[node], state="cached", artifact=Artifact("", facts))
    return replace(prepared, seen=msgspec.structs.replace(prepared.seen, seen=seen))


def figures(found: Feasibility) -> dict[str, float | None]:
    return {f"{run.scenario} {run.mode}": run.seconds for run in found.runs}


def test_without_a_measurement_only_the_minimum_of_the_rules_is_known(tmp_path: Path) -> None:
    found = feasibility(plan(tmp_path, "--scenarios=SingleStream,Server", "--modes=performance,accuracy"))
    assert not found.is_measured
    assert figures(found) == {
        "SingleStream performance": 600,
        "SingleStream accuracy": None,
        "Server performance": 600,
        "Server accuracy": None,
    }
    assert not found.advice


def test_a_slow_machine_takes_hours_and_the_longest_scenario_is_named(tmp_path: Path) -> None:
    slow = measured(plan(tmp_path, "--scenarios=SingleStream,Offline", "--modes=performance,accuracy"), 10_000)
    found = feasibility(slow)
    assert found.is_measured
    seconds = figures(found)
    assert seconds["SingleStream performance"] == pytest.approx(10 * 1024)
    assert seconds["SingleStream accuracy"] == pytest.approx(10 * 1024)
    assert seconds["Offline performance"] == pytest.approx(10 * 24_576)
    assert "24,576 samples" in next(run.basis for run in found.runs if run.scenario == "Offline")
    assert any("--scenarios=SingleStream" in one for one in found.advice)
    assert any(one.startswith("_int8 is usually quicker") and "plan --probe" in one for one in found.advice)


def test_a_latency_constraint_that_cant_be_met_is_known_before(tmp_path: Path) -> None:
    found = feasibility(measured(plan(tmp_path, "--scenarios=Server,Offline"), 40))
    assert [run.scenario for run in found.late] == ["Server"]
    assert "latency constraint is 15 ms" in found.late[0].beyond
    assert any("without Server: --scenarios=Offline" in one for one in found.advice)
    assert any("_efficientnet-lite0" in one for one in found.advice)
    assert not feasibility(measured(plan(tmp_path, "--scenarios=Server,Offline"), 1)).late


def test_the_smaller_choice_is_compared_where_it_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = measured(plan(tmp_path, "--scenarios=Server"), 40)
    quick = measured(plan(tmp_path, "--scenarios=Server"), 1)
    monkeypatch.setattr(tested, "_with", lambda _, name: quick if name == "int8" else None)
    assert "_int8 can meet the latency constraint, and takes 10:00 instead of" in feasibility(slow).advice[0]


def test_too_few_samples_for_a_valid_run_are_known_before_they_are_made(tmp_path: Path) -> None:
    words = ["--tags=app,mlperf,inference,_bert-99,_span-net,_valid,_all-scenarios,_all-modes"]
    prepared = prepare(workplace(str(tmp_path)), selection_of(words)[0])
    [(runs, problem)] = prepared.seen.problems()
    assert runs == "loadgen-run[SingleStream performance] and 3 more", "one reason is said once"
    assert "has 1024 samples, a valid run of bert-99 in round v2.1 needs" in problem.text
    enough = [*words, "--adr.questions.count=10833"]
    assert not prepare(workplace(str(tmp_path)), selection_of(enough)[0]).seen.problems()
