"""Why a decision was made: one closed union of frozen values, which screen, command line and tests all read."""

from __future__ import annotations

import msgspec


class Asked(msgspec.Struct, frozen=True, tag="asked"):
    """The person asked for it."""

    how: str
    """The words that did it: `--tags=..._full`, `--env.IMAGENET_PATH`."""

    def __str__(self) -> str:
        return f"asked for by {self.how}"


class GroupDefault(msgspec.Struct, frozen=True, tag="group default"):
    """Nothing was asked for in this group of variations."""

    group: str

    def __str__(self) -> str:
        return f"default of the group {self.group}" if self.group else "on by default"


class OptionDefault(msgspec.Struct, frozen=True, tag="option default"):
    """Nothing was asked for; the component's own default."""

    def __str__(self) -> str:
        return "default"


class ImpliedBy(msgspec.Struct, frozen=True, tag="implied"):
    """Another choice brings it along."""

    component: str
    variation: str = ""

    def __str__(self) -> str:
        return f"implied by {self.component}" + (f" _{self.variation}" if self.variation else "")


class RoundRule(msgspec.Struct, frozen=True, tag="rule"):
    """The rules of the round decide it."""

    round: str
    rule: str

    def __str__(self) -> str:
        return f"rule of {self.round}: {self.rule}"


class VersionRange(msgspec.Struct, frozen=True, tag="version"):
    """The highest version that the range allows."""

    range: str

    def __str__(self) -> str:
        return f"highest version in {self.range}" if self.range else "highest version"


class OnlyOne(msgspec.Struct, frozen=True, tag="only one"):
    """No other component fits."""

    tags: str

    def __str__(self) -> str:
        return f"the only one with tags {self.tags}"


class ExactTags(msgspec.Struct, frozen=True, tag="exact tags"):
    """Others have these tags, too, and more; this one has no other."""

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
    """The component that needs it hands the value down."""

    component: str
    option: str

    def __str__(self) -> str:
        return f"from {self.component}'s {self.option}" if self.option else f"set by {self.component}"


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
)
