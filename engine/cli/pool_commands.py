"""The commands `inferdeck pool ...` of the command table."""

from __future__ import annotations

from engine.cli.command import Arguments, Command, CommandOption
from engine.cli.shared_options import HOME, JSON

_FOLDER = "the pool's folder"

POOL = (
    Command(
        "pool start",
        "engine.cli.pool:start_command",
        "let machines measure for one exploration at the same time: start their scheduler",
        options=(
            CommandOption("listen", "where the machines reach it (default: 127.0.0.1:8786, this machine)", "HOST:PORT"),
            CommandOption("folder", f"{_FOLDER}, with its key (default: in your state folder)", "DIR"),
            HOME,
        ),
        about="Makes the folder's key, if it has none: whoever holds it can run code on every machine of the pool.\n"
        "Runs until Ctrl-C. Killed and started again, it loses no trial.",
        examples=("pool start", "pool start --listen=head.example.org:8786 --folder=lab"),
    ),
    Command(
        "pool join",
        "engine.cli.pool:join_command",
        "let this machine measure for explorations, one trial at a time",
        Arguments("[FOLDER]", _FOLDER, "inferdeck pool join FOLDER --name=SUT", 0, 1),
        (
            CommandOption("name", "of this machine in the pool (default: its host name)", "SUT"),
            CommandOption("address", "of the scheduler, where it is not the one in the folder", "tls://HOST:PORT"),
            HOME,
        ),
        about="Runs until Ctrl-C; a job that it has started goes on.",
        examples=("pool join lab --name=sut-a",),
    ),
    Command(
        "pool status",
        "engine.cli.pool:status_command",
        "show the machines of a pool",
        Arguments("[FOLDER]", _FOLDER, "inferdeck pool status FOLDER", 0, 1),
        (JSON, HOME),
        examples=("pool status lab",),
    ),
)
