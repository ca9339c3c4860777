"""Work outside the screen's thread of which only the newest counts: a filter that is typed, a cursor that moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from tui.deck import Deck

Found = TypeVar("Found")


class Newest(Generic[Found]):
    """Does one work at a time; of what is asked for meanwhile only the last is done after it."""

    def __init__(self, deck: Deck, name: str, done: Callable[[Found], object]) -> None:
        """`done` gets each result, on the screen's thread."""
        self._deck, self._name, self._done = deck, name, done
        self._busy = False
        self._next: Callable[[], Found] | None = None

    def ask(self, work: Callable[[], Found]) -> None:
        """Do this work, now or after the present one."""
        self._next = work
        self._begin()

    def _begin(self) -> None:
        work = self._next
        if work is not None and not self._busy:
            self._next, self._busy = None, True
            self._deck.run_worker(lambda: self._run(work), thread=True, group=self._name, exit_on_error=False)

    def _run(self, work: Callable[[], Found]) -> None:
        found = work()
        self._deck.call_from_thread(self._ended, found)

    def _ended(self, found: Found) -> None:
        self._busy = False
        self._done(found)
        self._begin()
