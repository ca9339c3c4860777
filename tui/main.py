"""The `inferdeck` command: the screen without words, the command line with words.

Nothing of Textual is imported before it is known that a screen can be shown, and nothing at all for the command line.
"""

from __future__ import annotations

import os
import sys

from engine.cli import main as command_line

SCREEN_WORDS = ("--ascii", "--driver", "--mouse", "--no-mouse", "--theme", "--home", "--plain")
"""The options of the screen itself; anything else is a command."""


def main(arguments: list[str] | None = None) -> int:
    """Open the screen, or run a command; returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["serve"]:
        from tui.serve import serve_command  # noqa: PLC0415

        return command_line.guarded(serve_command, words[1:])
    if words and words[0].partition("=")[0] not in SCREEN_WORDS:
        return command_line.main(words)
    return command_line.guarded(_screen, words)


def _screen(words: list[str]) -> int:
    from tui.start import start  # noqa: PLC0415

    return start(words, os.environ)


if __name__ == "__main__":
    sys.exit(main())
