from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.submission.checker.check import check
from engine.submission.checker.file_system import Disk, Folder, misfit
from engine.submission.checker.findings import FindingCollector, Severities, printable
from tests.engine.submission.base_tree import RULES, SYSTEMS, write_system


@pytest.fixture
def collector() -> FindingCollector:
    return FindingCollector(Severities(RULES))


def disk(root: Path) -> Disk:
    return Disk(str(root), RULES)


def test_a_folder_that_may_not_be_listed_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = SYSTEMS["dc-rnnt"]
    write_system(tmp_path, system)
    closed = tmp_path / system.at("results", "rnnt", "Server") / "accuracy"
    scandir = os.scandir

    def refusing(path: str) -> object:
        if path == str(closed):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    report = check(tmp_path, RULES, processes=1)
    assert report.verdict == "fail"
    where = str(closed.relative_to(tmp_path))
    assert ("layout.unreadable", where) in {(one.rule, one.path) for one in report.findings}


def test_a_file_that_may_not_be_read_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = SYSTEMS["open"]
    write_system(tmp_path, system)
    locked = tmp_path / system.at("results", "resnet50", "Offline") / "performance" / "run_1" / "mlperf_log_detail.txt"
    real_open = os.open

    def refusing(path: str, flags: int) -> int:
        if path == str(locked):
            raise PermissionError(13, "Permission denied", path)
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", refusing)
    report = check(tmp_path, RULES, processes=1)
    assert [(one.rule, one.severity) for one in report.findings] == [("layout.unreadable", "error")]
    assert [one.verdict for one in report.results].count("fail") == 1


def test_links_are_followed_but_never_in_a_circle(tmp_path: Path, collector: FindingCollector) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "real" / "deep" / "file.txt").write_text("x")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "up").symlink_to("..")
    (tmp_path / "real" / "self").symlink_to("self")
    folder = disk(tmp_path).list("", collector)
    assert folder is not None
    deep = folder.at("link", "deep")
    assert deep is not None
    assert deep.files == {"file.txt": 1}
    assert folder.at("real", "up") is None
    assert {one.path for one in collector.findings if one.rule == "layout.symlink"} >= {"link", "real/up", "real/self"}


def test_a_tree_of_links_to_each_other_ends(tmp_path: Path, collector: FindingCollector) -> None:
    names = "abcdefgh"
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.txt").write_text("x")
    for name in names:
        for other in names:
            (tmp_path / name / f"to-{other}").symlink_to(f"../{other}")
    folder = disk(tmp_path).list("", collector)
    assert folder is not None
    assert folder.at("a", "to-b") is not None


def test_names_that_are_no_text_can_be_printed(tmp_path: Path, collector: FindingCollector) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")).mkdir()
    folder = disk(tmp_path).list("", collector)
    assert folder is not None
    assert {one.rule for one in collector.findings} == {"layout.name", "layout.empty_folder"}
    for finding in collector.findings:
        finding.path.encode()
    assert printable("x" * 1000).endswith(" ...")


def test_a_path_that_no_file_can_have_does_not_exist(tmp_path: Path) -> None:
    assert not disk(tmp_path).exists("a\0b")
    assert not disk(tmp_path).exists("a" * 5000)
    assert disk(tmp_path).exists("")
    assert disk(tmp_path).size("nothing") == 0


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("a b", ""),
        ("a b t", ""),
        ("a", "b missing"),
        ("a b c", "c not expected"),
        ("a d c", "b missing; c, d not expected"),
        ("", ""),
    ],
)
def test_misfits(names: str, said: str) -> None:
    folder = Folder("x")
    folder.files = dict.fromkeys(names.split(), 1)
    assert misfit(folder, ("a", "b"), ("t",)) == said


@pytest.mark.parametrize(
    "link", ["accuracy.txt", "accuracy", "results", "measurements", "submitter", "open", "systems"]
)
def test_what_lies_outside_the_tree_is_never_read(tmp_path: Path, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    system = SYSTEMS["open"]
    write_system(tmp_path / "tree", system)
    result = tmp_path / "tree" / system.at("results", "resnet50", "Offline")
    home = tmp_path / "tree" / system.home
    inside = {
        "accuracy.txt": result / "accuracy" / "accuracy.txt",
        "accuracy": result / "accuracy",
        "submitter": home,
        "open": home.parent,
    }.get(link, home / link)
    outside = tmp_path / "outside"
    inside.rename(outside)
    inside.symlink_to(outside)
    opened: list[str] = []
    real_read = os.read

    def reading(handle: int, size: int) -> bytes:
        opened.append(os.path.realpath(f"/proc/self/fd/{handle}"))
        return real_read(handle, size)

    monkeypatch.setattr(os, "read", reading)
    report = check(tmp_path / "tree", RULES, processes=1)
    assert report.verdict == "fail"
    assert not [path for path in opened if path.startswith(str(outside))]
    assert {"layout.symlink", "layout.unreadable"} & {one.rule for one in report.findings}


def test_an_opened_file_counts_and_not_its_name(tmp_path: Path, collector: FindingCollector) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "tree" / "notes.txt").symlink_to("../secret.txt")
    tree = disk(tmp_path / "tree")
    assert tree.read("notes.txt", 10, collector) is None
    assert [(one.rule, one.found) for one in collector.findings] == [("layout.unreadable", "it is outside the tree")]
    with pytest.raises(OSError, match="outside the tree"):
        list(tree.lines("notes.txt", 10))
    assert not tree.exists("notes.txt")
