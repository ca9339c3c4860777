"""The search of a target as a step: real LoadGen runs on a backend that only sleeps, so that its limit is known.

Nothing is asserted about exact rates: other work on the machine may make any trial invalid. What is asserted holds for
whatever the trials said.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from engine import events
from engine.errors import RunError, UsageError
from engine.profile.systems import configuration
from engine.step import Artifact, Step, SurveyContext
from engine.steps.measuring.find_performance import run, survey
from engine.steps.measuring.target_search import OFFLINE_MARGIN, STEADY
from engine.steps.measuring.trial import MODE
from profiles import FOLDER

CAPACITY = 2000
"""Queries/s of one session that takes half a millisecond for each."""

MODEL = "ab" * 32

BACKEND = {"module": "tests.engine.steps.measuring.sleeping_backend", "version": "1.5", "device": "cpu", "settings": {}}

OPTIONS: dict[str, Any] = {
    "round": "v2.1",
    "benchmark": "resnet50",
    "backend": "onnxruntime",
    "device": "cpu",
    "scenario": "Server",
    "style": "test",
    "sut": "default",
    "seconds": 9.0,
    "resolution": 0.1,
    "performance_sample_count": None,
    "target_latency_ms": 100.0,
    "task": "tests.engine.harness.echo_task",
    "sessions": 1,
    "intra_op_threads": 1,
    "max_batch": 1,
    "queue_wait_us": None,
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The user's own profiles folder, not created yet."""
    return tmp_path / "config" / "profiles"


@pytest.fixture
def make(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Step, list[events.AnyEvent]]]:
    """Return a step: a scenario, what the workers reached when they were chosen, other options."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[4]))  # the processes of the runs know the tests

    def made(
        scenario: str,
        rate: float = CAPACITY,
        alone_ms: float = 0.5,
        batch_us: tuple[int, ...] = (),
        **options: Any,
    ) -> tuple[Step, list[events.AnyEvent]]:
        heard: list[events.AnyEvent] = []
        np.save(tmp_path / "samples.npy", np.zeros((8, 4), np.float32))
        workers = {"sessions": 1, "intra_op_threads": 1, "max_batch": 1, "cores": (), "batch_us": batch_us}
        trial = {
            "sessions": 1,
            "intra_op_threads": 1,
            "batch": 1,
            "pinned": False,
            "samples_per_second": rate,
            "batch_ms": alone_ms,
        }
        tuned = {
            "workers": dict.fromkeys(("SingleStream", "MultiStream", "Server", "Offline"), workers),
            "table": [trial],
        }
        inputs = {
            "backend": Artifact("", BACKEND),
            "model": Artifact(
                str(tmp_path), {"model": "none", "outputs": [], "task_options": {}, "sha256": MODEL, "stand_in": False}
            ),
            "preprocessed": Artifact(str(tmp_path), {"count": 8, "arrays": ["samples.npy"], "labels": "val_map.txt"}),
            "workers": Artifact("", tuned),
        }
        output = tmp_path / f"output-{len(list(tmp_path.glob('output-*')))}"
        output.mkdir()
        step = Step(
            id="find",
            title="find",
            options={**OPTIONS, "scenario": scenario, **options},
            inputs=inputs,
            output=output,
            emit=heard.append,
            profiles=(FOLDER,),
            own_profiles=own,
        )
        return step, heard

    return made


def context(step: Step) -> SurveyContext:
    """Return the step's survey result."""
    return SurveyContext(options=step.options, inputs={}, profiles=step.profiles, own_profiles=step.own_profiles)


def held(own: Path, sut: str = "default", backend: str = "onnxruntime") -> Any:
    """Return the configuration that a later run finds."""
    return configuration((FOLDER, own), sut, "resnet50", backend)


@pytest.mark.slow
def test_the_highest_rate_of_a_server_is_found_told_and_kept(make: Any, own: Path) -> None:
    step, heard = make("Server", seconds=15.0)
    facts = run(step)
    target, trials = facts["target"], facts["trials"]
    assert 0 < target <= 1.3 * CAPACITY, "short trials forgive a little, not a third"
    valid = Counter(one["target"] for one in trials if one["valid"])
    invalid = Counter(one["target"] for one in trials if not one["valid"])
    refused = [rate for rate, often in invalid.items() if often >= valid[rate]]
    assert facts["refused"] == min(refused, default=None)
    assert all(rate > target for rate in refused)
    assert valid[target] == facts["repeats"]
    told = [event for event in heard if isinstance(event, events.Measured)]
    assert [(one.value, one.valid) for one in told[:-1]] == [(one["target"], one["valid"]) for one in trials]
    assert {one.mode for one in told} == {MODE}
    assert told[-1].value == target
    phases = [event.name for event in heard if isinstance(event, events.Phase)]
    assert phases[0] == f"trial 1 at {trials[0]['target']:g} queries/s: load"
    assert any(isinstance(event, events.Tick) for event in heard)
    announced = [event for event in heard if isinstance(event, events.Measuring)]
    assert [one.target for one in announced] == [one["target"] for one in trials]
    assert {(one.mode, one.bound_ns) for one in announced} == {(MODE, 100_000_000)}
    assert {one.min_queries for one in announced} == {STEADY}, "there is time for so many"
    progress = [event for event in heard if isinstance(event, events.Progress)]
    assert [(one.total, one.unit) for one in progress] == [(15, "seconds")] * len(trials)

    kept = held(own)
    assert kept.figures == {"Server": target}, "the placeholders of the other scenarios do not count"
    found = kept.found["Server"]
    assert (found.model, found.trials, found.repeats) == (MODEL, len(trials), facts["repeats"])
    assert (found.versions["onnxruntime"], found.date) == ("1.5", time.strftime("%Y-%m-%d"))
    assert facts["file"] == kept.file == str(own / "systems" / "default.yaml")
    assert not held(own, backend="tensorflow").figures


@pytest.mark.slow
def test_a_slow_server_is_tried_with_the_fewest_queries_that_can_be_valid(make: Any) -> None:
    """Six trials of 1,001 queries would take longer than the search has."""
    step, heard = make("Server", rate=300.0, seconds=12.0)
    run(step)
    assert {one.min_queries for one in heard if isinstance(one, events.Measuring)} == {459}


@pytest.mark.slow
def test_a_hopeless_trial_is_ended_early(make: Any) -> None:
    """The first rate is five times the capacity: its queries alone would take seconds to answer."""
    alone_us = 1_000_000 // (10 * CAPACITY)
    step, _ = make("Server", rate=10 * CAPACITY, alone_ms=alone_us / 1000, batch_us=(alone_us,), seconds=12.0)
    try:
        trials = run(step)["trials"]
        assert trials[0]["target"] > 4 * CAPACITY
        assert (trials[0]["valid"], trials[0]["latency_ms"]) == (False, None)
    except RunError as error:
        assert "contradict" in error.what  # noqa: PT017  (a busy machine: then the other branch says nothing)
    assert not (step.output / "trial-01" / "run.json").exists()


def test_a_bound_below_the_service_time_is_impossible(make: Any, own: Path) -> None:
    step, _ = make("Server", alone_ms=20.2, target_latency_ms=15.0)
    with pytest.raises(RunError, match=r"one sample takes 20.2 ms, the constraint is 15 ms"):
        run(step)
    assert list(step.output.iterdir()) == []
    assert not own.exists()


def test_the_bound_of_the_round_holds_without_another(make: Any) -> None:
    step, _ = make("Server", alone_ms=16.0, target_latency_ms=None)
    with pytest.raises(RunError, match="the constraint is 15 ms"):
        run(step)


def test_where_two_trials_take_longer_than_the_time_none_is_begun(make: Any) -> None:
    step, _ = make("Server", rate=1.0, alone_ms=1.0)
    with pytest.raises(
        RunError, match=r"takes 459 s at the 1 samples/s that were measured: the search has 9 s"
    ) as caught:
        run(step)
    assert "--adr.target.seconds" in caught.value.remedy
    assert list(step.output.iterdir()) == []


@pytest.mark.slow
def test_without_a_valid_rate_there_is_no_target(make: Any, own: Path) -> None:
    """The constraint is a millisecond, and the session sleeps half of one for each of the many queries that wait."""
    step, _ = make("Server", rate=200 * CAPACITY, alone_ms=0.01, target_latency_ms=1.0, seconds=2.0)
    with pytest.raises(RunError, match="no rate was valid within 1 ms"):
        run(step)
    assert not own.exists()


@pytest.mark.slow
def test_offline_is_measured_until_two_runs_agree(make: Any, own: Path) -> None:
    step, heard = make("Offline", seconds=6.0)
    facts = run(step)
    rates = [one["samples_per_second"] for one in facts["trials"]]
    assert 2 <= len(rates) <= 3
    assert facts["target"] == pytest.approx(OFFLINE_MARGIN * max(rates), rel=1e-3)
    assert max(rates) <= CAPACITY
    assert facts["spread"] == pytest.approx((max(rates) - min(rates)) / min(rates))
    differ = any(isinstance(event, events.Warned) and "runs differ" in event.text for event in heard)
    assert differ == (facts["spread"] > step.options["resolution"])
    assert held(own).figures == {"Offline": facts["target"]}


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["SingleStream", "MultiStream"])
def test_what_a_stream_takes_is_its_target(make: Any, own: Path, scenario: str) -> None:
    step, heard = make(scenario, alone_ms=0.5 if scenario == "SingleStream" else 4.0, seconds=9.0)
    facts = run(step)
    latencies = [one["latency_ms"] for one in facts["trials"]]
    assert facts["unit"] == "ms"
    assert 0.5 <= facts["target"] <= max(latencies) * 1.001
    assert facts["target"] <= 1.5 * min(one["mean_ms"] for one in facts["trials"]) * 1.001
    told = [event for event in heard if isinstance(event, events.Measured)]
    assert [one.value for one in told[:-1]] == latencies
    assert held(own).figures == {scenario: facts["target"]}


@pytest.mark.slow
def test_a_slow_stream_is_measured_with_the_queries_that_fit(make: Any) -> None:
    """662 queries of 8 samples would take three seconds or more: the percentile is then LoadGen's plain one."""
    step, _ = make("MultiStream", alone_ms=4.0, seconds=3.0)
    facts = run(step)
    assert facts["trials"][0]["latency_ms"] >= 0.5 * 8
    assert not facts["trials"][0]["valid"], "early stopping lacks queries"


@pytest.mark.slow
def test_two_scenarios_stand_side_by_side_in_the_same_file(make: Any, own: Path) -> None:
    first = run(make("Offline", seconds=3.0, sut="gcp-n2-standard-80-tf")[0])
    second = run(make("SingleStream", seconds=3.0, sut="gcp-n2-standard-80-tf")[0])
    kept = held(own, "gcp-n2-standard-80-tf")
    assert kept.figures == {
        "Offline": first["target"],
        "SingleStream": second["target"],
        "MultiStream": 700,
        "Server": 10,
    }
    assert set(kept.found) == {"Offline", "SingleStream"}
    shipped, mine = (
        yaml.safe_load((folder / "systems" / "gcp-n2-standard-80.yaml").read_text()) for folder in (FOLDER, own)
    )
    assert mine["description"] == shipped["description"]
    assert mine["runs"]["onnxruntime"] == shipped["runs"]["onnxruntime"]


@pytest.mark.slow
def test_a_target_that_can_not_be_written_is_not_lost(make: Any, own: Path) -> None:
    step, heard = make("Offline", seconds=2.0)
    (own / "systems" / "default.yaml").mkdir(parents=True)
    facts = run(step)
    assert facts["target"] > 0
    assert facts["file"] == ""
    warned = [event for event in heard if isinstance(event, events.Warned) and "could not be written" in event.text]
    assert f"{facts['target']:g} samples/s" in warned[0].text
    assert str(own / "systems" / "default.yaml") in warned[0].remedy


def test_the_survey_says_how_long_and_where_to(make: Any, own: Path) -> None:
    server, offline = (survey(context(make(scenario, seconds=120)[0])) for scenario in ("Server", "Offline"))
    assert (server.state, server.seconds) == ("run", 120)
    assert (offline.state, offline.seconds) == ("run", 30)
    assert str(own / "systems" / "default.yaml") in server.text


@pytest.mark.parametrize("obstacle", ["config", "config/profiles", "config/profiles/systems"])
def test_the_survey_refuses_where_nothing_can_be_written(make: Any, tmp_path: Path, obstacle: str) -> None:
    step, _ = make("Server")
    (tmp_path / obstacle).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / obstacle).write_text("a file where a folder should be")
    result = survey(context(step))
    assert (result.state, "can't be written" in result.text) == ("missing", True)
    assert "inferdeck system new" in result.remedy


def test_the_survey_refuses_a_folder_in_the_place_of_the_file(make: Any, own: Path) -> None:
    (own / "systems" / "default.yaml").mkdir(parents=True)
    assert survey(context(make("Server")[0])).state == "missing"


def test_an_unknown_system_is_named(make: Any) -> None:
    with pytest.raises(UsageError, match="there is no system 'defualt'"):
        survey(context(make("Server", sut="defualt")[0]))
