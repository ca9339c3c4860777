"""Texts of the Plan screen: title, totals, the reasons of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.text import clean, clean_lines, duration, size

if TYPE_CHECKING:
    from engine.survey.prepare import Prepared


def title_text(prepared: Prepared) -> str:
    """Return the most important choices in a few words."""
    options = prepared.plan.nodes[prepared.plan.root].values()
    words = [str(options[name]) for name in ("benchmark", "backend", "sut", "style") if options.get(name)]
    return " · ".join(words) or prepared.plan.root


def totals_text(prepared: Prepared) -> Content:
    """Return what is ready and to do, sizes and times, and what prevents the plan from running."""
    totals = prepared.seen.totals
    parts = [
        (f"{totals.ready} ready, {totals.to_do} to do · {size(totals.fetch_bytes)} to fetch · ", ""),
        (f"prepare {duration(totals.prepare_seconds) or '0:00'} + run {duration(totals.run_seconds) or '0:00'}", ""),
        (f" + {totals.unknown_times} of unknown duration" if totals.unknown_times else "", ""),
    ]
    problems = prepared.seen.problems()
    if problems:
        node, seen = problems[0]
        parts.append((f"\ncan't run yet: {clean(node)}: {clean(seen.text)}. {clean(seen.remedy)}", "bold $bad"))
    for name, warning in prepared.seen.warnings():
        parts.append((f"\n{clean(name)}: {clean(warning)}", "$todo"))
    for notice in (prepared.notice, prepared.accuracy_note):
        if notice and not problems:
            parts.append((f"\n{clean_lines(notice)}", "$todo"))
    return Content.assemble(*parts)


def reasons(prepared: Prepared, node: str) -> Content:
    """Return the whole chain of reasons of a node."""
    from engine.survey.explain import explain  # noqa: PLC0415  (start-up: paint first)

    parts: list[tuple[str, str]] = []
    for fact in explain(prepared, node):
        parts += [(f"{fact.heading:18}", "bold $mark"), (clean(fact.text) + "\n", "")]
    return Content.assemble(*parts)
