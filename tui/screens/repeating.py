"""Measure a run again: the choices in the plan, or its scenario several times, one job after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.errors import InferdeckError
from engine.explore.runs import Run
from engine.text import duration
from tui.screens.dialogs import Question
from tui.screens.varying import start_jobs

if TYPE_CHECKING:
    from engine.survey.prepare import Prepared
    from tui.deck import Deck

TIMES = (3, 5, 10)


def ask_again(deck: Deck, run: Run, to_plan: Callable[[], None]) -> None:
    """Ask how to measure a run again; `to_plan` goes to the plan with its choices."""
    answers = [("plan", "open the choices of its job in Plan")]
    answers += [(str(times), f"measure {run.scenario} {times} times") for times in TIMES]
    text = "Repeats tell the noise: from three runs of equal choices on, Results shows a spread."

    def answered(answer: str | None) -> None:
        if answer == "plan":
            to_plan()
        elif answer is not None:
            times = int(answer)
            deck.run_worker(
                lambda: _prepare(deck, run, times), thread=True, group="again", exclusive=True, exit_on_error=False
            )

    deck.push_screen(Question(f"again  {run.id}", text, answers), answered)


def _prepare(deck: Deck, run: Run, times: int) -> None:
    from engine.explore.vary import narrowed  # noqa: PLC0415  (start-up)
    from engine.survey.prepare import prepare  # noqa: PLC0415

    try:
        found = prepare(deck.place, narrowed(run))
    except InferdeckError as error:
        deck.call_from_thread(deck.say_error, error)
        return
    deck.call_from_thread(_ask_start, deck, run, found, times)


def _ask_start(deck: Deck, run: Run, found: Prepared, times: int) -> None:
    problems, totals = found.seen.problems(), found.seen.totals
    if problems:
        deck.say(f"can't run: {problems[0][1].text}", "error")
        return
    total = totals.prepare_seconds + times * totals.run_seconds
    text = f"{run.scenario}, {times} jobs, one after another: about {duration(total) or '0:00'} in all."
    answers = [("run", f"run {times} jobs"), ("back", "cancel")]

    def answered(answer: str | None) -> None:
        if answer == "run":
            deck.run_worker(
                lambda: start_jobs(deck, [found] * times),
                thread=True,
                group="again",
                exclusive=True,
                exit_on_error=False,
            )

    deck.push_screen(Question("repeat", text, answers), answered)
