"""The command table of `inferdeck`: name, arguments and options of every command, with their help texts."""

from __future__ import annotations

from engine.cli.command import SELECTS, Arguments, Command, CommandOption
from engine.cli.explore_commands import EXPLORE
from engine.cli.results_commands import RESULTS
from engine.cli.shared_options import (
    DEMO,
    ENTRY,
    EXAMPLE_TAGS,
    HOME,
    IDLE,
    JOB,
    JSON,
    PLAIN,
    PLANNED,
    PROFILES,
    ROUND,
    RUN,
    SELECTION,
    SYSTEM,
)
from engine.cli.submission_commands import SUBMISSION

_COMMANDS = (
    Command(
        "demo",
        "engine.cli.demo:demo_command",
        "an end-to-end demonstration on real photographs, in two minutes",
        Arguments(remedy="name the benchmark with --model=WORDS"),
        options=(
            CommandOption("model", "the benchmark to demonstrate (default: resnet50)", "BENCHMARK"),
            CommandOption("offline", "fetch nothing: a tiny model on generated samples"),
            *DEMO,
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
            *PLANNED,
            CommandOption("diff", "compare two lock files: plan --diff A B"),
            CommandOption("probe", "measure this machine's speed first, in about 20 seconds"),
            *IDLE,
        ),
        SELECTS,
        SELECTION,
        (
            f"plan {EXAMPLE_TAGS},_all-modes",
            f"plan {EXAMPLE_TAGS},_valid --probe",
            f"plan {EXAMPLE_TAGS} --lock plan.json",
            "plan --diff plan.json other.json",
        ),
    ),
    Command(
        "run",
        "engine.cli.run:run_command",
        "run it in a job that outlives this terminal",
        Arguments("", "nothing but 'script'", allowed=("script",), most=1),
        (
            *RUN,
            CommandOption("repeat", "measure so many times, one job after another", "N", numbers=(1, 100)),
            CommandOption("bundle", "take downloads and packages from an archive; its plan, if none is given", "FILE"),
        ),
        SELECTS,
        SELECTION,
        (
            f"run {EXAMPLE_TAGS} --scenarios=Offline --output_dir=results",
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
            *(one for one in PLANNED if one.name not in ("lock", "output_dir", "again")),
            CommandOption("out", "the archive (default: bundle.tar)", "FILE"),
            PLAIN,
        ),
        SELECTS,
        SELECTION,
        (f"bundle {EXAMPLE_TAGS},_all-modes --out=bundle.tar",),
    ),
    Command(
        "tune",
        "engine.cli.tune:tune_command",
        "choose sessions, threads, batch size and queue delay by measuring, and save them",
        options=RUN,
        selects=SELECTS,
        about=SELECTION,
        examples=(f"tune {EXAMPLE_TAGS} --sut=my-box", f"tune {EXAMPLE_TAGS} --adr.workers.seconds=600"),
    ),
    Command(
        "tune show",
        "engine.cli.tune:show_command",
        "show the saved tuning of a system",
        Arguments("NAME", "the name of a system", "inferdeck system list names them", 1, 1),
        (JSON, HOME, PROFILES),
        examples=("tune show my-box",),
    ),
    *EXPLORE,
    Command(
        "jobs",
        "engine.cli.jobs:jobs_command",
        "list running and past jobs",
        options=(JSON, HOME),
        examples=("jobs", "jobs --json"),
    ),
    *(
        Command(
            name,
            "engine.cli.jobs:attach_command",
            "follow a job from start to end (default: the newest)",
            JOB,
            (PLAIN, JSON, HOME),
            examples=(f"{name} r-0001", f"{name} --plain"),
        )
        for name in ("attach", "watch")
    ),
    Command(
        "cancel",
        "engine.cli.jobs:cancel_command",
        "stop a job (default: the newest); the same command resumes it",
        JOB,
        (HOME,),
        examples=("cancel r-0001",),
    ),
    *RESULTS,
    Command(
        "store list",
        "engine.cli.store:list_command",
        "list the artifacts on this machine",
        options=(JSON, HOME),
        examples=("store list",),
    ),
    Command(
        "store verify",
        "engine.cli.store:verify_command",
        "verify the hashes of all files (default: of every entry)",
        Arguments("[KEY...]", "names of entries", "inferdeck store list shows them", 0, None),
        (HOME,),
        examples=("store verify",),
    ),
    Command(
        "store accept",
        "engine.cli.store:accept_command",
        "accept entries that were copied or touched, after verifying their hashes",
        Arguments("[KEY...]", "names of entries", "inferdeck store list shows them", 0, None),
        (HOME,),
        examples=("store accept",),
    ),
    Command(
        "store clean",
        "engine.cli.store:clean_command",
        "delete the leftovers of unfinished attempts",
        options=(HOME,),
        examples=("store clean",),
    ),
    Command(
        "store remove",
        "engine.cli.store:remove_command",
        "delete an entry; it is rebuilt when needed",
        ENTRY,
        (HOME,),
        examples=("store remove resnet50-model-0a1b2c",),
    ),
    Command(
        "store why",
        "engine.cli.store:why_command",
        "show what an entry was made from, and how it differs from similar ones",
        ENTRY,
        (HOME,),
        examples=("store why resnet50-model-0a1b2c",),
    ),
    Command(
        "system list",
        "engine.cli.system:list_command",
        "list systems under test: descriptions and run figures",
        options=(JSON, HOME, PROFILES),
        examples=("system list",),
    ),
    Command(
        "system show",
        "engine.cli.system:show_command",
        "show a description, its run figures and its tuning",
        SYSTEM,
        (JSON, HOME, PROFILES),
        examples=("system show my-box",),
    ),
    Command(
        "system new",
        "engine.cli.system:new_command",
        "describe this machine as a system under test",
        SYSTEM._replace(remedy="inferdeck system new NAME"),
        (
            ROUND,
            CommandOption("again", "replace an existing description"),
            CommandOption("quiet", "do not prompt"),
            HOME,
            PROFILES,
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
        options=(JSON, HOME, PROFILES),
        examples=("rounds list",),
    ),
    Command(
        "rounds show",
        "engine.cli.rounds:show_command",
        "show the benchmarks of a round: categories, scenarios, accuracy, tests",
        Arguments("ROUND", "one round", "inferdeck rounds list names them", 1, 1),
        (JSON, HOME, PROFILES),
        examples=("rounds show v5.1",),
    ),
    Command(
        "rounds diff",
        "engine.cli.rounds:diff_command",
        "show what differs between two rounds",
        Arguments("A B", "two rounds", "inferdeck rounds list names them", 2, 2),
        (JSON, HOME, PROFILES),
        examples=("rounds diff v2.1 v5.1",),
    ),
    *SUBMISSION,
    Command(
        "components",
        "engine.cli.components:components_command",
        "list what plans are made of, or show the variations, options and versions of one",
        Arguments("[QUERY...]", "words", "inferdeck components resnet50 model", 0, None),
        (JSON, HOME, PROFILES),
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
        options=(JSON, HOME, PROFILES),
        selects=("env",),
        about="--env.KEY=VALUE gives an input, as for plan and run, to the benchmarks that read it.",
        examples=("doctor", "doctor --env.IMAGENET_PATH=$HOME/imagenet-2012-val"),
    ),
)

COMMANDS = {one.name: one for one in _COMMANDS}
DEFAULTS = {"results": "results list", "rounds": "rounds list", "store": "store list", "system": "system list"}
"""The command that a group runs when none is given."""
