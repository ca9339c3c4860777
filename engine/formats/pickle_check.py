"""Refuse pickles that would take far more memory or time than their length, before unpickling.

A few bytes can request a memo of gigabytes, or a tuple of tuples that contains one object 2^30 times: small in memory,
and hours to hash or to write. So the opcodes are read ahead, and the size of each object is added up as if nothing in
it were shared.
"""

from __future__ import annotations

import pickletools
from io import BytesIO
from pickle import UnpicklingError

MOST_OBJECTS = 4_000_000
"""Limit per object, repetitions counted. State dicts have some dozens per tensor."""
MOST_WORK = 20 * MOST_OBJECTS
"""Limit over all objects that opcodes consume: each may be hashed."""

_PUT = ("PUT", "BINPUT", "LONG_BINPUT")
_GET = ("GET", "BINGET", "LONG_BINGET")
_MARK = None
"""A mark on the stack; other entries are the number of objects in an object."""


def check(stream: BytesIO) -> None:
    """Check the pickle at the stream's position and seek back. Raises UnpicklingError, ValueError or LookupError."""
    start, work = stream.tell(), 0
    stack: list[int | None] = []
    memo: dict[object, int | None] = {}
    for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        if opcode.name in _PUT or opcode.name == "MEMOIZE":
            place = argument if isinstance(argument, int) else len(memo)
            if place > number:
                raise UnpicklingError(f"its memo has a place {place}, and it has put {len(memo)} objects there")
            memo[place] = stack[-1]
        elif opcode.name in _GET:
            stack.append(memo[argument])
        else:
            work += _apply(opcode, stack)
            if work > MOST_WORK:
                raise UnpicklingError("it takes the same large objects over and over again")
    stream.seek(start)


def _apply(opcode: pickletools.OpcodeInfo, stack: list[int | None]) -> int:
    """Apply an opcode to the stack; return how many objects it consumed."""
    before = opcode.stack_before
    taken = 0
    if pickletools.markobject in before:
        while (one := stack.pop()) is not _MARK:
            taken += one or 0
        before = before[: before.index(pickletools.markobject)]
    for _ in before:
        taken += stack.pop() or 0
    if taken > MOST_OBJECTS:
        raise UnpicklingError(f"it holds one object of more than {MOST_OBJECTS:,} parts")
    for after in opcode.stack_after:
        stack.append(_MARK if after is pickletools.markobject else taken + 1)
    return taken
