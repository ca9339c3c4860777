"""The runs of jobs, read from their folders; damage is reported and never fatal."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.explore import history as engine_history
from engine.explore.export import listing
from engine.explore.history import all_runs
from engine.explore.origin import place
from engine.explore.run_reading import job_runs
from engine.explore.runs import Run, find, fold
from engine.facts import NO_ACCURACY
from engine.store.files import locked
from tests.engine.explore import history
from tests.helpers import folders_in

STEP = "steps/loadgen-run[Offline_performance]"


def test_a_job_gives_one_run_for_each_scenario_and_mode(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    history.job(folders, "--scenarios=Offline,Server", "--modes=performance,accuracy", "--max_batch=8", rate=500.0)
    found = all_runs(folders)
    assert [run.id for run in found] == [
        "r-0001/Offline",
        "r-0001/Offline/accuracy",
        "r-0001/Server",
        "r-0001/Server/accuracy",
    ]
    offline = found[0]
    assert (offline.model, offline.backend, offline.backend_version) == ("patterns-net", "onnxruntime", "1.32.0")
    assert (offline.scenario, offline.mode, offline.style, offline.state) == ("Offline", "performance", "test", "VALID")
    assert offline.choices == {"max_batch": "8"}
    assert offline.result == 500.0
    assert offline.when == history.START + 60
    assert offline.decided["machine"] == history.CPU
    assert offline.decided["workers in use"] == "2 x 4 threads, batch 8"
    assert found[1].state == "done"
    assert found[1].figures["accuracy"] == 76.0
    assert "latency_p99" not in found[1].figures


def test_choices_name_the_dependency_that_they_change(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    history.job(folders, "--adr.workers.seconds=3", "--adr.images.count=64", "--target_qps=50")
    assert find(all_runs(folders), "1").choices == {"target_qps": "50", "workers.seconds": "3", "images.count": "64"}


def test_accuracy_and_compliance_are_told_by_the_performance_run(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    history.job(folders, "--compliance=TEST01,TEST04", accuracy=75.5)
    found = all_runs(folders)
    tests = {run.mode: run for run in found}
    assert tests["TEST01"].state == "passed"
    assert tests["TEST01"].figures["samples_per_second"] == 1000.0
    (one,) = fold(found)
    assert one.beside == {"accuracy": "done", "TEST01": "passed", "TEST04": "passed"}
    assert one.figures["accuracy"] == 75.5
    assert one.samples == 1000


def test_an_invalid_run_says_why_in_loadgens_words(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    said = {"result_validity": "INVALID", "result_invalid_reason": "Reduce target QPS.\nRun longer. "}
    history.job(folders, "--scenarios=Server", log=said)
    history.job(folders, "--scenarios=Server", log={"result_validity": "INVALID", "result_min_duration_met": False})
    runs = all_runs(folders)
    assert find(runs, "1").reasons == ("Reduce target QPS.", "Run longer.")
    assert find(runs, "2").reasons == ("the run was too short",)
    assert {run.state for run in runs} == {"INVALID"}


def test_a_stand_in_and_a_notice_show(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    tags = history.TAGS.replace("_patterns-net", "_stand-in")
    history.job(folders, tags, told={"stand_in": True})
    (run,) = all_runs(folders)
    assert run.stand_in
    assert run.notice.startswith("SYNTHETIC WEIGHTS")


def test_an_int8_model_made_here_has_no_accuracy_until_it_is_scored(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    told = {"model": {"weight_transformations": "static quantization to int8 (ONNX QDQ): weights int8"}}
    history.job(folders, f"{history.TAGS},_int8", told=told)
    history.job(folders, f"{history.TAGS},_int8,_all-modes", told=told)
    unscored, scored = sorted(fold(all_runs(folders)), key=lambda run: run.id)
    assert unscored.notices == (NO_ACCURACY,)
    assert NO_ACCURACY in listing([unscored], "md")
    assert scored.figures["accuracy"]
    assert scored.notices == ()


def test_the_folder_is_the_results_folder_until_a_later_run_takes_it(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    job = history.job(folders, results=str(tmp_path / "out"))
    published = tmp_path / "out" / "default" / "resnet50" / "Offline" / "performance"
    assert place(all_runs(folders)[0]) == job / STEP / "output"
    shutil.copytree(job / STEP / "output", published)
    assert place(all_runs(folders)[0]) == published
    (published / "spec.json").write_text("{}")
    assert place(all_runs(folders)[0]) == job / STEP / "output"


def _remove(name: str) -> Callable[[Path], object]:
    return lambda job: (job / STEP / name).unlink()


def _break(name: str) -> Callable[[Path], object]:
    return lambda job: (job / STEP / name).write_bytes(b"\xff{ half")


def _text(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


def _instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    def damage(job: Path) -> None:
        path = job / STEP / name
        path.unlink()
        if make not in (Path.mkdir, os.mkfifo):
            path.touch()
        make(path)

    return damage


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_remove("output/mlperf_log_detail.txt"), "mlperf_log_detail.txt is missing"),
        (_break("output/mlperf_log_detail.txt"), "mlperf_log_detail.txt holds no result"),
        (_remove("output/run.json"), "run.json is missing"),
        (_break("output/run.json"), "run.json: "),
        (_remove("output/provenance.json"), "provenance.json is missing"),
        (_break("output/provenance.json"), "provenance.json: "),
        (_remove("finished.json"), "ended before it was filed"),
        (_break("finished.json"), "finished.json: "),
        (lambda job: shutil.rmtree(job / STEP / "output"), "run.json is missing"),
        (_instead("finished.json", Path.mkdir), "finished.json: not a plain file"),
        (_instead("output/run.json", os.mkfifo), "run.json: not a plain file"),
        (_instead("output/mlperf_log_detail.txt", Path.mkdir), "mlperf_log_detail.txt: not a plain file"),
        (_instead("output/run.json", _text('{"seconds":' * 100_000)), "run.json: the JSON is nested too deeply"),
        (_instead("output/run.json", lambda path: os.truncate(path, 1 << 40)), "run.json: larger than"),
        (lambda job: (job / "plan.json").write_text("{"), "plan.json can't be read"),
        (lambda job: (job / "plan.json").unlink(), "plan.json can't be read"),
    ],
)
def test_a_damaged_run_is_shown_as_such(tmp_path: Path, damage: Callable[[Path], object], words: str) -> None:
    folders = folders_in(tmp_path)
    job = history.job(folders, rate=321.0)
    damage(job)
    (run,) = all_runs(folders)
    assert run.state == "damaged"
    assert words in run.damage
    assert run.id == "r-0001/Offline"


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_whole_number_of_any_length_is_survived(tmp_path: Path, digits: int) -> None:
    folders = folders_in(tmp_path)
    job = history.job(folders)
    number = "9" * digits
    report = (job / STEP / "output" / "run.json").read_text()
    (job / STEP / "output" / "run.json").write_text(report.replace('"samples":6000', f'"samples":{number}'))
    log = job / STEP / "output" / "mlperf_log_detail.txt"
    with log.open("a") as out:
        out.write(f':::MLLOG {{"key": "result_99.00_percentile_latency_ns", "value": {number}}}\n')
    (job / STEP / "finished.json").write_text(f'{{"entry": "x", "facts": {{"total": {number}}}, "seconds": 1}}')
    assert len(all_runs(folders)) == 1
    assert all_runs(folders)[0].id == "r-0001/Offline"


def test_a_plan_that_names_a_node_it_lacks_is_damage(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    job = history.job(folders)
    plan = msgspec.json.decode((job / "plan.json").read_bytes())
    plan["plan"]["nodes"].pop(next(name for name in plan["plan"]["nodes"] if name.startswith("choose-workers")))
    (job / "plan.json").write_bytes(msgspec.json.encode(plan))
    (run,) = all_runs(folders)
    assert "which is missing" in run.damage


def test_an_early_stopping_that_is_not_met_is_told_in_loadgens_words(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    said = {"result_validity": "INVALID", "early_stopping_met": False, "result_invalid_reason": ""}
    words = " * Run unsuccessful.  * Would need to run at least 609 more queries,  with the run being successful."
    history.job(folders, "--scenarios=Server", log={**said, "early_stopping_result": words})
    assert all_runs(folders)[0].reasons == (
        "Run unsuccessful.",
        "Would need to run at least 609 more queries, with the run being successful.",
    )


def test_a_file_that_is_changed_in_place_is_read_again(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    job = history.job(folders)
    finished = job / STEP / "finished.json"
    whole, seen = finished.read_bytes(), finished.stat()
    for content, state in ((b"[]", "damaged"), (whole, "VALID")):
        finished.write_bytes(content)
        os.utime(finished, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        assert [run.state for run in all_runs(folders)] == [state]


def test_figures_come_from_the_summary_where_the_detail_log_is_gone(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    _remove("output/mlperf_log_detail.txt")(history.job(folders, rate=321.0))
    assert all_runs(folders)[0].figures["samples_per_second"] == 321.0


def test_what_still_runs_is_no_finished_measurement(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    job = history.job(folders)
    (job / STEP / "finished.json").unlink()
    with locked(job / "run.lock"):
        assert all_runs(folders) == []
    assert [run.state for run in all_runs(folders)] == ["damaged"]


def test_a_measurement_that_never_ended_is_no_run(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    job = history.job(folders)
    for name in ("finished.json", "output/run.json"):
        (job / STEP / name).unlink()
    assert all_runs(folders) == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.sampled_from(
        ["output/mlperf_log_detail.txt", "output/run.json", "output/provenance.json", "finished.json"]
    ),
    data=st.data(),
)
def test_any_bytes_in_any_file_are_survived(tmp_path: Path, name: str, data: st.DataObject) -> None:
    job = tmp_path / "state" / "jobs" / "r-0001"
    if not job.exists():
        history.job(folders_in(tmp_path))
    path = job / STEP / name
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut] + data.draw(st.binary(max_size=20)) + whole[cut + data.draw(st.integers(0, 9)) :])
    try:
        (run,) = job_runs(job)
        assert run.id.startswith("r-0001/")
    finally:
        path.write_bytes(whole)


def test_runs_are_kept_until_the_folder_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = folders_in(tmp_path)
    job = history.job(folders, rate=100.0)
    read: list[Path] = []

    def reading(folder: Path) -> list[Run]:
        read.append(folder)
        return job_runs(folder)

    monkeypatch.setattr(engine_history, "job_runs", reading)
    first = all_runs(folders)
    assert all_runs(folders) == first
    assert read == [job]
    (job / STEP / "output" / "mlperf_log_detail.txt").unlink()
    assert all_runs(folders)[0].state == "damaged"
    assert read == [job, job]


@pytest.mark.parametrize("kept", [b"", b"{", b'{"sign": 1}', b'{"sign": "x", "runs": []}', b"\xff\xfe"])
def test_kept_runs_that_are_broken_are_read_anew(tmp_path: Path, kept: bytes) -> None:
    folders = folders_in(tmp_path)
    job = history.job(folders)
    (job / engine_history.FILE).write_bytes(kept)
    assert len(all_runs(folders)) == 1
    assert msgspec.json.decode((job / engine_history.FILE).read_bytes())["sign"]
