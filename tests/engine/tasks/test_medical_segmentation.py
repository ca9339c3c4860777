"""Preparation of KiTS19 cases as a step, and their score, against the rules' scripts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import events
from engine.errors import DataError, ProfileError
from engine.facts import Ragged, SamplesFacts
from engine.harness.samples import SampleLibrary
from engine.mlperf_logs import accuracy_log
from engine.mlperf_logs.accuracy_log import Record
from engine.step import Artifact, Step
from engine.tasks import medical_segmentation as task
from engine.tasks.kits_files import CALIBRATION_CASES, INFERENCE_CASES
from engine.tasks.volumes import How, prepared
from tests.engine.networks.running import step
from tests.engine.tasks import kits_cases as cases

LINE = "Accuracy: mean = 0.71269, kidney = 0.8043, tumor = 0.6211"
FIRST = (0.8164948457391858, 1.0, 0.9082474228695929)
"""What the rules' accuracy_kits.py (v2.1) printed and wrote for the 43 records of kits_cases.labelled."""

SHAPE = cases.Raw((12, 14, 16), (1, 1, 1), "float32")


def dataset(folder: Path, count: int) -> Artifact:
    """Generated cases, in folders whose names are in order."""
    for number in range(count):
        place = folder / f"case_{number:05d}"
        place.mkdir(parents=True)
        image, label = cases.volume(number, SHAPE)
        np.savez(place / "case.npz", image=image, label=label, affine=np.eye(4) * (number + 1))
    return Artifact(str(folder), {"images": "", "count": count})


def made(data: Artifact, output: Path, said: list[events.AnyEvent] | None = None, **options: Any) -> Step:
    output.mkdir(exist_ok=True)
    return step(output, {"count": None, **options}, {"dataset": data}, said)


def test_cases_become_a_ragged_tensor_with_labels_and_affines(tmp_path: Path) -> None:
    data, said = dataset(tmp_path / "kits19", 3), list[events.AnyEvent]()
    facts = task.prepare(made(data, tmp_path / "out", said))
    known = Artifact(str(tmp_path / "out"), facts).read(SamplesFacts)
    library = SampleLibrary([one for one in known.paths(tmp_path / "out") if isinstance(one, Ragged)], 3)
    library.load(range(3))
    truth, masks = task.read_truth(tmp_path / "out" / known.labels)
    for number in range(3):
        scan = prepared(tmp_path / "kits19" / f"case_{number:05d}", How())
        assert (library.sample(0, number) == scan.image).all()
        assert (masks[number] == scan.label.ravel()).all()
        assert truth.cases[number].name == f"case_{number:05d}"
        assert truth.cases[number].affine == scan.affine.tolist()
    assert list(task.cost(library, task.OPTIONS())) == [1, 1, 1]
    assert facts["text"] == "3 volumes, 6.3 million voxels"
    progress = [one for one in said if isinstance(one, events.Progress)]
    assert progress[-1].done == progress[-1].total == 3
    assert {one.name for one in (tmp_path / "out").iterdir()} == {
        "cases.json",
        "voxels.npy",
        "truth.npy",
        "offsets.npy",
        "shapes.npy",
    }


def test_the_order_is_that_of_the_data_set_and_count_takes_the_first(tmp_path: Path) -> None:
    data = dataset(tmp_path / "kits19", 3)
    data.facts["cases"] = ["case_00002", "case_00000", "case_00001"]
    task.prepare(made(data, tmp_path / "out", count=2))
    truth, _ = task.read_truth(tmp_path / "out" / "cases.json")
    assert [one.name for one in truth.cases] == ["case_00002", "case_00000"]


def test_an_interrupted_attempt_goes_on_with_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset(tmp_path / "kits19", 3)
    task.prepare(made(data, tmp_path / "whole"))
    done: list[str] = []

    def counted(folder: Path, how: How) -> Any:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(folder.name)
        return prepared(folder, how)

    monkeypatch.setattr(task, "usable_cores", lambda: 1)
    monkeypatch.setattr(task, "prepared", counted)
    with pytest.raises(KeyboardInterrupt):
        task.prepare(made(data, tmp_path / "out"))

    def noted(folder: Path, how: How) -> Any:
        done.append(folder.name)
        return prepared(folder, how)

    monkeypatch.setattr(task, "prepared", noted)
    task.prepare(made(data, tmp_path / "out"))
    assert sorted(done) == [f"case_{number:05d}" for number in range(3)], "each was prepared once"
    for name in ("cases.json", "voxels.npy", "truth.npy", "offsets.npy", "shapes.npy"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_every_case_that_cannot_be_prepared_is_named(tmp_path: Path) -> None:
    data = dataset(tmp_path / "kits19", 3)
    for number in (0, 2):
        (tmp_path / "kits19" / f"case_{number:05d}" / "case.npz").write_bytes(b"no case")
    with pytest.raises(DataError, match=r"2 of 3 cases cannot be prepared: case_00000: .*; case_00002: ") as found:
        task.prepare(made(data, tmp_path / "out"))
    assert "fetch" in found.value.remedy
    shutil.rmtree(tmp_path / "kits19" / "case_00002")
    data.facts["cases"] = ["case_00001", "case_00002"]
    with pytest.raises(DataError, match="has no case_00002"):
        task.prepare(made(data, tmp_path / "out"))


def test_a_data_set_without_a_case_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kits19" / "empty").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no case"):
        task.prepare(made(Artifact(str(tmp_path / "kits19"), {}), tmp_path / "out"))


def test_options_of_three_numbers_are_a_text() -> None:
    how = task.how_of({"fit": "4 5 6", "spacing": "1.5 1 2", "axes": None, "classes": ("brain",), "count": 3})
    assert how == How(fit=(4, 5, 6), spacing=(1.5, 1.0, 2.0), axes=None, classes=("brain",))
    with pytest.raises(ProfileError, match="fit"):
        task.how_of({"fit": "4 5"})


def test_the_lists_are_those_of_the_rules() -> None:
    assert (len(INFERENCE_CASES), INFERENCE_CASES[-1]) == (43, "case_00400")
    assert list(INFERENCE_CASES) == sorted(INFERENCE_CASES)
    assert len(set(CALIBRATION_CASES)) == 20
    assert not set(CALIBRATION_CASES) & set(INFERENCE_CASES)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Log and labels of 43 answers."""
    folder = tmp_path_factory.mktemp("scored")
    pairs = cases.labelled(43)
    named = zip(INFERENCE_CASES, pairs, strict=True)
    affine = np.eye(4).tolist()
    truth = task.Truth(("kidney", "tumor"), tuple(task.Case(name, mask.shape, affine) for name, (_, mask) in named))
    task.write_truth(folder, truth)
    np.save(folder / task.TRUTH, np.concatenate([mask.ravel() for _, mask in pairs]))
    records = [Record(number, number, answer.tobytes()) for number, (answer, _) in enumerate(pairs)]
    accuracy_log.write_log(folder / "log.json", reversed(records))
    return folder / "log.json", folder / task.LABELS


def test_the_score_is_the_line_of_the_rules(scored: tuple[Path, Path]) -> None:
    found = task.score(*scored)
    *each, line = found.text.splitlines()
    assert line == LINE
    kidney, tumor, mean = FIRST
    assert each[0] == f"case_00000: mean = {mean:.5f}, kidney = {kidney:.4f}, tumor = {tumor:.4f}"
    assert len(each) == 43
    assert (found.metric, found.unit, found.total, found.good, found.warning) == ("DICE", "", 43, None, "")
    assert f"{found.value:.5f}" == LINE.split()[3].rstrip(",")


def test_the_first_answer_counts_and_a_part_is_scored_as_a_part(scored: tuple[Path, Path], tmp_path: Path) -> None:
    log, labels = scored
    records = {one.qsl_idx: one for one in accuracy_log.records(log)}
    wrong = Record(9, 1, bytes(len(records[1].data)))
    accuracy_log.write_log(tmp_path / "log.json", [records[0], records[1], wrong, records[0]])
    found = task.score(tmp_path / "log.json", labels)
    assert found.total == 2
    assert found.text.splitlines()[:2] == task.score(log, labels).text.splitlines()[:2]


def test_answers_of_nothing_are_warned_of(scored: tuple[Path, Path], tmp_path: Path) -> None:
    log, labels = scored
    zeros = [Record(one.seq_id, one.qsl_idx, bytes(len(one.data))) for one in accuracy_log.records(log)]
    accuracy_log.write_log(tmp_path / "log.json", [one for one in zeros if one.qsl_idx in (1, 2, 3)])
    assert "another way" in task.score(tmp_path / "log.json", labels).warning


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([Record(0, 43, b"\0")], "sample 43 is no case"),
        ([Record(0, 0, b"\0")], r"sample 0 \(case_00000\) has 1 bytes, the volume"),
        ([Record(0, 0, b"")], "has 0 bytes"),
        ([], "no case was answered"),
    ],
)
def test_a_wrong_log_is_named(scored: tuple[Path, Path], tmp_path: Path, records: list[Record], says: str) -> None:
    accuracy_log.write_log(tmp_path / "log.json", records)
    with pytest.raises(DataError, match=says):
        task.score(tmp_path / "log.json", scored[1])


def test_a_class_that_there_is_not_is_named(scored: tuple[Path, Path], tmp_path: Path) -> None:
    log, labels = scored
    (first,) = [one for one in accuracy_log.records(log) if one.qsl_idx == 0]
    accuracy_log.write_log(tmp_path / "log.json", [Record(0, 0, b"\x03" + first.data[1:])])
    with pytest.raises(DataError, match="class 3; there are 3"):
        task.score(tmp_path / "log.json", labels)


@pytest.mark.parametrize(
    ("name", "content"),
    [(task.LABELS, b""), (task.LABELS, b'{"classes": [], "cases": []}'), (task.TRUTH, b"x"), (task.TRUTH, None)],
)
def test_wrong_labels_are_named(scored: tuple[Path, Path], tmp_path: Path, name: str, content: bytes | None) -> None:
    for one in (task.LABELS, task.TRUTH):
        shutil.copy(scored[1].parent / one, tmp_path)
    if content is None:
        np.save(tmp_path / name, np.zeros(3, np.uint8))
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="labels"):
        task.score(scored[0], tmp_path / task.LABELS)
