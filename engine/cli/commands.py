"""The command table of `inferdeck`: name, arguments and options of every command, with their help texts."""

from __future__ import annotations

from engine.cli.command import SELECTS, Arguments, Command, CommandOption

_HOME = CommandOption("home", "where store, jobs and settings are, instead of your system's usual folders", "DIR")
_PROFILES = CommandOption(
    "profiles", "a folder with components, systems and recipes of your own; may be repeated", "DIR", repeatable=True
)
_JSON = CommandOption("json", "print JSON, for programs")
_PLAIN = CommandOption("plain", "one line per change, without cursor control")
_ROUND = CommandOption("round", "the MLPerf round whose rules apply (default: v2.1)", "NAME")

_PLANNED = (
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
    _JSON,
    _HOME,
    _PROFILES,
)
_STARTED = (
    CommandOption("reuse", "reuse the result of an equal finished job"),
    CommandOption("detach", "start the job and exit"),
    _PLAIN,
)
_NOW = CommandOption("now", "measure now, even while another job measures")
_RUN = (*_PLANNED, *_STARTED, _NOW)
_IDLE = tuple(one._replace(meaning="for run; no effect here") for one in (*_STARTED, _NOW))
_DEMO = tuple(one for one in _RUN if one.name != "locked")

_ONE_FOLDER = Arguments("TREE", "one folder", "for example: DIR/submission", 1, 1)
_CHECKED = (
    _ROUND,
    CommandOption("submitter", "check only this submitter", "NAME"),
    CommandOption("strict", "fail on warnings too"),
    CommandOption("csv", "write the results as a table", "FILE"),
    _JSON,
    _HOME,
    _PROFILES,
)
_FORMAT = CommandOption("format", "output format", "text|csv|json|md")
_RUNS = "inferdeck results list names them"
_ENTRY = Arguments("KEY", "the name or key of one entry", "inferdeck store list shows them", 1, 1)
_JOB = Arguments("[JOB]", "one job at a time", "inferdeck attach r-0001", 0, 1)
_SYSTEM = Arguments("NAME", "one name", "inferdeck system list names them", 1, 1)

_SELECTION = """\
Selecting what runs:
  --tags=a,b,_x,-_y           a component by its tags; variations on and off
  --NAME=VALUE                an option of that component, for example --scenarios=Offline,Server
  --env.KEY=VALUE             an input by its outside name, for example --env.IMAGENET_PATH=DIR
  --model_path=FILE           a model file of your own
  --add_deps_tags.NAME=_x     variations of a dependency by its name, at any depth
  --adr.NAME.version=RANGE    the version of a dependency; --adr.NAME.OPTION=VALUE an option of it"""

_TAGS = "--tags=app,mlperf,inference,_resnet50,_patterns-net"

_COMMANDS = (
    Command(
        "demo",
        "engine.cli.demo:demo_command",
        "an end-to-end demonstration on real photographs, in two minutes",
        Arguments(remedy="name the benchmark with --model=WORDS"),
        options=(
            CommandOption("model", "the benchmark to demonstrate (default: resnet50)", "BENCHMARK"),
            CommandOption("offline", "fetch nothing: a tiny model on generated samples"),
            *_DEMO,
        ),
        selects=SELECTS,
        about="Runs a recipe, which other options modify: --scenarios=Offline.",
        examples=("demo", "demo --model=retinanet --offline", "demo --offline --output_dir=results"),
    ),
    Command(
        "plan",
        "engine.cli.plan:plan_command",
        "show everything that would run",
        Arguments("", "two lock files", "inferdeck plan --diff A B", 2, 2, with_flag="diff"),
        (
            *_PLANNED,
            CommandOption("diff", "compare two lock files: plan --diff A B"),
            CommandOption("probe", "measure this machine's speed first, in about 20 seconds"),
            *_IDLE,
        ),
        SELECTS,
        _SELECTION,
        (
            f"plan {_TAGS},_all-modes",
            f"plan {_TAGS},_valid --probe",
            f"plan {_TAGS} --lock plan.json",
            "plan --diff plan.json other.json",
        ),
    ),
    Command(
        "run",
        "engine.cli.run:run_command",
        "run it in a job that outlives this terminal",
        Arguments("", "nothing but 'script'", allowed=("script",), most=1),
        (
            *_RUN,
            CommandOption("repeat", "measure so many times, one job after another", "N", numbers=(1, 100)),
            CommandOption("bundle", "take downloads and packages from an archive; its plan, if none is given", "FILE"),
        ),
        SELECTS,
        _SELECTION,
        (
            f"run {_TAGS} --scenarios=Offline --output_dir=results",
            "run --recipe=demo-offline --detach",
            "run --bundle=bundle.tar",
        ),
    ),
    Command(
        "bundle",
        "engine.cli.bundle:bundle_command",
        "write everything that a plan fetches into one archive, for a machine without a network",
        Arguments(remedy="inferdeck bundle --tags=..."),
        (
            *(one for one in _PLANNED if one.name not in ("lock", "output_dir", "again")),
            CommandOption("out", "the archive (default: bundle.tar)", "FILE"),
            _PLAIN,
        ),
        SELECTS,
        _SELECTION,
        (f"bundle {_TAGS},_all-modes --out=bundle.tar",),
    ),
    Command(
        "tune",
        "engine.cli.tune:tune_command",
        "choose sessions, threads, batch size and queue delay by measuring, and save them",
        options=_RUN,
        selects=SELECTS,
        about=_SELECTION,
        examples=(f"tune {_TAGS} --sut=my-box", f"tune {_TAGS} --adr.workers.seconds=600"),
    ),
    Command(
        "tune show",
        "engine.cli.tune:show_command",
        "show the saved tuning of a system",
        Arguments("NAME", "the name of a system", "inferdeck system list names them", 1, 1),
        (_JSON, _HOME, _PROFILES),
        examples=("tune show my-box",),
    ),
    Command(
        "jobs",
        "engine.cli.jobs:jobs_command",
        "list running and past jobs",
        options=(_JSON, _HOME),
        examples=("jobs", "jobs --json"),
    ),
    *(
        Command(
            name,
            "engine.cli.jobs:attach_command",
            "follow a job from start to end (default: the newest)",
            _JOB,
            (_PLAIN, _JSON, _HOME),
            examples=(f"{name} r-0001", f"{name} --plain"),
        )
        for name in ("attach", "watch")
    ),
    Command(
        "cancel",
        "engine.cli.jobs:cancel_command",
        "stop a job (default: the newest); the same command resumes it",
        _JOB,
        (_HOME,),
        examples=("cancel r-0001",),
    ),
    Command(
        "results list",
        "engine.cli.results:list_command",
        "list the runs of all jobs",
        Arguments(remedy="inferdeck results list --filter=WORDS"),
        (
            CommandOption("filter", "only runs that match, such as 'scenario:offline p99<10 -demo'", "WORDS"),
            CommandOption("sort", "sort by this column; a leading - reverses the order", "COLUMN"),
            CommandOption("group", "one row for repeats of equal choices: mean, number and spread"),
            CommandOption("columns", "show these columns, whatever the width", "NAMES"),
            _FORMAT,
            _JSON,
            _HOME,
        ),
        examples=(
            "results",
            "results list --filter='scenario:server state:invalid' --columns=run,target,result,p99",
            "results list --sort=-samples/s --format=csv",
        ),
    ),
    Command(
        "results show",
        "engine.cli.results:show_command",
        "show one run",
        Arguments("RUN", "one run", _RUNS, 1, 1),
        (
            CommandOption("pictures", "draw so many samples with truth and answer below", "N", numbers=(1, 1000)),
            CommandOption("png", "write them as PNG files (4 without --pictures)", "DIR"),
            _FORMAT,
            _JSON,
            _HOME,
        ),
        examples=("results show r-0001/Offline", "results show r-0001/Offline --pictures=2 --png=pictures"),
    ),
    Command(
        "results compare",
        "engine.cli.results:compare_command",
        "compare runs: what differs, and whether it is above the noise",
        Arguments("A B...", "two runs or more", _RUNS, 2, None),
        (
            CommandOption("fail-if", "exit with 1 where the change against the first run is larger", "CONDITIONS"),
            _FORMAT,
            _JSON,
            _HOME,
        ),
        about="CONDITIONS are separated by commas: 'throughput<-3%', 'p99>5%', 'result<-2%', 'accuracy<-0.1points'.",
        examples=(
            "results compare r-0001/Offline r-0002/Offline",
            "results compare r-0001/Offline r-0002/Offline --fail-if='throughput<-3%'",
        ),
    ),
    Command(
        "results plot",
        "engine.cli.plot:plot_command",
        "draw a chart of runs here, or write it as SVG",
        Arguments("CHART [RUN...]", "a chart", "pareto, latency, throughput, distribution, trend or batches", 1, None),
        (
            CommandOption("filter", "only runs that match", "WORDS"),
            CommandOption("out", "write an SVG file", "FILE"),
            CommandOption("ascii", "draw with ASCII characters only"),
            _HOME,
        ),
        about="pareto: throughput against p99 latency, a point per run. distribution: latencies of the queries.\n"
        "latency, throughput: second by second. trend: results by date. batches: the sizes that tuning measured.",
        examples=(
            "results plot pareto --filter=scenario:server",
            "results plot distribution r-0001/Server r-0002/Server --out=latency.svg",
        ),
    ),
    Command(
        "store list",
        "engine.cli.store:list_command",
        "list the artifacts on this machine",
        options=(_JSON, _HOME),
        examples=("store list",),
    ),
    Command(
        "store verify",
        "engine.cli.store:verify_command",
        "verify the hashes of all files (default: of every entry)",
        Arguments("[KEY...]", "names of entries", "inferdeck store list shows them", 0, None),
        (_HOME,),
        examples=("store verify",),
    ),
    Command(
        "store accept",
        "engine.cli.store:accept_command",
        "accept entries that were copied or touched, after verifying their hashes",
        Arguments("[KEY...]", "names of entries", "inferdeck store list shows them", 0, None),
        (_HOME,),
        examples=("store accept",),
    ),
    Command(
        "store clean",
        "engine.cli.store:clean_command",
        "delete the leftovers of unfinished attempts",
        options=(_HOME,),
        examples=("store clean",),
    ),
    Command(
        "store remove",
        "engine.cli.store:remove_command",
        "delete an entry; it is rebuilt when needed",
        _ENTRY,
        (_HOME,),
        examples=("store remove resnet50-model-0a1b2c",),
    ),
    Command(
        "store why",
        "engine.cli.store:why_command",
        "show what an entry was made from, and how it differs from similar ones",
        _ENTRY,
        (_HOME,),
        examples=("store why resnet50-model-0a1b2c",),
    ),
    Command(
        "system list",
        "engine.cli.system:list_command",
        "list systems under test: descriptions and run figures",
        options=(_JSON, _HOME, _PROFILES),
        examples=("system list",),
    ),
    Command(
        "system show",
        "engine.cli.system:show_command",
        "show a description, its run figures and its tuning",
        _SYSTEM,
        (_JSON, _HOME, _PROFILES),
        examples=("system show my-box",),
    ),
    Command(
        "system new",
        "engine.cli.system:new_command",
        "describe this machine as a system under test",
        _SYSTEM._replace(remedy="inferdeck system new NAME"),
        (
            _ROUND,
            CommandOption("again", "replace an existing description"),
            CommandOption("quiet", "do not prompt"),
            _HOME,
            _PROFILES,
        ),
        ("options",),
        "--FIELD=VALUE sets a field of the description, for example --submitter=Acme or --system_type=edge.\n"
        "In a terminal it prompts for what can't be detected.",
        ("system new my-box", "system new my-box --submitter=Acme --division=open --system_type=edge"),
    ),
    Command(
        "rounds list",
        "engine.cli.rounds:list_command",
        "list the MLPerf rounds",
        options=(_JSON, _HOME, _PROFILES),
        examples=("rounds list",),
    ),
    Command(
        "rounds show",
        "engine.cli.rounds:show_command",
        "show the benchmarks of a round: categories, scenarios, accuracy, tests",
        Arguments("ROUND", "one round", "inferdeck rounds list names them", 1, 1),
        (_JSON, _HOME, _PROFILES),
        examples=("rounds show v5.1",),
    ),
    Command(
        "rounds diff",
        "engine.cli.rounds:diff_command",
        "show what differs between two rounds",
        Arguments("A B", "two rounds", "inferdeck rounds list names them", 2, 2),
        (_JSON, _HOME, _PROFILES),
        examples=("rounds diff v2.1 v5.1",),
    ),
    Command(
        "submission preflight",
        "engine.cli.preflight:preflight_command",
        "check a selection against the submission rules before anything runs",
        options=(*_PLANNED, *_IDLE),
        selects=SELECTS,
        about=_SELECTION,
        examples=("submission preflight --tags=app,mlperf,inference,_submission,_valid --env.CM_SUT_NAME=my-box",),
    ),
    Command(
        "submission check",
        "engine.cli.submission:check_command",
        "check a tree as the official checker does, and what that one misses",
        _ONE_FOLDER,
        _CHECKED,
        examples=("submission check DIR/submission", "submission check DIR/submission --strict --csv=summary.csv"),
    ),
    Command(
        "submission report",
        "engine.cli.submission_report:report_command",
        "list every result of a tree by system, rejected ones with the rules that they break",
        _ONE_FOLDER,
        _CHECKED,
        examples=("submission report DIR/submission", "submission report DIR/submission --json"),
    ),
    Command(
        "submission generate",
        "engine.cli.submit:generate_command",
        "build a tree (or extend one) from the results of one system",
        Arguments("RESULTS", "one folder", "the folder given as --output_dir", 1, 1),
        (
            CommandOption("sut", "the system, if the folder holds several", "NAME"),
            CommandOption("out", "the tree (default: RESULTS/submission)", "DIR"),
            CommandOption("submitter", "override the submitter of the description", "NAME"),
            CommandOption("division", "override the division of the description", "closed|open|network"),
            CommandOption(
                "infer", "infer missing MultiStream and Offline results from SingleStream, if the rules allow it"
            ),
            CommandOption("share_99", "submit the results of a -99 benchmark for its -99.9 as well"),
            _ROUND,
            _HOME,
            _PROFILES,
        ),
        examples=("submission generate results --sut=my-box --out=tree",),
    ),
    Command(
        "submission truncate",
        "engine.cli.submit:truncate_command",
        "truncate the accuracy logs of a tree as the rules require, keeping full copies",
        _ONE_FOLDER,
        (
            CommandOption("backup", "folder for the full copies (default: TREE-whole-logs)", "DIR"),
            CommandOption("submitter", "only this submitter's logs", "NAME"),
            _ROUND,
            _HOME,
            _PROFILES,
        ),
        examples=("submission truncate DIR/submission", "submission truncate tree --submitter=Acme --backup=logs"),
    ),
    Command(
        "submission zip",
        "engine.cli.submit:zip_command",
        "pack a checked tree",
        _ONE_FOLDER,
        (
            CommandOption("out", "the file (default: TREE.zip)", "FILE"),
            CommandOption("submitter", "your organisation: a tree with another's results is refused", "NAME"),
            _ROUND,
            _HOME,
            _PROFILES,
        ),
        examples=("submission zip DIR/submission --submitter=Acme",),
    ),
    Command(
        "components",
        "engine.cli.components:components_command",
        "list what plans are made of, or show the variations, options and versions of one",
        Arguments("[QUERY...]", "words", "inferdeck components resnet50 model", 0, None),
        (_JSON, _HOME, _PROFILES),
        examples=("components", "components resnet50,model", "components app-mlperf-inference"),
    ),
    Command(
        "completion",
        "engine.cli.completion:completion_command",
        "print what lets a shell complete commands, options and names",
        Arguments("SHELL", "one shell", "bash, zsh or fish", 1, 1, allowed=("bash", "zsh", "fish")),
        about="bash: put `source <(inferdeck completion bash)` into ~/.bashrc.\n"
        "zsh: the same with zsh into ~/.zshrc, after compinit.\n"
        "fish: inferdeck completion fish > ~/.config/fish/completions/inferdeck.fish",
        examples=("completion bash",),
    ),
    Command(
        "complete",
        "engine.cli.completion:complete_command",
        "print what the last word can become; shells call it",
        Arguments("-- WORDS...", "the words that were typed", "inferdeck complete -- results li", 0, None),
        examples=("complete -- results li",),
    ),
    Command(
        "doctor",
        "engine.cli.doctor:doctor_command",
        "show this machine, and what each benchmark needs on it",
        options=(_JSON, _HOME, _PROFILES),
        selects=("env",),
        about="--env.KEY=VALUE gives an input, as for plan and run, to the benchmarks that read it.",
        examples=("doctor", "doctor --env.IMAGENET_PATH=$HOME/imagenet-2012-val"),
    ),
)

COMMANDS = {one.name: one for one in _COMMANDS}
DEFAULTS = {"results": "results list", "rounds": "rounds list", "store": "store list", "system": "system list"}
"""The command that a group runs when none is given."""
