from __future__ import annotations

from tui.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def paced() -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(clock), clock


def test_the_next_frame_waits_for_the_answer() -> None:
    pace, clock = paced()
    assert pace.delay() == 0
    pace.sent(100)
    clock.now += 0.2
    assert pace.delay() > 1
    assert pace.without_answers(b"a\x1b[12;40Rb") == b"ab"
    assert not pace.waiting
    assert pace.delay() == 0
    assert pace.link_ms is not None
    assert round(pace.link_ms) == 200


def test_a_large_frame_gets_more_time() -> None:
    pace, clock = paced()
    pace.sent(20_000)
    clock.now += 10
    assert pace.delay() > 0


def test_a_silent_terminal_is_not_asked_for_ever() -> None:
    pace, clock = paced()
    for _ in range(3):
        assert pace.asks
        pace.sent(10)
        clock.now += 5
        assert pace.delay() == 0
    assert not pace.asks
    assert pace.link_ms is None


def test_late_answers_are_no_keys_and_bring_the_pace_back() -> None:
    pace, clock = paced()
    for _ in range(3):
        pace.sent(10)
        clock.now += 5
        pace.delay()
    assert pace.without_answers(b"\x1b[1;1R\x1b[1;1R\x1b[1;1R") == b""
    assert pace.asks
    assert pace.without_answers(b"\x1b[1;2R") == b"\x1b[1;2R", "shift+F3 of a person, for nothing was asked"


def test_one_lost_answer_does_not_slow_the_others() -> None:
    pace, clock = paced()
    pace.sent(10)
    clock.now += 5
    pace.delay()
    for _ in range(3):
        pace.sent(10)
        clock.now += 0.1
        pace.without_answers(b"\x1b[1;1R")
        assert pace.delay() == 0


def test_an_answer_in_two_pieces_is_one() -> None:
    pace, _ = paced()
    pace.sent(10)
    assert pace.without_answers(b"x\x1b[12;") == b"x"
    assert pace.without_answers(b"40Ry") == b"y"
    assert not pace.waiting


def test_the_beginning_of_something_else_is_given_back() -> None:
    pace, _ = paced()
    pace.sent(10)
    assert pace.without_answers(b"\x1b[") == b""
    assert pace.held() == b"\x1b["
    assert pace.held() == b""
    assert pace.without_answers(b"\x1b") == b"\x1b", "the escape key comes at once"
    assert pace.without_answers(b"\x1b[<0;3;4M") == b"\x1b[<0;3;4M"


def test_a_pasted_text_around_an_answer_stays_whole() -> None:
    pace, _ = paced()
    pace.sent(10)
    assert pace.without_answers(b"\x1b[200~one\x1b[3;7Rtwo\x1b[201~") == b"\x1b[200~onetwo\x1b[201~"
