"""Terminal input: keys act, answers to queries do not, and no input ends the app."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key, MouseDown, Paste
from textual.message import Message

from tui.input import InputParser


class Clock:
    """A clock that tests advance."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def messages(pieces: Iterable[str], *, pause: float = 0.0) -> list[Message]:
    """Return the events of pieces of input, with a pause after each and a long one at the end."""
    clock = Clock()
    parser = InputParser(clock=clock)
    found: list[Message] = []
    for piece in pieces:
        found += parser.feed(piece)
        clock.now += pause
        found += parser.tick()
    clock.now += 5
    return [*found, *parser.tick()]


def keys(*pieces: str, pause: float = 0.0) -> list[str]:
    """Return the keys that pieces of input press."""
    return [one.key for one in messages(pieces, pause=pause) if isinstance(one, Key)]


ANSWERS = (
    "\x1b]11;rgb:0000/0000/0000\x07",
    "\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
    "\x1b]4;1;rgb:cdcd/0000/0000\x07",
    "\x1b]52;c;cTEy\x07",
    "\x1bP>|xterm(390)\x1b\\",
    "\x1bP1+r544e=787465726d\x1b\\",
    "\x1bP1$r0m\x1b\\",
    "\x1b_Gi=1;OK\x1b\\",
    "\x1b[?62;1;2;6;7;8;9;15;18;21;22;28;29c",
    "\x1b[>41;390;0c",
    "\x1b[?0u",
    "\x1b[0n",
    "\x1b[?997;1n",
    "\x1b[8;24;80t",
    "\x1b[4;600;800t",
    "\x1b[?1;2;4S",
    "\x1b[?12;2$y",
    "\x1b[99999999999u",
    "\x1b[55296u",
    "\x1b[48;0;0;0;0t",
)


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_presses_no_key_however_it_is_cut(answer: str) -> None:
    assert keys(answer) == []
    assert keys(f"q{answer}q") == ["q", "q"]
    for cut in range(2, len(answer)):
        assert keys(answer[:cut], answer[cut:], "q", pause=0.5) == ["q"]
    assert keys(*answer, "q", pause=0.01) == ["q"]


def test_an_answer_that_never_ends_is_given_up() -> None:
    assert keys("\x1b]11;rgb:00", "", "q", pause=2.0) == ["q"]
    assert keys("\x1b[?62;", "", "q", pause=2.0) == ["q"]
    assert keys("\x1b]" + "x" * 200_000, "\x1b[A") == ["up"]


@pytest.mark.parametrize(
    ("sent", "pressed"),
    [
        ("q", ["q"]),
        ("\x1b", ["escape"]),
        ("\x1b[A", ["up"]),
        ("\x1bOP", ["f1"]),
        ("\x1b[[A", ["f1"]),
        ("\x1b[3~", ["delete"]),
        ("\x1b[1;5C", ["ctrl+right"]),
        ("\x1b[Z", ["shift+tab"]),
        ("\x1b[97;5u", ["ctrl+a"]),
        ("\x1b[27u", ["escape"]),
        ("\x1b[13;2u", ["shift+enter"]),
        ("\x1b\x1b[A", ["escape", "up"]),
        ("é雪", ["é", "雪"]),
    ],
)
def test_keys_are_pressed(sent: str, pressed: list[str]) -> None:
    assert keys(sent) == pressed
    if "\x1b\x1b" not in sent:
        assert keys(*sent) == pressed


def test_mouse_and_paste_go_on() -> None:
    (mouse,) = messages(["\x1b[<0;3;4M"])
    assert isinstance(mouse, MouseDown)
    assert (mouse.x, mouse.y) == (2, 3)
    (paste,) = messages(["\x1b[200~two\nlines", " q\x1b[201~"])
    assert isinstance(paste, Paste)
    assert paste.text == "two\nlines q"


def test_a_terminal_that_tells_no_pixels_has_a_mouse() -> None:
    found = messages(["\x1b[?2048;1$y\x1b[48;24;80;0;0t\x1b[<0;3;4M"])
    assert isinstance(found[-1], MouseDown)


@given(st.lists(st.binary(max_size=12) | st.sampled_from([b"\x1b[", b"\x1b]", b"\x1bP", b"\x1b[M", b"\x1b[<1;", b"u"])))
def test_no_bytes_end_the_reading(pieces: list[bytes]) -> None:
    clock = Clock()
    parser = InputParser(clock=clock)
    for piece in pieces:
        list(parser.feed(piece.decode("utf-8", "replace")))
        clock.now += 0.2
        list(parser.tick())
    clock.now += 5
    list(parser.tick())
    list(parser.feed("\x1b[200~\x1b[201~\x1b[201~"))
    assert [one.key for one in parser.feed("\x1b[B") if isinstance(one, Key)] == ["down"]
