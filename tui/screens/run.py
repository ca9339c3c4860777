"""Run: one job, live or finished. It only reads the job's log and never disturbs a measurement."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static

from engine.errors import InferdeckError
from engine.system.live import Machine
from engine.text import time_of_day
from tui.actions import bindings
from tui.follow import CpuUse, Follower, Scene, job_to_follow
from tui.screens.base import DeckScreen
from tui.screens.dialogs import Question, Reading
from tui.widgets import run_texts
from tui.widgets.cockpit import VALUES, Cockpit, RunPhase, pages
from tui.widgets.keys import KeyLine
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from engine.jobs.jobs import Job

ZOOM = (1, 2, 5, 10, 30)
"""Seconds that a value of the charts stands for."""


class RunScreen(DeckScreen):
    """Follows the given job; without one, the running job, or the last."""

    MODE = "run"
    ABOUT = (
        "Run shows one job: progress, throughput and latency over time, machine load, steps. "
        "It only reads the job's log: leaving, freezing or losing this screen changes nothing for the job."
    )
    ACTIONS = run_texts.ACTIONS
    BINDINGS: ClassVar = bindings(ACTIONS)
    DEFAULT_CSS = """
    RunScreen #empty { height: 1fr; padding: 1 2; }
    """

    def body(self) -> Iterable[Widget]:
        """Yield what is shown without a job, and the panes of one."""
        yield Pane("run", Static(Content.assemble(*run_texts.TEACH), markup=False), id="empty")
        yield Cockpit(self.deck.terminal.glyphs)

    def on_mount(self) -> None:
        """Start without a job."""
        self._followed: Follower | None = None
        self._guided: set[Path] = set()
        """Folders of jobs that the guide started: Esc and, at the end, Enter go back to it."""
        self._frozen: float | None = None
        self._zoom = 0
        self._phase: RunPhase = "preparing"
        self._front = "steps"
        self._drawn: tuple[object, ...] = ()
        self._slow_due = 0.0
        self._asked = False
        self._machine = Machine()
        self._cost = CpuUse()
        self.cockpit.display = False
        self.query_one(KeyLine).show(())
        self.set_interval(self.deck.terminal.number_interval, self._beat)

    @property
    def cockpit(self) -> Cockpit:
        """The panes of a job."""
        return self.query_one(Cockpit)

    def shown(self) -> None:
        """Find a job where none is followed, or where that one has ended and another runs."""
        if self._is_free():
            self.run_worker(self._find, thread=True, group="find", exclusive=True, exit_on_error=False)
        self._beat(at_once=True)

    def _is_free(self) -> bool:
        return self._followed is None or self._followed.look().over

    def _find(self) -> None:
        if found := job_to_follow(self.deck.place.folders, running_only=self._followed is not None):
            self.deck.call_from_thread(self._found, found)

    def _found(self, job: Job) -> None:
        if self._is_free():  # the person may have chosen another in the meantime
            self.watch_job(job)

    def watch_job(self, job: Job, *, guided: bool = False) -> None:
        """Follow a job, with its earlier events; `guided` where the guide started it."""
        if guided:
            self._guided.add(job.folder)
        if self._followed is None or self._followed.job.folder != job.folder:
            self._followed = Follower(job, self.deck.place.catalog.components)
            self._frozen, self._front, self._drawn = None, "", ()
            self.cockpit.query_one("#progress").border_subtitle = None
            self.query_one("#empty").display = False
            self.cockpit.display = True
            self.header().set_texts(title=f"{job.id} {job.what}")
            self._catch_up()
        self._beat(at_once=True)

    def _catch_up(self) -> None:
        """Read a long log piece by piece, keys in between."""
        if self._followed is not None and self._followed.watch.behind:
            self._followed.watch.catch_up()
            self.call_later(self._catch_up)

    def _beat(self, *, at_once: bool = False) -> None:
        """Read the log and draw what is new. A frozen or hidden view costs nothing."""
        followed = self._followed
        if followed is None or self._frozen is not None or not self.is_current:
            return
        before, scene = followed.scene.state, followed.look()
        # A clock is shown while it runs; what is over stays as it is.
        states = tuple(step.state for step in scene.steps)
        drawn = (scene.job_status, states, scene.has_latency, None if scene.over else int(scene.now))
        if scene.state is before and drawn == self._drawn and not at_once:
            return
        changed = drawn[:-1] != self._drawn[:-1]
        self._drawn = drawn
        self._draw(scene, slow=at_once or changed or scene.over)
        if changed:
            self._show_outcome(scene)

    def _redraw(self) -> None:
        """Draw the last state, frozen or not."""
        if self._followed is not None and self.is_current:
            self._draw(self._followed.scene, slow=True)

    def _draw(self, scene: Scene, *, slow: bool) -> None:
        self._arrange(scene)
        self.cockpit.draw_numbers(scene)
        if not slow and time.monotonic() < self._slow_due:
            return
        self._slow_due = time.monotonic() + self.deck.terminal.chart_interval - 0.01
        self.cockpit.draw_slow(scene, self._machine.read(), self._cost.share())
        measured = scene.state.measurement
        if measured is not None and self._followed is not None and self._phase == "measuring":
            seconds = ZOOM[self._zoom]
            self.cockpit.draw_charts(measured, self._followed.watch.points(seconds, VALUES), seconds)

    def _arrange(self, scene: Scene) -> None:
        """Choose the panes. Charts of a measurement stay until the next one begins."""
        phase: RunPhase = "over" if scene.over else "measuring" if scene.state.measurement else "preparing"
        if phase != self._phase:
            self._phase, self._front = phase, ""
        row = self._pages(scene)
        if self._front not in row:
            self._front = row[0]
            self.call_after_refresh(self._focus_front)
        self.cockpit.place(self._phase, self._front, narrow=self._is_narrow(), latency=scene.has_latency)
        self.cockpit.name_pane("progress", scene.title)

    def _show_outcome(self, scene: Scene) -> None:
        """Update the key line, and the outcome of a job that has ended."""
        possible = {one.name for one in self.ACTIONS if self.why_not(one.name) is None}
        ordered = run_texts.ordered(self.ACTIONS, possible, over=scene.over, guided=self._is_guided())
        self.query_one(KeyLine).show(ordered)
        if scene.over and self._followed is not None:
            from tui.widgets.outcome import outcome  # noqa: PLC0415

            self.cockpit.outcome_text.update(outcome(self._followed.job, scene.state, scene.job_status))

    def _is_guided(self) -> bool:
        return self._followed is not None and self._followed.job.folder in self._guided

    def _pages(self, scene: Scene) -> tuple[str, ...]:
        return pages(self._phase, narrow=self._is_narrow(), latency=scene.has_latency)

    def _is_narrow(self) -> bool:
        return self.app.size.width < 100

    def _focus_front(self) -> None:
        if self.is_current and self._front in self.cockpit.mains:
            self.cockpit.mains[self._front].focus()

    def on_resize(self, event: events.Resize) -> None:
        """Arrange the panes again."""
        super().on_resize(event)
        self._redraw()

    def on_resized(self) -> None:
        """Fill the panes for their new size, once for all of them."""
        if not self._asked:
            self._asked = True
            self.call_later(self._resized)

    def _resized(self) -> None:
        self._asked = False
        self._redraw()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Keep Tab in step with the focus. In a small terminal only Tab decides what is shown."""
        if self._is_narrow():
            return
        pane = next((one for one in event.widget.ancestors_with_self if isinstance(one, Pane)), None)
        if pane is not None and pane.id in self.cockpit.mains:
            self._front = pane.id

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Show the log of a step."""
        event.stop()
        self.action_act("log")

    def why_not(self, name: str) -> str | None:
        """Return why an action is not possible in the job's state."""
        if self._followed is None:
            return "there is no job yet; 2 plans one"
        if name == "now" and not self._followed.scene.state.waits:
            return "it is not waiting for another job"
        if name == "guide" and not self._is_guided():
            return "this job was not started by the guide; 5 goes there"
        if name == "tuning":
            return run_texts.why_no_tuning(self._followed.scene)
        charts, job_status = self._phase == "measuring", self._followed.scene.job_status
        return run_texts.why_not(name, job_status, self._front, charts=charts, zoomed=self._zoom, last=len(ZOOM) - 1)

    def do_leave(self) -> None:
        """Go to Home and show how to come back."""
        job = self._now().job
        self.deck.say(f"{job.id} continues; come back with Enter on Home, or: inferdeck attach {job.id}")
        self.run_worker(self.deck.run_action("switch_mode('home')"), exit_on_error=False)

    def do_stop(self) -> None:
        """Ask before the job is stopped."""
        now = self._now()
        answers = (("no", "let it run"), ("yes", f"stop {now.job.id}"))
        lost = run_texts.what_is_lost(now.job, now.scene.state)
        self.app.push_screen(Question(f"stop {now.job.id}?", lost, answers), self._stop)

    def _stop(self, answer: str | None) -> None:
        from engine.jobs import control, jobs  # noqa: PLC0415

        if answer != "yes":
            return
        try:
            control.cancel(jobs.read(self._now().job.folder))
        except InferdeckError as error:
            self.deck.say_error(error)

    def do_now(self) -> None:
        """Let the job measure now, without waiting for the other job."""
        from engine.jobs import control  # noqa: PLC0415

        try:
            control.measure_now(self._now().job)
        except InferdeckError as error:
            self.deck.say_error(error)

    def do_next(self) -> None:
        """Go to the next pane."""
        scene = self._now().scene
        row = self._pages(scene)
        self._front = row[(row.index(self._front) + 1) % len(row)] if self._front in row else row[0]
        self._arrange(scene)
        self.call_after_refresh(self._focus_front)

    def do_freeze(self) -> None:
        """Freeze or resume the view."""
        self._frozen = time.time() if self._frozen is None else None
        clock = "" if self._frozen is None else time_of_day(self._frozen)
        text = f"view frozen at {clock}, the job continues · p resumes the view" if clock else None
        self.cockpit.query_one("#progress").border_subtitle = text
        self._beat(at_once=True)

    def do_closer(self) -> None:
        """Show a shorter time span."""
        self._zoom -= 1
        self._redraw()

    def do_wider(self) -> None:
        """Show a longer time span."""
        self._zoom += 1
        self._redraw()

    def do_log(self) -> None:
        """Show the log of the selected step, or of the running one."""
        now = self._now()
        chosen = self.cockpit.steps.chosen if self._front == "steps" else None
        self.app.push_screen(run_texts.files_of(now.job, now.scene.state, chosen))

    def do_tuning(self) -> None:
        """Show how the workers were chosen."""
        from tui.screens import tuning  # noqa: PLC0415

        tuning.show(self.deck, self._now().scene)

    def do_copy(self) -> None:
        """Copy the figures, and show where the files are."""
        now = self._now()
        self.app.copy_to_clipboard(run_texts.numbers(now.scene))
        self.deck.say(f"copied; the log is {now.job.events}")

    def do_open(self) -> None:
        """Show all events, or the results of a job that has ended."""
        if self._front == "events":
            self.app.push_screen(Reading("events, the newest first", run_texts.all_events(self._now().scene.state)))
        elif self._is_guided():
            self.do_guide()
        else:
            self.run_worker(self.deck.run_action("switch_mode('results')"), exit_on_error=False)

    def do_guide(self) -> None:
        """Go back to the guide."""
        self.deck.go_guide()

    def do_resume(self) -> None:
        """Resume the job."""
        self.run_worker(self._resume, thread=True, group="resume", exclusive=True, exit_on_error=False)

    def _resume(self) -> None:
        from engine.jobs import control  # noqa: PLC0415

        try:
            control.launch(self._now().job.folder, self.deck.place.folders)
        except InferdeckError as error:
            self.deck.call_from_thread(self.deck.say_error, error)

    def _now(self) -> Follower:
        assert self._followed is not None  # why_not lets nothing through without a job
        return self._followed
