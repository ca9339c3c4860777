"""Choose a chart of runs, and make it outside the screen's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine.explore.diagrams import Diagram
from engine.explore.runs import Run
from tui.screens.dialogs import Question

if TYPE_CHECKING:
    from tui.deck import Deck

CHARTS = (
    ("pareto", "throughput against p99 latency, with the Pareto front"),
    ("distribution", "latency distribution of each run"),
    ("throughput", "throughput second by second"),
    ("latency", "p99 latency second by second"),
    ("trend", "results by date"),
)


def ask_chart(deck: Deck, runs: Sequence[Run], taken: Callable[[Diagram], None]) -> None:
    """Ask which chart of these runs to draw; `taken` gets it, on the screen's thread."""

    def made(kind: str) -> None:
        from engine.explore.charts import chart  # noqa: PLC0415  (start-up: few look at charts)

        found = chart(kind, runs)
        deck.call_from_thread(_given, deck, found, taken)

    def chosen(kind: str | None) -> None:
        if kind is not None:
            deck.run_worker(lambda: made(kind), thread=True, group="chart", exclusive=True, exit_on_error=False)

    deck.push_screen(Question("chart", f"Of {len(runs)} runs: those marked, or all listed.", CHARTS), chosen)


def _given(deck: Deck, found: Diagram, taken: Callable[[Diagram], None]) -> None:
    if found.is_empty:
        deck.say("none of these runs has what this chart shows", "warning")
    else:
        taken(found)
