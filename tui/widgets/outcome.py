"""The outcome of a job that has ended: its results and their folder, or what failed, why, and the remedy."""

from __future__ import annotations

from pathlib import Path

from textual.content import Content

from engine.explore.runs import DISTURBED
from engine.jobs.child import last_lines
from engine.jobs.fold import Watched
from engine.jobs.jobs import Job
from engine.text import clean, clean_lines, duration, short_path
from engine.watch.diagnosis import diagnose, step_log
from engine.watch.watch import JobStatus
from tui.widgets.live_rows import result_line
from tui.widgets.run_list import DISTURBED_MARK as MARK

_LINES = 8
"""Of each log; l shows more."""

Part = tuple[str, str]


def outcome(job: Job, state: Watched, job_status: JobStatus) -> Content:
    """Return the text for a job in this state. Reads the logs of a job that failed or died."""
    parts = _results(state)
    for notice in (job.spec.notice, job.spec.start_notice):
        if notice and state.results:
            parts += [(clean_lines(notice) + "\n", "$todo")]
    if state.results:
        parts += [("\n", "")]
    match job_status:
        case "finished":
            parts += [
                (f"The results are in {short_path(job.results)}\n", ""),
                *_key("Enter", "shows and compares them"),
            ]
        case "failed":
            parts += _failed(job, state)
        case "died":
            parts += _died(job)
        case "cancelled":
            parts += [
                ("It was stopped. Finished steps are kept.\n", "$todo"),
                *_key("r", "resumes it"),
            ]
        case "new":
            parts += [
                ("It has not started: its process has not reported yet.\n", "$todo"),
                *_key("r", "starts it"),
            ]
        case _:
            pass
    return Content.assemble(*parts)


def _results(state: Watched) -> list[Part]:
    if not state.results:
        return []
    head = f"{'scenario':12} {'mode':11} {'metric':20} {'value':>8} {'unit':9} LoadGen\n"
    found: list[Part] = [(head, "$dim")]
    for one in state.results:
        line, verdict = result_line(one), one.verdict
        style = "bold $good" if one.valid else "bold $bad"
        mark = MARK if one.step in state.disturbed else ""
        found += [(clean(line.removesuffix(verdict)), ""), (verdict, style), (f"{mark}\n", "$todo")]
    causes = dict.fromkeys(state.disturbed[one.step] for one in state.results if one.step in state.disturbed)
    return [*found, *((f"{MARK.strip()} {DISTURBED}: {text}\n", "$todo") for text in causes)]


def _failed(job: Job, state: Watched) -> list[Part]:
    found: list[Part] = []
    for step in state.failed:
        taken = f" after {duration(step.seconds)}" if step.seconds else ""
        found += [(f"{step.title} failed{taken}\n", "bold $bad"), (f"{step.text}\n", "")]
        found += [(f"{step.remedy}\n", "$todo")] if step.remedy else []
    found += _key("r", "resumes it once that is fixed")
    found += _key("l", "shows the whole log of a step")
    for step in state.failed[:1]:
        path = step_log(job, step.id)
        found += _log(job, path, tuple(last_lines(path, _LINES)))
    return found


def _died(job: Job) -> list[Part]:
    found = diagnose(job)
    parts: list[Part] = [(f"{job.id} died: {found.what}.\n", "bold $bad")]
    parts += [(f"{found.cause[:1].upper()}{found.cause[1:]}.\n", "bold $bad" if found.certain else "")]
    parts += _key("r", "resumes it")
    for log in [one for one in found.logs if one.lines] or found.logs:
        parts += _log(job, log.path, log.lines[-_LINES:])
    return parts


def _log(job: Job, path: Path, lines: tuple[str, ...]) -> list[Part]:
    name = clean(str(path.relative_to(job.folder)))
    if not lines:
        return [(f"\n{name} is empty\n", "$dim")]
    return [(f"\n{name} ends with\n", "$dim"), *((f"  {clean(line)}\n", "") for line in lines)]


def _key(key: str, text: str) -> list[Part]:
    return [(f"{key:5} ", "bold $mark"), (f"{text}\n", "")]
