"""A Textual app whose table and chart change with every key.

`python -m tests.tui.changing_app stock|diff|ascii|record [FILE]`. With FILE every text that Textual writes goes there
too, a JSON string a line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.coordinate import Coordinate
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, Static

from tui.driver import AsciiDriver, DiffDriver

NAMES = ["resnet50", "größe", "模型", "한국어", "plain"]


class Recorder(LinuxDriver):
    """Textual's own driver, recording its output."""

    def write(self, data: str) -> None:
        with Path(sys.argv[2]).open("a") as file:
            file.write(json.dumps(data) + "\n")
        super().write(data)


class Question(ModalScreen[None]):
    """A dialog above the screen."""

    CSS = "Question { align: center middle; } Question Static { width: 20; height: 5; background: $panel; }"

    def compose(self) -> ComposeResult:
        yield Static("模型 really?")

    def key_d(self) -> None:
        self.dismiss()


class ChangingApp(App[None]):
    """Shows frame after frame."""

    CSS = "DataTable { width: 1fr; } #chart { width: 1fr; border: round $primary; } #keys { height: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next", "next"),
        Binding("m", "question", "question"),
        Binding("y", "copy", "copy"),
        Binding("t", "theme", "light"),
        Binding("q", "quit", "quit"),
    ]

    number = 0
    keys = ""

    def compose(self) -> ComposeResult:
        yield Static("frame 0", id="frame")
        with Horizontal():
            yield DataTable(cursor_type="row")
            yield Static(id="chart", markup=False)
        yield Static(id="keys", markup=False)
        yield Input(id="words")
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("name", "value")
        for name in NAMES * 4:
            table.add_row(name, "0")
        table.focus()
        self.change()

    def on_key(self, event: object) -> None:
        self.keys += f"{getattr(event, 'key', '')} "
        self.query_one("#keys", Static).update(self.keys[-60:])

    def action_next(self) -> None:
        self.number += 1
        self.change()

    def action_question(self) -> None:
        self.push_screen(Question())

    def action_copy(self) -> None:
        self.copy_to_clipboard("copied")

    def action_theme(self) -> None:
        self.theme = "textual-light"

    def change(self) -> None:
        """Show the next frame."""
        table = self.query_one(DataTable)
        for row in range(len(NAMES) * 4):
            table.update_cell_at(
                Coordinate(row, 1), NAMES[(row * self.number) % 5] if row % 3 else str(row * self.number)
            )
        rows = ["".join(chr(0x2800 + (x * y * self.number) % 256) for x in range(40)) for y in range(12)]
        self.query_one("#chart", Static).update("\n".join(rows))
        self.query_one("#frame", Static).update(f"frame {self.number}")


def main() -> None:
    """Run it."""
    drivers: dict[str, type[Driver] | None] = {"stock": None, "diff": DiffDriver, "ascii": AsciiDriver}
    ChangingApp(driver_class=drivers.get(sys.argv[1], Recorder)).run()


if __name__ == "__main__":
    main()
