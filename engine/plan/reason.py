"""Reasons of decisions: one closed union of frozen values, read by screen, command line and tests."""

from __future__ import annotations

import msgspec

from engine.text import size


class Asked(msgspec.Struct, frozen=True, tag="asked"):
    """The user asked for it."""

    how: str
    """The argument that did it: `--tags=..._full`, `--env.IMAGENET_PATH`."""

    def __str__(self) -> str:
        return f"requested by {self.how}"


class GroupDefault(msgspec.Struct, frozen=True, tag="group default"):
    """The default of a group in which nothing was requested."""

    group: str

    def __str__(self) -> str:
        return f"default of the group {self.group}" if self.group else "on by default"


class OptionDefault(msgspec.Struct, frozen=True, tag="option default"):
    """The component's own default; nothing was requested."""

    def __str__(self) -> str:
        return "default"


class ImpliedBy(msgspec.Struct, frozen=True, tag="implied"):
    """Another choice implies it."""

    component: str
    variation: str = ""

    def __str__(self) -> str:
        return f"implied by {self.component}" + (f" _{self.variation}" if self.variation else "")


class RoundRule(msgspec.Struct, frozen=True, tag="rule"):
    """A rule of the round sets it."""

    round: str
    rule: str

    def __str__(self) -> str:
        return f"rule of {self.round}: {self.rule}"


class VersionRange(msgspec.Struct, frozen=True, tag="version"):
    """The highest version in the range."""

    range: str

    def __str__(self) -> str:
        return f"highest version in {self.range}" if self.range else "highest version"


class OnlyOne(msgspec.Struct, frozen=True, tag="only one"):
    """No other component matches."""

    tags: str

    def __str__(self) -> str:
        return f"the only one with tags {self.tags}"


class ExactTags(msgspec.Struct, frozen=True, tag="exact tags"):
    """Others have these tags and more; this one has exactly these."""

    tags: str

    def __str__(self) -> str:
        return f"the only one with just the tags {self.tags}"


class NeededBy(msgspec.Struct, frozen=True, tag="needed"):
    """Another component needs it."""

    component: str
    name: str
    after: bool = False

    def __str__(self) -> str:
        return f"{'runs after' if self.after else 'needed by'} {self.component}"


class HandedDown(msgspec.Struct, frozen=True, tag="handed down"):
    """The parent component passes the value down."""

    component: str
    option: str

    def __str__(self) -> str:
        return f"from {self.component}'s {self.option}" if self.option else f"set by {self.component}"


class NoRoom(msgspec.Struct, frozen=True, tag="no room"):
    """The disk of this machine does not hold the samples, so that they are prepared when LoadGen loads them."""

    needed: int
    """Bytes."""
    free: int

    def __str__(self) -> str:
        return f"prepared on load: {size(self.needed)} needed, {size(self.free)} free"


Reason = (
    Asked
    | GroupDefault
    | OptionDefault
    | ImpliedBy
    | RoundRule
    | VersionRange
    | OnlyOne
    | ExactTags
    | NeededBy
    | HandedDown
    | NoRoom
)
