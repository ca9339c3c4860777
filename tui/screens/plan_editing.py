"""Changes of a plan: of a choice, or of any component of its tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InferdeckError
from engine.plan.choices import PATH_UNIT, Alternative, Choice, choose, node_choices, reached
from engine.plan.selection import Selection
from engine.text import absolute, clean, size
from tui.deck import Deck
from tui.screens.choosing import Here, window
from tui.screens.node_window import NodeWindow
from tui.screens.path_window import WritePath

if TYPE_CHECKING:
    from engine.survey.prepare import Prepared


class Editor:
    """Asks for other values; `take` gets each new selection."""

    def __init__(self, deck: Deck, prepared: Prepared, output: str, take: Callable[[Selection], None]) -> None:
        self.deck = deck
        self.prepared = prepared
        self.output = output
        self.take = take

    def node(self, name: str | None) -> None:
        """Ask what to change of the component under the cursor, then for its value."""
        plan = self.prepared.plan
        rows = node_choices(self.deck.place.catalog, plan, name, systems(self.prepared)) if name else ()
        if name is None or not rows:
            self.deck.say("nothing can be chosen of this one: what it needs or follows from has the choices")
            return
        others = [plan.nodes[one].title for one in reached(plan, rows[0].dependency) if one != name]
        beside = f"changes as well: {clean(', '.join(others))}" if others else ""

        def picked(choice: Choice | None) -> None:
            if choice is not None:
                self.choice(choice)

        self.deck.push_screen(NodeWindow(clean(plan.nodes[name].title), rows, beside), picked)

    def choice(self, choice: Choice) -> None:
        """Ask for another value of a choice."""
        if choice.key == "option round":  # reading all rounds takes a second
            self.deck.run_worker(lambda: self._read_rounds(choice), thread=True, group="round", exit_on_error=False)
        else:
            self._ask(choice, partial(self._here, choice))

    def _read_rounds(self, choice: Choice) -> None:
        """Add what each round changes to the alternatives, then ask. Runs in a thread."""
        try:
            known = _rounds(self.prepared)
        except InferdeckError as error:
            self.deck.call_from_thread(self.deck.say_error, error)
            return
        self.deck.call_from_thread(self._ask, replace(choice, kind="one", alternatives=known))

    def _ask(self, choice: Choice, here: Here | None = None) -> None:
        def taken(value: str | None) -> None:
            if value is not None and value != choice.value:
                selection = choose(self.deck.place.catalog, self.prepared.selection, choice, value)
                self.take(selection)

        if choice.unit == PATH_UNIT:
            about = f"{choice.help}; empty: none"
            self.deck.push_screen(WritePath(choice.title, about, choice.value, partial(self._look, choice)), taken)
        else:
            self.deck.push_screen(window(choice, lambda value: self._verdict(choice, value), here), taken)

    def _look(self, choice: Choice, value: str) -> str:
        """Return what the plan would find at a path. Runs in a thread."""
        from engine.survey.prepare import prepare  # noqa: PLC0415

        selection = choose(self.deck.place.catalog, self.prepared.selection, choice, value)
        try:
            found = prepare(self.deck.place, selection, output=self.output)
        except InferdeckError as error:
            return error.what
        path = absolute(value)
        nodes = [node.id for node in found.plan.nodes.values() if path in node.values().values()]
        texts = [found.seen.seen[name].text for name in nodes if found.seen.seen[name].text]
        return "; ".join(dict.fromkeys(texts)) or "taken as it is"

    def _here(self, choice: Choice, value: str) -> str:
        """Return why this machine can't run a value as things are, or what it needs for it. Runs in a thread."""
        from engine.survey.prepare import prepare  # noqa: PLC0415

        selection = choose(self.deck.place.catalog, self.prepared.selection, choice, value)
        try:
            found = prepare(self.deck.place, selection)
        except InferdeckError:
            return ""  # the resolver's reason is shown already
        known = {seen.text for _, seen in self.prepared.seen.problems()}
        new = [seen for _, seen in found.seen.problems() if seen.text not in known]
        conflict = next((seen.text for seen in new if seen.state == "conflict"), "")
        more = found.seen.totals.fetch_bytes - self.prepared.seen.totals.fetch_bytes
        if conflict:
            return f"not on this machine: {conflict}"
        if new:
            return f"needs: {new[0].text}"
        return f"{size(more)} more to fetch" if more > 0 else ""

    def _verdict(self, choice: Choice, value: str) -> str:
        """Return why a value is not available, as the resolver reports it."""
        from engine.survey.prepare import resolved  # noqa: PLC0415

        try:
            resolved(self.deck.place, choose(self.deck.place.catalog, self.prepared.selection, choice, value))
        except InferdeckError as error:
            return f"{error.what} ({error.remedy})" if error.remedy else error.what
        return ""


def _rounds(prepared: Prepared) -> tuple[Alternative, ...]:
    """Return the rounds with what each changes for the plan's benchmark."""
    from engine.profile.known_rounds import all_rounds  # noqa: PLC0415  (start-up: paint first)
    from engine.profile.round_effects import round_choices  # noqa: PLC0415

    place = prepared.workplace
    benchmark = str(prepared.plan.nodes[prepared.plan.root].options["benchmark"].value)
    rounds = all_rounds(place.catalog.folders)
    return tuple(Alternative(*one) for one in round_choices(rounds, place.round(prepared.round), benchmark))


def systems(prepared: Prepared) -> list[str]:
    """Return the names of the systems under test."""
    places = prepared.workplace.catalog.folders
    return sorted({path.stem for folder in places for path in (folder / "systems").glob("*.yaml")})


def look_at_results(value: str) -> str:
    """Return what is at a results folder."""
    place = Path(absolute(value))
    if place.is_dir():
        return "not empty: a result that is replaced is kept beside" if any(place.iterdir()) else "empty"
    return "not a folder" if place.exists() else "will be made"
