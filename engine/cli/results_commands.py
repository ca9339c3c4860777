"""The commands of `inferdeck results`."""

from __future__ import annotations

from engine.cli.command import Arguments, Command, CommandOption
from engine.cli.shared_options import FORMAT, HOME, JOBS, JSON, RUNS

RESULTS = (
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
            CommandOption("archived", "list the archived jobs instead"),
            FORMAT,
            JSON,
            HOME,
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
        Arguments("RUN", "one run", RUNS, 1, 1),
        (
            CommandOption("pictures", "draw so many samples with truth and answer below", "N", numbers=(1, 1000)),
            CommandOption("png", "write them as PNG files (4 without --pictures)", "DIR"),
            FORMAT,
            JSON,
            HOME,
        ),
        examples=("results show r-0001/Offline", "results show r-0001/Offline --pictures=2 --png=pictures"),
    ),
    Command(
        "results compare",
        "engine.cli.results:compare_command",
        "compare runs: what differs, and whether it is above the noise; one run with the pinned one",
        Arguments("A [B...]", "a run", RUNS, 1, None),
        (
            CommandOption("fail-if", "exit with 1 where the change against the first run is larger", "CONDITIONS"),
            FORMAT,
            JSON,
            HOME,
        ),
        about="CONDITIONS are separated by commas: 'throughput<-3%', 'p99>5%', 'result<-2%', 'accuracy<-0.1points'.",
        examples=(
            "results compare r-0001/Offline r-0002/Offline",
            "results compare r-0001/Offline r-0002/Offline --fail-if='throughput<-3%'",
        ),
    ),
    Command(
        "results pin",
        "engine.cli.keeping:pin_command",
        "make a run the baseline of its benchmark and scenario, or list the baselines",
        Arguments("[RUN]", "one run", RUNS, 0, 1),
        (CommandOption("remove", "remove the pin"), HOME),
        about="The list shows the change of each result against it; results compare RUN compares with it.",
        examples=("results pin r-0003/Offline", "results pin", "results pin r-0003/Offline --remove"),
    ),
    Command(
        "results archive",
        "engine.cli.keeping:archive_command",
        "take jobs with their runs out of all lists",
        JOBS,
        (HOME,),
        examples=("results archive r-0001 r-0002",),
    ),
    Command(
        "results restore",
        "engine.cli.keeping:restore_command",
        "bring archived jobs back, or list them",
        JOBS._replace(usage="[JOB...]", least=0),
        (HOME,),
        examples=("results restore r-0001", "results restore"),
    ),
    Command(
        "results delete",
        "engine.cli.keeping:delete_command",
        "delete jobs with their runs, after a confirmation that says what is lost",
        JOBS,
        (CommandOption("yes", "delete without asking"), CommandOption("archived", "archived jobs"), HOME),
        examples=("results delete r-0001", "results delete r-0001 --archived --yes"),
    ),
    Command(
        "results import",
        "engine.cli.keeping:import_command",
        "list the runs of another machine's results folder beside those measured here",
        Arguments("FOLDER", "one results folder", "the folder that was --output_dir there", 1, 1),
        (CommandOption("name", "what its runs are listed under (default: the folder's name)", "NAME"), JSON, HOME),
        examples=("results import box-2-results --name=box-2",),
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
            HOME,
        ),
        about="pareto: throughput against p99 latency, a point per run. distribution: latencies of the queries.\n"
        "latency, throughput: second by second. trend: results by date. batches: the sizes that tuning measured.",
        examples=(
            "results plot pareto --filter=scenario:server",
            "results plot distribution r-0001/Server r-0002/Server --out=latency.svg",
        ),
    ),
)
