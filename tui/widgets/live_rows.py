"""The Run screen as rows of text: pure functions of the job's state, easy to test.

Numbers have a fixed width, so that on a slow line only the digits that changed are sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine import text
from engine.events import Measured, Progress
from engine.jobs.fold import GOOD, WORDS, Measurement, Note, StepSeen, StepState
from engine.jobs.window import FRACTIONS
from engine.system.live import Live
from engine.text import cut, decimals, duration, milliseconds, short_path, size, time_of_day
from engine.watch.outlook import Outlook, RunCondition
from engine.watch.watch import JobStatus
from tui.follow import Scene
from tui.terminal import Glyphs
from tui.widgets.board import EMPTY_ROW, Row, row

_STATE_STYLES: dict[StepState, str] = {
    "waits": "dim",
    "runs": "bold mark",
    "failed": "bold bad",
    "cancelled": "todo",
    "skipped": "todo",
}
STEP_STATES: dict[StepState, tuple[str, str]] = {
    state: (word, _STATE_STYLES.get(state, "good")) for state, word in WORDS.items()
}
"""The word for each state of a step, and its style."""

JOB_STATUS: dict[JobStatus, tuple[str, str]] = {
    "new": ("not started", "dim"),
    "live": ("running", "good"),
    "quiet": ("quiet", "bold todo"),
    "finished": ("finished", "bold good"),
    "failed": ("FAILED", "bold bad"),
    "cancelled": ("stopped", "bold todo"),
    "died": ("DIED", "bold bad"),
}

BLANK = " "
"""Between groups of three digits: narrower than a comma where numbers change."""
_PHASES = {"load": "loading model", "measure": "measuring"}
_UNITS = {"time": "time", "queries": "queries", "samples": "samples"}
_PERCENTILE = re.compile(r"([0-9.]+)(?:st|nd|rd|th) percentile")
_NAMES = ("p50", "p90", "p95", "p99", "p99.9", "max")


def figure(value: float | None, width: int = 9) -> str:
    """Write a number with four significant digits, right-aligned; a dash where there is none."""
    if value is None:
        return f"{'-':>{width}}"
    return f"{value:>{width},.{decimals(value, most=3)}f}".replace(",", BLANK)


def count(value: float) -> str:
    """Write a whole number in groups of three."""
    return text.count(value, BLANK)


def bar(share: float, width: int, glyphs: Glyphs, style: str) -> Row:
    """Draw a progress bar."""
    done = round(min(max(share, 0.0), 1.0) * width)
    full, rest = ("=", "-") if glyphs == "ascii" else ("━", "─")
    return row((full * done, style), (rest * (width - done), "dim"))


def progress_rows(scene: Scene, width: int, glyphs: Glyphs) -> tuple[Row, ...]:
    """Return three rows: progress, end conditions, and the expected verdict."""
    if scene.over:
        return _over(scene)
    measured, seen = scene.state.measurement, scene.outlook
    if measured is not None and seen is not None and scene.measures:
        first, second, third = *_measuring(scene, measured, seen, width, glyphs), course(seen)
    else:
        first, second, third = *_preparing(scene, width, glyphs), EMPTY_ROW
    return first, second, _with_right(third, _steps_text(scene, scene.now), width)


def _over(scene: Scene) -> tuple[Row, ...]:
    """Return how the job ended."""
    word, style = JOB_STATUS[scene.job_status]
    state = scene.state
    verdicts = [one.valid for one in state.results]
    results = f"{len(verdicts)} result{'s' * (len(verdicts) != 1)}" if verdicts else "no result"
    valid, invalid = verdicts.count(True), verdicts.count(False)
    words = [(f"  {valid} VALID", "good")] if valid else []
    words += [(f"  {invalid} INVALID", "bad")] if invalid else []
    folder = row((short_path(scene.job.folder), "dim"))
    end = state.last_at if state.done is None else state.done.at
    return row((f"{word:14}", style), (_steps_text(scene, end or 0.0), "")), row((results, ""), *words), folder


def _measuring(scene: Scene, measured: Measurement, seen: Outlook, width: int, glyphs: Glyphs) -> tuple[Row, Row]:
    word, style = ("measuring", "bold good") if measured.started else ("loading model", "bold mark")
    last = scene.state.last_at
    if scene.job_status == "quiet" and last is not None:
        word, style = f"quiet {duration(scene.now - last)}", "bold todo"
    left = "" if seen.left is None else f"{duration(seen.left):>7} left" if seen.left > 0 else "   finishing"
    right = f" {seen.share * 100:3.0f} % {left:>12}"
    line = bar(seen.share, max(width - 14 - len(right), 4), glyphs, "mark")
    conditions: list[tuple[str, str]] = [("needs  " if len(seen.conditions) > 1 else "progress  ", "dim")]
    for one in seen.conditions:
        conditions += condition(one, measured.rules.percentile)
    return row((f"{word:14}", style), *line, (right, "")), row(*conditions)


def condition(one: RunCondition, percentile: float) -> Row:
    """Write one end condition: present and wanted value."""
    style = "good" if one.met else ""
    if one.kind == "latency":
        have = "    -" if one.have is None else figure(one.have / 1e6, 5)
        words = f"p{percentile * 100:g} {have}/{milliseconds(one.want)} ms "
        return row(
            (words, ""),
            ("ok" if one.met else "over" if one.have is not None else "", "good" if one.met else "bold bad"),
        )
    if one.kind == "time":
        have, want = duration(one.have), duration(one.want)
    else:
        have, want = count(one.have or 0), count(one.want)
    return row((f"{_UNITS[one.kind]} {have:>{len(want)}}/{want}", style), (" ok  " if one.met else "     ", "good"))


def course(seen: Outlook) -> Row:
    """Write the provisional verdict."""
    if seen.course == "none":
        return row(("accuracy run: every sample once; speed does not matter", "dim"))
    if seen.course == "early":
        return row(("too early for a verdict", "dim"))
    if seen.course == "INVALID":
        return row(("on course: ", ""), ("INVALID", "bold bad"), (" (provisional)  ", "dim"), (seen.reason, "todo"))
    return row(("on course: ", ""), ("VALID", "bold good"), (" (provisional, LoadGen decides)", "dim"))


def _preparing(scene: Scene, width: int, glyphs: Glyphs) -> tuple[Row, Row]:
    """Return the progress of the running step."""
    word, style = JOB_STATUS[scene.job_status]
    running = [step for step in scene.steps if step.state == "runs"]
    if not running:
        return row((word, style)), EMPTY_ROW
    step = running[0]
    taken = f"for {duration(max(scene.now - (step.since or scene.now), 0))}"
    second = row((_step_text(step), "dim"))
    done = step.progress
    if done is None or not done.total:
        more = f"  (+{len(running) - 1} more)" if len(running) > 1 else ""
        return row((f"{word:14}", style), (f"{step.title}  ", "bold"), (taken + more, "dim")), second
    share, right = done.done / done.total, f" {done.done / done.total * 100:3.0f} %  {taken}"
    line = bar(share, max(width - 14 - len(right), 4), glyphs, "mark")
    return row((f"{word:14}", style), *line, (right, "")), second


def _step_text(step: StepSeen) -> str:
    words = [step.title if step.progress and step.progress.total else "", _PHASES.get(step.phase, step.phase)]
    words += [amount(step.progress) if step.progress else "", step.text]
    return " · ".join(word for word in words if word)


def amount(done: Progress) -> str:
    """Write how far a step is, in its own unit."""
    return text.progress(done.done, done.total, done.unit, BLANK)


def _steps_text(scene: Scene, until: float) -> str:
    done = sum(step.state in GOOD for step in scene.steps)
    if scene.state.launch is None:
        return ""
    return f"{done} of {len(scene.steps)} steps · {duration(max(until - scene.state.launch.at, 0))}"


def _with_right(left: Row, right: str, width: int) -> Row:
    """Put a text at the right end of a row, where there is room."""
    used = sum(len(text) for text, _ in left)
    if used + len(right) + 2 > width:
        return left
    return row(*left, (" " * (width - used - len(right)), "dim"), (right, "dim"))


def throughput_row(measured: Measurement) -> Row:
    """Return the line over the chart of throughput."""
    rules = measured.rules
    per = rules.samples_per_query
    now, whole = measured.now.rate, measured.whole.rate
    parts = [("now ", "dim"), (figure(None if now is None else now / per, 8), "bold mark")]
    parts += [("  run ", "dim"), (figure(None if whole is None else whole / per, 8), "")]
    if rules.target is not None and rules.target_unit != "ms":
        parts += [("  target ", "dim"), (figure(rules.target, 1), "good")]
    return row(*parts)


def latency_row(measured: Measurement, lines: Sequence[tuple[str, float, str]]) -> Row:
    """Return the line over the chart of latencies: which line is which."""
    parts: list[tuple[str, str]] = []
    for name, fraction, style in lines:
        value = measured.now.latency(fraction)
        parts += [(f"{name} ", style), (figure(None if value is None else value / 1e6, 7), f"bold {style}"), ("  ", "")]
    if measured.rules.bound_ns is not None:
        parts += [("limit ", "bad"), (f"{milliseconds(measured.rules.bound_ns)}", "bad")]
    return row(*parts)


LATENCY_LINES = (("p50", 0.5, "secondary"), ("p90", 0.9, "foreground"), ("p99", 0.99, "accent"))
"""Drawn in this order, and always one above the other, so that they can be identified without colours."""
FEWER_LINES = (LATENCY_LINES[0], LATENCY_LINES[2])
"""Where there is little height: three would run into each other."""


def percentile_rows(measured: Measurement) -> tuple[Row, ...]:
    """Return the table of percentiles: now, the whole run, and the limit where the scenario has one."""
    rules = measured.rules
    found = [row((f"{'':6}{'now':>9}{'run':>9}{'limit':>8}", "dim"))]
    for name, fraction in zip(_NAMES, FRACTIONS, strict=True):
        decides = fraction == rules.percentile and rules.samples is None and rules.scenario != "Offline"
        now, whole = measured.now.latency(fraction), measured.whole.latency(fraction)
        cells = "".join(figure(None if value is None else value / 1e6) for value in (now, whole))
        found.append(
            row(
                (f"{name:6}", "bold" if decides else ""),
                (cells, "bold" if decides else ""),
                *_limit(measured, whole, decides),
            )
        )
    parts = f", {measured.parts}" if measured.parts else ""
    found.append(row((f"{count(measured.completed)} samples{parts}; now: last 5 s", "dim")))
    return tuple(found)


def _limit(measured: Measurement, whole: int | None, decides: bool) -> Row:
    bound = measured.rules.bound_ns
    if not decides:
        return row((f"{'-':>8}", "dim"))
    if bound is None:
        return row(("  result", "mark"))
    if whole is None:
        return row((f"{bound / 1e6:8g}", ""))
    return row((f"{bound / 1e6:8g}", ""), ("  ok", "good") if whole <= bound else ("  over", "bold bad"))


def machine_rows(seen: Live, measured: Measurement | None, cost: float | None, glyphs: Glyphs) -> tuple[Row, ...]:
    """Return the load of the machine; `cost` is the fraction of a core that this program uses."""
    found = [_meter("cpu", seen.cpu, "" if seen.cpu is None else f"{seen.cpu * 100:3.0f} %", glyphs)]
    used, total = seen.memory_used, seen.memory_total
    share = None if used is None or not total else used / total
    found.append(_meter("mem", share, "" if used is None else f"{size(used)} of {size(total)}", glyphs))
    clock = "" if seen.mhz is None else f"clock {seen.mhz / 1000:.2f} GHz"
    heat = "" if seen.celsius is None else f"temp {seen.celsius:3.0f} °C"
    load = "" if seen.load is None else f"load {seen.load:5.2f} on {seen.cores} cores"
    found += [
        row(("  ".join(word for word in (clock, heat) if word) or "clock and temperature: not available", "")),
        row((load, "")),
    ]
    if measured is not None:
        found.append(row((_workers(measured), "dim")))
    if cost is not None:
        found.append(row((f"this display {cost * 100:4.1f} % of a core", "dim")))
    return tuple(found)


def _meter(name: str, share: float | None, text: str, glyphs: Glyphs) -> Row:
    if share is None:
        return row((f"{name:4}", "dim"), ("not available", "dim"))
    width = 8
    done = round(share * width)
    full, rest = ("#", ".") if glyphs == "ascii" else ("█", "░")
    return row((f"{name:4}", "dim"), (full * done, "mark"), (rest * (width - done), "line"), (f" {text}", ""))


def _workers(measured: Measurement) -> str:
    rules = measured.rules
    sessions = f"{rules.sessions} session{'s' * (rules.sessions != 1)}"
    threads = f"{rules.intra_op_threads} thread{'s' * (rules.intra_op_threads != 1)}"
    return f"{sessions} × {threads}, batch {rules.max_batch}"


def note_row(note: Note, width: int) -> Row:
    """Return an event as one row."""
    clock = time_of_day(note.at)
    return row((f"{clock} ", "dim"), (cut(note.text, max(width - 9, 1)), note.kind))


def result_line(found: Measured) -> str:
    """Write a result in columns that fit into 74 cells, with two for the mark of a disturbed run."""
    value = text.result(found.value) or "no value"
    metric = _PERCENTILE.sub(r"p\1", f"{found.metric} {found.scored.replace(' of ', '/')}".rstrip())
    return f"{found.scenario:12} {found.mode:11} {metric:20} {value:>8} {found.unit:9} {found.verdict}"
