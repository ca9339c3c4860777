"""What choosing another round changes for a benchmark, in a few words: what is said beside the choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from engine.profile.round_diff import RoundChange, changes
from engine.profile.rounds import Round


class RoundChoice(NamedTuple):
    """A round that could be chosen."""

    name: str
    text: str
    """What it changes; of the present one, what it is."""
    refused: str = ""
    """Why it can't be chosen."""


def round_choices(rounds: Iterable[Round], present: Round, benchmark: str) -> tuple[RoundChoice, ...]:
    """Return the rounds with what each changes for a benchmark compared with the present one."""
    return tuple(_choice(one, present, benchmark) for one in rounds)


def _choice(one: Round, present: Round, benchmark: str) -> RoundChoice:
    if benchmark in one.benchmarks:
        changed = " · ".join(effects(present, one, benchmark)) if benchmark in present.benchmarks else ""
        return RoundChoice(one.name, changed or f"results of {one.published}")
    left = one.left.get(benchmark)
    return RoundChoice(one.name, "", f"{benchmark} left with {left}" if left else f"{benchmark} came later")


def effects(old: Round, new: Round, benchmark: str) -> tuple[str, ...]:
    """Return what another round changes for a benchmark that both have: `no datacenter`, `no TEST05`, `LoadGen 5.1`."""
    found = changes(old, new)
    own = f"benchmarks.{benchmark}."
    of_benchmark = [text for one in found if one.place.startswith(own) for text in _own(one, one.place[len(own) :])]
    return tuple(dict.fromkeys((*of_benchmark, *(text for one in found for text in _common(one)))))


def _own(change: RoundChange, key: str) -> Iterator[str]:
    section, _, rest = key.partition(".")
    if section == "scenarios" and rest != "both":
        yield f"no {rest}" if change.kind == "removed" else f"{rest}: {change.new}"
    elif section == "compliance":
        yield from (f"no {test}" for test in change.old.split(", ") if test)
        yield from (f"{test} too" for test in change.new.split(", ") if test)
    elif section == "accuracy":
        yield "other accuracy"
    elif section == "in_scenario":
        yield f"{rest.replace('.', ' ')} {change.new or 'as usual'}".strip()
    elif section.endswith(("_count", "_ms")) and change.kind == "changed":
        yield f"{section} {change.new}"


def _common(change: RoundChange) -> Iterator[str]:
    if change.place.startswith("layout."):
        yield "another tree"
    elif change.place == "loadgen.approved":
        yield f"LoadGen {change.new}"
    elif change.place == "files.measurements" and change.old:
        yield f"no {change.old}"
    elif change.place == "system.required" and change.new:
        yield f"{len(change.new.split(', '))} more fields of the system"
