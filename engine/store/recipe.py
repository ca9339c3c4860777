"""Everything that an artifact is made from, and the key computed from it."""

from __future__ import annotations

from typing import Any

import msgspec

from engine import codec
from engine.store.files import digest


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """All inputs of an artifact. Equal recipes have equal keys."""

    component: str
    definition: str
    """What runs: the step's name or the command."""
    version: str = ""
    code: str = ""
    """Version of the code: the revision for inferdeck's own modules, the digest of other files."""
    options: dict[str, Any] = {}
    inputs: dict[str, tuple[str, ...]] = {}
    """By dependency: the keys of artifacts, or the identities of what was found on the machine."""

    def key(self) -> str:
        """Return the key: the digest of the recipe's canonical JSON."""
        return digest(codec.encode(self, order="sorted").decode())

    def entry(self) -> str:
        """Return the name of the entry in the store, readable and unique."""
        return f"{self.component}-{self.key()[:20]}"


class NothingStored(msgspec.Struct, frozen=True, tag="nothing stored"):
    """No artifact of this component is in the store."""

    def __str__(self) -> str:
        return "nothing stored yet"


class InputChanged(msgspec.Struct, frozen=True, tag="input changed"):
    """The nearest stored artifact was made from another input."""

    need: str

    def __str__(self) -> str:
        return f"its input '{self.need}' is another one"


class OptionChanged(msgspec.Struct, frozen=True, tag="option changed"):
    """The nearest stored artifact was made with another value."""

    option: str
    stored: Any
    asked: Any

    def __str__(self) -> str:
        return f"{self.option} is {self.asked}, stored with {self.stored}"


class CodeChanged(msgspec.Struct, frozen=True, tag="code changed"):
    """The code that makes it has changed."""

    def __str__(self) -> str:
        return "the code that makes it changed"


class VersionChanged(msgspec.Struct, frozen=True, tag="version changed"):
    """Another version is requested."""

    stored: str
    asked: str

    def __str__(self) -> str:
        return f"version {self.asked or 'any'} is asked for, stored is {self.stored or 'any'}"


class Damaged(msgspec.Struct, frozen=True, tag="damaged"):
    """A stored file differs from the published one."""

    file: str

    def __str__(self) -> str:
        return f"the stored file {self.file} was changed or is gone"


class AskedAgain(msgspec.Struct, frozen=True, tag="asked again"):
    """A rebuild was requested."""

    def __str__(self) -> str:
        return "asked to run again"


class NotKept(msgspec.Struct, frozen=True, tag="not kept"):
    """A measurement: it belongs to its job and is never taken from the store."""

    def __str__(self) -> str:
        return "measured anew in every job"


Cause = NothingStored | InputChanged | OptionChanged | CodeChanged | VersionChanged | Damaged | AskedAgain | NotKept
"""Why a step must run."""


def differences(asked: Recipe, stored: Recipe) -> tuple[Cause, ...]:
    """Return the differences of a requested recipe from a stored one of the same component."""
    causes: list[Cause] = []
    if asked.version != stored.version:
        causes.append(VersionChanged(stored.version, asked.version))
    for name in sorted(asked.options.keys() | stored.options.keys()):
        mine, theirs = asked.options.get(name), stored.options.get(name)
        if mine != theirs:
            causes.append(OptionChanged(name, theirs, mine))
    causes += [
        InputChanged(need)
        for need in sorted(asked.inputs.keys() | stored.inputs.keys())
        if asked.inputs.get(need) != stored.inputs.get(need)
    ]
    if (asked.definition, asked.code) != (stored.definition, stored.code):
        causes.append(CodeChanged())
    return tuple(causes)
