"""What the Explore screens say in text: state, why a point is better, main effects, notes, a line of the list."""

from __future__ import annotations

import time
from collections.abc import Mapping
from math import isfinite

from textual.content import Content

from engine.design_space.axis_words import axis_text
from engine.design_space.exploration import Exploration
from engine.design_space.exploration_findings import Findings, signed, summary
from engine.design_space.exploration_words import point_text, refused_lines
from engine.design_space.explorations import ExplorationState
from engine.design_space.report_tables import contrast_lines, effects_by_axis
from engine.design_space.trial_table import TrialRow, best_text
from engine.text import clean, clean_lines, cut, date_time, duration, figure, fit, fit_right, shell_line

Parts = list[tuple[str, str]]

HOW_TO_EXPLORE = Content.assemble(
    ("Nothing has been explored here yet.\n\n", "bold"),
    ("2 v", "bold $mark"),
    ("  on the Plan screen: mark values of choices to vary, objectives and a budget, see what it costs, start\n\n", ""),
    ("or:  inferdeck explore --tags=... --axis=sessions=1,2 --axis=max_batch=1:16:log2 --objective=Offline ", "$dim"),
    ("--budget=10m\n\n", "$dim"),
    ("An exploration measures the points of a space one after another and finds those that nothing beats. ", ""),
    ("It is a process of its own: leaving the screen never stops it.", ""),
)
_STATES = {"running": "bold $good", "died": "bold $bad", "finished": "$good"}
_MOST = 12
"""Notes of one kind that are listed."""


def state_style(state: str) -> str:
    """Return the style of an exploration's state."""
    first = state.partition(":")[0]
    return _STATES.get(first, "$bad" if first == "failed" else "$todo")


def list_line(one: ExplorationState, width: int) -> Content:
    """Return an exploration's row: name, state, trials, best value, time left."""
    shown = one.exploration
    left = f"{duration(one.left)} left" if one.running and one.left else duration(one.spent)
    parts: Parts = [
        ("● " if one.running else "  ", "bold $good"),
        (fit(clean(one.name), 16), "bold"),
        ("  ", ""),
        (fit(clean(one.state), 12), state_style(one.state)),
        ("  ", ""),
        (fit_right(done_text(one), 11), ""),
        ("  ", ""),
        (fit_right(left, 12), ""),
        ("  ", ""),
        (cut(clean(best_text(shown)), max(width - 61, 10)), "bold"),
    ]
    return Content.assemble(*parts)


LIST_HEADER = f"  {'name':16}  {'state':12}  {'measured':>11}  {'time':>12}  best"


def done_text(one: ExplorationState) -> str:
    """Return how many points of the space have a trial, of how many: `12/48`."""
    shown, values = one.exploration, {axis.name: axis.values for axis in one.spec.axes}
    points = shown.points
    is_outside = any(value not in values.get(name, ()) for name, value in one.spec.default)
    return f"{len(points) - (is_outside and one.spec.default in points):,}/{shown.size or one.spec.size:,}"


def list_details(one: ExplorationState) -> Content:
    """Return what an exploration of the list is about."""
    spec, shown = one.spec, one.exploration
    parts: Parts = [(f"{clean(one.state)}\n", state_style(one.state))]
    parts += [(f"{'begun':12}", "$dim"), (f"{date_time(spec.created)}\n" if spec.created else "-\n", "")]
    for axis in spec.axes:
        parts += [(f"{'axis':12}", "$dim"), (f"{clean(axis_text(axis))}\n", "")]
    for objective in spec.objectives:
        way = "more is better" if objective.maximize else "less is better"
        parts += [(f"{'objective':12}", "$dim"), (f"{objective.title} ({objective.unit}), {way}\n", "")]
    for limit in spec.limits:
        parts += [(f"{'constraint':12}", "$dim"), (f"{limit.text} {clean(limit.why)}\n", "")]
    used = duration(one.spent) + (f" of {duration(spec.budget)}" if spec.budget else "")
    parts += [(f"{'time':12}", "$dim"), (f"{used}; {len(shown.trials):,} trials\n", "")]
    for line in shown.left_out:
        parts += [(f"{'left out':12}", "$dim"), (f"{clean(line)}\n", "$todo")]
    parts += [(f"\n{clean(shell_line(('inferdeck', *spec.command)))}", "$secondary")]
    return Content.assemble(*parts)


def status(one: ExplorationState, seconds: float, width: int) -> Content:
    """Return the two lines above the trials; `seconds` ago the state was read."""
    shown, now = one.exploration, one.present
    parts: Parts = [(clean(one.state), state_style(one.state)), ("  ", "")]
    if one.running and one.waits_for:
        parts += [(f"waits: {clean(one.waits_for)} measures on this machine", "$todo")]
    elif one.running and now is not None:
        what = "accuracy" if now.accuracy_key else f"trial {len(shown.trials) + 1}"
        about = f"{what} for {duration(time.time() - now.at) or '0:00'}: {point_text(now.point)}"
        parts += [(clean(f"{about}  {now.job}  {now.why}"), "")]
    elif shown.left_out:
        parts += [(clean("left out: " + "; ".join(shown.left_out)), "$todo")]
    first = cut(Content.assemble(*parts).plain, width)
    refused = f", {len(shown.refused):,} refused" if shown.refused else ""
    used = f" of {duration(one.spec.budget)}" if one.spec.budget else ""
    left = max(one.left - seconds, 0.0) if one.running and one.left is not None else 0.0
    facts = [
        f"{done_text(one)} points{refused}",
        f"{len(shown.trials):,} trial{'s' * (len(shown.trials) != 1)}",
        f"{duration(one.spent) or '0:00'}{used} used",
        f"about {duration(left)} left" if left else "",
        f"best {best}" if (best := best_text(shown)) else "",
    ]
    line = cut(clean(" · ".join(filter(None, facts))), width)
    return Content.assemble(*_within(parts, len(first)), ("\n", ""), (line, "$dim"))


def _within(parts: Parts, length: int) -> Parts:
    """Return styled pieces cut to a length."""
    found: Parts = []
    for text, style in parts:
        if length > 0:
            found.append((text[:length], style))
            length -= len(text)
    return found


def why(found: Findings, row: TrialRow) -> Content:
    """Return all that is known of a trial, and why its point is better or worse than others."""
    trial, stands = row.trial, row.stands
    parts: Parts = [(f"trial {trial.number}  ", "bold"), (f"{trial.state}  ", "")]
    parts += [(f"{stands.word}\n" if stands is not None else "\n", "bold")]
    if trial.reason:
        parts += [(f"{clean_lines(trial.reason)}\n", "$todo")]
    parts += [(f"{clean(point_text(trial.point))}\n", "")]
    for objective in found.exploration.objectives:
        if objective.key in trial.figures:
            text = f"{figure(trial.figures[objective.key])} {objective.unit}"
            parts += [(f"{objective.title} ", "$dim"), (f"{text}{_of_mean(row, objective.key)}\n", "")]
    if stands is not None:
        for line in contrast_lines(found, stands):
            head, _, rest = clean(line).partition(": ")
            parts += [(f"\n{head}\n", "bold $mark"), (f"{rest}\n", "")]
        for note in stands.notes:
            if note != trial.reason:
                parts += [(f"\n{clean(note)}", "$todo")]
    facts = [f"session {trial.session}" if trial.session else "", duration(trial.seconds), trial.job]
    parts += [(f"\n{clean('  '.join(filter(None, facts)))}", "$dim")]
    return Content.assemble(*parts)


def _of_mean(row: TrialRow, key: str) -> str:
    standing = row.stands.standing if row.stands is not None else None
    if standing is None or key not in standing.intervals or standing.n < 2:
        return ""
    low, high = standing.intervals[key]
    return f"; mean of {standing.n}: {figure(standing.means[key])} ({figure(low)} to {figure(high)})"


def effects(found: Findings) -> Content:
    """Return the main effects of the axes on each objective, the axis that matters most first."""
    if not found.effects:
        return Content.styled("unknown yet: an axis needs two values that were measured", "$dim")
    parts: Parts = [("against the average of an axis's values, other choices being equal (95 % interval)\n", "$dim")]
    groups = effects_by_axis(found)
    axis_width = max(len(name) for name, _ in groups)
    value_width = max(len(value.value) for _, one in groups for effect in one for value in effect.values)
    for objective in found.exploration.objectives:
        parts.append((f"\n{clean(objective.title)}\n", "bold $mark"))
        for name, all_ in groups:
            for effect in all_:
                if effect.objective != objective.key:
                    continue
                for number, value in enumerate(effect.values):
                    range_ = f"({signed(value.low)} to {signed(value.high)})" if isfinite(value.high) else ""
                    is_sure = value.low > 0 or value.high < 0
                    style = "$good" if (value.share > 0) == objective.maximize else "$todo"
                    parts += [
                        (f"{fit('' if number else clean(name), axis_width)}  ", "$dim"),
                        (f"{fit(clean(value.value), value_width)}  ", ""),
                        (f"{signed(value.share):>6} % ", style if is_sure else "$dim"),
                        (f"{range_}\n", "$dim"),
                    ]
    return Content.assemble(*parts)


def notes(found: Findings) -> Content:
    """Return what must be known to read the figures: counts, noise, drift, disturbances, refused combinations."""
    asked = found.exploration
    parts: Parts = [(f"{clean(line)}\n", "$todo" if "drifted" in line else "") for line in summary(found)]
    disturbed = {trial.number: trial.note for trial in asked.trials if trial.note}
    parts += _several("disturbed", [f"trial {number}: {note}" for number, note in disturbed.items()])
    parts += _several("refused", refused_lines(asked.refused))
    failed = {trial.number: trial.reason for trial in asked.trials if trial.state == "failed"}
    parts += _several("failed", [f"trial {number}: {reason}" for number, reason in failed.items()])
    parts += _conditions(asked)
    return Content.assemble(*parts)


def _several(title: str, lines: list[str]) -> Parts:
    if not lines:
        return []
    parts: Parts = [(f"\n{title}\n", "bold $mark")]
    parts += [(f"{clean(line)}\n", "") for line in lines[:_MOST]]
    return [*parts, (f"… {len(lines) - _MOST} more\n", "$dim")] if len(lines) > _MOST else parts


def _conditions(asked: Exploration) -> Parts:
    facts: Mapping[str, str] = {**asked.conditions, **asked.machine}
    parts: Parts = [("\nconditions\n", "bold $mark")]
    for name, text in facts.items():
        parts += [(f"{clean(name)} ", "$dim"), (f"{clean(text)}\n", "")]
    return parts
