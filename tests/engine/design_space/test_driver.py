"""An exploration's process: every point once, nothing lost however often it is killed, failures as results."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from engine.design_space import trial_log
from engine.design_space.driver import STOP, judged_trials
from engine.design_space.exploration_spec import ExplorationSpec
from engine.design_space.points import every_point
from engine.design_space.trials import Axis, Trial
from tests.engine.design_space.fake_bench import ACCURATE, ALL, AXES, DEFAULT, FakeBench, KilledError, run, spec


def trials(folder: Path, asked: ExplorationSpec | None = None) -> list[Trial]:
    return judged_trials(asked or spec(), trial_log.progress(folder))[0]


def test_every_point_is_measured_the_default_first(tmp_path: Path) -> None:
    bench = FakeBench()
    assert run(tmp_path, spec(), bench) == "finished"
    found = trials(tmp_path)
    assert found[0].point == DEFAULT
    assert {one.point for one in found} == set(ALL)
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert all(one.state == "valid" and one.session == 1 and one.job for one in found)
    assert run(tmp_path, spec(), bench) == "finished", "the same command"
    assert len(trials(tmp_path)) == len(found), "and nothing is left to do"


@pytest.mark.parametrize("before_write", [False, True])
def test_it_goes_on_whenever_it_is_killed(tmp_path: Path, before_write: bool) -> None:
    asked = spec(limits=(ACCURATE,))
    bench = FakeBench(accuracies={"onnxruntime": 76.0, "openvino": 75.9})
    run(tmp_path / "whole", asked, bench)
    wanted = {one.point for one in trials(tmp_path / "whole", asked)}
    events = len((tmp_path / "whole" / trial_log.FILE).read_bytes().splitlines())
    for number in range(1, events):
        folder, bench = tmp_path / f"killed-{number}", FakeBench(accuracies=dict(bench.accuracies))
        with pytest.raises(KilledError):
            run(folder, asked, bench, killed_after=number, before_write=before_write)
        assert run(folder, asked, bench) == "finished"
        found = trials(folder, asked)
        assert {one.point for one in found} == wanted
        assert Counter(one.job for one in found).most_common(1)[0][1] == 1, "no job counts twice"
        first = [one.point for one in found if one.purpose == "search"]
        assert len(set(first)) == len(first), "no point is searched twice"
        scored = [job for job, (_, accuracy) in bench.jobs.items() if accuracy]
        assert len(scored) == len(bench.accuracies), "an accuracy run is found again, too"


def test_killed_at_every_event_it_still_ends(tmp_path: Path) -> None:
    bench = FakeBench()
    for _ in range(200):
        try:
            run(tmp_path, spec(), bench, killed_after=7)
            break
        except KilledError:
            continue
    assert {one.point for one in trials(tmp_path)} == set(ALL)


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    bench = FakeBench()
    with pytest.raises(KilledError):
        run(tmp_path, spec(), bench, killed_after=4)
    log = tmp_path / trial_log.FILE
    log.write_bytes(log.read_bytes()[:-20])
    assert run(tmp_path, spec(), bench) == "finished"
    assert {one.point for one in trials(tmp_path)} == set(ALL)


def test_refused_points_never_run(tmp_path: Path) -> None:
    bad, lacking = ALL[1], ALL[4]
    bench = FakeBench(refuses={bad: "they clash"}, missing={lacking})
    run(tmp_path, spec(), bench)
    found = {one.point: one for one in trials(tmp_path)}
    assert (found[bad].state, found[bad].reason, found[bad].job) == ("refused", "they clash", "")
    assert (found[lacking].state, found[lacking].reason) == ("refused", "openvino: it is not installed; install it")
    assert bad not in {point for point, _ in bench.jobs.values()}
    assert set(found) == set(ALL)


def test_a_failed_trial_is_a_result(tmp_path: Path) -> None:
    bench = FakeBench(fails={ALL[2]: "the memory ran out"})
    assert run(tmp_path, spec(), bench) == "finished"
    (failed,) = [one for one in trials(tmp_path) if one.state == "failed"]
    assert (failed.point, failed.reason) == (ALL[2], "the memory ran out")


def test_a_cancelled_job_stops_it(tmp_path: Path) -> None:
    bench = FakeBench(cancels={DEFAULT})
    assert run(tmp_path, spec(), bench) == "cancelled"
    assert not trials(tmp_path)


def test_it_stops_after_the_present_trial(tmp_path: Path) -> None:
    def stop() -> None:
        if len(bench.waited) == 2:
            (tmp_path / STOP).touch()

    bench = FakeBench()
    assert run(tmp_path, spec(), bench, tick=stop) == "stopped"
    assert len(trials(tmp_path)) == 2
    (tmp_path / STOP).unlink()
    assert run(tmp_path, spec(), bench) == "finished"


def test_the_accuracy_is_measured_once_for_equal_arithmetic(tmp_path: Path) -> None:
    asked = spec(limits=(ACCURATE,))
    bench = FakeBench(accuracies={"onnxruntime": 76.0, "openvino": 70.0})
    run(tmp_path, asked, bench)
    assert sum(accuracy for _, accuracy in bench.jobs.values()) == 2
    found = trials(tmp_path, asked)
    assert {one.figures["accuracy"] for one in found} == {76.0, 70.0}
    broken = [one for one in found if dict(one.point)["backend"] == "openvino"]
    assert {one.state for one in broken} == {"breaks"}
    assert broken[0].reason == "accuracy 70 % is below 75.24 %"


def test_what_was_measured_before_is_taken(tmp_path: Path) -> None:
    bench = FakeBench(known={ALL[3]})
    run(tmp_path, spec(), bench)
    (reused,) = [one for one in trials(tmp_path) if one.purpose == "reused"]
    assert (reused.point, reused.session, reused.seconds, reused.job) == (ALL[3], 0, 0.0, "r-before")


def test_a_budget_is_kept_and_what_is_left_out_is_named(tmp_path: Path) -> None:
    asked = spec(budget=7.0)
    assert run(tmp_path, asked, FakeBench()) == "budget"
    seen = trial_log.progress(tmp_path)
    assert seen.spent == 6.0
    assert seen.over is not None
    assert seen.over.left_out == ("3 of 6 points were not measured",)
    assert run(tmp_path, spec(), FakeBench()) == "finished", "with more of it, it goes on"
    assert {one.point for one in trials(tmp_path)} == set(ALL)


def test_the_baseline_comes_again_after_a_resume(tmp_path: Path) -> None:
    bench = FakeBench()
    with pytest.raises(KilledError):
        run(tmp_path, spec(), bench, killed_after=8)
    run(tmp_path, spec(), bench)
    baseline = [one for one in trials(tmp_path) if one.purpose == "baseline"]
    assert {one.session for one in baseline} == {1, 2}
    assert {one.point for one in baseline} == {DEFAULT}


def test_an_axis_can_be_added(tmp_path: Path) -> None:
    run(tmp_path, spec(), FakeBench())
    more = (*AXES, Axis(name="max_batch", values=("1", "8"), is_number=True))
    asked = spec(axes=more, default=(*DEFAULT, ("max_batch", "1")), size=12, added=("max_batch",))
    assert {one.point for one in trials(tmp_path, asked)} == {(*point, ("max_batch", "1")) for point in ALL}
    run(tmp_path, asked, FakeBench())
    assert {one.point for one in trials(tmp_path, asked)} == set(every_point(more))


def test_finalists_get_longer_runs(tmp_path: Path) -> None:
    asked = spec(final_seconds=10.0)
    run(tmp_path, asked, FakeBench())
    longer = {one.point for one in trials(tmp_path, asked) if one.stage == 1}
    assert longer
    assert longer < set(ALL)


def test_it_ends_where_nothing_works(tmp_path: Path) -> None:
    bench = FakeBench(fails=dict.fromkeys(ALL, "no model"))
    assert run(tmp_path, spec(), bench) == "failed"
    over = trial_log.progress(tmp_path).over
    assert over is not None
    assert over.reason == "the first 5 trials failed, the last one: no model"


def test_an_added_axis_stands_at_its_default_only_where_it_exists(tmp_path: Path) -> None:
    run(tmp_path, spec(), FakeBench())
    only = (("backend", frozenset({"openvino"})),)
    more = (*AXES, Axis(name="openvino.streams", values=("1", "2"), is_number=True, only_with=only))
    asked = spec(axes=more, size=9, added=("openvino.streams",))
    points = {one.point for one in trials(tmp_path, asked)}
    assert (*ALL[0],) in points
    assert (*ALL[3], ("openvino.streams", "default")) in points
    run(tmp_path, asked, FakeBench())
    assert {one.point for one in trials(tmp_path, asked)} >= set(every_point(more))
