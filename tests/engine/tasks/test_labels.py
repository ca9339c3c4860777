"""Lists of images and labels: accepted variants, and error messages about others."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DataError
from engine.tasks.labels import image_name, read_names, read_val_map


def written(folder: Path, data: bytes) -> Path:
    path = folder / "val_map.txt"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"a.JPEG 65\nb.JPEG 0\n", [("a.JPEG", 65), ("b.JPEG", 0)]),
        (b"\xef\xbb\xbfa.JPEG 65\n", [("a.JPEG", 65)]),
        (b"a.JPEG\t 065 \r\nb.JPEG 999\r\n\r\n \n\n", [("a.JPEG", 65), ("b.JPEG", 999)]),
        (b"./n01440764/a b.JPEG 3", [("n01440764/a b.JPEG", 3)]),
        ("ä.JPEG 1".encode(), [("ä.JPEG", 1)]),
        (b"without-ending 1", [("without-ending", 1)]),
    ],
    ids=["plain", "byte order mark", "ends of lines", "folders and blanks", "UTF-8", "no ending"],
)
def test_what_is_harmless_is_read(tmp_path: Path, data: bytes, found: list[tuple[str, int]]) -> None:
    assert read_val_map(written(tmp_path, data)) == found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "a blank line between others"),
        (b"# a comment", "a comment"),
        (b"#b.JPEG 3", "a comment"),
        (b"b.JPEG,65", r"columns separated by a comma or semicolon: 'b.JPEG,65'"),
        (b"65", "a single column: '65'"),
        (b"b.JPEG", "a single column"),
        (b"b.JPEG n01440764", "the WordNet id n01440764 instead of the number of a class"),
        (b"65 b.JPEG", "the columns in the wrong order: '65 b.JPEG'"),
        (b"b.JPEG 65 7", "3 columns: 'b.JPEG 65 7'"),
        (b"b.JPEG 65 # tench", "4 columns"),
        (b"b.JPEG -1", "the label '-1', which is out of range"),
        (b"b.JPEG 1000", "the label '1000', which is out of range"),
        (b"b.JPEG 99999999999999999999", "the label '99999999999999999999', which is out of range"),
        (b"b.JPEG " + b"9" * 5000, "the label '9{50,59}…', which is out of range"),
        (b"b.JPEG 65.0", "the label '65.0', which is not a whole number"),
        (b"b.JPEG 6_5", "the label '6_5', which is not a whole number"),
        ("b.JPEG \uff16".encode(), "the label '\uff16', which is not a whole number"),
        (b"b.JPEG cat", "the label 'cat', which is not a whole number"),
        (b"\x1b]0;x\x07b.JPEG 1 2", r"3 columns: '\]0;xb.JPEG 1 2'"),
    ],
)
def test_what_a_line_holds_instead_is_said(tmp_path: Path, line: bytes, words: str) -> None:
    path = written(tmp_path, b"a.JPEG 1\n" + line + b"\nc.JPEG 2\n")
    with pytest.raises(DataError, match=rf"val_map\.txt:2: found {words}") as caught:
        read_val_map(path)
    assert "`NAME LABEL` per line" in caught.value.remedy
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("read", [read_val_map, read_names])
def test_a_name_stands_once_and_stays_inside(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(DataError, match=r"val_map\.txt:3: 'a\.JPEG' is listed twice, first in line 1"):
        read(written(tmp_path, b"a.JPEG 1\nb.JPEG 2\na.JPEG 1\n"))
    with pytest.raises(DataError, match=r":2: './a\.JPEG' is listed twice"):
        read(written(tmp_path, b"a.JPEG 1\n./a.JPEG 1\n"))
    for name in (b"../a.JPEG", b"/a.JPEG", b"x/../../a.JPEG", b"."):
        with pytest.raises(DataError, match=r"val_map\.txt:1: .* leads out of the folder of the images"):
            read(written(tmp_path, name + b" 1\n"))


@pytest.mark.parametrize(
    ("data", "words", "remedy"),
    [
        ("a.JPEG 1\n".encode("utf-16"), ":1: found text in UTF-16", "iconv -f UTF-16"),
        ("a.JPEG 1\n".encode("utf-16-le"), ":1: found text in UTF-16", "iconv -f UTF-16"),
        (b"a.JPEG 1\nb\xe9.JPEG 2\n", ":2: found the byte 0xe9, which is not UTF-8", "iconv -f ISO-8859-1"),
        (b"", ": it names no images", "`NAME LABEL`"),
        (b"\n\n", ": it names no images", "`NAME LABEL`"),
    ],
)
def test_another_encoding_and_nothing_at_all(tmp_path: Path, data: bytes, words: str, remedy: str) -> None:
    with pytest.raises(DataError, match=rf"val_map\.txt{words}") as caught:
        read_val_map(written(tmp_path, data))
    assert remedy in caught.value.remedy


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "val_map.txt")
    with pytest.raises(DataError, match="not a plain file"):
        read_val_map(tmp_path / "val_map.txt")


@given(st.binary(max_size=60) | st.text(st.sampled_from("ab./ \t\n\r0159-#,"), max_size=40).map(str.encode))
def test_any_file_is_read_or_refused_with_its_line(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = written(Path(place), data)
        try:
            found = read_val_map(path)
        except DataError:
            return
    names = [name for name, _ in found]
    assert len(set(names)) == len(names) > 0
    assert all(0 <= label <= 999 and image_name(name) == name for name, label in found)
