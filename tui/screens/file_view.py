"""Read text files that may still grow: follow, search, wrap, open in a pager or an editor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from engine.errors import UsageError
from engine.jobs.child import last_lines
from engine.text import clean
from engine.watch.pager import ProgramVariable, open_file
from tui.screens.dialogs import Window
from tui.widgets.pane import Pane

LINES = 2000
"""The last lines of a file that are shown; the pager shows all."""
INTERVAL = 1.0
"""Seconds between two looks at a file that may grow."""
KEYS = "f next file · / search · n next hit · w wrap · e pager · E editor · y copy path · Esc back"


class FileView(Window[None]):
    """Shows the end of a file and follows it while the view is at the end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back"),
        Binding("f,tab", "next_file", "next file", priority=True),
        Binding("slash", "search", "search"),
        Binding("n", "next_hit", "next hit"),
        Binding("w", "wrap", "wrap"),
        Binding("e", "open('PAGER')", "pager"),
        Binding("E", "open('EDITOR')", "editor"),
        Binding("y", "copy", "copy path"),
    ]
    CSS = """
    FileView Pane { width: 96%; height: 90%; }
    FileView #file-scroll { height: 1fr; scrollbar-gutter: stable; }
    FileView #file-search { display: none; }
    FileView #file-search.-open { display: block; }
    FileView #file-text { width: auto; }
    FileView.-wrapped #file-text { width: 1fr; }
    """

    def __init__(self, title: str, files: Sequence[Path], head: str = "") -> None:
        super().__init__()
        self.asked = title
        self.files = tuple(files)
        self.head = head
        """Text above the first file."""
        self.at = 0
        self.lines: list[str] = []
        self.words = ""
        self._hit = -1

    def compose(self) -> ComposeResult:
        """Show the file in a frame that scrolls."""
        line = Input(placeholder="text to find", id="file-search")
        line.cursor_blink = False
        pane = Pane(self.asked, VerticalScroll(Static(id="file-text", markup=False), id="file-scroll"), line)
        pane.border_subtitle = KEYS
        yield pane

    def on_mount(self) -> None:
        """Show the first file from its end, and follow it."""
        self.add_class("-wrapped")
        self.query_one("#file-scroll").focus()
        self._read()
        self.set_interval(INTERVAL, self._read)

    @property
    def path(self) -> Path | None:
        """The file that is shown."""
        return self.files[self.at] if self.files else None

    def _read(self) -> None:
        lines = last_lines(self.path, LINES) if self.path is not None else []
        if lines == self.lines and self.lines:
            return
        scroll = self.query_one("#file-scroll", VerticalScroll)
        at_end = scroll.scroll_offset.y >= scroll.max_scroll_y - 1
        self.lines = lines
        self._draw()
        if at_end:
            self.call_after_refresh(scroll.scroll_end, animate=False)

    def _draw(self) -> None:
        title = f"{self.path.name} ({self.at + 1} of {len(self.files)})  {self.asked}" if self.path else self.asked
        self.query_one(Pane).rename(clean(title))
        parts: list[tuple[str, str]] = [(f"{self.head}\n\n", "$dim")] if self.head and self.at == 0 else []
        if self.path is not None:
            parts += [(f"{clean(str(self.path))}\n\n", "$dim")]
        for number, line in enumerate(self.lines):
            found = bool(self.words) and self.words.lower() in line.lower()
            parts.append((f"{line}\n", "reverse" if number == self._hit else "bold $mark" if found else ""))
        if not self.lines:
            parts.append(("(it is empty)", "$dim"))
        self.query_one("#file-text", Static).update(Content.assemble(*parts))

    def action_next_file(self) -> None:
        """Show the next file."""
        if len(self.files) > 1:
            self.at, self.lines, self._hit = (self.at + 1) % len(self.files), [], -1
            self._read()
            self._draw()

    def action_search(self) -> None:
        """Ask for a text."""
        line = self.query_one("#file-search", Input)
        line.add_class("-open")
        line.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the first hit."""
        event.stop()
        self.words, self._hit = event.value, -1
        self.query_one("#file-search", Input).remove_class("-open")
        self.query_one("#file-scroll").focus()
        self.action_next_hit()

    def action_next_hit(self) -> None:
        """Go to the next line that contains the text, from the top again after the last."""
        hits = [number for number, line in enumerate(self.lines) if self.words and self.words.lower() in line.lower()]
        if not hits:
            self.app.notify(
                f"'{clean(self.words)}' is not in these lines" if self.words else "/ searches", markup=False
            )
            return
        self._hit = next((number for number in hits if number > self._hit), hits[0])
        self._draw()
        above = 2 + (2 if self.head and self.at == 0 else 0)
        self.query_one("#file-scroll", VerticalScroll).scroll_to(y=max(self._hit + above - 3, 0), animate=False)

    def action_wrap(self) -> None:
        """Wrap long lines, or not."""
        self.toggle_class("-wrapped")

    def action_open(self, variable: ProgramVariable) -> None:
        """Open the whole file in the program of an environment variable."""
        if self.path is None:
            return
        try:
            with self.app.suspend():
                open_file(self.path, variable)
        except SuspendNotSupported:
            self.app.notify("no other program can be opened here", severity="warning", markup=False)
        except UsageError as error:
            self.app.notify(f"{error.what}\n{error.remedy}", severity="error", markup=False)

    def action_copy(self) -> None:
        """Copy the path."""
        if self.path is not None:
            self.app.copy_to_clipboard(str(self.path))
            self.app.notify(f"copied the path:\n{clean(str(self.path))}", markup=False)

    def action_back(self) -> None:
        """Leave the search, then the window."""
        line = self.query_one("#file-search", Input)
        if line.has_class("-open"):
            line.remove_class("-open")
            self.query_one("#file-scroll").focus()
        else:
            self.dismiss(None)
