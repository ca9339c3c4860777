"""Real LoadGen runs in processes of their own, through ONNX Runtime and the null backend."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
import pytest
from onnx import TensorProto, helper

from engine import events
from engine.errors import RunError
from engine.harness.main import main, read_spec
from engine.harness.spec import Workers
from engine.mlperf import SCENARIOS, Mode, Scenario
from tests.engine.harness import runs

MODES: tuple[Mode, ...] = get_args(Mode)


def ticks(done: runs.Finished) -> list[events.Tick]:
    return [event for event in done.events if isinstance(event, events.Tick)]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("mode", MODES)
def test_a_run_answers_every_sample_and_says_so(tmp_path: Path, scenario: Scenario, mode: Mode) -> None:
    done = runs.finish(runs.spec(tmp_path, runs.settings(scenario, mode)))
    assert (done.status, done.stderr) == (0, "")
    report, last = done.report, ticks(done)[-1]
    assert last.issued == last.completed == report.samples > 0
    assert sum(sum(tick.latencies.values()) for tick in ticks(done)) == report.samples
    assert report.batches <= report.samples
    assert report.cpu_seconds is not None
    assert report.cpu_seconds > 0
    assert report.peak_memory is not None
    assert report.peak_memory > 1 << 24
    assert report.model_bytes
    assert [event.name for event in done.events if isinstance(event, events.Phase)] == ["load", "measure"]
    if mode == "accuracy":
        expected = {index: np.float32(sum(range(index * 4, index * 4 + 4))).tobytes() for index in range(runs.SAMPLES)}
        assert dict(done.answers) == expected
    else:
        assert done.detail["result_query_count"] > 0


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_harness_alone_runs_through_the_null_backend(tmp_path: Path, scenario: Scenario) -> None:
    done = runs.finish(runs.spec(tmp_path, runs.settings(scenario, "accuracy"), **runs.NULL))
    assert (done.status, done.stderr) == (0, "")
    assert {index for index, _ in done.answers} == set(range(runs.SAMPLES))
    assert {data for _, data in done.answers} == {bytes(4)}


def test_the_seeds_are_the_given_ones_although_loadgen_ignores_them_in_files(tmp_path: Path) -> None:
    conf = "*.*.qsl_rng_seed = 1\n*.*.sample_index_rng_seed = 2\n*.*.schedule_rng_seed = 3\n"
    done = runs.finish(runs.spec(tmp_path, runs.settings("Offline", "performance"), mlperf_conf=conf, **runs.NULL))
    assert {key: done.detail[f"effective_{key}"] for key in runs.SEEDS} == runs.SEEDS
    assert (done.folder / "mlperf.conf").read_text() == conf


def test_a_model_of_one_batch_size_gets_full_batches(tmp_path: Path) -> None:
    nodes = [helper.make_node("ReduceSum", ["x", "axis"], ["total"], keepdims=0)]
    inputs, outputs = [("x", int(TensorProto.FLOAT), [3, 4])], [("total", int(TensorProto.FLOAT), [3])]
    model = runs.save(tmp_path / "three.onnx", nodes, inputs, outputs, axis=[1])
    workers = Workers(sessions=1, intra_op_threads=1, max_batch=3)
    done = runs.finish(runs.spec(tmp_path, runs.settings("Server", "accuracy"), model=str(model), workers=workers))
    assert dict(done.answers) == {i: np.float32(16 * i + 6).tobytes() for i in range(runs.SAMPLES)}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_inference_that_fails_ends_the_run(tmp_path: Path, scenario: Scenario) -> None:
    samples = tmp_path / "indices.npy"
    np.save(samples, np.array([1, 2, 3, 99, 4], np.int64))
    done = runs.finish(
        runs.spec(
            tmp_path,
            runs.settings(scenario, "accuracy", performance_sample_count=5),
            model=str(runs.lookup_model(tmp_path / "lookup.onnx")),
            samples=(str(samples),),
        )
    )
    assert done.status == 3
    assert not done.finished
    assert "sample" in done.failure["what"]
    assert "Gather" in done.failure["what"]
    assert done.failure["remedy"]


def test_a_fault_in_the_task_ends_the_run_with_a_traceback(tmp_path: Path) -> None:
    run = runs.spec(
        tmp_path, runs.settings("Offline", "performance"), task="tests.engine.harness.faulty_task", **runs.NULL
    )
    done = runs.finish(run)
    assert (done.status, done.finished) == (1, False)
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1] == "ZeroDivisionError: this task is at fault"


def test_more_samples_than_the_data_set_has_are_refused(tmp_path: Path) -> None:
    done = runs.finish(runs.spec(tmp_path, runs.settings("Offline", "performance", performance_sample_count=51)))
    assert (done.status, done.finished) == (3, False)
    assert "50 samples" in done.failure["what"]


def test_a_configuration_that_says_otherwise_is_refused(tmp_path: Path) -> None:
    conf = "resnet50.Server.target_qps = 501\n"
    done = runs.finish(runs.spec(tmp_path, runs.settings("Server", "performance"), user_conf=conf))
    assert (done.status, done.finished) == (3, False)
    assert "server_target_qps to 501.0" in done.failure["what"]


def test_a_finished_run_is_never_written_over(tmp_path: Path) -> None:
    run = runs.spec(tmp_path, runs.settings("Offline", "performance"), **runs.NULL)
    assert runs.finish(run).status == 0
    before = (tmp_path / "log" / "mlperf_log_detail.txt").read_bytes()
    again = runs.finish(run)
    assert again.status == 3
    assert "finished run" in again.failure["what"]
    assert (tmp_path / "log" / "mlperf_log_detail.txt").read_bytes() == before


def test_a_killed_run_leaves_no_report(tmp_path: Path) -> None:
    run = runs.spec(tmp_path, runs.settings("SingleStream", "performance", min_duration_ms=60_000), mlperf_conf="")
    with runs.start(run) as process:
        assert process.stdout is not None
        while not isinstance(events.decode(process.stdout.readline()), events.Tick):
            pass
        process.send_signal(signal.SIGINT)
        process.wait(10)
    assert process.returncode == -signal.SIGINT
    assert list((tmp_path / "log").glob("run.*")) == []


def test_a_run_ends_when_nobody_reads_its_events_any_more(tmp_path: Path) -> None:
    run = runs.spec(tmp_path, runs.settings("Offline", "performance", min_duration_ms=60_000), mlperf_conf="")
    with runs.start(run) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        process.wait(10)
    assert process.returncode == 1
    assert not (tmp_path / "log" / "run.json").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "No such file"), (b"{}", "not the spec of a run")],
)
def test_a_spec_that_cannot_be_read_is_refused(tmp_path: Path, text: bytes | None, says: str) -> None:
    path = tmp_path / "spec.json"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(RunError, match=says):
        read_spec(path)


def test_a_wrong_command_line_is_status_2() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["spec.json", "--events-fd", "stdout"])
    assert ended.value.code == 2


def test_events_go_to_the_given_descriptor(tmp_path: Path) -> None:
    run = runs.spec(tmp_path, runs.settings("Offline", "performance"), **runs.NULL)
    path = tmp_path / "spec.json"
    path.write_bytes(msgspec.json.encode(run))
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "engine.harness.main", str(path), "--events-fd", str(writer)]
    done = subprocess.run(command, cwd=runs.ROOT, pass_fds=[writer], capture_output=True, check=True)
    os.close(writer)
    with os.fdopen(reader, "rb") as lines:
        assert any(isinstance(events.decode(line), events.Tick) for line in lines)
    assert done.stdout == b""


def test_a_batch_that_no_memory_holds_says_so(tmp_path: Path) -> None:
    run = runs.spec(tmp_path, runs.settings("Offline", "performance"), **runs.NULL)
    workers = Workers(sessions=1, intra_op_threads=1, max_batch=10**15)
    done = runs.finish(msgspec.structs.replace(run, workers=workers))
    assert done.status == 3
    assert "session 0: the memory ran out: Unable to allocate" in done.failure["what"]
    assert done.failure["remedy"] == "use fewer sessions or a smaller batch"
    assert not done.finished
