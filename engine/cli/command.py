"""What a command is, as data: parsing, help and the nearest right word are all derived from it.

Named tuples, because the table of commands is read before anything is known of what will be needed: `--help` must
come at once. argparse and its kin serve closed sets of options; here a component brings options of its own, by names
that are known only when the profiles have been read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Selects = Literal["options", "env", "dependencies"]
"""Words that change a selection: `--NAME=VALUE`, `--env.KEY=VALUE`, and `--adr.NAME.X=VALUE` with its kin."""

SELECTS: tuple[Selects, ...] = ("options", "env", "dependencies")


class CommandOption(NamedTuple):
    """A word that begins with `--`: a flag, or one with a value."""

    name: str
    """As help shows it. On the command line `-` and `_` are the same."""
    meaning: str
    value: str = ""
    """What help calls the value: DIR. Empty for a flag, which takes nothing or yes and no."""
    repeatable: bool = False
    numbers: tuple[int, int] | None = None
    """Least and greatest whole number, where the value is one."""
    env: tuple[str, ...] = ()
    """Names of the MLPerf tutorials for it: `--env.CM_QUIET=yes`."""

    @property
    def key(self) -> str:
        """What two spellings of the name have in common."""
        return key(self.name)

    def usage(self) -> str:
        """Return it as a person writes it: `--backup=DIR`."""
        return f"--{self.name}" + (f"={self.value}" if self.value else "")


class Arguments(NamedTuple):
    """The words of a command that do not begin with `--`."""

    usage: str = ""
    """As in the usage line: `A B...`."""
    wanted: str = ""
    """How a message says it: `two runs or more`."""
    remedy: str = ""
    least: int = 0
    most: int | None = 0
    """None for any number."""
    allowed: tuple[str, ...] = ()
    """The only words that are allowed; empty allows all."""
    with_flag: str = ""
    """The flag without which there are none."""


class Command(NamedTuple):
    """One command, by all the words that name it: `submission truncate`."""

    name: str
    run: str
    """`module:function`; the function gets the words (engine.cli.arguments.Words) and returns the exit status."""
    summary: str
    arguments: Arguments = Arguments()
    options: tuple[CommandOption, ...] = ()
    selects: tuple[Selects, ...] = ()
    """Which words of a selection it takes."""
    about: str = ""
    """More than the summary says: lines of help."""
    examples: tuple[str, ...] = ()
    """What follows `inferdeck`."""

    def option(self, name: str) -> CommandOption | None:
        """Return the option of that name, in whatever spelling."""
        return next((one for one in self.options if one.key == key(name)), None)

    def usage(self) -> str:
        """Return the usage line."""
        parts = ["inferdeck", self.name, "--tags=..." if "options" in self.selects and self.option("tags") else ""]
        return " ".join([*filter(None, (*parts, self.arguments.usage)), "[options]"])


Table = Mapping[str, Command]
"""All commands by name."""


def key(name: str) -> str:
    """Return what `--output_dir` and `--output-dir` have in common."""
    return name.replace("-", "_")
