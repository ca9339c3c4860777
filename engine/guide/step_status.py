"""Compute each guide step's status, estimate and prerequisites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.guide import presets
from engine.guide.overview import Overview
from engine.jobs import preparation
from engine.submission.form import problems
from engine.submission.preflight import Expected
from engine.survey.survey import STOPS, Totals
from engine.text import duration, size


@dataclass(frozen=True)
class Prerequisite:
    """A prerequisite of a step."""

    text: str
    there: bool
    remedy: str = ""


@dataclass(frozen=True)
class StepStatus:
    """Status of one step, regardless of the steps before it."""

    done: bool
    brief: str
    takes: str = ""
    needs: tuple[Prerequisite, ...] = ()
    action: str = ""
    reason: str = ""
    idle: bool = False
    """Whether there is nothing to do for these choices."""


def not_by_design(overview: Overview) -> list[Expected]:
    """Return the preflight errors that the chosen kind of submission does not imply."""
    return [one for one in overview.expected if one.severity == "error" and not is_by_design(overview, one)]


def is_by_design(overview: Overview, one: Expected) -> bool:
    """Return whether the chosen kind of submission implies this preflight finding."""
    if overview.guide.offer == presets.REAL:
        return False
    few = one.about == "data" and (one.severity != "error" or overview.expects("performance.sample_count"))
    return few or one.about in ("style", "model")


def _offer(overview: Overview) -> StepStatus:
    guide = overview.guide
    wrong = problems(overview.choices)
    words = f"{guide.offer} · {guide.division} · {guide.category}" if overview.offer else "choose"
    return StepStatus(not wrong, words, "a minute", action="open the form")


def _describe(overview: Overview) -> StepStatus:
    fields = overview.fields
    wrong = problems(fields)
    right = sum(field.verdict == "ok" for field in fields)
    done = bool(fields) and overview.written and not wrong
    said = f"{len(wrong)} to fill in" if wrong else "" if done else "not written yet"
    needs = tuple(Prerequisite(f"{field.label}: {field.said}", there=False, remedy=field.remedy) for field in wrong[:3])
    brief = f"{right} of {len(fields)} fields" if done else said
    return StepStatus(done, brief if fields else "a form", "two minutes", needs, "open the form")


def _get(overview: Overview) -> StepStatus:
    if overview.prepared is None:
        return _unplanned(overview, "known after step 2")
    seen = overview.prepared.seen.seen
    todo = [
        seen[node.id]
        for node in preparation.nodes(overview.prepared)
        if seen[node.id].state in ("fetch", "build", "run")
    ]
    stopped = [(node, one) for node, one in seen.items() if one.state in STOPS]
    fetch = sum(one.fetch_bytes or 0 for one in todo)
    seconds = sum(one.seconds or 0 for one in todo)
    needs = tuple(Prerequisite(f"{node}: {one.text}", there=False, remedy=one.remedy) for node, one in stopped)
    takes = f"{_rounded(seconds)}, {size(fetch)} to fetch" if fetch else f"{_rounded(seconds)}, nothing to fetch"
    done = (not todo and not stopped) or _all_measured(overview)
    ready = sum(one.disk_bytes or 0 for one in seen.values() if one.state == "cached")
    brief = (
        f"{size(ready)} ready"
        if done and ready
        else "already there"
        if done
        else f"{stopped[0][0]} is missing"
        if stopped
        else takes.partition(",")[0]
    )
    return StepStatus(done, brief, takes, needs, "start", stopped[0][1].text if stopped else "")


def _try(overview: Overview) -> StepStatus:
    if overview.trial is None:
        return _unplanned(overview, "some seconds")
    takes = _rounded(_seconds(overview.trial.seen.totals))
    if _all_measured(overview) and not overview.tried:
        return StepStatus(done=False, brief="left out", idle=True)
    return StepStatus(
        overview.tried, _ended(overview, "try") or ("works" if overview.tried else takes), takes, action="start"
    )


def _preflight(overview: Overview) -> StepStatus:
    if overview.prepared is None:
        return _unplanned(overview, "instant")
    wrong = not_by_design(overview)
    done = _all_measured(overview) or (overview.guide.read == overview.fingerprint and not wrong)
    against = any(one.severity == "error" for one in overview.expected)
    after = "as expected" if against else "no objections"
    brief = f"{len(wrong)} to fix" if wrong else after if done else "read it"
    needs = tuple(Prerequisite(one.what, there=False, remedy=one.remedy) for one in wrong)
    reason = f"{len(wrong)} would be rejected: fix them, or k continues anyway" if wrong else ""
    return StepStatus(done, brief, "instant", needs, "read and continue", reason)


def _runs(overview: Overview) -> StepStatus:
    if overview.prepared is None:
        return _unplanned(overview, "the longest step")
    done = _all_measured(overview)
    takes = _rounded(_seconds(overview.prepared.seen.totals))
    brief = f"{len(overview.runs)} runs" if done else _ended(overview, "runs") or takes
    stopped = overview.prepared.seen.problems()
    reason = f"{stopped[0][0]}: {stopped[0][1].text}" if stopped else ""
    job = overview.jobs.get("runs")
    action = "resume" if job is not None and job.state not in ("finished", "running") else "start"
    return StepStatus(done, brief, takes, action=action, reason="" if done else reason)


def _check(overview: Overview) -> StepStatus:
    report = overview.report
    if report is None or overview.stale:
        said = overview.stale or ""
        needs = (
            (Prerequisite(f"the tree is out of date: {said}", there=False, remedy="Enter rebuilds it"),) if said else ()
        )
        return StepStatus(
            done=False,
            brief="rebuild" if said else "some seconds",
            takes="some seconds",
            needs=needs,
            action="build the tree and check it",
        )
    errors = [finding for finding in report.findings if finding.severity == "error"]
    strange = [finding for finding in errors if not overview.expects(finding.rule)]
    warnings = report.count("warning")
    counted = f"{warnings} warning{'' if warnings == 1 else 's'}"
    brief = f"{len(strange)} to fix" if strange else f"{len(errors)} as expected" if errors else f"passed, {counted}"
    return StepStatus(not strange, brief, "some seconds", action="read the findings")


def _pack(overview: Overview) -> StepStatus:
    refused = overview.report is not None and overview.report.verdict == "fail"
    idle = refused and not problems(overview.choices) and _check(overview).done
    brief = "rejected, as expected" if idle else str(overview.zip.name) if overview.packed else "some seconds"
    reason = "rejected by the check" if refused else ""
    return StepStatus(
        overview.packed,
        brief,
        "some seconds",
        action="copy its path" if overview.packed else "pack",
        reason=reason,
        idle=idle,
    )


def _send(overview: Overview) -> StepStatus:
    if overview.offer is not None and (
        overview.guide.offer != presets.REAL or presets.style_of(overview.guide) != "valid"
    ):
        reason = "All steps are complete. n starts another submission: choose 'real' there."
        return StepStatus(done=False, brief="not with a practice", reason=reason, idle=True)
    return StepStatus(
        overview.guide.sent, "marked as sent" if overview.guide.sent else "you do this", "", action="I have sent it"
    )


def _all_measured(overview: Overview) -> bool:
    """Return whether everything is measured, so that what was needed for it no longer matters."""
    return bool(overview.runs) and all(run.done for run in overview.runs)


def _unplanned(overview: Overview, brief: str) -> StepStatus:
    if overview.stuck is None:
        return StepStatus(done=False, brief=brief)
    need = Prerequisite(overview.stuck.what, there=False, remedy=overview.stuck.remedy)
    return StepStatus(done=False, brief="can't be planned", needs=(need,), reason=overview.stuck.what)


def _ended(overview: Overview, name: str) -> str:
    """Return how the job of an unfinished step ended; empty where there is none."""
    job = overview.jobs.get(name)
    words = {"failed": "failed", "died": "died", "cancelled": "was stopped", "new": "did not start"}
    return words.get(job.state, "") if job is not None else ""


def _seconds(totals: Totals) -> float:
    return totals.prepare_seconds + totals.run_seconds


def _rounded(seconds: float) -> str:
    """Return a rounded duration as text, for estimates."""
    if seconds < 5:
        return "some seconds"
    return f"about {duration(seconds)}" if seconds >= 60 else f"about {round(seconds)} s"


STEP_STATUS: Mapping[str, Callable[[Overview], StepStatus]] = {
    "offer": _offer,
    "describe": _describe,
    "get": _get,
    "try": _try,
    "preflight": _preflight,
    "runs": _runs,
    "check": _check,
    "pack": _pack,
    "send": _send,
}
"""Status function by step."""
