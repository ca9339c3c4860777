"""The points of a space: which axes exist with which values, and every combination in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.design_space.trials import Axis, Point


def exists(axis: Axis, chosen: Mapping[str, str]) -> bool:
    """Return whether an axis exists where other axes (name → value) are chosen like that."""
    return all(chosen.get(name) in values for name, values in axis.only_with)


def every_point(axes: Sequence[Axis]) -> Iterator[Point]:
    """Yield all points, the value of the last axis changing first."""
    return _combined(axes, in_dependency_order(axes), {})


def pick(axes: Sequence[Axis], shares: Sequence[float]) -> Point:
    """Return the point at these shares of the way through the values of each axis, from 0 to below 1.

    The share of an axis that does not exist there is not used.
    """
    chosen: dict[str, str] = {}
    share_of = {axis.name: share for axis, share in zip(axes, shares, strict=True)}
    for axis in in_dependency_order(axes):
        if exists(axis, chosen):
            chosen[axis.name] = axis.values[int(share_of[axis.name] * len(axis.values))]
    return as_point(axes, chosen)


def as_point(axes: Sequence[Axis], chosen: Mapping[str, str]) -> Point:
    """Return chosen values (axis name → value) as a point."""
    return tuple((axis.name, chosen[axis.name]) for axis in axes if axis.name in chosen)


def axis_differences(point: Point, other: Point) -> tuple[tuple[str, str, str], ...]:
    """Return (axis, value here, value there) of what differs; empty for the value of an axis that does not exist."""
    here, there = dict(point), dict(other)
    return tuple(
        (name, here.get(name, ""), there.get(name, ""))
        for name in dict.fromkeys((*here, *there))
        if here.get(name) != there.get(name)
    )


def in_dependency_order(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return the axes, each behind those on which it depends, otherwise in their order."""
    names = {axis.name for axis in axes}
    waiting, found, known = list(axes), list[Axis](), set[str]()
    while waiting:
        ready = [axis for axis in waiting if all(name in known or name not in names for name, _ in axis.only_with)]
        found += ready or waiting[:1]
        known |= {axis.name for axis in found}
        waiting = [axis for axis in waiting if axis.name not in known]
    return tuple(found)


def _combined(axes: Sequence[Axis], left: Sequence[Axis], chosen: dict[str, str]) -> Iterator[Point]:
    if not left:
        yield as_point(axes, chosen)
    elif exists(left[0], chosen):
        for value in left[0].values:
            yield from _combined(axes, left[1:], {**chosen, left[0].name: value})
    else:
        yield from _combined(axes, left[1:], chosen)
