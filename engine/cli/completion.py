"""`inferdeck completion bash|zsh|fish`: a script by which the shell completes commands, options and names.

The script calls `inferdeck complete -- WORDS...` at each Tab. Candidates come from the command table and, for names,
from profiles and jobs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

from engine.cli import arguments as words
from engine.cli.command import Command
from engine.errors import InferdeckError

SCRIPTS = {
    "bash": """\
_inferdeck() {
    local IFS=$'\\n'
    COMPREPLY=($(inferdeck complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o default -F _inferdeck inferdeck
""",
    "zsh": """\
#compdef inferdeck
_inferdeck() {
    local -a found
    found=("${(@f)$(inferdeck complete -- "${words[@]:1:$((CURRENT-1))}" 2>/dev/null)}")
    if [[ -n "$found" ]]; then compadd -S '' -- $found; else _files; fi
}
compdef _inferdeck inferdeck
""",
    "fish": """\
complete -c inferdeck -f -a '(inferdeck complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
""",
}


def completion_command(asked: words.Words) -> int:
    """Print the script of a shell."""
    sys.stdout.write(SCRIPTS[asked.positional[0]])
    return 0


def complete(typed: Sequence[str], commands: Sequence[Command], home: str | None = None) -> list[str]:
    """Return what the last word can become: commands, options, and names where an argument takes one.

    `typed` are the words after `inferdeck`; the last is what is being typed, possibly empty.
    """
    *before, last = typed or [""]
    command = _command(before, commands)
    if command is None:
        given = " ".join(before)
        heads = [one.name.removeprefix(given).strip() for one in commands if one.name.startswith(given)]
        return _fitting(last, [head.partition(" ")[0] for head in heads if head])
    if last.startswith("--"):
        return _fitting(last, [f"--{one.name}" + ("=" if one.value else "") for one in command.options])
    names = list(_names(command, home))
    rest = [one.name.removeprefix(command.name).strip() for one in commands if one.name.startswith(f"{command.name} ")]
    return _fitting(last, [*rest, *names, *command.arguments.allowed])


def _command(before: Sequence[str], commands: Sequence[Command]) -> Command | None:
    plain = [word for word in before if not word.startswith("-")]
    named = {one.name: one for one in commands}
    for count in (2, 1):
        if (found := named.get(" ".join(plain[:count]))) is not None and len(plain) >= count:
            return found
    return None


def _names(command: Command, home: str | None) -> Iterable[str]:
    """Yield the names that the command's arguments take; none where they can't be read."""
    from engine.store.folders import folders  # noqa: PLC0415  (Tab must be quick where no names are asked for)

    with suppress(InferdeckError):
        if command.name in ("attach", "watch", "cancel"):
            from engine.jobs import jobs  # noqa: PLC0415

            yield from (job.id for job in jobs.all_jobs(folders(home)))
        elif command.name.startswith("explore ") and command.arguments.usage:
            from engine.design_space.exploration_folders import names  # noqa: PLC0415

            yield from names(folders(home))
        elif command.name in ("results show", "results compare", "results plot"):
            from engine.explore.history import all_runs  # noqa: PLC0415

            yield from (run.id for run in all_runs(folders(home)))
        elif command.name in ("components", "system show", "tune show"):
            from engine.survey.prepare import workplace  # noqa: PLC0415

            catalog = workplace(home, ()).catalog
            systems = (path.stem for folder in catalog.folders for path in (folder / "systems").glob("*.yaml"))
            yield from catalog.components if command.name == "components" else systems


def _fitting(last: str, candidates: Iterable[str]) -> list[str]:
    return sorted({one for one in candidates if one.startswith(last)})


def complete_command(asked: words.Words) -> int:
    """Print the candidates for the last word, a line each."""
    from engine.cli.commands import COMMANDS  # noqa: PLC0415

    sys.stdout.write("".join(f"{one}\n" for one in complete(asked.positional, list(COMMANDS.values()))))
    return 0
