"""Submit: the guide, from the first choice to a checked folder. The steps are the engine's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.widgets import OptionList

from engine.guide import actions
from engine.guide.fixes import fix_expected
from engine.guide.steps import current
from engine.submission.user_systems import path_of
from engine.text import clean, duration
from tui.actions import Action, bindings
from tui.screens.answering import AnswerWindow
from tui.screens.dialogs import Question, Reading
from tui.screens.guide_view import GuideView
from tui.screens.guide_windows import ask_folder, ask_guide
from tui.widgets.findings import FindingsTree, whole
from tui.widgets.form import GO_ON, FormList, explanation

if TYPE_CHECKING:
    from engine.guide.fixes import AnnotatedFinding, Fix
    from engine.jobs.jobs import Job
    from engine.submission.form import Field

LONG = 180.0
"""Runs that take at least this many seconds start only after a question."""

FORMS = ("offer", "describe")
JOBS = ("get", "try", "runs")
"""Steps with a form, and steps with a job."""


class SubmitScreen(GuideView):
    """The steps on one side, the selected step on the other, and its details below."""

    MODE = "submit"
    ABOUT = (
        "Submit leads through a submission: choose, describe the system, get model and data, try, look ahead, run, "
        "check, pack. Every step says what it is, why it is there, how long it takes here and what it needs. Nothing "
        "is sent anywhere: the last step is yours. Leave at any time and resume from any terminal: progress is derived "
        "from the files on disk."
    )
    ACTIONS = (
        Action("enter", "go", "do it", "do the step under the cursor, or open its details"),
        Action("b", "back", "back", "back to the list of steps"),
        Action("k", "skip", "skip", "skip this step, or undo that; not every step can be skipped"),
        Action("w", "why", "why", "details of the step, field or finding under the cursor"),
        Action("e", "edit", "edit", "edit the field under the cursor, or the one that a finding is about"),
        Action("r", "rerun", "run again", "run the step's job again, or the scenario that a finding is about"),
        Action("y", "copy", "copy path", "copy the path of the zip, the tree or the description"),
        Action("o", "open", "check a folder", "check any submission folder"),
        Action("n", "another", "another", "start another submission, or resume one"),
        Action("t", "truncate", "truncate", "truncate the accuracy logs again, where a finding asks for it"),
        Action("space", "fold", "show", "show the step's data; fold or unfold a branch of findings"),
    )
    BINDINGS: ClassVar = [*bindings(ACTIONS), ("escape", "act('back')", "back")]

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter: do the step, edit the field, show the finding, or fix what the preflight reports."""
        listed = event.option_list.id
        if listed == "steps":
            self.action_act("go")
        elif event.option_id == GO_ON:
            self._go_on()
        elif listed == "form":
            self.action_act("edit")
        elif listed == "findings":
            self.action_act("why" if self.query_one(FindingsTree).annotated else "fold")
        elif listed == "ahead":
            self._fix(self._ahead())

    def why_not(self, name: str) -> str | None:
        """Return why an action is not possible now."""
        if self.overview is None:
            return "the submission is still being read"
        step = self.step
        reasons = {
            "go": (step.state == "next", step.reason),
            "skip": (
                not step.can_skip and step.name not in self.there.guide.skipped,
                "this step is done" if step.state == "done" else f"step {step.number} can't be skipped",
            ),
            "edit": (
                self._to_edit() is None and self._fix_of("e") is None and step.name not in FORMS,
                "no field to edit here: go to step 1 or 2, or to a finding that names one",
            ),
            "rerun": (
                self._fix_of("r") is None and (step.name not in JOBS or step.state == "next"),
                "nothing to run here: go to a step with a job, or to a finding that names a scenario",
            ),
            "truncate": (self._fix_of("t") is None, "no finding under the cursor asks for this"),
        }
        refused, reason = reasons.get(name, (False, ""))
        return reason if refused else None

    def do_go(self) -> None:
        """Do the step."""
        step = self.step
        if step.state == "running" and step.job is not None:
            self.deck.go_run(step.job, guided=True)
        elif step.name in FORMS or step.name == "preflight":
            self._open(step.name)
        elif step.name in JOBS and step.state != "done":
            self._start(step.name)
        elif step.name == "check":
            self._check()
        elif step.name == "pack":
            self._pack()
        elif step.name == "send" and step.state != "skipped":
            self.work(partial(actions.have_sent, self.there))
        else:
            self._show_detail("seen")

    def _open(self, name: str) -> None:
        """Put the focus on the details of a step."""
        self._put_on(name)
        if name == "preflight":
            self._show_detail("ahead" if self.there.expected else "seen")
            return
        if name == "describe" and not self.there.written:
            self.work(partial(actions.describe, self.overview_reader, self.there.guide, {}))
        self._show_detail("form")
        if name == "offer" and self.there.offer is None:
            self._ask_choice("round")
        if self.step.state != "done":
            self.query_one(FormList).put_on_next()

    def _show_detail(self, name: str) -> None:
        self.add_class("-opened")
        self.query_one(f"#{name}").focus()

    def do_back(self) -> None:
        """Go back to the steps, and from there to Home."""
        steps = self.query_one("#steps", OptionList)
        if steps.has_focus and not self.has_class("-opened"):
            self.deck.switch_mode("home")
            return
        self.remove_class("-opened")
        steps.focus()
        self.call_after_refresh(self.draw_steps)

    def _go_on(self) -> None:
        """Go from a step's form to the next step."""
        if self.step.name == "preflight" and self.step.state == "now":
            self.work(partial(actions.have_read, self.there))
        else:
            self._put_on(current(self.steps).name)
        self.do_back()

    def _put_on(self, name: str) -> None:
        self.query_one("#steps", OptionList).highlighted = next(s.number for s in self.steps if s.name == name) - 1
        self.at = name
        self.draw_step()

    def do_edit(self) -> None:
        """Edit a field: of the form, or the one that a finding is about."""
        fix = self._fix_of("e")
        if fix is not None:
            self._fix(fix)
            return
        field = self._to_edit()
        if field is None:
            self._open(self.step.name)
            return
        self._ask(field)

    def _ask_choice(self, name: str) -> None:
        self._ask(next(one for one in self.there.choices if one.name == name))

    def _ask(self, field: Field) -> None:
        self.deck.push_screen(AnswerWindow(field, partial(self._judged, field.name)), partial(self._answered, field))

    def _to_edit(self) -> Field | None:
        form = self.query_one(FormList)
        return form.field if form.has_focus else None

    def _judged(self, name: str, value: str) -> Field:
        """Return a field as it would be with another value."""
        if self.step.name == "offer":
            return self.overview_reader.choice(self.there.guide, name, value)
        return next(one for one in self.overview_reader.fields(self.there.guide, {name: value}) if one.name == name)

    def _answered(self, field: Field, value: str | None) -> None:
        if value is None or self.overview is None:
            return
        then: Callable[[object], None] | None = self._next_field if field.verdict == "problem" else None
        if field.name == "round" and self.there.offer is None:
            then = lambda _: self._ask_choice("offer")  # noqa: E731
        if self.step.name == "offer":
            self.work(partial(actions.choose, self.overview_reader, self.there.guide, field.name, value), then)
        else:
            self.work(partial(actions.describe, self.overview_reader, self.there.guide, {field.name: value}), then)

    def _next_field(self, _: object) -> None:
        self.query_one(FormList).put_on_next()

    def _start(self, name: str, scenario: str = "") -> None:
        """Start the job of a step; a long one after a question."""
        prepared = self.there.prepared
        seconds = prepared.seen.totals.run_seconds if prepared is not None and name == "runs" else 0.0
        start = partial(_START[name], self.there, *([scenario] if scenario else []))
        then = partial(self.deck.go_run, guided=True) if name != "get" else None
        if seconds < LONG or scenario:
            self.work(start, then)
            return
        text = f"The runs take at least {duration(seconds)}. They continue without this window; start nothing else."
        ask = Question("start the runs", text, [("no", "cancel"), ("yes", "start")])
        self.deck.push_screen(ask, lambda answer: self.work(start, then) if answer == "yes" else None)

    def _check(self) -> None:
        if self.there.report is None or self.there.stale:
            self.work(partial(actions.build, self.there), lambda _: self._show_detail("findings"))
        else:
            self._show_detail("findings")

    def _pack(self) -> None:
        if self.there.packed:
            self.do_copy()
        elif self.step.state == "now":
            self.work(partial(actions.pack_tree, self.there), lambda _: self.do_copy())
        else:
            self.deck.say(self.step.reason or self.step.brief, "warning")

    def do_skip(self) -> None:
        """Skip the step, or undo that."""
        self.work(partial(actions.skip, self.there, self.step.name))

    def do_rerun(self) -> None:
        """Run a scenario again, or the step's job."""
        fix = self._fix_of("r")
        if fix is not None:
            self._start("runs", fix.scenario)
        else:
            self._start(self.step.name)

    def do_truncate(self) -> None:
        """Build the tree again, which truncates it."""
        self.work(partial(actions.build, self.there))

    def do_why(self) -> None:
        """Show the details of what is under the cursor."""
        annotated, field = self._annotated(), self._to_edit()
        if annotated is not None:
            self.deck.push_screen(Reading(clean(annotated.finding.rule), whole(annotated)))
        elif field is not None:
            self.deck.push_screen(Reading(clean(field.label), explanation(field)))
        else:
            step = self.step
            output = f"\n\nOutput: {clean(step.output)}" if step.output else ""
            self.deck.push_screen(Reading(step.title, f"{step.what} {step.why}\n\n{step.long}{output}"))

    def do_fold(self) -> None:
        """Show the step's data; in findings fold or unfold a branch."""
        if self.query_one(FindingsTree).has_focus:
            self.query_one(FindingsTree).fold()
            return
        parts = ("form", "findings", "ahead", "seen")
        self._show_detail(next(name for name in parts if self.query_one(f"#{name}").has_class("-shown")))

    def do_copy(self) -> None:
        """Copy the path of the zip, the tree or the description."""
        places = (self.there.zip if self.there.packed else self.there.tree, self.there.tree, self.there.results)
        found = next((path for path in places if path.exists()), None)
        path = found or path_of(self.deck.place.folders.profiles, self.there.guide.system)
        self.deck.copy_to_clipboard(str(path))
        self.deck.say(f"copied: {path}")

    def do_open(self) -> None:
        """Ask for a folder and check it."""
        ask_folder(self.deck)

    def do_another(self) -> None:
        """Ask which submission to resume."""
        ask_guide(self.deck, self._turn_to)

    def _turn_to(self, name: str) -> None:
        self.guide, self.at, self.steps = name, "", ()
        self.look()

    def _annotated(self) -> AnnotatedFinding | None:
        tree = self.query_one(FindingsTree)
        return tree.annotated if tree.has_focus else None

    def _ahead(self) -> Fix | None:
        listed = self.query_one("#ahead", OptionList)
        at = listed.highlighted
        inside = listed.has_focus and at is not None and at < len(self.ahead)
        return fix_expected(self.ahead[at]) if inside and at is not None else None

    def _fix_of(self, key: str) -> Fix | None:
        """Return the fix for what is under the cursor, where this key does it."""
        annotated = self._annotated()
        fix = annotated.fix if annotated is not None else self._ahead()
        return fix if fix is not None and fix.key == key else None

    def _fix(self, fix: Fix | None) -> None:
        """Go where it can be fixed."""
        if fix is None:
            return
        self._open("describe" if fix.key == "e" else "offer")
        if fix.field:
            self.query_one(FormList).put_on(fix.field)


_START: Mapping[str, Callable[..., Job]] = {"get": actions.get, "try": actions.try_out, "runs": actions.run}
