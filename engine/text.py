"""Formatting of numbers and sanitising of outside text, the same for the command line and the screen."""

from __future__ import annotations

import os
import re
import time
import unicodedata
from collections.abc import Iterable
from pathlib import Path

_LINE_BREAK = re.compile(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, including those that change the direction of writing."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the start of a formula, or skips before one."""
_SIGNED_NUMBER = re.compile(r"[+-][\d.,]+(e[+-]?\d+)?( ?%| \w+)?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF
"""The surrogates that represent non-UTF-8 bytes of a file name or an argument (PEP 383)."""


def clean(text: str) -> str:
    """Return one line of text that is safe to write to any UTF-8 terminal.

    Line breaks become blanks, control characters and those that change the direction of writing are removed, and a byte
    that is not UTF-8 is shown as `\\xe9`.
    """
    return _SURROGATE.sub(_visible, _CONTROL.sub("", _LINE_BREAK.sub(" ", text)))


def still(text: str) -> str:
    """Return a text without terminal control characters, every other character in its cell."""
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", _LINE_BREAK.sub(" ", text.expandtabs(1))))


def clean_lines(text: str) -> str:
    """Return a text of several lines, each cleaned."""
    return "\n".join(clean(line) for line in text.splitlines())


def csv_cell(text: str) -> str:
    """Return one CSV cell: one line, and never a formula for a spreadsheet."""
    line = clean(text)
    is_formula = text.startswith(_FORMULA) and not _SIGNED_NUMBER.fullmatch(text)
    return f"'{line}" if is_formula else line


def to_bytes(text: str) -> bytes:
    """Return a text as the bytes of a file: UTF-8, with non-UTF-8 bytes restored (PEP 383)."""
    return _NO_BYTE.sub("\ufffd", text).encode("utf-8", "surrogateescape")


def is_text(text: str) -> bool:
    """Return whether a text can be encoded in UTF-8, that is, contains no surrogate for an invalid byte."""
    return not _SURROGATE.search(text)


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code - 0xDC00:02x}" if _FIRST_BYTE <= code <= _LAST_BYTE else "\ufffd"


def shell_line(words: Iterable[str]) -> str:
    """Return arguments as typed into a shell. Unprintable ones are written as bytes: $'r\\xe9'."""
    import shlex  # noqa: PLC0415  (start-up: only where a command is shown)

    return " ".join(shlex.quote(word) if clean(word) == word else f"$'{_in_bytes(word)}'" for word in words)


def _in_bytes(word: str) -> str:
    return "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b"'\\" else f"\\x{byte:02x}" for byte in to_bytes(word)
    )


def size(count: int | None) -> str:
    """Format bytes: 17.4 MB; empty if not known."""
    if count is None:
        return ""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float | None) -> str:
    """Format seconds: 0:07, 12:30, 1:05:00; empty if not known."""
    if seconds is None:
        return ""
    whole = max(1, round(seconds)) if seconds > 0 else 0
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def figure(value: float | None) -> str:
    """Format a measured value to four significant digits: 0.05492, 12.20, 141.9, 21065; a dash for None."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value == 0 else f"{value:.{decimals(value)}f}"


def short_figure(value: float) -> str:
    """Format a value to at most four significant digits: 0.5, 12.2, 141.9, 21065."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.4g}"


def decimals(value: float, most: int = 9) -> int:
    """Return the number of decimals for four significant digits of a value, at most `most`."""
    size_, found = abs(value), 3
    if size_ >= 1000:
        return 0
    while size_ >= 10 and found > 1:
        size_, found = size_ / 10, found - 1
    while 0 < size_ < 1 and found < most:
        size_, found = size_ * 10, found + 1
    return found


def result(value: float | None, unit: str = "", *, grouped: bool = False) -> str:
    """Format a reported result to six significant digits with its unit: `1234.5 samples/s`; empty for None."""
    return "" if value is None else f"{value:{',' if grouped else ''}.6g} {unit}".rstrip()


def percent(share: float) -> str:
    """Format the magnitude of a fraction in per cent, to two significant digits: 0.12, 1.2, 12, 120."""
    value = abs(100 * share)
    return f"{value:.0f}" if value >= 9.95 or value == 0 else f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


def count(number: float, separator: str = ",") -> str:
    """Format a whole number in groups of three digits: 270,336."""
    return f"{int(number):,}".replace(",", separator)


def progress(done: float, total: float | None, unit: str, separator: str = ",") -> str:
    """Format progress in its own unit: `3.1 MB of 17.4 MB`, `300 of 50,000 images`."""
    if unit == "bytes":
        return size(round(done)) + (f" of {size(round(total))}" if total else "")
    return count(done, separator) + (f" of {count(total, separator)}" if total else "") + f" {unit}"


def milliseconds(ns: float) -> str:
    """Format nanoseconds as milliseconds: 15, 0.5."""
    return f"{ns / 1e6:g}"


def date_time(at: float) -> str:
    """Format a time (seconds since the epoch) as local date and time of day: 2024-03-01 14:05."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def iso_time(at: float) -> str:
    """Format a time (seconds since the epoch) as local time by ISO 8601 with its zone; empty for 0."""
    from datetime import datetime  # noqa: PLC0415

    try:
        return datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds") if at else ""
    except (OverflowError, ValueError, OSError):
        return ""


def time_of_day(at: float) -> str:
    """Format a time (seconds since the epoch) as local time of day: 14:05:09."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def whole_path(text: str | Path) -> Path:
    """Return an absolute path; `~` is the home folder, and stays a plain name for an unknown user.

    A path with `..` in it is resolved, because its last part can't be used as a name.
    """
    path = Path(os.path.expanduser(text)).absolute()  # noqa: PTH111  (Path.expanduser raises for unknown users)
    return Path(os.path.realpath(path)) if ".." in path.parts else path  # Path.resolve raises for a loop of links


def absolute(path: str) -> str:
    """Return an absolute path without resolving it; `~` is the home folder."""
    return str(Path.cwd() / os.path.expanduser(path))  # noqa: PTH111  (Path.expanduser raises for unknown users)


def short_path(path: Path) -> str:
    """Format a path for display: cleaned, and `~` for the home folder."""
    home = Path.home()
    return clean(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path))


def cut(text: str, width: int) -> str:
    """Return at most `width` cells of a text, ending in an ellipsis if it was cut."""
    if width <= 0:
        return text if cells(text) <= width else ""
    if text.isascii():
        return text if len(text) <= width else text[: width - 1] + "…"
    if cells(text) <= width:
        return text
    room, kept = width - 1, 0
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        kept += 1
    return text[:kept] + "…"


def fit(text: str, width: int) -> str:
    """Return a text in exactly `width` cells: cut, or padded with blanks; empty for a width of 0."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


def fit_right(text: str, width: int) -> str:
    """Return what `fit` does, aligned to the right."""
    text = cut(text, width)
    return " " * (width - cells(text)) + text


def cells(text: str) -> int:
    """Return how many terminal cells a text takes: two for a wide character, none for one without width."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
