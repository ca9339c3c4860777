"""The choices of a plan, a row each: title, value, and whether the user chose it."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.plan.choices import Choice
from engine.text import clean, cut

SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "what",
        ("group benchmark", "group model", "dataset group source", "group backend", "backend version", "group device"),
    ),
    (
        "how",
        (
            "option scenarios",
            "switch all-scenarios",
            "option modes",
            "option compliance",
            "group style",
            "switch submission",
            "switch find-performance",
        ),
    ),
    ("where", ("option sut", "group category", "option division")),
    ("workers", ("option sessions", "option intra_op_threads", "option max_batch", "option queue_wait_us")),
)
"""The most wanted rows; the others follow under `more`."""

_TITLE = 17


def ordered(choices: Sequence[Choice]) -> list[tuple[str, list[Choice]]]:
    """Return the choices by section, in the order in which they are shown."""
    by_key = {one.key: one for one in choices}
    inputs = tuple(one.key for one in choices if one.env and one.dependency)
    sections = [(title, (*keys, *inputs) if title == "what" else keys) for title, keys in SECTIONS]
    found = [(title, [by_key.pop(key) for key in keys if key in by_key]) for title, keys in sections]
    return [(title, rows) for title, rows in (*found, ("more", list(by_key.values()))) if rows]


class ChoiceList(OptionList):
    """Shows the choices; `choice` is the one under the cursor."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._choices: dict[str, Choice] = {}

    @property
    def choice(self) -> Choice | None:
        """The row under the cursor."""
        at = self.highlighted_option
        return self._choices.get(at.id or "") if at is not None else None

    def show(self, choices: Sequence[Choice]) -> None:
        """Show the choices of a plan; the cursor stays on its row."""
        at = self.highlighted_option.id if self.highlighted_option is not None else None
        self._choices = {one.key: one for one in choices}
        self._draw(at)

    def go_to(self, key: str) -> None:
        """Put the cursor on a choice, if there is one with this key."""
        if key in self._choices:
            self.highlighted = self.get_option_index(key)

    def on_resize(self, _: events.Resize) -> None:
        """Fit the values."""
        self._draw(self.highlighted_option.id if self.highlighted_option is not None else None)

    def _draw(self, at: str | None) -> None:
        width = self.scrollable_content_region.width or self.size.width
        if not width or not self._choices:
            return
        self.clear_options()
        for title, rows in ordered(list(self._choices.values())):
            self.add_option(Option(Content.styled(title, "$dim"), disabled=True))
            self.add_options([Option(_line(one, width), id=one.key) for one in rows])
        ids = [self.get_option_at_index(number).id for number in range(self.option_count)]
        self.highlighted = ids.index(at) if at is not None and at in ids else 1


def _line(choice: Choice, width: int) -> Content:
    value = clean(choice.value) or "-"
    mark = "*" if choice.changed else " "
    return Content.assemble(
        (f" {mark}{cut(choice.title, _TITLE - 1):{_TITLE}}", "$dim"),
        (cut(value, width - _TITLE - 2), "bold" if choice.changed else "$dim" if not choice.value else ""),
    )
