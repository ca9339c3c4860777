"""Longer texts of the Run screen: introduction, questions, copies, and why an action is not possible."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from engine.explore.tuning import tuning_node
from engine.jobs.fold import Watched
from engine.jobs.jobs import Job
from engine.text import clean_lines, duration, time_of_day
from engine.watch.step_files import step_files
from engine.watch.watch import JobStatus
from tui.actions import Action
from tui.follow import OVER, Scene
from tui.screens.file_view import FileView
from tui.widgets import live_rows
from tui.widgets.board import Row

TEACH: tuple[tuple[str, str], ...] = (
    ("No job has run here yet.\n\n", "bold"),
    ("A run is a job: a process of its own. It continues when you leave this screen,\n", ""),
    ("close the laptop or lose the connection, and whoever opens this screen on\n", ""),
    ("this machine, from any terminal, sees the same job.\n\n", ""),
    ("2  ", "bold $mark"),
    ("Plan: choose model, backend and scenarios, see the plan; r runs it\n", ""),
    ("1  ", "bold $mark"),
    ("Home: t runs a first demonstration in half a minute, nothing to download\n\n", ""),
    ("While a job runs you see here how far it is, its throughput against the\n", ""),
    ("target, its latencies against the limit, what the machine does, and whether\n", ""),
    ("LoadGen is likely to call it valid.\n", ""),
)


ACTIONS = (
    Action("d", "leave", "leave running", "go to Home; the job continues, and Enter there comes back to it"),
    Action("x", "stop", "stop…", "stop the job; a question first says what is lost"),
    Action("tab", "next", "next pane", "go to the next pane; in a small terminal it takes the place of this one"),
    Action("p", "freeze", "freeze view", "freeze or resume the view; the job continues either way"),
    Action("l", "log", "log", "read the log and LoadGen's files of the step under the cursor, or of the running one"),
    Action("y", "copy", "copy numbers", "copy the figures to the clipboard of the terminal"),
    Action("plus", "closer", "zoom in", "a shorter stretch of time in the charts"),
    Action("minus", "wider", "zoom out", "a longer stretch of time in the charts, up to half an hour"),
    Action("enter", "open", "results", "the results of a job that has ended; on events: all of them"),
    Action("r", "resume", "resume", "resume a job that stopped, failed or died; what it finished is kept"),
    Action("m", "now", "measure now", "do not wait for another job's measurement; results are marked as disturbed"),
    Action("escape", "guide", "guide", "back to the guide that started this job; the job continues"),
    Action("t", "tuning", "tuning", "how sessions, threads and batch were chosen: a bar for each candidate"),
)

GUIDED = {
    "guide": Action("escape", "guide", "back to the guide", "go to the guide; the job continues"),
    "open": Action("enter", "open", "next step of the guide", "go on in the guide"),
}
"""How the key line names what leads back to the guide, for a job that the guide started."""
ORDER_GUIDED = ("guide", "stop", "next", "freeze", "log")
ORDER_GUIDED_OVER = ("open", "resume", "guide", "next", "log")
ORDER_LIVE = ("leave", "stop", "next", "freeze", "log", "copy")
ORDER_OVER = ("resume", "open", "next", "log", "copy")
"""The actions that the key line shows first."""


def ordered(actions: Sequence[Action], possible: Collection[str], *, over: bool, guided: bool = False) -> list[Action]:
    """Return the most useful actions first; those that are not possible now are at the end.

    `guided`: the job was started by the guide, and the way back comes first.
    """
    first = ORDER_OVER if over else ORDER_LIVE
    if guided:
        first = ORDER_GUIDED_OVER if over else ORDER_GUIDED
        actions = [GUIDED.get(one.name, one) if over or one.name == "guide" else one for one in actions]

    def place(one: Action) -> tuple[bool, int]:
        return one.name not in possible, first.index(one.name) if one.name in first else len(first)

    return sorted(actions, key=place)


def why_not(name: str, job_status: JobStatus, front: str, *, charts: bool, zoomed: int, last: int) -> str | None:
    """Return why an action is not possible now; None where it is."""
    over, finished = job_status in OVER, job_status == "finished"
    stands = f"this job is not running: {live_rows.JOB_STATUS[job_status][0].lower()}"
    reasons = {
        "leave": stands if over else None,
        "stop": stands if over else None,
        "freeze": stands if over else None,
        "open": None if over or front == "events" else "results come when the job has ended",
        "resume": "it has finished; r on Results (4) runs it again"
        if finished
        else None
        if over
        else "the job is running",
        "closer": "there are no charts now" if not charts else "shortest time span" if zoomed == 0 else None,
        "wider": "there are no charts now" if not charts else "longest time span" if zoomed == last else None,
    }
    return reasons.get(name)


def why_no_tuning(scene: Scene) -> str | None:
    """Return why a job has no table of candidates; None where it should have one."""
    node = tuning_node(scene.job.spec)
    if node is None:
        return "this job has no step that chooses workers"
    step = next((one for one in scene.state.steps if one.id == node.id), None)
    there = step is not None and step.state in ("built", "cached", "found", "reused")
    return None if there else "the step that chooses the workers has not finished"


def what_is_lost(job: Job, state: Watched) -> str:
    """Return what stopping would lose, for the question."""
    measured = state.measurement
    lost = "nothing that has finished"
    if measured is not None and not measured.over:
        what = f"{measured.rules.scenario} {measured.rules.mode}"
        lost = f"the running measurement ({what}, {duration(measured.elapsed)} so far)"
    elif state.running:
        lost = f"the running step ({state.running[0].title}), unless it can resume"
    return (
        f"Lost: {lost}.\nKept: finished steps: {state.ended}, results: {len(state.results)}.\n"
        f"r on this screen, or the same command, resumes {job.id}."
    )


def files_of(job: Job, state: Watched, step: str | None) -> FileView:
    """Return a view of a step's files, its log first; without a step, of the running or last one, or of the job."""
    if step is None:
        begun = [one for one in state.steps if one.since is not None]
        running = state.running or tuple(sorted(begun, key=lambda one: one.since or 0.0)[-1:])
        step = running[0].id if running else None
    found = next((one for one in state.steps if one.id == step), None)
    head = "\n".join(text for text in (found.text, found.remedy) if text) if found is not None else ""
    title = "log of the job" if found is None else f"log: {found.title}"
    return FileView(title, step_files(job, step), clean_lines(head))


def all_events(state: Watched) -> str:
    """Return the events as text, the newest first."""
    return "\n".join(f"{time_of_day(note.at)}  {note.text}" for note in reversed(state.notes))


def numbers(scene: Scene) -> str:
    """Return the figures as plain text, to be pasted elsewhere."""
    job = scene.job
    lines = [f"{job.id} {job.what}"]
    rows: list[Row] = list(live_rows.progress_rows(scene, 100, "ascii"))
    measured = scene.state.measurement
    if measured is not None:
        rows += [live_rows.throughput_row(measured), *live_rows.percentile_rows(measured)]
    lines += ["".join(text for text, _ in one).rstrip() for one in rows]
    lines += [live_rows.result_line(one) for one in scene.state.results]
    return "\n".join([*lines, str(job.folder)])
