"""The errors that a user can cause or fix: one family, each with what happened and what to do.

They are shown as two lines and never as a traceback. Anything else that is raised is a bug.

    InferdeckError          exit status 1
    ├── UsageError          2   an unknown or invalid value on the command line, in a recipe or a profile
    │   ├── NoOptionError   2   a component has no such option
    │   └── ProfileError    2   a profile file breaks the component language
    ├── CannotRunError      2   an input of the plan is missing, or choices conflict
    ├── FetchError          1   a download failed: network, checksum, size
    ├── StoreError          1   the store cannot be read or written: disk full, permission, damage
    ├── DataError           1   a data set, model or log file is invalid
    ├── RunError            1   a LoadGen run failed
    ├── JobError            1   a job does not exist, is locked, or died
    └── OutputError         1   standard output can't be written
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class InferdeckError(Exception):
    """An error that the user can fix. `what`: what happened and where; `remedy`: what to do about it."""

    exit_status = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n{self.remedy}" if self.remedy else self.what


class UsageError(InferdeckError):
    """An unknown or invalid value on the command line, in a recipe or in a profile."""

    exit_status = 2


class NoOptionError(UsageError):
    """A component has no such option, or a description no such field; `allowed` are the valid ones."""

    def __init__(self, what: str, remedy: str, name: str, allowed: Sequence[str]) -> None:
        super().__init__(what, remedy)
        self.name = name
        self.allowed = tuple(allowed)


class ProfileError(UsageError):
    """A profile file breaks the component language."""


class CannotRunError(InferdeckError):
    """The plan cannot run: an input is missing or two choices conflict."""

    exit_status = 2


class FetchError(InferdeckError):
    """A download failed, or its content is not what was expected."""


class StoreError(InferdeckError):
    """The store could not be read or written."""


class DataError(InferdeckError):
    """A data set, model or log file is invalid."""


class RunError(InferdeckError):
    """A LoadGen run failed."""


class JobError(InferdeckError):
    """A job does not exist, is held by another process, or died."""


class OutputError(InferdeckError):
    """Standard output can't be written, because its disk is full for example."""


def nearest(word: str, allowed: Iterable[str], prefix: str = "") -> str:
    """Return `did you mean 'x'?` for the nearest allowed spelling, or the list of allowed ones where they are few.

    `prefix` is written before each. All spellings at the same distance are named: TEST02 is as near to TEST01 as to
    TEST05.
    """
    words = sorted(set(allowed))
    close = closest(word, words)
    if close:
        return f"did you mean {either([prefix + one for one in close])}?"
    if not words:
        return "nothing is allowed here"
    shown = ", ".join(prefix + one for one in words[:12]) + (", ..." if len(words) > 12 else "")
    return f"allowed: {shown}"


def closest(word: str, allowed: Iterable[str], cutoff: float = 0.6) -> tuple[str, ...]:
    """Return the allowed spellings nearest to a word: one, several at the same distance, or none.

    Case and `-` versus `_` are ignored; `cutoff` is the least similarity, from 0 to 1.
    """
    from difflib import SequenceMatcher  # noqa: PLC0415  (start-up)

    matcher = SequenceMatcher(b=_folded(word))
    best, found = cutoff, list[str]()
    for one in allowed:
        matcher.set_seq1(_folded(one))
        if matcher.real_quick_ratio() < best or matcher.quick_ratio() < best:
            continue
        ratio = matcher.ratio()
        if ratio > best:
            found.clear()
        if ratio >= best:
            best = ratio
            found.append(one)
    return tuple(found) if len(found) <= _FEW else ()


_FEW = 4
"""With more equally near spellings than this none is suggested."""


def either(words: Sequence[str]) -> str:
    """Return `'a', 'b' or 'c'`."""
    quoted = [f"'{one}'" for one in words]
    return " or ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_")
