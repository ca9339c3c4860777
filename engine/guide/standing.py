"""Compute each guide step's status, estimate and prerequisites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.guide import offers
from engine.guide.look import Overview
from engine.jobs import preparation
from engine.submission.form import problems
from engine.submission.preflight import Expected
from engine.survey.survey import STOPS, Totals
from engine.text import duration, size


@dataclass(frozen=True)
class Need:
    """A prerequisite of a step."""

    text: str
    there: bool
    remedy: str = ""


@dataclass(frozen=True)
class Standing:
    """Status of one step, regardless of the steps before it."""

    done: bool
    brief: str
    takes: str = ""
    needs: tuple[Need, ...] = ()
    action: str = ""
    reason: str = ""
    idle: bool = False
    """Whether there is nothing to do for these choices."""


def unforeseen(sight: Overview) -> list[Expected]:
    """Return the preflight errors that the chosen kind of submission does not imply."""
    return [one for one in sight.expected if one.severity == "error" and not is_foreseen(sight, one)]


def is_foreseen(sight: Overview, one: Expected) -> bool:
    """Return whether the chosen kind of submission implies this preflight finding."""
    if sight.guide.offer == offers.REAL:
        return False
    few = one.about == "data" and (one.severity != "error" or sight.expects("performance.sample_count"))
    return few or one.about in ("style", "model")


def _offer(sight: Overview) -> Standing:
    guide = sight.guide
    wrong = problems(sight.choices)
    words = f"{guide.offer} · {guide.division} · {guide.category}" if sight.offer else "choose"
    return Standing(not wrong, words, "a minute", action="open the form")


def _describe(sight: Overview) -> Standing:
    fields = sight.fields
    wrong = problems(fields)
    right = sum(field.verdict == "ok" for field in fields)
    done = bool(fields) and sight.written and not wrong
    said = f"{len(wrong)} to fill in" if wrong else "" if done else "not written yet"
    needs = tuple(Need(f"{field.label}: {field.said}", there=False, remedy=field.remedy) for field in wrong[:3])
    brief = f"{right} of {len(fields)} fields" if done else said
    return Standing(done, brief if fields else "a form", "two minutes", needs, "open the form")


def _get(sight: Overview) -> Standing:
    if sight.prepared is None:
        return _unplanned(sight, "known after step 2")
    seen = sight.prepared.seen.seen
    todo = [
        seen[node.id] for node in preparation.nodes(sight.prepared) if seen[node.id].state in ("fetch", "build", "run")
    ]
    stopped = [(node, one) for node, one in seen.items() if one.state in STOPS]
    fetch = sum(one.fetch_bytes or 0 for one in todo)
    seconds = sum(one.seconds or 0 for one in todo)
    needs = tuple(Need(f"{node}: {one.text}", there=False, remedy=one.remedy) for node, one in stopped)
    takes = f"{_about(seconds)}, {size(fetch)} to fetch" if fetch else f"{_about(seconds)}, nothing to fetch"
    done = (not todo and not stopped) or _over(sight)
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
    return Standing(done, brief, takes, needs, "start", stopped[0][1].text if stopped else "")


def _try(sight: Overview) -> Standing:
    if sight.trial is None:
        return _unplanned(sight, "some seconds")
    takes = _about(_seconds(sight.trial.seen.totals))
    if _over(sight) and not sight.tried:
        return Standing(done=False, brief="left out", idle=True)
    return Standing(sight.tried, _ended(sight, "try") or ("works" if sight.tried else takes), takes, action="start")


def _preflight(sight: Overview) -> Standing:
    if sight.prepared is None:
        return _unplanned(sight, "instant")
    wrong = unforeseen(sight)
    done = _over(sight) or (sight.guide.read == sight.fingerprint and not wrong)
    against = any(one.severity == "error" for one in sight.expected)
    after = "as expected" if against else "no objections"
    brief = f"{len(wrong)} to fix" if wrong else after if done else "read it"
    needs = tuple(Need(one.what, there=False, remedy=one.remedy) for one in wrong)
    reason = f"{len(wrong)} would be rejected: fix them, or k continues anyway" if wrong else ""
    return Standing(done, brief, "instant", needs, "read and continue", reason)


def _runs(sight: Overview) -> Standing:
    if sight.prepared is None:
        return _unplanned(sight, "the longest step")
    done = _over(sight)
    takes = _about(_seconds(sight.prepared.seen.totals))
    brief = f"{len(sight.runs)} runs" if done else _ended(sight, "runs") or takes
    stopped = sight.prepared.seen.problems()
    reason = f"{stopped[0][0]}: {stopped[0][1].text}" if stopped else ""
    job = sight.jobs.get("runs")
    action = "resume" if job is not None and job.state not in ("finished", "running") else "start"
    return Standing(done, brief, takes, action=action, reason="" if done else reason)


def _check(sight: Overview) -> Standing:
    report = sight.report
    if report is None or sight.stale:
        said = sight.stale or ""
        needs = (Need(f"the tree is out of date: {said}", there=False, remedy="Enter rebuilds it"),) if said else ()
        return Standing(
            done=False,
            brief="rebuild" if said else "some seconds",
            takes="some seconds",
            needs=needs,
            action="build the tree and check it",
        )
    errors = [finding for finding in report.findings if finding.severity == "error"]
    strange = [finding for finding in errors if not sight.expects(finding.rule)]
    warnings = report.count("warning")
    counted = f"{warnings} warning{'' if warnings == 1 else 's'}"
    brief = f"{len(strange)} to fix" if strange else f"{len(errors)} as expected" if errors else f"passed, {counted}"
    return Standing(not strange, brief, "some seconds", action="read the findings")


def _pack(sight: Overview) -> Standing:
    refused = sight.report is not None and sight.report.verdict == "fail"
    idle = refused and not problems(sight.choices) and _check(sight).done
    brief = "rejected, as expected" if idle else str(sight.zip.name) if sight.packed else "some seconds"
    reason = "rejected by the check" if refused else ""
    return Standing(
        sight.packed,
        brief,
        "some seconds",
        action="copy its path" if sight.packed else "pack",
        reason=reason,
        idle=idle,
    )


def _send(sight: Overview) -> Standing:
    if sight.offer is not None and (sight.guide.offer != offers.REAL or offers.style_of(sight.guide) != "valid"):
        reason = "All steps are complete. n starts another submission: choose 'real' there."
        return Standing(done=False, brief="not with a practice", reason=reason, idle=True)
    return Standing(
        sight.guide.sent, "marked as sent" if sight.guide.sent else "you do this", "", action="I have sent it"
    )


def _over(sight: Overview) -> bool:
    """Return whether everything is measured, so that what was needed for it no longer matters."""
    return bool(sight.runs) and all(run.done for run in sight.runs)


def _unplanned(sight: Overview, brief: str) -> Standing:
    if sight.stuck is None:
        return Standing(done=False, brief=brief)
    need = Need(sight.stuck.what, there=False, remedy=sight.stuck.remedy)
    return Standing(done=False, brief="can't be planned", needs=(need,), reason=sight.stuck.what)


def _ended(sight: Overview, name: str) -> str:
    """Return how the job of an unfinished step ended; empty where there is none."""
    job = sight.jobs.get(name)
    words = {"failed": "failed", "died": "died", "cancelled": "was stopped", "new": "did not start"}
    return words.get(job.state, "") if job is not None else ""


def _seconds(totals: Totals) -> float:
    return totals.prepare_seconds + totals.run_seconds


def _about(seconds: float) -> str:
    """Return a rounded duration as text, for estimates."""
    if seconds < 5:
        return "some seconds"
    return f"about {duration(seconds)}" if seconds >= 60 else f"about {round(seconds)} s"


STANDINGS: Mapping[str, Callable[[Overview], Standing]] = {
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
