import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DataError
from engine.tasks import criteo_lines
from engine.tasks.criteo_lines import Rows, parse
from tests.engine.tasks import criteo_day_cases, criteo_reference

FILE = Path("day_5")

NUMBER = st.one_of(
    st.just(""),
    st.integers(-(2**31), 2**31 - 1).map(str),
    st.integers(-99, 99).map(str),
    st.integers(0, 99).map("{:09}".format),
)
HASH = st.one_of(
    st.just(""),
    st.integers(0, 2**32 - 1).flatmap(
        lambda one: st.sampled_from(["{:08x}", "{:X}"]).map(lambda form: form.format(one))
    ),
)
LINE = st.tuples(
    st.sampled_from(["0", "1", ""]),
    st.lists(NUMBER, min_size=13, max_size=13),
    st.lists(HASH, min_size=26, max_size=26),
).map(lambda one: "\t".join([one[0], *one[1], *one[2]]) + "\n")


def same(found: Rows, lines: list[str]) -> None:
    """Hold rows against the reference's arithmetic."""
    expected = np.array([criteo_reference.row(line, 2**32) for line in lines], np.int64)
    np.testing.assert_array_equal(found.numbers, expected[:, :14])
    np.testing.assert_array_equal(found.hashes, expected[:, 14:])


@given(st.lists(LINE, min_size=1, max_size=4))
def test_lines_are_read_as_the_reference_reads_them(lines: list[str]) -> None:
    same(parse("".join(lines).encode(), FILE, 1), lines)


@given(st.lists(LINE, min_size=1, max_size=3), st.data())
def test_a_changed_byte_is_named_or_read_as_the_reference_reads_it(lines: list[str], data: st.DataObject) -> None:
    text = bytearray("".join(lines).encode())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255))
    if not text.endswith(b"\n"):
        return
    line = text[:place].count(b"\n") + 1
    changed_lines = bytes(text).decode("latin-1").split("\n")[:-1]
    try:
        same(parse(bytes(text), FILE, 1), [f"{one}\n" for one in changed_lines])
    except DataError as error:
        said = error.what
    else:
        return
    # Anything but a new line end is on the line that was changed.
    assert said.isprintable()
    assert said.startswith(f"day_5:{line}: ") or len(changed_lines) != len(lines)


GOOD = "1\t" + "\t".join(["7"] * 13 + ["0000abcd"] * 26) + "\n"


def changed(column: int, text: str) -> str:
    """Return the good line with another field."""
    fields = GOOD[:-1].split("\t")
    fields[column - 1] = text
    return "\t".join(fields) + "\n"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (GOOD.replace("\t7", "", 1), "39 columns, not 40"),
        (GOOD.replace("\t7", "\t7\t7", 1), "41 columns, not 40"),
        ("\n", "1 column, not 40"),
        (changed(15, "0000abcg"), "column 15 is '0000abcg', not a hash"),
        (changed(40, "00000abcd"), "column 40 is '00000abcd', not a hash"),
        (changed(30, "-1"), "column 30 is '-1', not a hash"),
        (changed(40, "0000abcd\r"), "column 40 is '0000abcd.*', not a hash"),
        (changed(2, "2147483648"), "column 2 is '2147483648', not a whole number up to 2147483647"),
        (changed(14, "-2147483649"), "column 14 is '-2147483649', not a whole number"),
        (changed(3, "-"), "column 3 is '-', not a whole number"),
        (changed(3, "1.5"), "column 3 is '1.5', not a whole number"),
        (changed(3, "--5"), "column 3 is '--5', not a whole number"),
        (changed(3, "1234567890x"), "column 3 is '1234567890x', not a whole number"),
        (changed(1, "2"), "column 1 is '2', not 0 or 1"),
        (changed(1, "-1"), "column 1 is '-1', not 0 or 1"),
        (changed(5, "\0"), "it has the byte 0"),
    ],
)
def test_a_line_of_another_form_is_named(line: str, what: str) -> None:
    with pytest.raises(DataError, match=f"^day_5:103: {what}"):
        parse((GOOD * 2 + line + GOOD).encode(), FILE, 101)


def read(path: Path, told: Callable[[int], None] = lambda place: None) -> Rows:
    """Read a whole file."""
    found = list(criteo_lines.rows(path, told))
    return Rows(*(np.concatenate(each) for each in zip(*found, strict=True)))


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda data: gzip.compress(data[:5000]) + gzip.compress(data[5000:])]
)
def test_a_file_is_read_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(criteo_lines, "PIECE", 700)
    lines = criteo_day_cases.lines(1, 60)
    (tmp_path / "day").write_bytes(pack("".join(lines).encode()))
    told: list[int] = []
    same(read(tmp_path / "day", told.append), lines)
    assert told == sorted(told)
    assert told[-1] == (tmp_path / "day").stat().st_size


def test_a_line_is_named_by_its_number_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(criteo_lines, "PIECE", 700)
    (tmp_path / "day").write_text(GOOD * 41 + changed(20, "xyz") + GOOD * 20)
    with pytest.raises(DataError, match=r"day:42: column 20 is 'xyz'"):
        read(tmp_path / "day")


@pytest.mark.parametrize("cut", [1, 30, len(GOOD) - 1])
def test_a_file_that_ends_within_a_line_is_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "day").write_text(GOOD * 3 + GOOD[:cut])
    with pytest.raises(DataError, match=r"day:4: the file ends within the line '1"):
        read(tmp_path / "day")


def test_a_file_without_lines_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(criteo_lines, "PIECE", 700)
    (tmp_path / "day").write_bytes(bytes(5000))
    with pytest.raises(DataError, match=r"day:1: the line does not end within 700 bytes"):
        read(tmp_path / "day")


def test_a_damaged_or_cut_archive_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress((GOOD * 1000).encode())
    for data, what in (
        (packed[:-9], "cut off"),
        (packed[:10], "cut off"),
        (packed[:-8] + bytes(8), "incorrect data check"),
        (packed + b"more", "incorrect header check"),
    ):
        (tmp_path / "day.gz").write_bytes(data)
        with pytest.raises(DataError, match=rf"day.gz:\d+: from about this line on it can't be unpacked: .*{what}"):
            read(tmp_path / "day.gz")


@pytest.mark.parametrize("name", ["missing", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / name)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "day").touch()
    assert list(criteo_lines.rows(tmp_path / "day", lambda place: None)) == []
