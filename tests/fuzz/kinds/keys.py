"""What a terminal sends: keys, mouse, answers to questions, pasted text and rubbish, into the screen at odd sizes."""

from __future__ import annotations

import asyncio
import random
import shutil
from codecs import getincrementaldecoder
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.events import Event, Resize
from textual.geometry import Size
from textual.message import Message

from tests.fuzz import guard, places
from tests.fuzz.kinds import homes
from tests.tui.deck import deck
from tui.input import InputParser
from tui.pace import Pace

SIZES = ((80, 24), (120, 36), (80, 24), (200, 60), (40, 10), (79, 23), (1, 1), (5, 80), (500, 4), (300, 100))
KEYS = (
    *(bytes([key]) for key in b"12345qgntwfrsycvxdmhjklo?:/+-= \t\r\n\x1b\x7f\x0c\x0e\x10\x15\x17\x01\x05"),
    b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[H", b"\x1b[F", b"\x1b[5~", b"\x1b[6~", b"\x1b[Z", b"\x1b[3~",
    b"\x1bOP", b"\x1b[11;2~", b"\x1b[1;5C", b"\x1b[I", b"\x1b[O", b"nan\r", b"Offline\r", "é漢".encode(),
    b"99999999999999\r",
)  # fmt: skip
RUBBISH = (
    b"\x1b]11;rgb:0000/0000/0000\x07", b"\x1b]11;rgb:0000/0000/0000\x1b\\", b"\x1b[M\x20\xa0\xa0", b"\x1b[M   ",
    b"\x1b[<0;10;10M", b"\x1b[<0;10;10m", b"\x1b[<35;999;999M", b"\x1b[<64;1;1M", b"\x1b[<0;-1;5M", b"\x1b[<;;M",
    b"\x1b[<0;10", b"\x1b[200~g:\x1b[2J\x1b[201~", b"\x1b[200~" + b"x" * 5000 + b"\x1b[201~", b"\x1b[200~never ends",
    b"\x1b[6n", b"\x1b[1;1R", b"\x1b[?1;2c", b"\x1bP>|term\x1b\\", b"\x1b[?2026;2$y", b"\x1b[?2048;1$y",
    b"\x1b[48;24;80;480;640t", b"\x1b[48;0;0;0;0t", b"\xff", b"\xe6\xbc", b"\x00", b"\x9b", b"\x1b\x1b\x1b",
    b"\x1b[99999999999999999999~", b"\x1b[97;5u", b"\x1b[1114112u", b"\x1b[55296u", b"\x1b[97;99999u",
    b"\x1b_Gi=1;OK\x1b\\", b"g:", b"n:", b":q\r",
)  # fmt: skip
SETTLED = 0.05
"""Seconds without anything to do after which a screen is taken to be done."""


@dataclass(frozen=True)
class Typed:
    """Bytes that come in one go."""

    data: bytes


@dataclass(frozen=True)
class Resized:
    """The terminal gets another size."""

    width: int
    height: int


@dataclass(frozen=True)
class Keys:
    """A terminal of some size, and what comes from it."""

    size: tuple[int, int]
    parts: Sequence[Typed | Resized | places.Edit]

    def run(self, kept: Sequence[int], folder: Path) -> list[str]:
        """Show the screen of a home with jobs, of which files may be damaged, and send the kept parts."""
        shutil.copytree(homes.template(), folder / "home", symlinks=True)
        canary = places.write_canary(folder)
        events: list[Typed | Resized] = []
        for part in (self.parts[index] for index in kept):
            if isinstance(part, places.Edit):
                part.apply(folder / "home", canary)
            else:
                events.append(part)
        with guard.softly():
            asyncio.run(self._show(events, folder))
        return []

    async def _show(self, parts: Sequence[Typed | Resized], folder: Path) -> None:
        app = deck(folder / "home")
        parser, pace, decode = InputParser(), Pace(), getincrementaldecoder("utf-8")("replace").decode
        async with app.run_test(size=self.size) as pilot:
            await pilot.pause(SETTLED)
            for part in parts:
                driver = app._driver
                if driver is None or not app.is_running:
                    break
                if isinstance(part, Resized):
                    size = Size(part.width, part.height)
                    app.post_message(Resize(size, size))
                else:
                    for message in _messages(parser, decode(pace.without_answers(part.data))):
                        driver.process_message(message)
                await pilot.pause(SETTLED)
            app.exit()  # leaving the block waits for the end; a pause would wait for screens that are closed already


def make(chance: random.Random) -> Keys:
    """Return a dozen or so keys, with rubbish between them, some in one packet; some on a damaged home."""
    parts: list[Typed | Resized | places.Edit] = []
    if chance.random() < 0.4:
        parts += places.edits(homes.template(), chance)
        parts.append(Typed(chance.choice((b"2", b"3", b"4", b"5", b"g", b"4\r", b"4 j c"))))
    for _ in range(chance.randrange(2, 12)):
        match chance.randrange(10):
            case 0 | 1:
                parts.append(Typed(chance.choice(RUBBISH)))
            case 2:
                parts.append(Typed(b"".join(_key(chance) for _ in range(chance.randrange(2, 6)))))
            case 3:
                parts.append(Resized(*chance.choice(SIZES)))
            case 4:
                parts.append(Typed(chance.randbytes(chance.randrange(1, 30))))
            case _:
                parts.append(Typed(_key(chance)))
    return Keys(chance.choice(SIZES), parts)


def _key(chance: random.Random) -> bytes:
    return chance.choice(KEYS)


def _messages(parser: InputParser, text: str) -> list[Message]:
    found: list[Message] = [*parser.feed(text)] if text else []
    return [one for one in (*found, *parser.tick()) if isinstance(one, Event | Message)]
