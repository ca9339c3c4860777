"""Axes as they are written: `NAME=V1,V2`, `NAME=LOW:HIGH:log2`, `NAME=LOW:HIGH:STEP`. Pure text."""

from __future__ import annotations

import math
from collections.abc import Iterable

from engine.design_space.trials import Axis
from engine.errors import UsageError

AS_PLANNED = "default"
"""Leaves the choice to the plan: sessions that are measured, a version that is installed."""

LONGEST = 1000
"""Values of an axis."""

_FORMS = "write NAME=V1,V2, NAME=LOW:HIGH:log2 or NAME=LOW:HIGH:STEP"


def axes_of(texts: Iterable[str]) -> tuple[Axis, ...]:
    """Read axes. Raises UsageError for one that can't be read, has no values, or stands there twice."""
    found = [_axis(text) for text in texts]
    names = [axis.name for axis in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the axis '{name}' is given twice", "write all its values into one: " + _FORMS)
    return tuple(found)


def axis_text(axis: Axis) -> str:
    """Return an axis as it is written; `axes_of` reads it back."""
    return f"{axis.name}={','.join(axis.values)}"


def _axis(text: str) -> Axis:
    name, equals, written = text.partition("=")
    name = name.strip()
    if not equals or not name or not written.strip(" ,"):
        raise UsageError(f"'{text}' is not an axis", _FORMS)
    values = _values(name, written)
    # Versions look like numbers, but 1.20 is not 1.2.
    is_number = not name.endswith(".version") and all(_number(value) is not None for value in values)
    if is_number:
        values = sorted(values, key=float)
    return Axis(name=name, values=tuple(dict.fromkeys(values)), is_number=is_number)


def _values(name: str, written: str) -> list[str]:
    """Return the values; a range may be one of several parts: default,1:8:log2."""
    found: list[str] = []
    for part in (one.strip() for one in written.split(",")):
        if part:
            found += _range(name, part) if part.count(":") == 2 and "/" not in part else [part]
    if len(found) > LONGEST:
        raise UsageError(f"the axis '{name}' has {len(found)} values", f"{LONGEST} are the most: take a larger step")
    return found


def _range(name: str, part: str) -> list[str]:
    low, high, step = (one.strip() for one in part.split(":"))
    first, last = _number(low), _number(high)
    if first is None or last is None or last < first:
        raise UsageError(f"'{part}' is no range for the axis '{name}'", "write LOW:HIGH:log2 or LOW:HIGH:STEP")
    if step == "log2":
        if first <= 0:
            raise UsageError(f"'{part}': doubling starts above 0", f"write {name}=1:{high}:log2")
        return [f"{first * 2**power:.12g}" for power in range(1 + int(math.log2(last / first) + 1e-9))]
    by = _number(step)
    if by is None or by <= 0:
        raise UsageError(f"'{part}': '{step}' is no step", "write log2, or a number above 0")
    if (last - first) / by >= LONGEST:
        raise UsageError(f"'{part}' has more than {LONGEST} values", "take a larger step, or log2")
    return [f"{first + by * number:.12g}" for number in range(1 + int((last - first) / by + 1e-9))]


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and not text.startswith(("_", "+")) else None
