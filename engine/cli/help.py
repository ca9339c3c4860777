"""Help generated from the command table: for inferdeck, a command group, or one command."""

from __future__ import annotations

from collections.abc import Sequence

from engine.cli.command import Command

_HEAD = """\
inferdeck measures machine-learning inference the MLPerf way.

usage: inferdeck COMMAND [options]; without a command it opens the screen

"""
_TAIL = """
inferdeck COMMAND --help shows what a command takes.
inferdeck --version, or -V, shows the version.

for example
  inferdeck demo --offline
  inferdeck plan --tags=app,mlperf,inference,_resnet50,_patterns-net --scenarios=Offline,Server
  inferdeck run --tags=app,mlperf,inference,_resnet50,_patterns-net --scenarios=Offline --output_dir=results

exit status
  0 done · 1 failed · 2 usage error, or the plan can't run · 130 stopped
"""
_WIDTH = 80
"""Columns of the narrowest supported terminal."""
_GAP = 2
_LONGEST = 26
"""Columns of the left column; a longer entry puts its meaning on the next line."""


def of_all(commands: Sequence[Command]) -> str:
    """Return the help of `inferdeck` itself: one line per command."""
    return _HEAD + _rows([(one.name, one.summary) for one in commands]) + _TAIL


def of_group(commands: Sequence[Command]) -> str:
    """Return the help of a command group such as `inferdeck submission`."""
    group = commands[0].name.partition(" ")[0]
    rows = _rows([(f"{one.name} {one.arguments.usage}".strip(), one.summary) for one in commands])
    return f"usage: inferdeck {group} COMMAND [options]\n\n{rows}\ninferdeck {group} COMMAND --help shows its options\n"


def of_command(command: Command) -> str:
    """Return the help of one command: usage, arguments, options with their meaning, examples."""
    parts = [f"usage: {command.usage()}\n\n{command.summary[0].upper()}{command.summary[1:]}.\n"]
    if command.about:
        parts.append(command.about + "\n")
    options = [(one.usage(), one.meaning + _bounds(one.numbers)) for one in command.options]
    parts.append("options\n" + _rows([*options, ("-h, --help", "show this help")]))
    if command.examples:
        parts.append("for example\n" + "".join(f"  inferdeck {one}\n" for one in command.examples))
    return "\n".join(parts)


def _bounds(numbers: tuple[int, int] | None) -> str:
    return f" ({numbers[0]} to {numbers[1]})" if numbers else ""


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    """Return two columns, wrapped; the meaning of an entry that is too wide goes below it."""
    from textwrap import wrap  # noqa: PLC0415  (start-up)

    left = min(max(len(word) for word, _ in rows), _LONGEST)
    indent = " " * (2 + left + _GAP)
    text = ""
    for word, meaning in rows:
        first, *more = wrap(meaning, _WIDTH - len(indent)) or [""]
        beside = f"  {word:{left}}{' ' * _GAP}" if len(word) <= left else f"  {word}\n{indent}"
        text += "\n".join([beside + first, *(indent + line for line in more)]) + "\n"
    return text
