"""Checker results of any submission folder: its results, and the findings with their remedies."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static

from engine.errors import InferdeckError
from engine.text import clean
from tui.actions import Action, bindings
from tui.screens.base import DeckScreen
from tui.screens.dialogs import Question, Reading
from tui.widgets.findings import FindingsTree, whole
from tui.widgets.guide_texts import sum_of
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from engine.guide.fixes import AnnotatedFinding
    from engine.submission.checker.findings import Report


class CheckedTree(DeckScreen):
    """Checks a folder and shows the findings. Asks before it changes anything in the folder."""

    MODE = "submit"
    ABOUT = (
        "A submission folder, checked by the rules of the round. Errors first: the official checker rejects these. "
        "Warnings: it accepts and prints these, or does not see them. Notes are for information. Nothing is changed "
        "without a question."
    )
    ACTIONS = (
        Action("enter", "why", "details", "details of the finding under the cursor"),
        Action("space", "fold", "fold", "close or open the branch under the cursor"),
        Action("r", "again", "check again", "check the folder again"),
        Action("t", "truncate", "truncate", "cut the accuracy logs to what the rules allow, keeping whole copies"),
        Action("y", "copy", "copy path", "copy the folder's path"),
        Action("b", "back", "back", "back to the guide"),
    )
    BINDINGS: ClassVar = [*bindings(ACTIONS), ("escape", "act('back')", "back")]
    CSS = "#findings { height: 1fr; scrollbar-gutter: stable; }"
    DEFAULT_CSS = """
    CheckedTree #tree-pane { height: 1fr; }
    CheckedTree #sum { height: auto; margin-bottom: 1; }
    """

    def __init__(self, tree: Path) -> None:
        super().__init__()
        self.folder = tree
        self.report: Report | None = None

    def body(self) -> Iterable[Widget]:
        """Yield the sum and the findings."""
        yield Pane(
            clean(str(self.folder)),
            Static("checking…", id="sum", markup=False),
            FindingsTree(id="findings"),
            id="tree-pane",
            help="By severity, then by place. Space folds a branch, Enter shows the details of a finding.",
        )

    def ready(self) -> None:
        """Check at once."""
        self.query_one(FindingsTree).focus()
        self.do_again()

    def _check(self, truncate: bool) -> None:
        from engine.guide.actions import truncate_tree  # noqa: PLC0415
        from engine.guide.fixes import annotated_findings  # noqa: PLC0415
        from engine.profile.known_rounds import DEFAULT  # noqa: PLC0415
        from engine.submission.checker.check import check  # noqa: PLC0415
        from engine.submission.grouping import origins_by_result  # noqa: PLC0415

        try:
            origin = next(iter(origins_by_result(self.folder).values()), None)
            rules = self.deck.place.round(origin.round if origin else DEFAULT)
            if truncate:
                truncate_tree(self.folder, rules)
            report = check(self.folder, rules, processes=1)
        except InferdeckError as error:
            self.deck.call_from_thread(self.deck.say_error, error)
            return
        self.deck.call_from_thread(
            self._show, report, annotated_findings(self.folder, report.findings, rules, own=False)
        )

    def _show(self, report: Report, found: list[AnnotatedFinding]) -> None:
        self.report = report
        text = sum_of(report, f"  round {report.round}")
        if not found:
            text = text + Content.styled("\nNo findings: the official checker will accept it.", "$good")
        self.query_one("#sum", Static).update(text)
        self.query_one(FindingsTree).show(found)

    def _start(self, *, truncate: bool) -> None:
        work = partial(self._check, truncate)
        self.run_worker(work, thread=True, group="check", exclusive=True, exit_on_error=False)

    def why_not(self, name: str) -> str | None:
        """Return why an action is not possible now."""
        if name == "why" and self.query_one(FindingsTree).annotated is None:
            return "there is no finding under the cursor"
        return None

    def on_option_list_option_selected(self, _: OptionList.OptionSelected) -> None:
        """Enter: tell all of a finding, or close a branch."""
        self.action_act("why" if self.query_one(FindingsTree).annotated else "fold")

    def do_why(self) -> None:
        """Tell all of a finding."""
        annotated = self.query_one(FindingsTree).annotated
        if annotated is not None:
            self.deck.push_screen(Reading(clean(annotated.finding.rule), whole(annotated)))

    def do_fold(self) -> None:
        """Close or open a branch."""
        self.query_one(FindingsTree).fold()

    def do_again(self) -> None:
        """Check again."""
        self._start(truncate=False)

    def do_truncate(self) -> None:
        """Ask, then cut the logs."""
        from engine.submission.truncate import whole_logs  # noqa: PLC0415

        backup = whole_logs(self.folder)
        text = (
            f"Every accuracy log of this folder is cut to its first and last 4,096 bytes.\nWhole copies go to {backup}."
        )
        ask = Question("truncate", text, [("no", "cancel"), ("yes", "cut the logs")])
        self.deck.push_screen(ask, lambda answer: self._start(truncate=True) if answer == "yes" else None)

    def do_copy(self) -> None:
        """Copy the path."""
        self.deck.copy_to_clipboard(str(self.folder))
        self.deck.say(f"copied: {self.folder}")

    def do_back(self) -> None:
        """Go back."""
        self.dismiss()
