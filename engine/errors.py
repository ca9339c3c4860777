"""The errors that a person can cause or mend: one family, each with what happened and what to do.

They are shown as two lines and never as a traceback. Anything else that is raised is a bug.

    InferdeckError          exit status 1
    ├── UsageError          2   the command line, a recipe or a profile says something that does not exist
    │   ├── NoOptionError   2   a component has no such option
    │   └── ProfileError    2   a profile file breaks the component language
    ├── CannotRunError      2   the plan lacks an input or holds a conflict
    ├── FetchError          1   a download failed: network, checksum, size
    ├── StoreError          1   the store cannot be read or written: disk full, permission, damage
    ├── DataError           1   a data set, model or log file is not what it should be
    ├── RunError            1   a LoadGen run failed
    ├── JobError            1   a job is not there, is locked, or died
    └── OutputError         1   standard output takes nothing more
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class InferdeckError(Exception):
    """Something a person can mend. `what` says what happened and where, `remedy` what to do about it."""

    exit_status = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n{self.remedy}" if self.remedy else self.what


class UsageError(InferdeckError):
    """A word on the command line, in a recipe or in a profile is unknown or does not fit."""

    exit_status = 2


class NoOptionError(UsageError):
    """A component has no such option, or a description no such field; `allowed` are those that it has."""

    def __init__(self, what: str, remedy: str, name: str, allowed: Sequence[str]) -> None:
        super().__init__(what, remedy)
        self.name = name
        self.allowed = tuple(allowed)


class ProfileError(UsageError):
    """A profile file breaks the component language."""


class CannotRunError(InferdeckError):
    """The plan cannot run as it stands: an input is missing or two choices conflict."""

    exit_status = 2


class FetchError(InferdeckError):
    """A file could not be fetched, or is not the file that was promised."""


class StoreError(InferdeckError):
    """The store could not be read or written."""


class DataError(InferdeckError):
    """A data set, model or log file is not what it should be."""


class RunError(InferdeckError):
    """A LoadGen run failed."""


class JobError(InferdeckError):
    """A job does not exist, is held by another process, or died."""


class OutputError(InferdeckError):
    """Standard output takes nothing more: its disk is full, for example."""


def nearest(word: str, allowed: Iterable[str], prefix: str = "") -> str:
    """Return `did you mean 'x'?` for the nearest allowed spelling, or the list of a few allowed ones.

    `prefix` is written before each. Spellings that are equally near are all named: TEST02 is no more TEST01
    than TEST05.
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
    """Return the allowed spellings that are nearest to a word: one, a few that are equally near, or none.

    Upper and lower case are the same, and so are `-` and `_`; `cutoff` is the least similarity, from 0 to 1.
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
"""More spellings than that are no guess."""


def either(words: Sequence[str]) -> str:
    """Return `'a', 'b' or 'c'`."""
    quoted = [f"'{one}'" for one in words]
    return " or ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_")
