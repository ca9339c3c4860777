"""Texts of the guide: the list of steps, the selected step, and its details."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from textual.content import Content

from engine.guide import fixes
from engine.guide.overview import Overview
from engine.guide.step_status import is_by_design
from engine.guide.steps import GuideStep, State
from engine.jobs import preparation
from engine.submission.checker.findings import Report
from engine.submission.grouping import counts
from engine.submission.pack import MARK
from engine.submission.preflight import Expected
from engine.text import clean, cut, duration, fit, result, size
from tui.widgets.findings import STYLES
from tui.widgets.tree import NODE_STATES

WORDS: Mapping[State, tuple[str, str]] = {
    "done": ("done", "$good"),
    "now": ("now", "bold $mark"),
    "running": ("runs", "bold $good"),
    "next": ("next", "$dim"),
    "blocked": ("stuck", "bold $todo"),
    "skipped": ("-", "$dim"),
}

AGAIN = ("get", "try", "runs")
"""Steps whose job can be run again when it is done."""

Part = tuple[str, str]


def step_row(step: GuideStep, width: int) -> Content:
    """Return a step's line in the list."""
    word, style = WORDS[step.state]
    quiet = step.state in ("next", "skipped")
    return Content.assemble(
        (f"{word:6}", style),
        (f"{step.number} ", "$dim" if quiet else ""),
        (fit(cut(step.title, 25), 26), "$dim" if quiet else "bold" if step.state != "done" else ""),
        (cut(clean(step.brief), max(width - 34, 0)), "$dim"),
    )


def step_text(step: GuideStep, total: int) -> Content:
    """Return what a step is, why, how long it takes here, and what it needs."""
    parts: list[Part] = [
        (f"Step {step.number} of {total}: {step.title}\n", "bold"),
        (f"{step.what}\n", ""),
        (f"{step.why}\n", "$dim"),
    ]
    if step.takes and step.state not in ("done", "skipped"):
        parts.append((f"Takes {clean(step.takes)}.\n", ""))
    for need in step.needs:
        parts += [("needs  ", "$todo"), (clean(need.text), "")]
        parts += [(f"; {clean(need.remedy)}" if need.remedy else "", "$dim"), ("\n", "")]
    return Content.assemble(*parts, *_doing(step))


def _doing(step: GuideStep) -> Iterator[Part]:
    if step.state == "next":
        yield (f"Not yet: {step.reason}.", "$dim")
        return
    if step.reason and step.state == "blocked" and not step.needs:
        yield (f"{clean(step.reason)}\n", "$todo")
    if step.state == "skipped" and step.reason:
        yield (f"{clean(step.reason)}\n", "")
    if step.name in AGAIN and step.state == "done":
        yield ("r ", "bold $mark")
        yield ("run it again   ", "")
    elif step.action and step.state != "skipped":
        yield ("Enter ", "bold $mark")
        yield (f"{step.action}   ", "")
    if step.can_skip:
        yield ("k ", "bold $mark")
        yield ("skip it   ", "")
    yield ("w ", "bold $mark")
    yield ("details", "")


def preparation_text(overview: Overview) -> Content:
    """Return what the runs need, and what this machine has."""
    if overview.prepared is None:
        return Content.styled("Describe the system first: what is needed depends on it.", "$dim")
    parts: list[Part] = []
    for node in preparation.nodes(overview.prepared):
        seen = overview.prepared.seen.seen[node.id]
        if seen.state == "group":
            continue
        word, style = NODE_STATES[seen.state]
        bytes_ = size(seen.fetch_bytes or seen.disk_bytes)
        parts += [(f"{word:10}", style), (fit(cut(clean(node.title), 44), 46), ""), (f"{bytes_:>9}", "$dim")]
        parts += [(f"{duration(seen.seconds) if seen.state in ('fetch', 'build') else '':>8}", "$dim")]
        parts += [(f"  {clean(seen.text)}" if seen.state in ("missing", "conflict") else "", "$todo"), ("\n", "")]
    return Content.assemble(*parts, _goes_to(overview, "get"))


def runs_text(overview: Overview, name: str) -> Content:
    """Return the runs of a step with what they measured, and the time of each scenario."""
    parts: list[Part] = []
    measured = {(one.scenario, one.mode): one for one in overview.measured.get(name, ())}
    if name == "try":
        keys = [("Offline", "performance"), ("Offline", "accuracy")]
        rows: list[tuple[str, str, float | None, bool]] = [(*key, None, overview.tried) for key in keys]
    else:
        rows = [(run.scenario, run.mode, run.seconds, run.done) for run in overview.runs]
    for scenario, mode, seconds, done in rows:
        found = measured.get((scenario, mode))
        value = result(found.value, found.unit, grouped=True) if found else ""
        metric = found.metric if found else ""
        verdict = {True: "VALID", False: "INVALID", None: ""}[found.valid] if found else ""
        parts += [("done    " if done else "to do   ", "$good" if done else "$dim"), (f"{scenario:14}{mode:13}", "")]
        if found is None:
            parts += [(f"about {duration(seconds)}\n" if seconds and not done else "\n", "$dim")]
            continue
        parts += [(f"{verdict:9}", "$bad" if verdict == "INVALID" else "$good"), (f"{value:22}", "bold")]
        parts += [(f"{clean(metric)}\n", "$dim")]
    if name == "runs" and overview.prepared is not None:
        parts += _times(overview)
    return Content.assemble(*parts, _goes_to(overview, name))


def _goes_to(overview: Overview, step: str) -> Part:
    return f"\nResults go to {clean(str(overview.output(step)))}", "$dim"


def _times(overview: Overview) -> Iterator[Part]:
    """Yield the time that is left, by scenario."""
    left: dict[str, float] = {}
    for run in overview.runs:
        if not run.done and run.seconds:
            left[run.scenario] = left.get(run.scenario, 0) + (run.seconds or 0)
    if left:
        yield ("\nAt least: ", "$dim")
        yield (", ".join(f"{scenario} {duration(seconds)}" for scenario, seconds in left.items()), "")
        yield (", after sessions and threads have been measured\n", "$dim")


def expected_row(overview: Overview, one: Expected, width: int) -> Content:
    """Return a finding of the preflight, and below it the key that fixes it, or why it is expected."""
    head: list[Part] = [(f"{one.severity:9}", STYLES[one.severity]), (cut(clean(one.what), width - 10), "")]
    below: list[Part] = [("\n         ", "")]
    fix = fixes.fix_expected(one)
    if is_by_design(overview, one):
        below.append((cut("expected: this is a practice run", width - 10), "$good"))
    elif fix is not None:
        below += [(fix.key, "bold $mark"), (f" {fix.label}", ""), (f"  {clean(one.remedy)}", "$dim")]
    else:
        below.append((clean(one.remedy), "$dim"))
    return Content.assemble(*head, *below)


def checked_text(overview: Overview) -> Content:
    """Return the sum of a check in two lines."""
    report = overview.report
    if report is None:
        return Content.styled("Nothing to check yet: the runs come first.", "$dim")
    return sum_of(report, f"\n{clean(str(overview.tree))}")


def sum_of(report: Report, place: str) -> Content:
    """Return how many results pass, how many findings there are, and of what."""
    passed = sum(one.verdict == "pass" for one in report.results)
    said = ("pass", "bold $good") if report.verdict == "pass" else ("fail", "bold $bad")
    return Content.assemble(
        said, (f"  {passed} of {len(report.results)} results pass · {counts(report)}", ""), (place, "$dim")
    )


def pack_text(overview: Overview) -> Content:
    """Return where the zip is, or why there is none yet."""
    if overview.packed:
        bytes_ = size(overview.zip.stat().st_size) if overview.zip.is_file() else ""
        parts: list[Part] = [("packed  ", "$good"), (f"{clean(str(overview.zip))}  {bytes_}\n\n", "bold")]
        parts += [
            ("y ", "bold $mark"),
            ("copies this path. The tree is in ", ""),
            (clean(str(overview.tree)), "$dim"),
        ]
        if (overview.tree / MARK).is_file():
            parts += [(f"\n\nIts {MARK} says that this is not a submission: it only shows how one is made.", "$todo")]
        return Content.assemble(*parts)
    return Content.styled(f"The zip is made here when the check has passed: {clean(str(overview.zip))}", "$dim")
