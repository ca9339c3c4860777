"""Any content of a tree becomes a finding: no file, value or name makes the checker fail."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.submission.checker.check import check
from engine.submission.checker.report import as_json, csv_rows
from tests.engine.submission.base_tree import RULES, SYSTEMS, write_system
from tests.engine.submission.checker.faults import described, fields, remove

NAMES = ("both", "net", "open-inferred", "baseline")
QUIET = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name in NAMES:
        write_system(root, SYSTEMS[name])
    return root


@pytest.fixture(scope="module")
def files(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


@contextmanager
def restored(path: Path) -> Iterator[None]:
    kept = path.read_bytes()
    try:
        yield
    finally:
        if path.is_dir():
            remove(path)
        path.write_bytes(kept)


def must_not_fail(tree: Path, *, wrong: bool = False) -> None:
    """Check, and write every kind of report."""
    report = check(tree, RULES, processes=1)
    json.dumps(as_json(report), allow_nan=False)
    assert list(csv_rows(report))
    for finding in report.findings:
        finding.found.encode()
        finding.path.encode()
    if wrong:
        assert report.verdict == "fail"


def cut(path: Path, where: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * where)])


def insert(path: Path, where: float, rubbish: bytes) -> None:
    data = path.read_bytes()
    at = int(len(data) * where)
    path.write_bytes(data[:at] + rubbish + data[at:])


def in_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


breaks: st.SearchStrategy[Callable[[Path], object]] = st.one_of(
    st.binary(max_size=2000).map(lambda data: lambda path: path.write_bytes(data)),
    st.text(max_size=500).map(lambda text: lambda path: path.write_bytes(text.encode("utf-8", "surrogatepass"))),
    st.floats(0, 1).map(lambda where: lambda path: cut(path, where)),
    st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=20)).map(lambda two: lambda path: insert(path, *two)),
    st.just(in_place),
)


@QUIET
@given(st.data(), breaks)
def test_rubbish_in_any_file(
    tree: Path, files: list[Path], data: st.DataObject, broken: Callable[[Path], object]
) -> None:
    path = data.draw(st.sampled_from(files))
    with restored(path):
        broken(path)
        must_not_fail(tree)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@QUIET
@given(st.data(), values)
def test_any_value_in_a_detail_log(tree: Path, files: list[Path], data: st.DataObject, value: Any) -> None:
    path = data.draw(st.sampled_from([path for path in files if path.name == "mlperf_log_detail.txt"]))
    lines = path.read_text().splitlines(keepends=True)
    number = data.draw(st.integers(0, len(lines) - 1))
    with restored(path):
        message = json.loads(lines[number].removeprefix(":::MLLOG "))
        lines[number] = ":::MLLOG " + json.dumps(message | {"value": value}) + "\n"
        path.write_text("".join(lines))
        must_not_fail(tree)


@QUIET
@given(st.data(), values)
def test_any_value_in_a_description(tree: Path, data: st.DataObject, value: Any) -> None:
    path = tree / described(data.draw(st.sampled_from(NAMES)))
    names = (*RULES.system.required, *RULES.system.network, *RULES.system.optional)
    with restored(path):
        fields(**{data.draw(st.sampled_from(names)): value})(path)
        must_not_fail(tree)


@QUIET
@given(st.sampled_from(("accuracy.txt", "spl.txt", "verify_performance.txt", "mlperf_log_summary.txt")), st.data())
def test_any_line_in_a_text(tree: Path, files: list[Path], name: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path in files if path.name == name]))
    words = st.sampled_from(["accuracy=", "hash=", "Time,", ",", ":", "1.5", "TEST PASS", "Mode", "\r", "\u2028", "\0"])
    line = "".join(data.draw(st.lists(words | st.text(max_size=5), max_size=8)))
    with restored(path):
        path.write_bytes(path.read_bytes() + line.encode("utf-8", "surrogatepass"))
        must_not_fail(tree)


def test_a_folder_in_the_place_of_every_file(tree: Path, files: list[Path]) -> None:
    for path in files[:: max(1, len(files) // 40)]:
        with restored(path):
            in_place(path)
            must_not_fail(tree)


def test_a_file_in_the_place_of_every_folder(tree: Path, tmp_path: Path) -> None:
    folders = sorted(path for path in tree.rglob("*") if path.is_dir())
    for path in folders[:: max(1, len(folders) // 40)]:
        shutil.move(path, tmp_path / "aside")
        path.write_bytes(b"\xff\x00{")
        must_not_fail(tree)
        path.unlink()
        shutil.move(tmp_path / "aside", path)


def test_the_garbage_is_gone(tree: Path) -> None:
    assert check(tree, RULES).findings == []
