"""Choosing workers as a step: measured, written to the system's file, and reused from it."""

from __future__ import annotations

from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import yaml
from onnx import TensorProto, helper

from engine import events
from engine.facts import ModelFacts, Ragged, SamplesFacts
from engine.harness.cores import usable
from engine.harness.spec import Workers
from engine.mlperf import SCENARIOS
from engine.profile.systems import configuration, load_system
from engine.step import Artifact, Step
from engine.steps.measuring import workers
from engine.tuning.tuned import Tuned
from profiles import FOLDER
from tests.engine.harness.runs import save, sum_model

MODEL = "ab" * 32


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The user's own profiles, with a system."""
    folder = tmp_path / "config" / "profiles"
    (folder / "systems").mkdir(parents=True)
    text = "# mine\ntargets: measured\nruns: {}\n"
    (folder / "systems" / "box.yaml").write_text(text)
    return folder


def choose(
    tmp_path: Path, own: Path, sha256: str = MODEL, samples: Artifact | None = None, **options: Any
) -> tuple[dict[str, Any], list[Any]]:
    """Choose the workers of a real, tiny model; returns the facts and the warnings."""
    heard: list[events.AnyEvent] = []
    if not (tmp_path / "sum.onnx").exists():
        sum_model(tmp_path / "sum.onnx")
    backend = {"module": "engine.backends.onnxruntime", "device": "cpu", "settings": {}, "version": "1.5"}
    step = Step(
        id="workers",
        title="workers",
        options={
            "seconds": 0.5,
            "samples_per_query": 8,
            "server_percentile": 99.0,
            "max_batch": 2,
            "benchmark": "resnet50",
            "backend": "onnxruntime",
            **options,
        },
        inputs={
            "model": Artifact(str(tmp_path), {"model": "sum.onnx", "outputs": ["total"], "sha256": sha256}),
            "backend": Artifact("", backend),
            **({"samples": samples} if samples else {}),
        },
        output=tmp_path,
        emit=heard.append,
        profiles=(FOLDER, own),
        own_profiles=own,
    )
    return workers.choose(step), heard


def test_the_step_measures_a_real_model(tmp_path: Path, own: Path) -> None:
    facts, heard = choose(tmp_path, own)
    tuned = msgspec.convert({name: facts[name] for name in ("workers", "table", "server_qps")}, Tuned)
    assert set(tuned.workers) == set(SCENARIOS)
    assert all(trial.samples_per_second > 0 for trial in tuned.table)
    assert "samples/s" in facts["text"]
    progress = [event for event in heard if isinstance(event, events.Progress)]
    assert [event.done for event in progress] == sorted(event.done for event in progress)
    assert {(event.total, event.unit) for event in progress} == {(0.5, "seconds")}
    assert yaml.safe_load((own / "systems" / "box.yaml").read_text()) == {"targets": "measured", "runs": {}}


def test_a_thorough_one_is_written_down_and_taken_from_there(tmp_path: Path, own: Path) -> None:
    words: dict[str, Any] = {"sut": "box", "target_latency_ms": 50.0}
    facts, heard = choose(tmp_path, own, tuning="thorough", **words)
    told = {event.scenario: event for event in heard if isinstance(event, events.Measured)}
    assert set(told) == set(SCENARIOS)
    assert {event.mode for event in told.values()} == {workers.MODE}
    assert told["Server"].value == facts["server_qps"]
    assert told["Server"].unit == "queries/s"

    text = (own / "systems" / "box.yaml").read_text()
    assert text.startswith("# mine\n")
    record = load_system(own / "systems" / "box.yaml").tuned["onnxruntime"]["resnet50"]
    assert (record.model, record.versions["onnxruntime"], record.bound_ms) == (MODEL, "1.5", 50)
    assert configuration((FOLDER, own), "box", "resnet50", "onnxruntime").tuned == record

    again, said = choose(tmp_path, own, tuning="quick", **words)
    assert not said, "nothing is measured, nothing has changed"
    assert record.date in again["text"]
    before = msgspec.convert({name: facts[name] for name in ("workers", "table")}, Tuned)
    after = msgspec.convert({name: again[name] for name in ("workers", "table")}, Tuned)
    assert after.workers == before.workers
    assert set(after.workers) == set(SCENARIOS)
    assert {scenario: after.trial(scenario).batch for scenario in after.workers} == {
        scenario: before.trial(scenario).batch for scenario in before.workers
    }


@pytest.mark.parametrize(
    "changed", [{"sha256": "cd" * 32}, {"target_latency_ms": 60.0}, {"backend": "openvino"}, {"benchmark": "retinanet"}]
)
def test_what_was_tuned_for_another_thing_is_measured_again(tmp_path: Path, own: Path, changed: dict[str, Any]) -> None:
    words: dict[str, Any] = {"sut": "box", "target_latency_ms": 50.0}
    choose(tmp_path, own, tuning="thorough", **words)
    _, heard = choose(tmp_path, own, **{**words, **changed})
    assert any(isinstance(event, events.Progress) for event in heard)


def test_cores_that_are_not_there_any_more_are_not_used(tmp_path: Path, own: Path) -> None:
    words: dict[str, Any] = {"sut": "box", "target_latency_ms": 50.0}
    choose(tmp_path, own, tuning="thorough", **words)
    path = own / "systems" / "box.yaml"
    data = yaml.safe_load(path.read_text())
    chosen = data["tuned"]["onnxruntime"]["resnet50"]["scenarios"]["Offline"]
    chosen["cores"] = [[max(usable()) + 1]] * chosen["sessions"]
    path.write_text(yaml.safe_dump(data))
    facts, heard = choose(tmp_path, own, **words)
    assert any(isinstance(event, events.Warned) and "measured again" in event.text for event in heard)
    assert msgspec.convert(facts["workers"]["Offline"], Workers).cores != tuple(chosen["cores"])


def test_samples_that_differ_in_length_are_timed_by_their_program(tmp_path: Path, own: Path) -> None:
    rows = [list(range(length)) for length in (2, 4, 4, 8, 12)]
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    ends = [(name, int(TensorProto.FLOAT), ["N", "L"]) for name in "xy"]
    save(tmp_path / "double.onnx", nodes, ends[:1], ends[1:])
    np.save(tmp_path / "values.npy", np.array([*chain.from_iterable(rows)], np.float32))
    np.save(tmp_path / "offsets.npy", np.array([0, *accumulate(map(len, rows))], np.int64))
    model = ModelFacts(model="double.onnx", outputs=("y",), sha256=MODEL)
    samples = SamplesFacts(arrays=(Ragged("values.npy", "offsets.npy"),), count=len(rows), labels="none")
    step = Step(
        id="workers",
        title="workers",
        options={
            "seconds": 0.5,
            "samples_per_query": 8,
            "server_percentile": 99.0,
            "max_batch": 4,
            "task": "tests.engine.harness.padded_task",
        },
        inputs={
            "model": Artifact(str(tmp_path), msgspec.to_builtins(model)),
            "backend": Artifact("", {"module": "engine.backends.onnxruntime", "version": "1"}),
            "samples": Artifact(str(tmp_path), msgspec.to_builtins(samples)),
        },
        output=tmp_path,
        emit=lambda _: None,
    )
    tuned = msgspec.convert(workers.choose(step), Tuned)
    for chosen in tuned.workers.values():
        assert chosen.max_cost == 4 * chosen.max_batch, "the samples that are timed have a length of 4"


def test_figures_of_single_runs_become_those_of_whole_samples(tmp_path: Path, own: Path) -> None:
    """Volumes of 8 and 2 windows: a sample is five runs of the model on average."""
    shapes = np.array([(192, 192, 192), (192, 128, 128)])
    sizes = shapes.prod(axis=1)
    np.save(tmp_path / "values.npy", np.zeros(sizes.sum(), np.float32))
    np.save(tmp_path / "offsets.npy", np.concatenate(([0], np.cumsum(sizes))))
    np.save(tmp_path / "shapes.npy", shapes)
    arrays = [{"values": "values.npy", "offsets": "offsets.npy", "shapes": "shapes.npy"}]
    samples = Artifact(str(tmp_path), {"arrays": arrays, "count": 2, "labels": ""})
    options = {"inputs": "parts", "task": "engine.tasks.medical_segmentation"}
    facts, _ = choose(tmp_path, own, samples=samples, **options)
    tuned = msgspec.convert({name: facts[name] for name in ("workers", "table", "server_qps")}, Tuned)
    assert set(map(repr, tuned.workers.values())) == {repr(tuned.workers["Offline"])}
    for trial in tuned.table:
        assert trial.parts == 5
        assert trial.samples_per_second == pytest.approx(trial.sessions * trial.batch / (trial.batch_ms / 1000) / 5)
        assert trial.query_ms == pytest.approx(1000 / trial.samples_per_second)
