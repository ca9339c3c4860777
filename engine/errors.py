"""The errors that a person can cause or mend: one family, each with what happened and what to do.

They are shown as two lines and never as a traceback. Anything else that is raised is a bug.

    InferdeckError          exit status 1
    ├── UsageError          2   the command line, a recipe or a profile says something that does not exist
    │   └── ProfileError    2   a profile file breaks the component language
    ├── CannotRunError      2   the plan lacks an input or holds a conflict
    ├── FetchError          1   a download failed: network, checksum, size
    ├── StoreError          1   the store cannot be read or written: disk full, permission, damage
    ├── DataError           1   a data set, model or log file is not what it should be
    ├── RunError            1   a LoadGen run failed
    ├── JobError            1   a job is not there, is locked, or died
    └── OutputError         1   standard output takes nothing more
"""

from collections.abc import Iterable
from difflib import get_close_matches


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


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Return `did you mean 'x'?` for the nearest allowed spelling, or the list of a few allowed ones."""
    words = sorted(set(allowed))
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    if not words:
        return "nothing is allowed here"
    shown = ", ".join(words[:12]) + (", ..." if len(words) > 12 else "")
    return f"allowed: {shown}"
