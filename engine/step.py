"""The contract between a component's YAML and its Python step and survey functions.

`step: module:function` names a function `(Step) -> dict` that fills `step.output` and returns the artifact's facts.
`survey: module:function` names a function `(SurveyContext) -> SurveyResult` that returns, quickly and without side
effects, what this machine already has.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from engine import events
from engine.errors import ProfileError, StoreError
from engine.text import clean

T = TypeVar("T")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The typed options that a step or survey function reads; a subclass declares them.

    A field without a default must be declared by every component that names the function; one with a default need not.
    """


OptionsT = TypeVar("OptionsT", bound=Options)


def read_options(options: Mapping[str, Any], kind: type[OptionsT]) -> OptionsT:
    """Return resolved options as a struct. Raises ProfileError if the component does not declare one of them."""
    try:
        return msgspec.convert(dict(options), kind)
    except msgspec.ValidationError as error:
        what = f"the options of the component do not fit its step: {error} ({kind.__module__}.{kind.__name__})"
        raise ProfileError(what, "declare the option in the component, with that type, or give it a value") from None


class Artifact(msgspec.Struct, frozen=True):
    """A step's result: a folder (or a path on this machine) and facts about it."""

    path: str
    """The folder in the store, or the path where it was found; empty if there is no file."""
    facts: dict[str, Any] = {}
    """JSON values for the steps that need this artifact: counts, file names, versions, checksums. The fact `text` is
    shown to the user when the step ends."""

    @property
    def folder(self) -> Path:
        """The artifact's folder."""
        return Path(self.path)

    def read(self, kind: type[T]) -> T:
        """Return the facts as a struct of engine/facts.py. Raises StoreError if they don't match it."""
        try:
            return msgspec.convert(self.facts, kind)
        except msgspec.ValidationError as error:
            what = f"{clean(self.path)} is not an artifact of this version: {error} ({kind.__name__})"
            raise StoreError(what, "make it anew: --again") from None


@dataclass(frozen=True)
class Step:
    """The arguments of a step function."""

    id: str
    title: str
    options: Mapping[str, Any]
    """Every option of the component, resolved and typed."""
    inputs: Mapping[str, Artifact]
    """Artifacts of the dependencies, by dependency name."""
    output: Path
    """An existing folder to fill. It is published as a whole when the function returns; where the component is
    `resumable`, it still holds what an interrupted attempt left."""
    emit: Callable[[events.AnyEvent], None]
    profiles: tuple[Path, ...] = ()
    """The profile folders, the shipped one first."""
    own_profiles: Path = Path()
    """The user's own profile folder, existing or not."""
    results: Path = Path()
    """The results folder of the job."""
    command: tuple[str, ...] = ()
    """The arguments of `inferdeck` that repeat this job."""
    notice: str = ""
    """A notice that must accompany the job's results wherever they are shown."""
    version: str = ""
    """The requested version range, as pip writes it; empty for any."""
    store: Path = Path()
    """The store's folder: for a step that can build its artifact from others of its kind."""

    def read_options(self, kind: type[OptionsT]) -> OptionsT:
        """Return the options that `kind` declares, typed. Raises ProfileError if one of them is missing."""
        return read_options(self.options, kind)

    def progress(self, done: float, total: float | None, unit: str) -> None:
        """Report progress."""
        self.emit(events.Progress(at=time.time(), step=self.id, done=done, total=total, unit=unit))

    def phase(self, name: str) -> None:
        """Report that another phase of the work begins."""
        self.emit(events.Phase(at=time.time(), step=self.id, name=name))

    def warn(self, text: str, *, rule: str = "", remedy: str = "", disturbs: bool = False) -> None:
        """Emit a warning; `rule` is the checker's where it is about one.

        `disturbs`: it may have changed the measured figures.
        """
        self.emit(events.Warned(at=time.time(), step=self.id, text=text, disturbs=disturbs, rule=rule, remedy=remedy))


@dataclass(frozen=True)
class SurveyContext:
    """The arguments of a survey function."""

    options: Mapping[str, Any]
    inputs: Mapping[str, Artifact | None]
    """None for a dependency that is not available yet."""
    expected_facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By dependency: facts that it is going to have, as far as they are known."""
    version: str | None = None
    """The requested version range, as pip writes it: `>=1.17,<2`."""
    profiles: tuple[Path, ...] = ()
    """The profile folders, the shipped one first."""
    own_profiles: Path = Path()
    """The user's own profile folder, existing or not."""
    store: Path = Path()
    """The store's folder. Its content is covered by keys; files elsewhere need an identity."""

    def read_options(self, kind: type[OptionsT]) -> OptionsT:
        """Return the options that `kind` declares, typed. Raises ProfileError if one of them is missing."""
        return read_options(self.options, kind)


@dataclass(frozen=True)
class SurveyResult:
    """The result of a survey function.

    `found`: on this machine, at `artifact`. `run`: not found, the step must run (or its result is in the store).
    `missing`: the user must provide something, `remedy` says what (with `run`: what to provide where the step can't
    fetch it). `conflict`: not available on this machine.
    """

    state: Literal["found", "run", "missing", "conflict"]
    artifact: Artifact | None = None
    identity: str = ""
    """Distinguishes this thing from others of the same name, in the keys of dependent steps: a version, a checksum, or
    sizes and times of files."""
    text: str = ""
    remedy: str = ""
    warning: str = ""
    """A caveat about results: shown in the plan and in every job, even if nothing has to run."""
    fetch_bytes: int | None = None
    disk_bytes: int | None = None
    seconds: float | None = None
    expected_facts: Mapping[str, Any] = field(default_factory=dict)
    """With `run`: facts that the artifact is going to have, for the estimates of dependent steps."""


Look, Sight = SurveyContext, SurveyResult
"""Former names, kept for components of the user's own."""
