"""The `inferdeck` command: find the sub-command, import it, and print errors in two lines.

Nothing heavy is imported here, so that help is instant.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

from engine.cli import output
from engine.cli.command import Command, CommandOption, Table
from engine.cli.commands import COMMANDS, DEFAULTS
from engine.errors import InferdeckError, UsageError, nearest
from engine.text import clean_lines

__all__ = ["HELP", "VERSION", "Command", "CommandOption", "guarded", "main"]

HELP = ("-h", "--help")
VERSION = ("-V", "--version")


def main(arguments: list[str] | None = None, more: Table | None = None) -> int:
    """Run a command line; returns the exit status. `more` are commands that the engine does not know."""
    table = {**COMMANDS, **(more or {})}
    return guarded(lambda words: _run(words, table), sys.argv[1:] if arguments is None else arguments)


def guarded(command: Callable[[list[str]], int], words: list[str]) -> int:
    """Run `command`, printing errors that the user can fix in a few lines; returns the exit status."""
    output.prepare()
    try:
        status = command(words)
        sys.stdout.flush()
    except InferdeckError as error:
        _print_error(error)
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        output.discard()
        return 0
    except OSError as error:
        from engine.store.files import user_error  # noqa: PLC0415  (start-up)

        known_error = user_error(error)
        if known_error is None:
            raise
        _print_error(known_error)
        return known_error.exit_status
    return status


def _print_error(error: InferdeckError) -> None:
    lines = [*clean_lines(error.what).splitlines(), *clean_lines(error.remedy).splitlines()]
    output.complain("inferdeck: " + "\n  ".join(lines) + "\n")


def _run(words: list[str], table: Table) -> int:
    if not words or words[0] in (*HELP, "help"):
        return _help(words[1:], table)
    if any(word in HELP for word in _before_dashes(words)):
        return _help([word for word in words if word not in HELP], table)
    if words[0] in VERSION:
        return _version(words[1:])
    command, rest = find(words, table)
    from engine.cli.arguments import parse  # noqa: PLC0415  (help needs none of it)

    module, _, function = command.run.partition(":")
    status = getattr(importlib.import_module(module), function)(parse(command, rest))
    assert isinstance(status, int)
    return status


def find(words: list[str], table: Table) -> tuple[Command, list[str]]:
    """Return the command that the first arguments name, and the remaining ones. Raises UsageError where there is
    none."""
    first, *rest = words
    inside = {name.partition(" ")[2] for name in table if name.startswith(f"{first} ")}
    if first not in table and not inside:
        from engine.cli.spelling import refuse_odd_start  # noqa: PLC0415  (only for a word that is wrong)

        refuse_odd_start(first)
        raise UsageError(f"there is no command '{first}'", nearest(first, {name.split(" ")[0] for name in table}))
    # Options may stand between a group and its command: results --json list.
    found = next((word for word in rest if word in inside), None)
    if found and (rest[0] == found or rest[0].startswith("-")):
        place = rest.index(found)
        return table[f"{first} {found}"], rest[:place] + rest[place + 1 :]
    if first in table:
        return table[first], rest
    if first not in DEFAULTS or (rest and not rest[0].startswith("-")):
        raise UsageError(
            f"{first} has no command '{rest[0] if rest else ''}'", nearest(rest[0] if rest else "", inside)
        )
    return table[DEFAULTS[first]], rest


def _help(words: list[str], table: Table) -> int:
    """Print help for the command or group that the arguments name, or for all commands."""
    from engine.cli.help import of_all, of_command, of_group  # noqa: PLC0415  (only who asks for it needs it)

    named = [word for word in words if not word.startswith("-")][:2]
    group = [one for name, one in table.items() if named and name.startswith(f"{named[0]} ")]
    if not named:
        text = of_all(list(table.values()))
    elif " ".join(named) in table or named[0] in table:
        text = of_command(table.get(" ".join(named)) or table[named[0]])
    elif group and len(named) == 1:
        text = of_group(group)
    else:
        text = of_command(find(named, table)[0])
    sys.stdout.write(text)
    return 0


def _version(words: list[str]) -> int:
    import engine  # noqa: PLC0415

    if words:
        raise UsageError(f"unexpected word '{words[0]}' after --version", "inferdeck --version")
    sys.stdout.write(f"inferdeck {engine.VERSION}\n")
    return 0


def _before_dashes(words: list[str]) -> list[str]:
    return words[: words.index("--")] if "--" in words else words


if __name__ == "__main__":
    sys.exit(main())
