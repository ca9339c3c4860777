"""`inferdeck pool`: start the scheduler of a pool, join it as a SUT, show its SUTs."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from engine.cli import arguments as words
from engine.cli import output
from engine.cli.screen import Cell, Screen
from engine.design_space.exploration_spec import NAME
from engine.errors import JobError, UsageError
from engine.pool.pool_client import Pool
from engine.pool.pool_folder import ADDRESS, USUAL, PoolFolder, host_and_port, made, need_dask
from engine.store.folders import folders
from engine.text import shell_line, whole_path


def start_command(asked: words.Words) -> int:
    """Run the scheduler until Ctrl-C."""
    from engine.pool.scheduler import serve  # noqa: PLC0415

    need_dask()
    pool = made(_folder(asked, asked.values.get("folder")))
    listen = asked.values.get("listen") or (pool.address if (pool.path / ADDRESS).exists() else USUAL)
    screen = Screen()

    def ready(address: str) -> None:
        where = shell_line((str(pool.path),))
        screen.line(f"the pool {address} is ready; its key is in {where}", "good")
        screen.line(f"on each SUT, with a copy of that folder: inferdeck pool join {where} --name=SUT")
        screen.line(f"then: inferdeck explore ... --pool={where}")

    try:
        serve(pool, listen, ready)
    except KeyboardInterrupt:
        screen.line("the pool is closed; SUTs wait for it, and jobs go on")
    return 0


def join_command(asked: words.Words) -> int:
    """Become the worker process, which runs until Ctrl-C."""
    from engine.pool.sut_worker import become_worker  # noqa: PLC0415

    need_dask()
    pool = PoolFolder(_folder(asked, *asked.positional))
    name = asked.values.get("name") or platform.node()
    if not NAME.fullmatch(name):
        raise UsageError(f"'{name}' can't be the name of a SUT", "--name=SUT of letters, digits, '.', '_' and '-'")
    address = asked.values.get("address", "")
    host_and_port(address or pool.address)
    pool.security()
    if home := asked.values.get("home"):
        os.environ["INFERDECK_HOME"] = str(whole_path(home))
    become_worker(pool.path, name, address)


def status_command(asked: words.Words) -> int:
    """List the SUTs; exit status 1 where no scheduler answers."""
    need_dask()
    folder = PoolFolder(_folder(asked, *asked.positional))
    pool = Pool(folder, bytes)
    try:
        found = pool.suts()
        reached = pool.is_connected
    finally:
        pool.close()
    if not reached:
        raise JobError(
            f"no scheduler answers at {folder.address}",
            f"inferdeck pool start --folder={shell_line((str(folder.path),))}",
        )
    screen, suts = Screen(), sorted(found.values(), key=lambda one: one.name)
    if "json" in asked.flags:
        output.write_json(
            [{"sut": one.name, "busy": one.busy, "address": one.address, "machine": dict(one.machine)} for one in suts]
        )
        return 0
    if not suts:
        screen.line(f"the pool {folder.address} has no SUTs; inferdeck pool join adds one")
        return 0
    rows: list[list[Cell]] = [[(word, "dim") for word in ("SUT", "state", "processor", "cores", "inferdeck")]]
    for one in suts:
        state = ("measures", "todo") if one.busy else ("idle", "good")
        facts = [(one.machine.get(name, ""), "") for name in ("processor", "cores", "inferdeck")]
        rows.append([(one.name, "bold"), state, *facts])
    screen.table(rows)
    return 0


def _folder(asked: words.Words, given: str | None = None) -> Path:
    return whole_path(given) if given else folders(asked.values.get("home")).state / "pool"
