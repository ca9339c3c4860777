"""Comparison: what differs, what is the same, changes above and within noise, and missing measurements."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from engine.explore import ticks as engine_ticks
from engine.explore.columns import column
from engine.explore.compare import ComparedMetric, Comparison, compare, differences
from engine.explore.history import all_runs
from engine.explore.runs import Run, find, fold
from engine.explore.steadiness import steadiness
from engine.explore.table_columns import ordered
from engine.store.folders import Folders
from tests.engine.explore import history
from tests.helpers import folders_in


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Folders of a separate user."""
    return folders_in(tmp_path)


def compared(folders: Folders, *words: str) -> Comparison:
    """Compare the runs with these names."""
    known = all_runs(folders)
    return compare([find(known, word) for word in words], known)


def row(found: Comparison, key: str = "samples_per_second") -> ComparedMetric:
    """Return the row of a metric."""
    return next(one for one in found.rows if one.metric.key == key)


def test_a_choice_that_differs_is_named_and_the_rest_is_the_same(folders: Folders) -> None:
    history.job(folders, rate=100.0)
    history.job(folders, "--max_batch=8", rate=200.0)
    found = compared(folders, "1", "2")
    assert [(one.name, one.values) for one in found.differs] == [
        ("max_batch", ("-", "8")),
        ("workers in use", ("2 x 4 threads, batch 32", "2 x 4 threads, batch 8")),
    ]
    assert dict(found.same)["machine"] == history.CPU
    assert row(found).figures == (100.0, 200.0)
    assert row(found).changes[0].share == pytest.approx(1.0)


def test_another_component_hides_what_is_inside_it(folders: Folders) -> None:
    history.job(folders)
    history.job(folders, "--adr.images.count=50")
    history.job(folders, history.TAGS.replace("_patterns-net", "_efficientnet-lite0"))
    names = [one.name for one in compared(folders, "1", "2").differs]
    assert names == ["images.count"]
    changed = {one.name: one.values for one in compared(folders, "1", "3").differs}
    assert changed["model"] == ("patterns-net", "efficientnet-lite0")
    assert not [name for name in changed if name.startswith(("model.", "images."))]


def test_another_machine_or_version_differs(folders: Folders) -> None:
    history.job(folders)
    history.job(folders, machine="Another CPU", report={"loadgen_version": "6.1.0"})
    assert {one.name for one in compared(folders, "1", "2").differs} == {"machine", "LoadGen"}


def test_other_code_differs_where_nothing_named_does(folders: Folders) -> None:
    history.job(folders)
    run = all_runs(folders)[0]
    other = Run(
        **{**{name: getattr(run, name) for name in run.__struct_fields__}, "keys": {**run.keys, "model": "f" * 64}}
    )
    (one,) = differences([run, other])
    assert one.name == "model (inputs or code)"
    assert one.values == (run.keys["model"][:8], "ffffffff")
    assert differences([run, run]) == ()


def test_noise_is_of_repeated_runs(folders: Folders) -> None:
    rates = (98.0, 100.0, 102.0)
    for rate in rates:
        history.job(folders, rate=rate)
    history.job(folders, "--max_batch=8", rate=104.0)
    history.job(folders, "--max_batch=8", rate=130.0, results="/elsewhere")
    small, large = (row(compared(folders, "2", other)).changes[0] for other in ("1", "5"))
    assert small.noise is not None
    assert (small.noise.source, small.noise.count) == ("repeats", 3)
    spread = statistics.stdev(rate / 100 for rate in rates)
    assert small.noise.band == pytest.approx(4.303 * spread * 2**0.5, rel=1e-3)
    assert small.above_noise is False
    assert large.noise is not None
    assert large.noise.count == 5, "the repeats of both are pooled"
    groups = [[98 / 100, 1.0, 102 / 100], [104 / 117, 130 / 117]]
    squares = sum((one - 1) ** 2 for group in groups for one in group)
    assert large.noise.band == pytest.approx(3.182 * (squares / 3) ** 0.5 * 2**0.5, rel=1e-3)


def test_a_change_above_noise_is_said(folders: Folders) -> None:
    for rate in (100.0, 100.5, 99.5, 100.2):
        history.job(folders, rate=rate)
    history.job(folders, "--max_batch=8", rate=120.0)
    change = row(compared(folders, "1", "5")).changes[0]
    assert change.above_noise is True
    assert change.noise is not None
    assert "4 runs of equal choices" in change.noise.text()


def test_without_repeats_noise_is_of_the_runs_themselves(folders: Folders) -> None:
    history.job(folders, rate=100.0, rates=[90, 110] * 10)
    history.job(folders, "--max_batch=8", rate=130.0, rates=[130] * 20)
    change = row(compared(folders, "1", "2")).changes[0]
    assert change.noise is not None
    assert change.noise.source == "itself"
    assert 0 < change.noise.band < 0.1
    assert change.above_noise is True
    assert "at least" in change.noise.text()


def test_latencies_of_two_scenarios_are_not_held_against_each_other(folders: Folders) -> None:
    history.job(folders, "--scenarios=SingleStream", rate=100.0)
    history.job(folders, "--scenarios=MultiStream", rate=200.0)
    found = compared(folders, "1", "2")
    assert row(found).changes[0].share is not None, "samples/s are the same in both"
    assert row(found, "load_seconds").changes[0].points == 0
    latency = row(found, "latency_p99")
    assert None not in latency.figures
    assert latency.changes[0].points is None
    assert latency.changes[0].noise is None


def test_noise_that_nothing_tells_is_not_made_up(folders: Folders) -> None:
    history.job(folders, rate=100.0)
    history.job(folders, "--max_batch=8", rate=101.0, rates=[100] * 3)
    change = row(compared(folders, "1", "2")).changes[0]
    assert change.noise is None
    assert change.above_noise is None


def test_accuracy_is_judged_by_how_many_samples_were_scored(folders: Folders) -> None:
    for number, accuracy in enumerate((76.0, 77.0, 60.0, 100.0)):
        history.job(folders, f"--max_batch={number + 1}", "--modes=performance,accuracy", accuracy=accuracy)
    near, far, perfect = (row(compared(folders, "1", other), "accuracy").changes[0] for other in ("2", "3", "4"))
    assert near.points == pytest.approx(1.0)
    assert near.above_noise is False
    assert far.above_noise is True
    assert near.noise is not None
    assert near.noise.band == pytest.approx(3.7, abs=0.1)
    assert perfect.noise is not None
    assert perfect.noise.band > 2.5


def test_more_wrong_words_than_were_said_are_worse(folders: Folders) -> None:
    for number, rate in enumerate((160.0, 12.5)):
        words = (f"--max_batch={number + 1}", "--modes=performance,accuracy")
        history.job(folders, *words, accuracy=100 - rate, scores={"wer": rate})
    found = compared(folders, "1", "2")
    accuracy, wrong = row(found, "accuracy"), row(found, "wer")
    assert [accuracy.metric.text(figure) for figure in accuracy.figures] == ["-60.00", "87.50"]
    assert (accuracy.metric.better, wrong.metric.better) == ("higher", "lower")
    assert [one.changes[0].points for one in (accuracy, wrong)] == [147.5, -147.5]
    assert accuracy.changes[0].noise is None, "a share below zero has none"
    listed = [run for run in all_runs(folders) if run.mode == "accuracy"]
    for name in ("accuracy", "wer"):
        assert [run.figures["wer"] for run in ordered(listed, column(name))] == [12.5, 160.0]


def test_missing_measurements_are_named_with_the_command_that_makes_them(folders: Folders) -> None:
    history.job(folders, "--scenarios=Offline,Server", "--modes=performance,accuracy")
    history.job(folders, "--max_batch=8")
    (one,) = compared(folders, "1/Offline", "2").missing
    assert (one.run.id, one.what) == ("r-0002/Offline", "accuracy")
    assert one.words == ("run", history.TAGS, "--max_batch=8", "--scenarios=Offline", "--modes=accuracy")
    assert row(compared(folders, "1/Offline", "2"), "accuracy").changes[0].share is None


def test_three_runs_are_held_against_the_first(folders: Folders) -> None:
    for rate in (100.0, 150.0, 50.0):
        history.job(folders, f"--max_batch={round(rate)}", rate=rate)
    assert [change.share for change in row(compared(folders, "1", "2", "3")).changes] == [0.5, -0.5]


def test_damaged_runs_can_be_compared(folders: Folders) -> None:
    job = history.job(folders)
    history.job(folders)
    (job / "plan.json").write_text("{")
    found = compared(folders, "1", "2")
    assert row(found).changes[0].share == 0.0
    assert found.differs


def test_steadiness_needs_enough_of_a_run(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    step = "loadgen-run[Offline performance]"
    short = history.job(folders, rates=[100] * 3) / "events.jsonl"
    steady = history.job(folders, rates=[100] * 30) / "events.jsonl"
    wild = history.job(folders, rates=[50, 50, 50, 150, 150, 150] * 5) / "events.jsonl"
    assert steadiness(short, step) is None
    assert steadiness(tmp_path / "absent", step) is None
    assert steadiness(steady, "another step") is None
    calm, rough = steadiness(steady, step), steadiness(wild, step)
    assert calm is not None
    assert rough is not None
    assert calm.errors["samples_per_second"] == pytest.approx(0, abs=1e-9)
    assert calm.errors["latency_p99"] == 0
    assert rough.errors["samples_per_second"] > 0.1


def test_a_long_run_is_as_steady_by_gathered_ticks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = "loadgen-run[Offline performance]"
    log = history.job(folders_in(tmp_path), rates=[50, 50, 150, 150] * 16) / "events.jsonl"
    exact = steadiness(log, step)
    monkeypatch.setattr(engine_ticks, "MOST_TICKS", 100)
    gathered = steadiness(log, step)
    assert exact is not None
    assert gathered is not None
    assert gathered.blocks == exact.blocks
    assert gathered.errors["samples_per_second"] == pytest.approx(exact.errors["samples_per_second"], abs=0.05)


def test_a_torn_event_log_is_survived(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    log = history.job(folders, rates=[100] * 30) / "events.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"elapsed"', b'"elapsd"', 1)[:-40] + b'{"event": "tick", \xff')
    assert steadiness(log, "loadgen-run[Offline performance]") is not None


def test_folding_is_done_inside(folders: Folders) -> None:
    history.job(folders, "--modes=performance,accuracy", accuracy=70.0)
    history.job(folders, "--modes=performance,accuracy", accuracy=71.0)
    assert row(compared(folders, "1", "2"), "accuracy").figures == (70.0, 71.0)
    assert len(fold(all_runs(folders))) == 2
