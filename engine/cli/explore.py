"""`inferdeck explore`: search the design space of a selection; watch, stop, resume and promote an exploration."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from engine.cli import arguments as words
from engine.cli import output
from engine.cli.explore_lines import LiveLines, print_plan
from engine.cli.screen import Screen, notice_if_slow
from engine.design_space import explorations
from engine.design_space.axis_words import axes_of
from engine.design_space.cost_plan import cost_plan
from engine.design_space.driver import STOP
from engine.design_space.exploration_folders import names
from engine.design_space.exploration_request import (
    ExplorationRequest,
    of_file,
    positive,
    sampler_of,
    seconds_of,
    specification,
)
from engine.design_space.trial_jobs import TrialJobs
from engine.errors import UsageError
from engine.jobs import control
from engine.jobs.start import job_spec
from engine.plan.selection import Selection
from engine.plan.selection_syntax import changed, refuse_contradictions
from engine.store.folders import folders
from engine.survey.prepare import Workplace, prepare, refuse, workplace
from engine.text import shell_line, whole_path

STOP_WINDOW = 3.0
"""Seconds in which a second Ctrl-C stops the exploration rather than leaving it running."""
_LOOK = 0.25


def explore_command(asked: words.Words) -> int:
    """Start an exploration or go on with it, and follow it; exit status 0 at its end, 1 where it failed."""
    place = workplace(asked.values.get("home"), asked.profiles)
    request = _request(place, asked)
    screen = Screen()
    quiet = "quiet" in asked.flags or "json" in asked.flags
    is_new = request.name not in names(place.folders)
    if "dry-run" in asked.flags or (is_new and not quiet):
        with notice_if_slow("looking at every combination"), words.named_options(asked):
            spec, spread = specification(place, request)
            found = cost_plan(spec, TrialJobs(place, spec, spread), spread)
        print_plan(screen, spec, found)
    if "dry-run" in asked.flags:
        return 0
    with words.named_options(asked):
        folder, how = explorations.begin(place, request)
    if not quiet:
        begun = {"resumed": "going on with {}", "joined": "{} is running already", "new": "exploring as {}"}[how]
        screen.line(begun.format(folder.name), "dim")
    if "detach" in asked.flags:
        screen.line(f"{folder.name} is running; follow it with: inferdeck explore watch {folder.name}")
        return 0
    return _follow(screen, folder, plain="plain" in asked.flags, quiet=quiet, as_json="json" in asked.flags)


def _request(place: Workplace, asked: words.Words) -> ExplorationRequest:
    """Return what a command line asks for: a file, changed by the options with it, or options alone."""
    if "output_dir" in asked.changes.options:
        raise UsageError("an exploration has no results folder: each trial keeps its own", "explore promote takes one")
    name = asked.values.get("name", "")
    if asked.positional:
        request = of_file(_file(place, asked.positional[0]))
        chosen = changed(request.selection, asked.tags, asked.changes)
        refuse_contradictions(chosen, asked.changes, place.catalog)
        request = replace(request, selection=chosen)
    elif not asked.selects and name in names(place.folders):
        request = explorations.request_of(explorations.read(explorations.folder_of(place.folders, name)).spec)
    else:
        request = ExplorationRequest(selection=words.selection(asked, place.catalog))
    if "yes-install" in asked.flags:
        request = replace(request, selection=_installing(request.selection))
    return _with_options(request, asked)


def _with_options(request: ExplorationRequest, asked: words.Words) -> ExplorationRequest:
    values, lists = asked.values, asked.lists
    axes = {axis.name: axis for axis in (*request.axes, *axes_of(lists.get("axis", ())))}
    return replace(
        request,
        name=values.get("name", request.name),
        axes=tuple(axes.values()),
        objectives=lists.get("objective", request.objectives),
        constraints=lists.get("constraint", request.constraints),
        budget=seconds_of(values["budget"]) if "budget" in values else request.budget,
        trials=int(values["trials"]) if "trials" in values else request.trials,
        sampler=sampler_of(values["sampler"]) if "sampler" in values else request.sampler,
        seed=int(values.get("seed", request.seed)),
        seconds=positive(values["seconds"]) if "seconds" in values else request.seconds,
        final_seconds=positive(values["final-seconds"]) if "final-seconds" in values else request.final_seconds,
        again=request.again or "again" in asked.flags,
        pool=_pool(values["pool"]) if "pool" in values else request.pool,
        profiles=tuple(str(one) for one in asked.profiles) or request.profiles,
    )


def _pool(given: str) -> str:
    """Return the folder of a pool. Raises JobError where it is none, CannotRunError where Dask is missing."""
    from engine.pool.pool_folder import PoolFolder, need_dask  # noqa: PLC0415

    need_dask()
    folder = PoolFolder(whole_path(given))
    _ = folder.address
    return str(folder.path)


def _installing(chosen: Selection) -> Selection:
    return replace(chosen, env={**chosen.env, "YES_INSTALL": "yes"})


def _file(place: Workplace, word: str) -> Path:
    """Return the file of an exploration: a path, or the name of one in the user's profiles."""
    if "/" in word or word.endswith((".yaml", ".yml")):
        return whole_path(word)
    own = place.folders.profiles / "explorations" / f"{word}.yaml"
    if own.exists():
        return own
    known = names(place.folders)
    if word in known:
        raise UsageError(f"'{word}' is an exploration, not a file", f"inferdeck explore resume {word}")
    raise UsageError(f"there is no exploration file '{word}'", f"write its path, or put it at {own}")


def _follow(screen: Screen, folder: Path, *, plain: bool = False, quiet: bool = False, as_json: bool = False) -> int:
    """Print a line for each trial until the exploration's process ends; Ctrl-C leaves it running."""
    lines = LiveLines(screen, folder, plain=plain, quiet=quiet)
    try:
        while lines.show():
            time.sleep(_LOOK)
        lines.show()
        screen.status("")
    except KeyboardInterrupt:
        screen.status("")
        return _left(screen, folder)
    found = explorations.read(folder)
    if as_json:
        from engine.design_space import reports  # noqa: PLC0415

        screen.out.write(reports.json(found.exploration))
    elif not quiet:
        lines.ended(found)
    return 0 if found.over is not None and found.over.ending in ("finished", "budget", "stopped") else 1


def _left(screen: Screen, folder: Path) -> int:
    name = folder.name
    screen.line(f"{name} continues in the background. Ctrl-C again stops it after the present trial.", "todo")
    try:
        time.sleep(STOP_WINDOW)
    except KeyboardInterrupt:
        (folder / STOP).touch()
        screen.line(f"{name} stops after the present trial; the same command goes on", "todo")
        return 130
    screen.line(f"follow it with: inferdeck explore watch {name}")
    return 0


def watch_command(asked: words.Words) -> int:
    """Follow an exploration from its start to its end."""
    places = folders(asked.values.get("home"))
    folder = explorations.folder_of(places, _name(asked))
    return _follow(Screen(), folder, quiet="json" in asked.flags, as_json="json" in asked.flags)


def stop_command(asked: words.Words) -> int:
    """Stop an exploration after its present trial."""
    found = explorations.stop(folders(asked.values.get("home")), _name(asked))
    Screen().line(f"{found.name} stops after the present trial; inferdeck explore resume {found.name} goes on with it")
    return 0


def resume_command(asked: words.Words) -> int:
    """Go on with an exploration as it was asked for, and follow it."""
    screen = Screen()
    folder = explorations.resume(folders(asked.values.get("home")), _name(asked))
    if "detach" in asked.flags:
        screen.line(f"{folder.name} is running; follow it with: inferdeck explore watch {folder.name}")
        return 0
    return _follow(screen, folder)


def promote_command(asked: words.Words) -> int:
    """Start the valid run and submission of a trial's point; with --dry-run print its command."""
    from engine.cli.run import follow  # noqa: PLC0415

    name, number = asked.positional
    place = workplace(asked.values.get("home"), asked.profiles)
    seen = explorations.read(explorations.folder_of(place.folders, name))
    if not number.isdecimal():
        raise UsageError(f"'{number}' is no trial", f"give its number: inferdeck explore promote {name} 1")
    trial = explorations.trial_of(seen, int(number))
    chosen = explorations.promoted(place, seen, trial)
    output_dir = asked.values.get("output_dir", "")
    screen = Screen()
    command = ("inferdeck", "run", *chosen.words(), *([f"--output_dir={output_dir}"] if output_dir else []))
    screen.line(shell_line(command))
    if "dry-run" in asked.flags:
        return 0
    prepared = prepare(place, chosen, output=output_dir)
    refuse(prepared)
    job, _ = control.begin(place.folders, job_spec(prepared))
    if "detach" in asked.flags:
        screen.line(f"{job.id} is running; attach with: inferdeck attach {job.id}")
        return 0
    return follow(screen, job, attempt=job.attempts)


def _name(asked: words.Words) -> str:
    """Return the exploration that was named, or the newest one. Raises UsageError where there is none."""
    if asked.positional:
        return asked.positional[0]
    found, damaged = explorations.listed(folders(asked.values.get("home")))
    if not found:
        why = next(iter(damaged.values()), "there are no explorations yet")
        raise UsageError(why, "inferdeck explore --tags=... --axis=... starts one")
    return found[0].name


def list_command(asked: words.Words) -> int:
    """List all explorations."""
    found, damaged = explorations.listed(folders(asked.values.get("home")))
    if "json" in asked.flags:
        output.write_json([_as_json(one) for one in found])
        return 0
    from engine.cli.explore_lines import list_lines  # noqa: PLC0415

    list_lines(Screen(), found, damaged)
    return 0


def _as_json(one: explorations.ExplorationState) -> dict[str, object]:
    return {
        "name": one.name,
        "state": one.state,
        "running": one.running,
        "trials": len(one.exploration.trials),
        "points": one.spec.size,
        "spent_seconds": one.spent,
        "budget_seconds": one.spec.budget,
        "left_seconds": one.left,
        "command": one.spec.command,
        "folder": str(one.folder),
    }


_FORMATS = ("text", "csv", "json", "md", "html")


def show_command(asked: words.Words) -> int:
    """Print the report of an exploration, or write it to a file."""
    from engine.design_space import reports  # noqa: PLC0415
    from engine.errors import nearest  # noqa: PLC0415
    from engine.store.files import write_atomic  # noqa: PLC0415
    from engine.text import to_bytes  # noqa: PLC0415

    out = asked.values.get("out", "")
    usual = "json" if "json" in asked.flags else Path(out).suffix.lstrip(".") or "text"
    form = asked.values.get("format", usual if usual in _FORMATS else "text")
    if form not in _FORMATS:
        raise UsageError(f"there is no format '{form}'", nearest(form, _FORMATS))
    found = explorations.read(explorations.folder_of(folders(asked.values.get("home")), _name(asked)))
    text = getattr(reports, form)(found.exploration)
    if out:
        write_atomic(whole_path(out), to_bytes(text))
        Screen().line(f"wrote {out}")
        return 0
    if form == "text":
        Screen().line(text.rstrip("\n"))
    else:
        import sys  # noqa: PLC0415

        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    return 0
