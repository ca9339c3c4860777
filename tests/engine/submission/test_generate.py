"""From a results folder to a tree: file layout, refusals, and that nothing unfinished is left."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from engine.errors import DataError, InferdeckError, StoreError, UsageError
from engine.facts import CalibratedFacts
from engine.submission import verified
from engine.submission.generate import Request, generate, systems_in
from engine.submission.pack import MARK
from engine.submission.truncate import truncate
from tests.engine.submission.results_folder import DESCRIPTION, rules, write_run

RULES = rules()


def request(tmp_path: Path, sut: str = "box", **changes: object) -> Request:
    """Return a request for one system."""
    plain = {"results": tmp_path / "results", "out": tmp_path / "tree", "sut": sut, "description": DESCRIPTION}
    return Request(**{**plain, **changes})  # type: ignore[arg-type]


def files(folder: Path) -> set[str]:
    """Return the files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_tree_of_the_rules(tmp_path: Path) -> None:
    write_run(tmp_path / "results", "box", "resnet50", "Offline")
    generate(request(tmp_path), RULES)
    assert files(tmp_path / "tree" / "open" / "Me") == {
        "systems/box.json",
        "code/resnet50/inferdeck/README.md",
        "measurements/box/resnet50/Offline/box_inferdeck_Offline.json",
        "measurements/box/resnet50/Offline/mlperf.conf",
        "measurements/box/resnet50/Offline/user.conf",
        "measurements/box/resnet50/Offline/lock.json",
        "measurements/box/resnet50/Offline/README.md",
        "measurements/box/resnet50/Offline/calibration_process.adoc",
        "results/box/resnet50/Offline/performance/run_1/mlperf_log_summary.txt",
        "results/box/resnet50/Offline/performance/run_1/mlperf_log_detail.txt",
        "results/box/resnet50/Offline/performance/run_1/mlperf_log_accuracy.json",
        "results/box/resnet50/Offline/accuracy/accuracy.txt",
        "results/box/resnet50/Offline/accuracy/mlperf_log_summary.txt",
        "results/box/resnet50/Offline/accuracy/mlperf_log_detail.txt",
        "results/box/resnet50/Offline/accuracy/mlperf_log_accuracy.json",
    }
    fields = json.loads(
        (tmp_path / "tree/open/Me/measurements/box/resnet50/Offline/box_inferdeck_Offline.json").read_text()
    )
    assert set(RULES.files.measurement_fields) <= set(fields)
    assert not (tmp_path / "tree" / MARK).exists()
    assert "inferdeck run --tags=app" in (tmp_path / "tree/open/Me/code/resnet50/inferdeck/README.md").read_text()


def test_what_a_model_was_calibrated_with_is_written_down(tmp_path: Path) -> None:
    used = CalibratedFacts(text="500 images of list 1", by_rules=True, sha256="5" * 64)
    write_run(tmp_path / "results", "box", "resnet50", "Offline", {"calibration": used})
    generate(request(tmp_path), RULES)
    place = tmp_path / "tree/open/Me/measurements/box/resnet50/Offline"
    text = (place / "calibration_process.adoc").read_text()
    assert "Calibrated with 500 images of list 1" in text
    assert "5" * 64 in text
    fields = json.loads((place / "box_inferdeck_Offline.json").read_text())
    assert fields["inferdeck"]["calibration"]["by_rules"] is True


def test_a_second_system_joins_and_a_second_time_replaces(tmp_path: Path) -> None:
    for sut in ("box", "rack"):
        write_run(tmp_path / "results", sut, "resnet50", "Offline")
    generate(request(tmp_path), RULES)
    generate(request(tmp_path, "rack"), RULES)
    tree = tmp_path / "tree" / "open" / "Me"
    assert {path.name for path in (tree / "results").iterdir()} == {"box", "rack"}
    stale = tree / "results" / "box" / "resnet50" / "Server"
    stale.mkdir()
    generate(request(tmp_path), RULES)
    assert not stale.exists()
    assert not [path for path in tmp_path.iterdir() if ".part-" in path.name]


def test_an_edge_system_infers_when_asked(tmp_path: Path) -> None:
    write_run(tmp_path / "results", "box", "resnet50", "SingleStream")
    assert [one.scenario for one in generate(request(tmp_path), RULES)] == ["SingleStream"]
    made = generate(request(tmp_path, infer=True), RULES)
    assert sorted(one.scenario for one in made) == ["MultiStream", "Offline", "SingleStream"]
    log = tmp_path / "tree/open/Me/results/box/resnet50/Offline/performance/run_1/mlperf_log_detail.txt"
    assert log.read_text() == "mlperf_log_detail.txt of SingleStream performance"


def test_a_99_9_result_serves_the_99_folder_when_asked(tmp_path: Path) -> None:
    write_run(tmp_path / "results", "box", "bert-99.9", "Offline")
    made = generate(request(tmp_path, share_99=True), RULES)
    assert [one.benchmark for one in made] == ["bert-99.9", "bert-99"]


def write_test(tmp_path: Path, test: str = "TEST05") -> Path:
    """Write a compliance test of the result and its verification; return its folder."""
    result = tmp_path / "results" / "box" / "resnet50" / "Offline"
    (result / test / "performance").mkdir(parents=True)
    (result / test / "performance" / "mlperf_log_detail.txt").write_text("of the test")
    (result / test / "verify_performance.txt").write_text("TEST PASS")
    compared = verified.verified(result / "performance", None)
    (result / test / verified.FILE).write_bytes(msgspec.json.encode(compared))
    return result / test


@pytest.mark.parametrize("division", ["closed", "open"])
def test_a_compliance_test_goes_with_the_runs_that_it_was_verified_against(tmp_path: Path, division: str) -> None:
    write_run(tmp_path / "results", "box", "resnet50", "Offline")
    test = write_test(tmp_path)
    description = {**DESCRIPTION, "division": division}
    generate(request(tmp_path, description=description), RULES)
    place = tmp_path / "tree" / division / "Me" / "compliance" / "box" / "resnet50" / "Offline" / "TEST05"
    assert files(place) == {"verify_performance.txt", "performance/run_1/mlperf_log_detail.txt"}
    (test.parent / "performance" / "mlperf_log_detail.txt").write_text("measured again")
    if division == "open":
        generate(request(tmp_path, description=description), RULES)
        assert not place.exists(), "there nobody asks for it, and it would be another run's"
        return
    with pytest.raises(DataError, match="against a different performance run") as caught:
        generate(request(tmp_path, description=description), RULES)
    assert "_compliance" in caught.value.remedy
    (test / verified.FILE).unlink()
    with pytest.raises(DataError, match="TEST05 was not verified"):
        generate(request(tmp_path, description=description), RULES)


@pytest.mark.parametrize("place", [verified.FILE, "../performance/mlperf_log_detail.txt"])
def test_a_pipe_among_the_files_of_a_test_is_named_and_not_waited_for(tmp_path: Path, place: str) -> None:
    write_run(tmp_path / "results", "box", "resnet50", "Offline")
    path = (write_test(tmp_path) / place).resolve()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(StoreError, match=f"{path}: not a plain file"):
        generate(request(tmp_path), RULES)


def test_a_compliance_test_that_is_a_link_or_a_file(tmp_path: Path) -> None:
    write_run(tmp_path / "results", "box", "resnet50", "Offline")
    test = write_test(tmp_path)
    test.with_name("TEST.log").write_text("notes")
    assert [path.name for path in generate(request(tmp_path), RULES)[0].tests] == ["TEST05"]
    test.rename(tmp_path / "outside")
    test.symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match="TEST05 is a link"):
        generate(request(tmp_path), RULES)


def test_a_try_out_marks_the_tree(tmp_path: Path) -> None:
    write_run(tmp_path / "results", "box", "resnet50", "Offline", {"style": "test"})
    generate(request(tmp_path), RULES)
    assert "style test" in (tmp_path / "tree" / MARK).read_text()


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("system", "no results of the system 'bxo'"),
        ("round", "by round v3.0, not v2.1"),
        ("unfinished", "no finished accuracy run"),
        ("unscored", "was not scored"),
        ("mixed", "result of resnet50 on rack"),
        ("division", "division of box is 'opn'"),
        ("submitter", "has no submitter"),
        ("origin", "has no provenance"),
        ("name", "can't be the name of a folder"),
        ("blank", "begins or ends with a blank"),
        ("empty", "holds no finished results"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_left_behind(tmp_path: Path, fault: str, what: str) -> None:
    changes = {"round": {"round": "v3.0"}, "mixed": {"sut": "rack"}}.get(fault, {})
    write_run(tmp_path / "results", "box", "resnet50", "Offline", changes)
    folder = tmp_path / "results" / "box" / "resnet50" / "Offline"
    description = dict(DESCRIPTION)
    if fault == "unfinished":
        (folder / "accuracy" / "run.json").unlink()
    elif fault == "unscored":
        (folder / "accuracy" / "accuracy.txt").unlink()
    elif fault == "origin":
        (folder / "performance" / "provenance.json").write_text("{")
    elif fault == "division":
        description["division"] = "opn"
    elif fault == "submitter":
        description["submitter"] = ""
    elif fault == "name":
        description["submitter"] = "../Me"
    elif fault == "blank":
        description["submitter"] = " "
    elif fault == "empty":
        folder.parent.rename(tmp_path / "elsewhere")
    with pytest.raises(InferdeckError) as caught:
        generate(request(tmp_path, "bxo" if fault == "system" else "box", description=description), RULES)
    assert what in caught.value.what
    assert caught.value.remedy
    assert not (tmp_path / "tree").exists()
    assert not [path for path in tmp_path.iterdir() if ".part-" in path.name]


@pytest.mark.parametrize("name", ["submission", "submission-whole-logs", "open", "a b"])
def test_a_name_that_is_taken_by_the_tree_is_no_system(tmp_path: Path, name: str) -> None:
    write_run(tmp_path / "results", name, "resnet50", "Offline")
    with pytest.raises(UsageError, match="a system's name"):
        generate(request(tmp_path, name), RULES)


def test_what_was_generated_is_no_system(tmp_path: Path) -> None:
    results = tmp_path / "results"
    write_run(results, "box", "resnet50", "Offline")
    for out in ("submission", "other"):
        generate(request(tmp_path, out=results / out), RULES)
    truncate(results / "other", results / "other-whole-logs", RULES)
    assert systems_in(results, RULES) == ["box"]
    with pytest.raises(UsageError, match="no results of the system 'other'"):
        generate(request(tmp_path, "other"), RULES)


def test_only_folders_that_hold_runs_are_systems(tmp_path: Path) -> None:
    results = tmp_path / "results"
    write_run(results, "box", "resnet50", "Offline")
    (results / "notes").mkdir()
    assert systems_in(results, RULES) == ["box"]
    assert systems_in(results / "box", RULES) == [], "a benchmark's folder holds runs and not systems"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("place", ["resnet50", "resnet50/Offline", "resnet50/Offline/performance"])
def test_results_that_may_not_be_read_are_named_and_not_left_out(tmp_path: Path, place: str) -> None:
    for benchmark in ("resnet50", "retinanet"):
        write_run(tmp_path / "results", "box", benchmark, "Offline")
    folder = tmp_path / "results" / "box" / place
    folder.chmod(0)
    try:
        with pytest.raises(StoreError, match=f"no permission for {folder}"):
            generate(request(tmp_path), RULES)
    finally:
        folder.chmod(0o755)


@pytest.mark.parametrize("out", ["", "..", "box", "box/resnet50", "rack/x"])
def test_a_tree_among_the_results_is_refused(tmp_path: Path, out: str) -> None:
    for sut in ("box", "rack"):
        write_run(tmp_path / "results", sut, "resnet50", "Offline")
    before = files(tmp_path)
    with pytest.raises(UsageError, match="is where the results are") as caught:
        generate(request(tmp_path, out=tmp_path / "results" / out), RULES)
    assert caught.value.remedy.endswith("/results/submission")
    assert files(tmp_path) == before


def test_a_submitter_in_other_letters_is_the_same_one(tmp_path: Path) -> None:
    write_run(tmp_path / "results", "box", "resnet50", "Offline")
    generate(request(tmp_path), RULES)
    with pytest.raises(UsageError, match="has a submitter Me already") as caught:
        generate(request(tmp_path, description={**DESCRIPTION, "submitter": "ME"}), RULES)
    assert "--submitter=Me" in caught.value.remedy


@pytest.mark.parametrize("place", ["open", "open/Me", "open/Me/results", "open/Me/systems"])
def test_a_link_in_the_tree_is_not_written_through(tmp_path: Path, place: str) -> None:
    write_run(tmp_path / "results", "box", "resnet50", "Offline")
    (tmp_path / "outside").mkdir()
    (tmp_path / "tree" / place).parent.mkdir(parents=True)
    (tmp_path / "tree" / place).symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match=f"{place} is a link"):
        generate(request(tmp_path), RULES)
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize(
    "place",
    [
        ".",
        "..",
        "accuracy/accuracy.txt",
        "performance/mlperf_log_detail.txt",
        "performance",
        "accuracy/provenance.json",
    ],
)
def test_a_link_in_the_results_is_not_read(tmp_path: Path, place: str) -> None:
    write_run(tmp_path / "results", "box", "resnet50", "Offline")
    inside = (tmp_path / "results" / "box" / "resnet50" / "Offline" / place).resolve()
    inside.rename(tmp_path / "outside")
    inside.symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match="is a link"):
        generate(request(tmp_path), RULES)
    assert not (tmp_path / "tree").exists()


def test_a_link_laid_for_the_mark_is_not_written_through(tmp_path: Path) -> None:
    write_run(tmp_path / "results", "box", "resnet50", "Offline", {"style": "test"})
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / MARK).symlink_to(tmp_path / "victim")
    generate(request(tmp_path), RULES)
    assert (tmp_path / "victim").read_text() == "mine"
    assert "style test" in (tmp_path / "tree" / MARK).read_text()


def test_a_disturbed_result_says_so_in_the_tree(tmp_path: Path) -> None:
    write_run(tmp_path / "results", "box", "resnet50", "Offline")
    said = "r-0012 of ann measured at the same time (--now)"
    performance = tmp_path / "results" / "box" / "resnet50" / "Offline" / "performance"
    (performance / "disturbed.txt").write_text(f"{said}\x1b[31m\n")
    (made,) = generate(request(tmp_path), RULES)
    assert made.origin.disturbed == f"{said}[31m"
    place = tmp_path / "tree/open/Me/measurements/box/resnet50/Offline"
    assert said in (place / "README.md").read_text()
    assert json.loads((place / "box_inferdeck_Offline.json").read_text())["inferdeck"]["disturbed"].startswith(said)
    victim = tmp_path / "victim"
    victim.write_text("secret")
    (performance / "disturbed.txt").unlink()
    (performance / "disturbed.txt").symlink_to(victim)
    assert generate(request(tmp_path), RULES)[0].origin.disturbed == ""
