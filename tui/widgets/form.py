"""Form: one line per field with its validity, and the details of the selected field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import events
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.submission.describe import FIXED
from engine.submission.form import Field, Verdict
from engine.text import clean, cut, fit

WORDS: Mapping[Verdict, tuple[str, str]] = {
    "ok": ("ok", "$good"),
    "empty": ("empty", "$dim"),
    "warning": ("warning", "$todo"),
    "problem": ("needed", "bold $bad"),
}
GO_ON = "go-on"
"""The last line, which completes the form."""

_WORD, _LABEL = 9, 22
_NOTES_FROM = 90
"""Cells of width from which a field's remark is on its line."""


class FormList(OptionList):
    """Shows fields by group; `field` is the one under the cursor."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._fields: dict[str, Field] = {}
        self._last = ""
        self._wanted: str | None = None
        """Where the cursor goes with the next drawing."""

    @property
    def field(self) -> Field | None:
        """The field under the cursor."""
        at = self.highlighted_option
        return self._fields.get(at.id or "") if at is not None else None

    def show(self, fields: Sequence[Field], last: str = "") -> None:
        """Show the fields, and a last line that completes the form, where there is a next step."""
        self._fields = {field.name: field for field in fields}
        self._last = last
        self._draw(self._at())

    def put_on(self, name: str) -> None:
        """Put the cursor on a field; on one that is not drawn yet as soon as it is."""
        self._wanted = name
        self._draw(None)

    def put_on_next(self) -> None:
        """Put the cursor on the first invalid field, or on the last line."""
        wrong = next((field.name for field in self._fields.values() if field.verdict == "problem"), GO_ON)
        if wrong != GO_ON or self._last:
            self.put_on(wrong)

    def on_resize(self, _: events.Resize) -> None:
        """Fit the values."""
        self._draw(self._at())

    def _at(self) -> str | None:
        return self.highlighted_option.id if self.highlighted_option is not None else None

    def _draw(self, at: str | None) -> None:
        width = self.scrollable_content_region.width or self.size.width
        if not width or not self._fields:
            return
        self.clear_options()
        group = ""
        for field in self._fields.values():
            if field.group != group:
                group = field.group
                self.add_option(Option(Content.styled(group, "$dim"), disabled=True))
            self.add_option(Option(row(field, width), id=field.name))
        if self._last:
            self.add_option(Option(Content.assemble(("  → ", "bold $mark"), (self._last, "bold")), id=GO_ON))
        ids = [self.get_option_at_index(number).id for number in range(self.option_count)]
        wanted, self._wanted = self._wanted or at, None
        self.highlighted = ids.index(wanted) if wanted is not None and wanted in ids else 1


def row(field: Field, width: int) -> Content:
    """Return a field in `width` cells."""
    word, style = WORDS[field.verdict]
    note = annotated(field)
    room = width - _WORD - _LABEL - 2
    value = clean(field.value)
    beside = width >= _NOTES_FROM
    parts = [
        (f"  {word:{_WORD}}", style),
        (fit(cut(field.label, _LABEL - 1), _LABEL), ""),
        (fit(cut(value, room // 2), room // 2) if beside else cut(value, room), "bold"),
    ]
    if beside:
        parts.append(("  " + cut(note, room - room // 2 - 2), "$dim"))
    return Content.assemble(*parts)


def annotated(field: Field) -> str:
    """Return a field's remark: its error, or where its value comes from."""
    if field.said:
        return clean(field.said)
    if field.name in FIXED and field.value == FIXED[field.name]:
        return "default"
    if field.detected and field.detected == field.value:
        return "detected on this machine"
    return f"detected: {clean(field.detected)}" if field.detected else ""


def explanation(field: Field) -> Content:
    """Return the details of a field, in a few lines."""
    parts = [(f"{clean(field.name)}  ", "bold"), (clean(field.rule), "")]
    if field.said:
        style = "$bad" if field.verdict == "problem" else "$todo"
        parts += [("\n", ""), (clean(field.said), style), (f"; {clean(field.remedy)}" if field.remedy else "", "")]
    elif annotated(field):
        parts += [("\n", ""), (annotated(field), "$dim")]
    return Content.assemble(*parts)
