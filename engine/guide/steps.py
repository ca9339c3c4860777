"""The nine steps of a guide: what each is, how it stands and what it needs. Derived, never ticked off by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from engine.guide import offers
from engine.guide.look import Sight
from engine.guide.texts import STEPS, TEXTS
from engine.job import preparation
from engine.job.jobs import Job
from engine.job.survey import STOPS, Totals
from engine.submission.form import Verdict, problems
from engine.submission.preflight import Expected
from engine.text import duration, size

State = Literal["done", "now", "running", "next", "blocked", "skipped"]
"""`now` can be done; `blocked` is what comes now and lacks something; `next` waits for those before it."""

SKIPPABLE = ("try", "preflight")


@dataclass(frozen=True)
class Need:
    """One thing that a step needs."""

    text: str
    there: bool
    remedy: str = ""


@dataclass(frozen=True)
class Step:
    """One step as it stands."""

    name: str
    number: int
    title: str
    what: str
    why: str
    long: str
    state: State
    brief: str
    """What came of it, or how long it takes: a few words."""
    takes: str = ""
    """How long it takes here, and what it moves."""
    needs: tuple[Need, ...] = ()
    action: str = ""
    """What Enter does; empty where there is nothing to do."""
    reason: str = ""
    """Why it can't be done now."""
    job: Job | None = None

    @property
    def can_skip(self) -> bool:
        """Whether it may be left out."""
        return self.name in SKIPPABLE and self.state in ("now", "blocked")


@dataclass(frozen=True)
class _Standing:
    """What one step says of itself, before the others are known."""

    done: bool
    brief: str
    takes: str = ""
    needs: tuple[Need, ...] = ()
    action: str = ""
    reason: str = ""
    idle: bool = False
    """There is nothing to do for what was chosen."""


def steps(sight: Sight) -> tuple[Step, ...]:
    """Return the steps in their order."""
    found: list[Step] = []
    for number, name in enumerate(STEPS, 1):
        standing = _STANDINGS[name](sight)
        open_before = any(step.state not in ("done", "skipped") for step in found)
        state = _state(sight, name, standing, open_before=open_before)
        text = TEXTS[name]
        found.append(
            Step(
                name=name,
                number=number,
                title=text.title,
                what=text.what,
                why=text.why,
                long=text.long,
                state=state,
                brief=_progress(sight.jobs[name]) if state == "running" else standing.brief,
                takes=standing.takes,
                needs=standing.needs,
                action="watch it" if state == "running" else standing.action,
                reason=f"step {_first_open(found).number} comes first" if state == "next" else standing.reason,
                job=sight.jobs.get(name),
            )
        )
    return tuple(found)


def current(found: tuple[Step, ...]) -> Step:
    """Return the step to go on with: the first that is not over; when all are, the check with its findings."""
    last = next(step for step in found if step.name == "check")
    return next((step for step in found if step.state not in ("done", "skipped")), last)


def unforeseen(sight: Sight) -> list[Expected]:
    """Return the errors of the preflight that do not belong to what was chosen."""
    return [one for one in sight.expected if one.severity == "error" and not is_foreseen(sight, one)]


def is_foreseen(sight: Sight, one: Expected) -> bool:
    """Say whether a thing that the preflight says belongs to what was chosen."""
    if sight.guide.offer == offers.REAL:
        return False
    few = one.about == "data" and (one.severity != "error" or sight.expects("performance.sample_count"))
    return few or one.about in ("style", "model")


def _first_open(found: list[Step]) -> Step:
    return next(step for step in found if step.state not in ("done", "skipped"))


def _state(sight: Sight, name: str, standing: _Standing, *, open_before: bool) -> State:
    job = sight.jobs.get(name)
    if job is not None and job.state == "running":
        return "running"
    if standing.idle or (name in sight.guide.skipped and not standing.done):
        return "skipped"
    if standing.done:
        return "done"
    if open_before:
        return "next"
    return "blocked" if standing.reason else "now"


def _progress(job: Job) -> str:
    return f"{job.steps_ended} of {len(job.spec.plan.nodes)} steps"


def _offer(sight: Sight) -> _Standing:
    guide = sight.guide
    wrong = problems(sight.choices)
    words = f"{guide.offer} · {guide.division} · {guide.category}" if sight.offer else "choose"
    return _Standing(not wrong, words, "a minute", action="open the form")


def _describe(sight: Sight) -> _Standing:
    fields = sight.fields
    wrong = problems(fields)
    right = sum(field.verdict == "ok" for field in fields)
    done = bool(fields) and sight.written and not wrong
    said = f"{len(wrong)} to fill in" if wrong else "" if done else "not written yet"
    counts: dict[Verdict, int] = {}
    for field in fields:
        counts[field.verdict] = counts.get(field.verdict, 0) + 1
    needs = tuple(Need(f"{field.label}: {field.said}", there=False, remedy=field.remedy) for field in wrong[:3])
    brief = f"{right} of {len(fields)} fields" if done else said
    return _Standing(done, brief if fields else "a form", "two minutes", needs, "open the form")


def _get(sight: Sight) -> _Standing:
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
    done = not todo and not stopped
    ready = sum(one.disk_bytes or 0 for one in seen.values() if one.state == "cached")
    brief = f"{size(ready)} ready" if done else f"{stopped[0][0]} is missing" if stopped else takes.partition(",")[0]
    return _Standing(done, brief, takes, needs, "start", stopped[0][1].text if stopped else "")


def _try(sight: Sight) -> _Standing:
    if sight.trial is None:
        return _unplanned(sight, "some seconds")
    takes = _about(_seconds(sight.trial.seen.totals))
    return _Standing(sight.tried, _ended(sight, "try") or ("it works" if sight.tried else takes), takes, action="start")


def _preflight(sight: Sight) -> _Standing:
    if sight.prepared is None:
        return _unplanned(sight, "at once")
    wrong = unforeseen(sight)
    over = bool(sight.runs) and all(run.done for run in sight.runs)
    done = over or (sight.guide.read == sight.fingerprint and not wrong)
    against = any(one.severity == "error" for one in sight.expected)
    after = "as foreseen" if against else "nothing against it"
    brief = f"{len(wrong)} to mend" if wrong else after if done else "read it"
    needs = tuple(Need(one.what, there=False, remedy=one.remedy) for one in wrong)
    reason = f"{len(wrong)} would be refused: mend, or k goes on all the same" if wrong else ""
    return _Standing(done, brief, "at once", needs, "read, and go on", reason)


def _runs(sight: Sight) -> _Standing:
    if sight.prepared is None:
        return _unplanned(sight, "the long part")
    missing = [run for run in sight.runs if not run.done]
    done = bool(sight.runs) and not missing
    takes = _about(_seconds(sight.prepared.seen.totals))
    brief = f"{len(sight.runs)} runs" if done else _ended(sight, "runs") or takes
    stopped = sight.prepared.seen.problems()
    reason = f"{stopped[0][0]}: {stopped[0][1].text}" if stopped else ""
    job = sight.jobs.get("runs")
    action = "go on" if job is not None and job.state not in ("finished", "running") else "start"
    return _Standing(done, brief, takes, action=action, reason="" if done else reason)


def _check(sight: Sight) -> _Standing:
    report = sight.report
    if report is None or sight.stale:
        said = sight.stale or ""
        needs = (Need(f"the tree is old: {said}", there=False, remedy="Enter builds it anew"),) if said else ()
        return _Standing(
            done=False,
            brief="build anew" if said else "some seconds",
            takes="some seconds",
            needs=needs,
            action="build the tree and check it",
        )
    errors = [finding for finding in report.findings if finding.severity == "error"]
    strange = [finding for finding in errors if not sight.expects(finding.rule)]
    warnings = report.count("warning")
    counted = f"{warnings} warning{'' if warnings == 1 else 's'}"
    brief = f"{len(strange)} to mend" if strange else f"{len(errors)} as foreseen" if errors else f"passed, {counted}"
    return _Standing(not strange, brief, "some seconds", action="read the findings")


def _pack(sight: Sight) -> _Standing:
    refused = sight.report is not None and sight.report.verdict == "fail"
    idle = refused and not problems(sight.choices) and _check(sight).done
    brief = "refused, as foreseen" if idle else str(sight.zip.name) if sight.packed else "some seconds"
    reason = "the check refuses it" if refused else ""
    return _Standing(
        sight.packed,
        brief,
        "some seconds",
        action="copy its path" if sight.packed else "pack",
        reason=reason,
        idle=idle,
    )


def _send(sight: Sight) -> _Standing:
    if sight.offer is not None and (sight.guide.offer != offers.REAL or offers.style_of(sight.guide) != "valid"):
        reason = "You have seen the whole way. n begins another: choose 'real' there."
        return _Standing(done=False, brief="not with a practice", reason=reason, idle=True)
    return _Standing(
        sight.guide.sent, "you say it is done" if sight.guide.sent else "you do this", "", action="I have sent it"
    )


def _unplanned(sight: Sight, brief: str) -> _Standing:
    if sight.stuck is None:
        return _Standing(done=False, brief=brief)
    need = Need(sight.stuck.what, there=False, remedy=sight.stuck.remedy)
    return _Standing(done=False, brief="can't be planned", needs=(need,), reason=sight.stuck.what)


def _ended(sight: Sight, name: str) -> str:
    """Say how the job of a step that is not done ended; empty where there is none."""
    job = sight.jobs.get(name)
    words = {"failed": "failed", "died": "died", "cancelled": "was stopped", "new": "did not begin"}
    return words.get(job.state, "") if job is not None else ""


def _seconds(totals: Totals) -> float:
    return totals.prepare_seconds + totals.run_seconds


def _about(seconds: float) -> str:
    """Write a time as a person says it: minutes and seconds are not known that well."""
    if seconds < 5:
        return "some seconds"
    return f"about {duration(seconds)}" if seconds >= 60 else f"about {round(seconds)} s"


_STANDINGS: Mapping[str, Callable[[Sight], _Standing]] = {
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
