"""The `inferdeck` command: the screen without arguments, the command line with arguments.

Nothing of Textual is imported before it is known that a screen can be shown, and nothing at all for the command line.
"""

from __future__ import annotations

import sys

from engine.cli import main as command_line
from engine.cli.main import Command, CommandOption

_HOME = CommandOption("home", "where store, jobs and settings are, instead of your system's usual folders", "DIR")
_THEME = CommandOption("theme", "the colours", "NAME")
SERVE = Command(
    "serve",
    "tui.serve:serve_command",
    "the screen as a page in a browser; needs the extra 'web'",
    options=(
        CommandOption("host", "the address to listen on; default 127.0.0.1", "ADDRESS"),
        CommandOption("port", "the port; default 8000", "N", numbers=(1, 65535)),
        _THEME,
        _HOME,
    ),
    examples=("serve", "serve --port=9000"),
)
SCREEN = Command(
    "screen",
    "tui.start:start_command",
    "the screen in this terminal, as inferdeck without a command",
    options=(
        CommandOption("ascii", "draw with ASCII characters alone"),
        CommandOption("glyphs", "the characters of the charts", "braille|block|ascii"),
        CommandOption("mouse", "use the mouse"),
        CommandOption("no-mouse", "leave the mouse to the terminal"),
        CommandOption("driver", "how the screen is written: changed cells only, or by Textual itself", "diff|stock"),
        CommandOption("plain", "no screen: print the jobs instead"),
        _THEME,
        _HOME,
    ),
    examples=("--ascii --no-mouse", "screen --theme=inferdeck-light"),
)
COMMANDS = {one.name: one for one in (SCREEN, SERVE)}
"""Commands that the engine does not have."""


def main(arguments: list[str] | None = None) -> int:
    """Open the screen, or run a command; returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    general = (*command_line.HELP, *command_line.VERSION)
    if not words or (words[0].startswith("-") and words[0] not in general):
        words = [SCREEN.name, *words]
    return command_line.main(words, COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
