"""Sanitising of outside text, and formatting of numbers."""

from __future__ import annotations

import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.text import (
    cells,
    clean,
    clean_lines,
    count,
    csv_cell,
    cut,
    decimals,
    figure,
    fit,
    fit_right,
    milliseconds,
    percent,
    progress,
    result,
    shell_line,
    short_figure,
    to_bytes,
    whole_path,
)


def from_bytes(data: bytes) -> str:
    """Return the bytes of a file as text, of which `to_bytes` makes the same bytes."""
    return data.decode("utf-8", "surrogateescape")


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_clean_text_can_be_written_and_steers_nothing(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode().decode() == cleaned
    assert not [one for one in cleaned if unicodedata.category(one) == "Cc" and one != "\t"]
    assert not [one for one in cleaned if unicodedata.bidirectional(one) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI")]
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("r\udce9sultats", r"r\xe9sultats"),
        ("\x1b]0;title\x07\x1b[31m", "]0;title[31m"),
        ("one\r\ntwo\nthree", "one two three"),
        ("a\u202eb\u2066c", "abc"),
        ("\ud800", "\ufffd"),
        ("é 雪 \t", "é 雪 \t"),
    ],
)
def test_what_a_person_sees(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_several_lines_stay_several() -> None:
    assert clean_lines("a\x1b[1m\nb") == "a[1m\nb"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=cmd|' ,C calc'!A0", "'=cmd|' ,C calc'!A0"),
        ("+1+cmd", "'+1+cmd"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("-x", "'-x"),
        ("-1.5e+3", "-1.5e+3"),
        ("+191 %", "+191 %"),
        ("ResNet-50 = fast", "ResNet-50 = fast"),
        ("b\udcfcx\nnext\x1b", "b\\xfcx next"),
        ("", ""),
    ],
)
def test_a_cell_is_never_a_formula(text: str, cell: str) -> None:
    assert csv_cell(text) == cell
    csv_cell(text).encode()


def test_a_path_is_whole_even_with_a_user_that_is_not_known_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert whole_path("~/x") == Path("/home/me/x")
    assert whole_path("~no-such-user/x") == tmp_path / "~no-such-user" / "x"
    assert whole_path("x") == tmp_path / "x"
    (tmp_path / "elsewhere" / "in").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "in")
    assert whole_path("x/..") == tmp_path
    assert whole_path("link/..") == tmp_path / "elsewhere", "as the operating system reads it"


@example("\xad", 0)
@given(st.text(), st.integers(-5, 30))
def test_a_fitted_text_takes_exactly_its_cells(text: str, width: int) -> None:
    assert cells(cut(text, width)) <= max(width, 0)
    for fitted in (fit(text, width), fit_right(text, width)):
        assert cells(fitted) == max(width, 0)
    assert cut(text, cells(text)) == text


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("abcdef", 4, "abc…"), ("abc", 3, "abc"), ("abc", 1, "…"), ("abc", 0, ""), ("abc", -7, ""), ("雪雪雪", 4, "雪…")],
)
def test_what_is_cut_says_so(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


@given(st.binary())
def test_the_bytes_of_a_file_come_back_as_they_were(data: bytes) -> None:
    assert to_bytes(from_bytes(data)) == data


def test_what_stands_for_no_byte_is_replaced() -> None:
    assert to_bytes("a\ud800b\udce9") == "a\ufffdb".encode() + b"\xe9"


@given(
    st.lists(st.text(st.characters(exclude_characters="\0"))), st.binary().map(lambda data: data.replace(b"\0", b""))
)
@settings(max_examples=20)
def test_a_command_that_is_shown_can_be_typed_again(words: list[str], odd: bytes) -> None:
    words = ["printf", "%s\\0", *words, from_bytes(odd)]
    line = shell_line(words)
    assert clean(line) == line
    typed = subprocess.run(["bash", "-c", line], capture_output=True, check=True).stdout
    assert typed == b"".join(to_bytes(word) + b"\0" for word in words[2:])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.05492222, "0.05492"), (12.2, "12.20"), (141.94, "141.9"), (21065.3, "21065"), (0, "0"), (100, "100.0")],
)
def test_four_digits_count(value: float, text: str) -> None:
    assert figure(value) == text


def test_short_figures_have_no_exponent() -> None:
    assert [short_figure(value) for value in (0.15389, 9.9996, 420.46, 1000.0, 12889.4)] == [
        "0.1539",
        "10",
        "420.5",
        "1000",
        "12889",
    ]


def test_percents() -> None:
    assert [percent(share) for share in (0.0012, 0.012, 0.123, 1.9, 0)] == ["0.12", "1.2", "12", "190", "0"]


def test_results_counts_and_progress() -> None:
    assert result(1234.5678, "samples/s") == "1234.57 samples/s"
    assert result(1234.5678, grouped=True) == "1,234.57"
    assert result(None, "ms") == ""
    assert count(270336.9) == "270,336"
    assert progress(300, 50_000, "images", " ") == "300 of 50 000 images"
    assert progress(3_100_000, 17_400_000, "bytes") == "3.1 MB of 17.4 MB"
    assert progress(7, None, "steps") == "7 steps"
    assert milliseconds(15_000_000) == "15"


@given(st.floats(0, 1e9))
def test_a_bound_on_decimals_holds(value: float) -> None:
    assert 0 <= decimals(value, most=3) <= 3
    assert decimals(value) >= decimals(value, most=3)
