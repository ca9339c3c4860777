"""Estimates before a run: its time, and targets with which it can't work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.errors import CannotRunError
from engine.facts import ModelFacts, SamplesFacts
from engine.harness.settings import Overrides, settings
from engine.harness.spec import LoadGenSettings
from engine.mlperf import FACTS, SCENARIOS, Scenario, target_option
from engine.profile.round_file import load_round
from engine.profile.scenario_rules import Style
from engine.step import Artifact, SurveyContext
from engine.steps.measuring import run_estimate
from engine.steps.measuring.loadgen_run import survey
from engine.steps.measuring.run_settings import OVERRIDES
from engine.steps.measuring.run_workers import WORKER_OPTIONS
from profiles import FOLDER

RULES = load_round(FOLDER / "rounds" / "v2.1.yaml")
GB = 10**9


@pytest.fixture
def four_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate 4 GB of free memory."""
    monkeypatch.setattr(run_estimate, "free_memory", lambda: 4 * GB)


def made(scenario: Scenario, **over: Any) -> LoadGenSettings:
    """Return the settings of a performance run."""
    return settings(
        RULES, "resnet50", scenario, "performance", "test", sample_count=50_000, overrides=Overrides(**over)
    )


@pytest.mark.usefixtures("four_gigabytes")
@pytest.mark.parametrize(
    ("scenario", "over"),
    [
        ("SingleStream", {"target_latency_ms": 1e-5}),
        ("MultiStream", {"target_latency_ms": 1e-5}),
        ("Server", {"target_qps": 1e8}),
        ("Offline", {"target_qps": 1e9}),
        ("Server", {"min_query_count": 10**9}),
        ("Offline", {"min_query_count": 10**9}),
    ],
)
def test_queries_beyond_the_memory_are_refused_and_the_figure_that_is_named_works(
    scenario: Scenario, over: dict[str, float]
) -> None:
    with pytest.raises(CannotRunError) as caught:
        run_estimate.refuse_hopeless(made(scenario, **over), FACTS[scenario].target)
    assert "4.0 GB are free" in caught.value.what
    option, _, figure = caught.value.remedy.split()[0].removeprefix("--").rstrip(",").partition("=")
    assert option in over
    works = made(scenario, **{option: float(figure) if option.startswith("target") else int(figure)})
    run_estimate.refuse_hopeless(works, FACTS[scenario].target)
    assert run_estimate.prepared_bytes(works) > GB


@pytest.mark.usefixtures("four_gigabytes")
def test_the_option_that_was_given_is_the_one_that_is_named() -> None:
    with pytest.raises(CannotRunError) as caught:
        survey(context("SingleStream", "test", singlestream_target_latency_ms=1e-5))
    assert caught.value.remedy.startswith("--singlestream_target_latency_ms=")


@pytest.mark.parametrize("scenario", ["SingleStream", "MultiStream"])
def test_an_expected_latency_far_above_the_measured_one_is_refused_with_that(scenario: Scenario) -> None:
    with pytest.raises(CannotRunError, match=r"tuning measured 0\.08 ms") as caught:
        run_estimate.refuse_hopeless(made(scenario, target_latency_ms=1000), "target_latency_ms", measured_ms=0.08)
    assert "--target_latency_ms=0.08" in caught.value.remedy
    run_estimate.refuse_hopeless(made(scenario, target_latency_ms=0.08), "target_latency_ms", measured_ms=0.08)
    run_estimate.refuse_hopeless(made(scenario, target_latency_ms=0.1), "target_latency_ms", measured_ms=0.08)
    run_estimate.refuse_hopeless(made(scenario, target_latency_ms=1000), "target_latency_ms")


@pytest.mark.parametrize(
    ("scenario", "style", "target", "per_second", "takes"),
    [
        ("Offline", "test", 2_000_000.0, 20_000.0, 220.0),
        ("Offline", "valid", 1000.0, 1000.0, 660.0),
        ("Server", "valid", 1.178, None, 270_336 / 1.178),
        ("Server", "test", 1.0, None, 150.0),
        ("Server", "test", 5000.0, None, 2.0),
        ("SingleStream", "valid", 2000.0, None, 2048.0),
        ("SingleStream", "test", None, None, 2.0),
    ],
)
def test_the_time_follows_from_what_was_measured(
    scenario: Scenario, style: Style, target: float | None, per_second: float | None, takes: float
) -> None:
    found = settings(RULES, "resnet50", scenario, "performance", style, sample_count=50_000, target=target)
    assert run_estimate.seconds(found, target, per_second) == pytest.approx(takes, rel=0.01)


def context(scenario: str, style: str, **options: Any) -> SurveyContext:
    """Return the survey result of a run whose tuned workers take 113 ms a sample."""
    workers = {"sessions": 2, "intra_op_threads": 1, "max_batch": 1, "cores": (), "batch_us": (113_000,)}
    trial = {"sessions": 2, "intra_op_threads": 1, "batch": 1, "pinned": False}
    tuned = {
        "workers": dict.fromkeys(("SingleStream", "MultiStream", "Server", "Offline"), workers),
        "table": [{**trial, "batch_ms": 113.0, "samples_per_second": 17.7}],
    }
    usual = dict.fromkeys((*OVERRIDES, *map(target_option, SCENARIOS), *WORKER_OPTIONS))
    chosen = {"round": "v2.1", "benchmark": "resnet50", "mode": "performance", "targets": "configured"}
    chosen |= {"backend": "onnxruntime", "sut": "box", "task": "engine.tasks.image_classification"}
    facts: dict[str, dict[str, Any]] = {
        "workers": tuned,
        "preprocessed": {"arrays": ["samples.npy"], "count": 50_000, "labels": "val_map.txt"},
        "sut": {"system": "box", "figures": {}, "found": {}},
        "model": {"model": "model.onnx", "sha256": "ab" * 32},
    }
    return SurveyContext(
        options={**usual, **chosen, "scenario": scenario, "style": style, **options},
        inputs={name: Artifact("", one) for name, one in facts.items()},
        profiles=(FOLDER,),
    )


def test_the_plan_says_that_no_rate_can_be_valid_and_how_long_that_takes() -> None:
    result = survey(context("Server", "valid"))
    assert "a valid rate is unlikely" in result.text
    assert result.seconds is not None
    assert result.seconds > 3600
    assert survey(context("Server", "valid", target_latency_ms=500.0)).text == ""


def test_the_plan_refuses_what_cant_work_and_knows_the_time_of_what_can() -> None:
    with pytest.raises(CannotRunError, match="out of queries"):
        survey(context("SingleStream", "valid", target_latency_ms=60_000.0))
    assert survey(context("SingleStream", "valid")).seconds == 600
    assert survey(context("SingleStream", "test")).seconds == pytest.approx(64 * 0.113, rel=0.01)
    assert survey(context("Offline", "test", target_qps=177.0)).seconds == pytest.approx(22, rel=0.01)


@pytest.mark.usefixtures("four_gigabytes")
def test_sessions_that_the_memory_does_not_hold_are_refused(tmp_path: Path) -> None:
    """Two files of a model of which each session has a copy, and three of twelve samples in memory."""
    for name, length in (("encoder.onnx", GB), ("joint.onnx", GB // 4), ("samples.npy", 4 * GB // 10)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(length)
    model = ModelFacts(model={"encoder": "encoder.onnx", "joint": "joint.onnx"})
    samples = SamplesFacts(arrays=("samples.npy",), count=12, labels="labels")
    made_of, data = (Artifact(str(tmp_path), msgspec.to_builtins(one)) for one in (model, samples))
    needed = [run_estimate.resident_bytes(count, made_of, data, 3) for count in (1, 3, 4)]
    assert needed == [count * (GB + GB // 4) + GB // 10 for count in (1, 3, 4)]
    run_estimate.refuse_memory(needed[1], 3)
    with pytest.raises(CannotRunError, match=r"4 sessions .* take 5\.1 GB of memory .* 4\.0 GB are free"):
        run_estimate.refuse_memory(needed[2], 4)
    assert run_estimate.memory_text(needed[2], 4) == "4 sessions: 5.1 GB of memory at least"
    assert run_estimate.memory_text(needed[0], 1) == ""
