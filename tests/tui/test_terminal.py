from __future__ import annotations

import subprocess
import sys

import pytest

from tui.terminal import Terminal, Wishes, apply, decide, textual_switches

UTF8 = {"LANG": "en_GB.UTF-8", "TERM": "xterm-256color"}


def at(environ: dict[str, str] | None = None, *, tty: bool = True, wishes: Wishes | None = None) -> Terminal:
    return decide({**UTF8, **(environ or {})}, tty=tty, wishes=wishes or Wishes())


def test_a_good_local_terminal_gets_everything() -> None:
    assert at() == Terminal(
        view="full",
        glyphs="braille",
        colours=None,
        remote=False,
        web=False,
        mouse=True,
        animations=True,
        chart_interval=1.0,
        number_interval=0.25,
        driver="diff",
    )


@pytest.mark.parametrize("name", ["SSH_CONNECTION", "SSH_TTY"])
def test_over_ssh_less_is_drawn_and_the_mouse_is_left_to_the_terminal(name: str) -> None:
    found = at({name: "10.0.0.1 1 10.0.0.2 22"})
    assert found.remote
    assert (found.mouse, found.animations) == (False, False)
    assert (found.chart_interval, found.number_interval) == (2.0, 0.5)
    assert textual_switches(found) == {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}


@pytest.mark.parametrize(("tty", "term"), [(False, "xterm-256color"), (True, "dumb"), (True, "")])
def test_where_no_screen_can_be_drawn_the_view_is_plain(tty: bool, term: str) -> None:
    assert at({"TERM": term}, tty=tty).view == "plain"


@pytest.mark.parametrize(
    ("environ", "glyphs"),
    [
        ({"LANG": "de_DE.ISO-8859-1"}, "ascii"),
        ({"LANG": "C"}, "ascii"),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "ascii"),  # what Python makes of LANG=C
        ({"LANG": "", "LC_CTYPE": "C.UTF-8"}, "braille"),  # what Python makes of no locale at all
        ({"LANG": ""}, "braille"),
        ({"LC_ALL": "C"}, "ascii"),
        ({"LANG": "C", "LC_ALL": "en_US.utf8"}, "braille"),
        ({"LANG": "C", "LC_CTYPE": "ja_JP.UTF-8"}, "braille"),
        ({"TERM": "linux"}, "block"),
        ({"TERM": "vt220"}, "ascii"),
        ({"TERM": "tmux-256color"}, "braille"),
    ],
)
def test_characters_follow_locale_and_terminal(environ: dict[str, str], glyphs: str) -> None:
    assert at(environ).glyphs == glyphs
    assert at(environ).view == "full"


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "alacritty"}, "truecolor"),
        ({"TERM": "xterm-ghostty"}, "truecolor"),
        ({"TERM": "xterm-kitty"}, "truecolor"),
        ({"TERM_PROGRAM": "iTerm.app"}, "truecolor"),
        ({"TERM_PROGRAM": "Apple_Terminal"}, None),
        ({"VTE_VERSION": "7200"}, "truecolor"),
        ({"VTE_VERSION": "7200", "TMUX": "/tmp/tmux,1,0", "TERM": "tmux-256color"}, None),
        ({"TERM": "screen"}, None),
        ({"TERM": "alacritty", "COLORTERM": "truecolor"}, None),
        ({"TERM": "alacritty", "TEXTUAL_COLOR_SYSTEM": "256"}, None),
        ({"TERM": "alacritty", "TEXTUAL_COLOR_SYSTEM": "many"}, "truecolor"),
    ],
)
def test_terminals_that_textual_takes_for_poor_are_known(environ: dict[str, str], colours: str | None) -> None:
    assert at(environ).colours == colours


def test_wishes_win_over_what_was_found() -> None:
    wishes = Wishes(view="plain", glyphs="ascii", mouse=True, animations=True, driver="stock")
    found = at({"SSH_TTY": "/dev/pts/1"}, wishes=wishes)
    assert (found.view, found.glyphs, found.mouse, found.animations, found.driver) == (
        "plain",
        "ascii",
        True,
        True,
        "stock",
    )


def test_a_page_of_the_browser_is_a_full_screen_with_textuals_own_driver() -> None:
    found = decide({"TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver", "SSH_TTY": "/dev/pts/1"}, tty=False)
    assert (found.view, found.driver, found.web, found.remote, found.mouse) == ("full", "stock", True, False, True)
    assert found.glyphs == "braille"


def test_switches_that_a_person_has_set_stay() -> None:
    environ = {"TEXTUAL_ANIMATIONS": "full"}
    apply(at({"SSH_TTY": "/dev/pts/1"}), environ)
    assert environ == {"TEXTUAL_ANIMATIONS": "full", "TEXTUAL_SMOOTH_SCROLL": "0"}


def test_variables_that_would_harm_are_not_handed_on() -> None:
    odd = {"COLUMNS": "99999", "LINES": "-1", "TEXTUAL_COLOR_SYSTEM": "many", "TEXTUAL_DRIVER": "none:None"}
    environ = dict(odd)
    apply(at(odd), environ)
    assert environ == {"TEXTUAL_DRIVER": "none:None"}
    assert not at(odd).web
    page = {"TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver", "COLUMNS": "90"}
    apply(at(page), page)
    assert page["COLUMNS"] == "90"


def test_the_decision_is_made_before_textual_is_there() -> None:
    code = "import sys, tui.terminal; sys.exit(any(name.split('.')[0] in ('textual', 'rich') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
