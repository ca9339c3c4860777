"""Commands as data: parsing, help and suggestions are all derived from it.

Named tuples, because the command table is loaded before anything else and `--help` must be instant. argparse serves
closed sets of options; here components add options that are known only once the profiles have been read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Selects = Literal["options", "env", "dependencies"]
"""How a command accepts selection options: `--NAME=VALUE`, `--env.KEY=VALUE`, and `--adr.NAME.X=VALUE` and similar."""

SELECTS: tuple[Selects, ...] = ("options", "env", "dependencies")


class CommandOption(NamedTuple):
    """An option that begins with `--`: a flag, or one with a value."""

    name: str
    """As help shows it; `-` and `_` are equivalent on the command line."""
    meaning: str
    value: str = ""
    """Metavariable in help, such as DIR. Empty for a flag, which takes no value, or yes or no."""
    repeatable: bool = False
    numbers: tuple[int, int] | None = None
    """Minimum and maximum of an integer value; None for other values."""
    env: tuple[str, ...] = ()
    """Names of it in the MLPerf tutorials: `--env.CM_QUIET=yes`."""

    @property
    def key(self) -> str:
        """Normalised name, equal for all spellings."""
        return key(self.name)

    def usage(self) -> str:
        """Return the option as typed: `--backup=DIR`."""
        return f"--{self.name}" + (f"={self.value}" if self.value else "")


class Arguments(NamedTuple):
    """Positional arguments of a command."""

    usage: str = ""
    """As in the usage line: `A B...`."""
    wanted: str = ""
    """What error messages call them: `two runs or more`."""
    remedy: str = ""
    least: int = 0
    most: int | None = 0
    """Maximum number; None for no limit."""
    allowed: tuple[str, ...] = ()
    """The only accepted values; empty accepts any."""
    with_flag: str = ""
    """The flag that makes them valid; without it there are none."""


class Command(NamedTuple):
    """One command with its full name: `submission truncate`."""

    name: str
    run: str
    """`module:function`; the function gets the parsed arguments (engine.cli.arguments.Words) and returns the exit
    status."""
    summary: str
    arguments: Arguments = Arguments()
    options: tuple[CommandOption, ...] = ()
    selects: tuple[Selects, ...] = ()
    """Which selection options it takes."""
    about: str = ""
    """Help text below the summary."""
    examples: tuple[str, ...] = ()
    """Example arguments, without `inferdeck`."""

    def option(self, name: str) -> CommandOption | None:
        """Return the option with that name, in any spelling."""
        return next((one for one in self.options if one.key == key(name)), None)

    def usage(self) -> str:
        """Return the usage line."""
        parts = ["inferdeck", self.name, "--tags=..." if "options" in self.selects and self.option("tags") else ""]
        return " ".join([*filter(None, (*parts, self.arguments.usage)), "[options]"])


Table = Mapping[str, Command]
"""All commands by name."""


def key(name: str) -> str:
    """Return the normalised option name, the same for `--output_dir` and `--output-dir`."""
    return name.replace("-", "_")
