"""The commands `inferdeck explore ...` of the command table."""

from __future__ import annotations

from engine.cli.command import SELECTS, Arguments, Command, CommandOption
from engine.cli.shared_options import EXAMPLE_TAGS, HOME, JSON, PLAIN, PLANNED, PROFILES, SELECTION

_EXPLORED = (
    *(one for one in PLANNED if one.name not in ("output_dir", "again", "lock", "locked")),
    CommandOption("axis", "what is varied: NAME=V1,V2, NAME=1:64:log2 or NAME=LOW:HIGH:STEP", "AXIS", repeatable=True),
    CommandOption("objective", "a scenario or metric to optimise: Offline, max:KEY, min:KEY", "KEY", repeatable=True),
    CommandOption("constraint", "what every point must keep: 'accuracy>=99%'", "KEY>=N", repeatable=True),
    CommandOption("budget", "how long it may take in all: 45m, 2h", "TIME"),
    CommandOption("trials", "make at most so many trials", "N", numbers=(1, 100_000)),
    CommandOption("sampler", "how points are chosen", "grid|random|sobol|tpe"),
    CommandOption("seed", "of the sampler (default: 0)", "N", numbers=(0, 999_999_999)),
    CommandOption("seconds", "minimum duration of the short runs (default: that of the run style)", "N"),
    CommandOption("final-seconds", "the same of the runs of finalists (default: five times as long)", "N"),
    CommandOption("name", "the exploration to start or to go on with", "NAME"),
    CommandOption("dry-run", "show what it would do and cost"),
    CommandOption("again", "measure also what equal runs have measured before"),
    CommandOption("pool", "let the SUTs of a pool measure: inferdeck pool start", "FOLDER"),
    CommandOption("detach", "start it and exit"),
    PLAIN._replace(meaning="a line for each trial, without cursor control"),
)
_EXPLORATION = Arguments("[NAME]", "one exploration", "inferdeck explore list names them", 0, 1)
_AXES = "--axis=sessions=1,2 --axis=max_batch=1:16:log2"

EXPLORE = (
    Command(
        "explore",
        "engine.cli.explore:explore_command",
        "search a selection's design space for the points worth submitting",
        Arguments("[FILE]", "one file", "inferdeck explore FILE.yaml", 0, 1),
        _EXPLORED,
        SELECTS,
        "Runs trials in a process of its own; the same command goes on with it. FILE.yaml says what options say.\n"
        "explore list|show|watch|stop|resume|promote work with what was started.\n\n" + SELECTION,
        (
            f"explore {EXAMPLE_TAGS} {_AXES} --objective=Offline --objective=peak_memory --budget=10m --name=try",
            f"explore {EXAMPLE_TAGS} --axis=precision=fp32,int8 --objective=Offline --objective=accuracy --dry-run",
        ),
    ),
    Command(
        "explore list",
        "engine.cli.explore:list_command",
        "list explorations",
        options=(JSON, HOME),
        examples=("explore list",),
    ),
    Command(
        "explore show",
        "engine.cli.explore:show_command",
        "show trials and front of an exploration (default: the newest)",
        _EXPLORATION,
        (
            CommandOption("format", "output format", "text|csv|json|md|html"),
            CommandOption("out", "write it to a file", "FILE"),
            JSON,
            HOME,
        ),
        examples=("explore show try", "explore show try --format=html --out=try.html"),
    ),
    Command(
        "explore watch",
        "engine.cli.explore:watch_command",
        "follow an exploration from start to end (default: the newest)",
        _EXPLORATION,
        (JSON, HOME),
        examples=("explore watch try",),
    ),
    Command(
        "explore stop",
        "engine.cli.explore:stop_command",
        "stop an exploration after its present trial (default: the newest)",
        _EXPLORATION,
        (HOME,),
        examples=("explore stop try",),
    ),
    Command(
        "explore resume",
        "engine.cli.explore:resume_command",
        "go on with an exploration (default: the newest)",
        _EXPLORATION,
        (CommandOption("detach", "start it and exit"), HOME),
        examples=("explore resume try",),
    ),
    Command(
        "explore promote",
        "engine.cli.explore:promote_command",
        "measure the point of a trial with the rules' durations and build its submission",
        Arguments("NAME TRIAL", "an exploration and a trial's number", "inferdeck explore promote try 12", 2, 2),
        (
            CommandOption("dry-run", "print the command only"),
            CommandOption("output_dir", "the results folder", "DIR"),
            CommandOption("detach", "start the job and exit"),
            HOME,
            PROFILES,
        ),
        examples=("explore promote try 12 --dry-run",),
    ),
)
