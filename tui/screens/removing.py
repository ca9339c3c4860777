"""Archive or delete the job of a run, after a question that says what is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine.errors import InferdeckError
from engine.explore.runs import Run
from engine.text import size
from tui.screens.dialogs import Question

if TYPE_CHECKING:
    from engine.jobs.removing import Removal
    from tui.deck import Deck


def ask_removal(deck: Deck, run: Run, known: Sequence[Run], done: Callable[[], None]) -> None:
    """Ask whether to archive or delete the job of a run; `done` is called after it."""
    from engine.jobs import removing  # noqa: PLC0415  (start-up)

    found = removing.removal(deck.place.folders, run.job)
    ids = [one.id for one in known if one.job == run.job]
    text = (
        f"{run.job} takes {size(found.bytes)}.\n"
        f"Archive: {removing.effect(found, ids, deletes=False)}.\n"
        f"Delete: {removing.effect(found, ids, deletes=True)}."
    )
    answers = [("back", "cancel"), ("archive", "archive it"), ("delete", "delete it for good")]

    def answered(answer: str | None) -> None:
        if answer in ("archive", "delete"):
            deck.run_worker(
                lambda: _remove(deck, found, answer, done), thread=True, group="removal", exit_on_error=False
            )

    deck.push_screen(Question(f"remove {run.job}", text, answers), answered)


def _remove(deck: Deck, found: Removal, how: str, done: Callable[[], None]) -> None:
    from engine.jobs import removing  # noqa: PLC0415

    try:
        if how == "archive":
            removing.archive(deck.place.folders, found)
        else:
            removing.delete(found)
    except InferdeckError as error:
        deck.call_from_thread(deck.say_error, error)
        return
    said = f"{found.name} is archived" if how == "archive" else f"deleted {found.name}"
    if how == "archive":
        said += f"; inferdeck results restore {found.name} brings it back"
    deck.call_from_thread(deck.say, said)
    deck.call_from_thread(done)
