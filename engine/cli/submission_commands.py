"""The commands of `inferdeck submission`."""

from __future__ import annotations

from engine.cli.command import SELECTS, Arguments, Command, CommandOption
from engine.cli.shared_options import CHECK_OPTIONS, HOME, IDLE, ONE_FOLDER, PLANNED, PROFILES, ROUND, SELECTION

SUBMISSION = (
    Command(
        "submission preflight",
        "engine.cli.preflight:preflight_command",
        "check a selection against the submission rules before anything runs",
        options=(*PLANNED, *IDLE),
        selects=SELECTS,
        about=SELECTION,
        examples=("submission preflight --tags=app,mlperf,inference,_submission,_valid --env.CM_SUT_NAME=my-box",),
    ),
    Command(
        "submission check",
        "engine.cli.submission:check_command",
        "check a tree as the official checker does, and what that one misses",
        ONE_FOLDER,
        CHECK_OPTIONS,
        examples=("submission check DIR/submission", "submission check DIR/submission --strict --csv=summary.csv"),
    ),
    Command(
        "submission report",
        "engine.cli.submission_report:report_command",
        "list every result of a tree by system, rejected ones with the rules that they break",
        ONE_FOLDER,
        CHECK_OPTIONS,
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
            ROUND,
            HOME,
            PROFILES,
        ),
        examples=("submission generate results --sut=my-box --out=tree",),
    ),
    Command(
        "submission truncate",
        "engine.cli.submit:truncate_command",
        "truncate the accuracy logs of a tree as the rules require, keeping full copies",
        ONE_FOLDER,
        (
            CommandOption("backup", "folder for the full copies (default: TREE-whole-logs)", "DIR"),
            CommandOption("submitter", "only this submitter's logs", "NAME"),
            ROUND,
            HOME,
            PROFILES,
        ),
        examples=("submission truncate DIR/submission", "submission truncate tree --submitter=Acme --backup=logs"),
    ),
    Command(
        "submission zip",
        "engine.cli.submit:zip_command",
        "pack a checked tree",
        ONE_FOLDER,
        (
            CommandOption("out", "the file (default: TREE.zip)", "FILE"),
            CommandOption("submitter", "your organisation: a tree with another's results is refused", "NAME"),
            ROUND,
            HOME,
            PROFILES,
        ),
        examples=("submission zip DIR/submission --submitter=Acme",),
    ),
)
