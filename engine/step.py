"""What a step function gets and gives: the contract between a component's YAML and the Python that it names.

`step: module:function` names a function `(Step) -> dict` that fills `step.output` and returns the facts of the
artifact. `survey: module:function` names a function `(SurveyContext) -> SurveyResult` that returns, quickly and without
changing anything, what this machine already has.
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
    """What a step or survey function reads of its component's options; a subclass names them with their types.

    A field without a default must be declared by every component that names the function; one with a default need not.
    """


OptionsT = TypeVar("OptionsT", bound=Options)


def read_options(options: Mapping[str, Any], kind: type[OptionsT]) -> OptionsT:
    """Return decided options as a struct. Raises ProfileError where the component does not declare what it names."""
    try:
        return msgspec.convert(dict(options), kind)
    except msgspec.ValidationError as error:
        what = f"the options of the component do not fit its step: {error} ({kind.__module__}.{kind.__name__})"
        raise ProfileError(what, "declare the option in the component, with that type, or give it a value") from None


class Artifact(msgspec.Struct, frozen=True):
    """What a step left: a folder (or a place on this machine) and facts about it."""

    path: str
    """The folder in the store, or the place where the thing was found; empty where there is no file."""
    facts: dict[str, Any] = {}
    """JSON values that steps which need this artifact read: counts, file names, versions, checksums. The fact `text`
    is shown to the person when the step ends."""

    @property
    def folder(self) -> Path:
        """The artifact's folder."""
        return Path(self.path)

    def read(self, kind: type[T]) -> T:
        """Return the facts as a struct of engine/facts.py. Raises StoreError where they are not such facts."""
        try:
            return msgspec.convert(self.facts, kind)
        except msgspec.ValidationError as error:
            what = f"{clean(self.path)} is not an artifact of this version: {error} ({kind.__name__})"
            raise StoreError(what, "make it anew: --again") from None


@dataclass(frozen=True)
class Step:
    """One step at work."""

    id: str
    title: str
    options: Mapping[str, Any]
    """Every option of the component, decided and typed."""
    inputs: Mapping[str, Artifact]
    """The artifacts of the needs, by the need's name."""
    output: Path
    """An existing folder to fill. It is published whole when the function returns; where the component says
    `resumable`, what an interrupted attempt left is still in it."""
    emit: Callable[[events.AnyEvent], None]
    profiles: tuple[Path, ...] = ()
    """The profile folders, ours first."""
    own_profiles: Path = Path()
    """The person's own profile folder, whether it is there or not."""
    results: Path = Path()
    """The results folder of the job."""
    command: tuple[str, ...] = ()
    """The words after `inferdeck` that make this job again."""
    notice: str = ""
    """What must be said wherever the job's results show."""
    version: str = ""
    """The version range that is asked for, as pip writes it; empty where any will do."""
    store: Path = Path()
    """The store's folder: for a step that can make its artifact from others of its kind."""

    def read_options(self, kind: type[OptionsT]) -> OptionsT:
        """Return the options that `kind` names, typed. Raises ProfileError where they are not there."""
        return read_options(self.options, kind)

    def progress(self, done: float, total: float | None, unit: str) -> None:
        """Report how far the step is."""
        self.emit(events.Progress(at=time.time(), step=self.id, done=done, total=total, unit=unit))

    def phase(self, name: str) -> None:
        """Report that another part of the work begins."""
        self.emit(events.Phase(at=time.time(), step=self.id, name=name))

    def warn(self, text: str, *, rule: str = "", remedy: str = "", disturbs: bool = False) -> None:
        """Report something the person should know; `rule` is the checker's where it is about one.

        `disturbs` says that it may have changed the figures.
        """
        self.emit(events.Warned(at=time.time(), step=self.id, text=text, disturbs=disturbs, rule=rule, remedy=remedy))


@dataclass(frozen=True)
class SurveyContext:
    """What a survey function may look at."""

    options: Mapping[str, Any]
    inputs: Mapping[str, Artifact | None]
    """None where the need is not there yet."""
    expected_facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By need: facts that it is going to have, as far as they are known."""
    version: str | None = None
    """The version range that is asked for, as pip writes it: `>=1.17,<2`."""
    profiles: tuple[Path, ...] = ()
    """The profile folders, ours first."""
    own_profiles: Path = Path()
    """The person's own profile folder, whether it is there or not."""
    store: Path = Path()
    """The store's folder. What is in it is covered by its key; what is elsewhere must be identified."""

    def read_options(self, kind: type[OptionsT]) -> OptionsT:
        """Return the options that `kind` names, typed. Raises ProfileError where they are not there."""
        return read_options(self.options, kind)


@dataclass(frozen=True)
class SurveyResult:
    """What a survey function saw.

    `found`: on this machine, `artifact` says where. `run`: nothing found, the step must run (or its result is in
    the store). `missing`: a person must give something, `remedy` says what (with `run`: what to give where the step
    can't fetch it). `conflict`: it can't be had here.
    """

    state: Literal["found", "run", "missing", "conflict"]
    artifact: Artifact | None = None
    identity: str = ""
    """What tells this thing from another of the same name, for the keys of the steps that need it:
    a version, a checksum, or sizes and times of files."""
    text: str = ""
    remedy: str = ""
    warning: str = ""
    """What a result must be read with: said in the plan and in every job, also where nothing is to be done."""
    fetch_bytes: int | None = None
    disk_bytes: int | None = None
    seconds: float | None = None
    expected_facts: Mapping[str, Any] = field(default_factory=dict)
    """With `run`: facts that the artifact is going to have, for the estimates of the steps that need it."""


Look, Sight = SurveyContext, SurveyResult
"""Former names, which a component of the user's own may import."""
