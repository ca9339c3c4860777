"""Options, arguments and help texts that several commands share."""

from __future__ import annotations

from engine.cli.command import Arguments, CommandOption

HOME = CommandOption("home", "where store, jobs and settings are, instead of your system's usual folders", "DIR")
PROFILES = CommandOption(
    "profiles", "a folder with components, systems and recipes of your own; may be repeated", "DIR", repeatable=True
)
JSON = CommandOption("json", "print JSON, for programs")
PLAIN = CommandOption("plain", "one line per change, without cursor control")
ROUND = CommandOption("round", "the MLPerf round whose rules apply (default: v2.1)", "NAME")

PLANNED = (
    CommandOption(
        "tags", "the component by its tags; turns variations on (_x) and off (-_x)", "a,b,_x,-_y", repeatable=True
    ),
    CommandOption("recipe", "a saved selection, by name or file", "NAME|FILE"),
    CommandOption(
        "output_dir",
        "the results folder",
        "DIR",
        env=("OUTPUT_BASE_DIR", "CM_MLPERF_OUTPUT_DIR"),
    ),
    CommandOption("again", "rebuild everything, ignoring the store", env=("CM_RERUN",)),
    CommandOption("quiet", "print only failures and the end", env=("CM_QUIET",)),
    CommandOption("yes-install", "install system packages without asking"),
    CommandOption("lock", "write the plan to a lock file", "FILE"),
    CommandOption("locked", "run exactly the plan of a lock file, or report what differs", "FILE"),
    JSON,
    HOME,
    PROFILES,
)
STARTED = (
    CommandOption("reuse", "reuse the result of an equal finished job"),
    CommandOption("detach", "start the job and exit"),
    PLAIN,
)
NOW = CommandOption("now", "measure now, even while another job measures")
RUN = (*PLANNED, *STARTED, NOW)
IDLE = tuple(one._replace(meaning="for run; no effect here") for one in (*STARTED, NOW))
DEMO = tuple(one for one in RUN if one.name != "locked")

ONE_FOLDER = Arguments("TREE", "one folder", "for example: DIR/submission", 1, 1)
CHECK_OPTIONS = (
    ROUND,
    CommandOption("submitter", "check only this submitter", "NAME"),
    CommandOption("strict", "fail on warnings too"),
    CommandOption("csv", "write the results as a table", "FILE"),
    JSON,
    HOME,
    PROFILES,
)
FORMAT = CommandOption("format", "output format", "text|csv|json|md")
RUNS = "inferdeck results list names them"
ENTRY = Arguments("KEY", "the name or key of one entry", "inferdeck store list shows them", 1, 1)
JOB = Arguments("[JOB]", "one job at a time", "inferdeck attach r-0001", 0, 1)
JOBS = Arguments("JOB...", "jobs", "inferdeck jobs lists them", 1, None)
SYSTEM = Arguments("NAME", "one name", "inferdeck system list names them", 1, 1)

SELECTION = """\
Selecting what runs:
  --tags=a,b,_x,-_y           a component by its tags; variations on and off
  --NAME=VALUE                an option of that component, for example --scenarios=Offline,Server
  --env.KEY=VALUE             an input by its outside name, for example --env.IMAGENET_PATH=DIR
  --model_path=FILE           a model file of your own
  --add_deps_tags.NAME=_x     variations of a dependency by its name, at any depth
  --adr.NAME.version=RANGE    the version of a dependency; --adr.NAME.OPTION=VALUE an option of it"""

EXAMPLE_TAGS = "--tags=app,mlperf,inference,_resnet50,_patterns-net"
