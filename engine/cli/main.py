"""The `inferdeck` command: find the sub-command, import it, and show errors in two lines.

Nothing heavy is imported here, so that help comes at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import NamedTuple

from engine.errors import InferdeckError, UsageError, nearest
from engine.text import clean

USAGE = """\
inferdeck measures machine-learning inference the MLPerf way.

  inferdeck                                          the screen; serve: the same in a browser
  inferdeck demo [--model=retinanet] [--offline]     the whole way on real photographs, in two minutes
  inferdeck plan --tags=... [options]                everything that would run, before it runs
  inferdeck run  --tags=... [options]                run it, in a job that outlives this terminal
  inferdeck tune --tags=... [options], show NAME     sessions, threads, batch, waiting: measured, and kept
  inferdeck jobs                                     what runs and what ran
  inferdeck attach|watch [JOB] [--plain]             follow a job (the newest without a name)
  inferdeck cancel [JOB]                             stop a job; the same command goes on with it
  inferdeck results [list|show A|compare A B...]     what was measured, and what a change brought
  inferdeck store list|verify|remove KEY|why KEY     the artifacts on this machine
  inferdeck system new|show NAME, list               describe this machine as a system under test
  inferdeck submission check TREE [--strict]         what the checker says; also report, preflight, generate, zip
  inferdeck doctor                                   what this machine is, and what each benchmark lacks

options of run, plan and tune
  --tags=a,b,_x,-_y           component by tags; variations on and off
  --NAME=VALUE                an option of that component, for example --scenarios=Offline,Server
  --env.KEY=VALUE             an input by its outside name, for example --env.IMAGENET_PATH=DIR
  --add_deps_tags.NAME=_x     variations of a dependency by its name, at any depth
  --adr.NAME.version=RANGE    version of a dependency; --adr.NAME.OPTION=VALUE an option of it
  --model_path=FILE           a model file of your own
  --output_dir=DIR            where the results folder goes
  --recipe=NAME|FILE          a selection that was saved
  --profiles=DIR              a folder with components, systems and recipes of your own
  --lock FILE, --locked FILE  write what the plan is, or run exactly that; plan --diff A B compares two
  --again, --reuse            make everything anew; show an equal finished result instead of running
  --now                       measure even while another job on this machine does; the figures are marked as disturbed
  --detach, --plain, --quiet, --json, --yes-install, --home=DIR

exit status: 0 done · 1 failed · 2 wrong words, or the plan can't run · 130 stopped
"""


class _Command(NamedTuple):
    module: str
    function: str


COMMANDS = {
    "demo": _Command("engine.cli.demo", "demo_command"),
    "run": _Command("engine.cli.run", "run_command"),
    "plan": _Command("engine.cli.run", "plan_command"),
    "tune": _Command("engine.cli.tune", "tune_command"),
    "jobs": _Command("engine.cli.jobs", "jobs_command"),
    "attach": _Command("engine.cli.jobs", "attach_command"),
    "watch": _Command("engine.cli.jobs", "attach_command"),
    "cancel": _Command("engine.cli.jobs", "cancel_command"),
    "results": _Command("engine.cli.results", "results_command"),
    "store": _Command("engine.cli.store", "store_command"),
    "system": _Command("engine.cli.system", "system_command"),
    "submission": _Command("engine.cli.submission", "submission_command"),
    "doctor": _Command("engine.cli.doctor", "doctor_command"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    return guarded(_run, sys.argv[1:] if arguments is None else arguments)


def guarded(command: Callable[[list[str]], int], words: list[str]) -> int:
    """Run something for a person: what they can mend is told in two lines; returns the exit status."""
    try:
        return command(words)
    except InferdeckError as error:
        sys.stderr.write(f"inferdeck: {clean(error.what)}\n" + (f"  {clean(error.remedy)}\n" if error.remedy else ""))
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help") or "--help" in words:
        sys.stdout.write(USAGE)
        return 0
    if words[0] == "--version":
        import engine  # noqa: PLC0415

        sys.stdout.write(f"inferdeck {engine.VERSION}\n")
        return 0
    command = COMMANDS.get(words[0])
    if command is None:
        raise UsageError(f"there is no command '{words[0]}'", nearest(words[0], COMMANDS))
    status = getattr(importlib.import_module(command.module), command.function)(words[1:])
    assert isinstance(status, int)
    return status


if __name__ == "__main__":
    sys.exit(main())
