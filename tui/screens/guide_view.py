"""Layout of the guide's screen: the steps, the selected step, and its details. No actions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.errors import InferdeckError
from engine.submission.grouping import SEVERITIES
from engine.text import clean
from tui.screens.base import DeckScreen
from tui.widgets import guide_texts
from tui.widgets.findings import FindingsTree
from tui.widgets.form import GO_ON, FormList, explanation
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from engine.guide.overview import Overview, OverviewReader
    from engine.guide.steps import GuideStep
    from engine.jobs.jobs import Job
    from engine.submission.preflight import Expected

STEPS = 62
"""Cells of the pane of steps in the wide layout."""

INTERVAL = 2.0
"""Seconds between two polls of a step's job."""


class GuideView(DeckScreen):
    """The steps on one side, the selected step on the other, and its details below."""

    CSS = "#form, #findings, #ahead { height: 1fr; scrollbar-gutter: stable; }"
    DEFAULT_CSS = """
    GuideView #guide, GuideView #top { height: 1fr; }
    GuideView #steps-pane { height: 11; }
    GuideView #now-pane { height: 1fr; }
    GuideView #detail-pane { display: none; height: 1fr; }
    GuideView.-opened #top { display: none; }
    GuideView.-opened #detail-pane { display: block; }
    GuideView.-wide #top { display: block; height: 14; layout: grid; grid-size: 2 1; grid-columns: 62 1fr; }
    GuideView.-wide #steps-pane { height: 100%; }
    GuideView.-wide #now-pane { height: 100%; }
    GuideView.-wide #detail-pane { display: block; }
    GuideView #form, GuideView #findings, GuideView #ahead, GuideView #seen { display: none; }
    GuideView #seen { height: 1fr; }
    GuideView #sum, GuideView #field { height: auto; display: none; }
    GuideView #field { min-height: 2; color: $foreground; }
    GuideView #sum { margin-bottom: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    GuideView .-shown { display: block !important; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.overview: Overview | None = None
        self.steps: tuple[GuideStep, ...] = ()
        self.guide = ""
        self.reader: OverviewReader | None = None
        self._numbers = itertools.count(1)
        self._taken = 0
        """Number of the refresh that is shown: a refresh that started earlier and ended later is stale."""
        self.at = ""
        """The step on which the cursor stands."""

    def body(self) -> Iterable[Widget]:
        """Yield the list of steps, the selected step, and its details."""
        yield Container(
            Container(
                Pane(
                    "your submission",
                    OptionList(id="steps", markup=False),
                    id="steps-pane",
                    help="The steps. done, now, runs, next, stuck (something is missing), - (skipped). They are "
                    "derived from files: descriptions, jobs, results, the tree and its check.",
                ),
                Pane("now", VerticalScroll(Static(id="now", markup=False), can_focus=False), id="now-pane"),
                id="top",
            ),
            Pane(
                "details",
                Static(id="sum", markup=False),
                FormList(id="form"),
                Static(id="field", markup=False),
                FindingsTree(id="findings"),
                OptionList(id="ahead", markup=False),
                VerticalScroll(Static(id="seen-text", markup=False), id="seen"),
                id="detail-pane",
                help="In a form Enter edits a field; errors show at once. Each finding shows the key that fixes it, "
                "or why it is expected; Space folds, Enter shows details.",
            ),
            id="guide",
        )

    def ready(self) -> None:
        """Open the guide that was changed last."""
        self.query_one("#steps", OptionList).focus()
        self.set_interval(INTERVAL, self._beat)

    def shown(self) -> None:
        """Refresh everything."""
        self.look()

    def look(self) -> None:
        """Read the guide's state, in a thread."""
        self.work(lambda: None)

    def work(self, act: Callable[[], Any], then: Callable[[Any], None] | None = None) -> None:
        """Run a function of the engine, refresh, and call `then`."""
        self.run_worker(partial(self._work, act, then), thread=True, group="guide", exit_on_error=False)

    def _work(self, act: Callable[[], Any], then: Callable[[Any], None] | None) -> None:
        from engine.guide import state  # noqa: PLC0415  (start-up: paint first)
        from engine.guide.overview import OverviewReader  # noqa: PLC0415
        from engine.guide.steps import steps  # noqa: PLC0415

        place = self.deck.place
        try:
            done = act()
            if self.reader is None:
                self.reader = OverviewReader(place)
            self.guide = self.guide or next(iter(state.names(place.folders)), state.FIRST)
            number = next(self._numbers)
            overview = self.reader.read(state.load(place.folders, self.guide))
            found = steps(overview)
        except InferdeckError as error:
            self.deck.call_from_thread(self.deck.say_error, error)
            return
        self.deck.call_from_thread(self._take, number, overview, found)
        if then is not None:
            self.deck.call_from_thread(then, done)

    def _take(self, number: int, overview: Overview, found: tuple[GuideStep, ...]) -> None:
        """Show the refreshed state; the cursor moves on with the step that has just been completed."""
        from engine.guide.steps import current  # noqa: PLC0415

        if number < self._taken:
            return
        self._taken = number
        before = current(self.steps).name if self.steps else ""
        self.overview, self.steps = overview, found
        if not self.at or (self.at == before and self.query_one("#steps").has_focus):
            self.at = current(found).name
        chosen = f": {found[0].brief}" if overview.guide.offer else " submission"
        self.header().set_texts(title=clean(f"{overview.guide.name}{chosen}"))
        over = all(step.state in ("done", "skipped") for step in found)
        steps = self.query_one("#steps-pane", Pane)
        steps.border_subtitle = "all done · n starts another" if over else "nothing is sent anywhere"
        self.draw_steps()
        self.draw_step()

    def draw_steps(self) -> None:
        """Show the list of steps."""
        listed = self.query_one("#steps", OptionList)
        width = (STEPS if self.has_class("-wide") else self.size.width) - 4
        rows = [guide_texts.step_row(step, width) for step in self.steps]
        if listed.option_count == len(rows):
            for number, row in enumerate(rows):
                if listed.get_option_at_index(number).prompt != row:
                    listed.replace_option_prompt_at_index(number, row)
        else:
            listed.clear_options()
            listed.add_options([Option(row, id=step.name) for row, step in zip(rows, self.steps, strict=True)])
        listed.highlighted = self.step.number - 1

    @property
    def there(self) -> Overview:
        """The guide's state; only after the first refresh."""
        assert self.overview is not None
        return self.overview

    @property
    def overview_reader(self) -> OverviewReader:
        """The reader of the guide's state; only after the first refresh."""
        assert self.reader is not None
        return self.reader

    @property
    def ahead(self) -> list[Expected]:
        """The preflight's findings, the worst first."""
        return sorted(self.there.expected, key=lambda one: SEVERITIES.index(one.severity))

    @property
    def step(self) -> GuideStep:
        """The step on which the cursor stands."""
        return next(step for step in self.steps if step.name == self.at)

    def on_resize(self, event: Any) -> None:
        """Fit the texts."""
        super().on_resize(event)
        if self.steps:
            self.call_after_refresh(self.draw_steps)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the step or the field under the cursor."""
        if event.option_list.id == "steps" and event.option_id and event.option_id != self.at:
            self.at = event.option_id
            self.draw_step()
        if event.option_list.id == "form":
            field = self.query_one(FormList).field
            self.query_one("#field", Static).update(explanation(field) if field else "")

    def draw_step(self) -> None:
        """Show the step under the cursor, and its details."""
        step, overview = self.step, self.overview
        if overview is None:
            return
        self.query_one("#now", Static).update(guide_texts.step_text(step, len(self.steps)))
        self.query_one("#detail-pane", Pane).rename(f"{step.number} {step.title}")
        shown = {
            "offer": ("form", "field"),
            "describe": ("form", "field") if overview.fields else ("seen",),
            "preflight": ("ahead",) if overview.expected else ("seen",),
            "check": ("sum", "findings") if overview.report else ("seen",),
        }.get(step.name, ("seen",))
        for name in ("sum", "form", "field", "findings", "ahead", "seen"):
            self.query_one(f"#{name}").set_class(name in shown, "-shown")
        self._fill(step, overview, shown)

    def _fill(self, step: GuideStep, overview: Overview, shown: tuple[str, ...]) -> None:
        following = self._following(step)
        if "form" in shown:
            self.query_one(FormList).show(overview.choices if step.name == "offer" else overview.fields, following)
        if "ahead" in shown:
            self._fill_ahead(overview, following)
        if "findings" in shown:
            self.query_one("#sum", Static).update(guide_texts.checked_text(overview))
            self.query_one(FindingsTree).show(self._remarks(overview))
        if "seen" in shown:
            self.query_one("#seen-text", Static).update(self._seen(step, overview))

    def _following(self, step: GuideStep) -> str:
        """Return the line that completes a step's form; empty while the form is incomplete."""
        from engine.guide.steps import current  # noqa: PLC0415

        after = current(self.steps)
        if step.name == "preflight":
            return "I have read this: continue" if step.state == "now" else ""
        return f"continue with step {after.number}: {after.title}" if step.state == "done" and after is not step else ""

    def _fill_ahead(self, overview: Overview, following: str) -> None:
        listed = self.query_one("#ahead", OptionList)
        width = (listed.scrollable_content_region.width or listed.size.width) or 76
        rows = [guide_texts.expected_row(overview, one, width) for one in self.ahead]
        at = listed.highlighted
        listed.clear_options()
        listed.add_options([Option(row, id=f"ahead-{number}") for number, row in enumerate(rows)])
        if following:
            listed.add_option(Option(Content.assemble(("→ ", "bold $mark"), (following, "bold")), id=GO_ON))
        if listed.option_count:
            last = listed.option_count - 1
            listed.highlighted = last if at is None and following else min(at or 0, last)

    def _remarks(self, overview: Overview) -> list[Any]:
        from engine.guide.fixes import annotated_findings  # noqa: PLC0415

        assert overview.report is not None
        by_design = overview.offer.expected if overview.offer else ()
        return annotated_findings(
            overview.tree, overview.report.findings, overview.rules, own=True, by_design=by_design
        )

    def _seen(self, step: GuideStep, overview: Overview) -> Content:
        if step.name == "get":
            return guide_texts.preparation_text(overview)
        if step.name in ("try", "runs"):
            return guide_texts.runs_text(overview, step.name)
        if step.name == "pack":
            return guide_texts.pack_text(overview)
        if step.name == "check":
            return guide_texts.checked_text(overview)
        return Content(step.long)

    def _beat(self) -> None:
        """Poll the jobs of a step: only their own folders, and only while this screen is shown."""
        running = [step.job for step in self.steps if step.state == "running" and step.job is not None]
        if running and self.is_current:
            watch = partial(self._watch, running)
            self.run_worker(watch, thread=True, group="beat", exclusive=True, exit_on_error=False)

    def _watch(self, running: list[Job]) -> None:
        from engine.jobs import jobs  # noqa: PLC0415

        seen = [jobs.read(job.folder) for job in running]
        if [(job.state, job.steps_ended) for job in seen] != [(job.state, job.steps_ended) for job in running]:
            self.deck.call_from_thread(self.look)
