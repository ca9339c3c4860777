"""Home: jobs, ways to start, and this machine."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.design_space.exploration_folders import running_explorations
from engine.errors import InferdeckError
from engine.text import clean, duration, size
from tui.actions import Action, bindings
from tui.screens.base import DeckScreen
from tui.screens.dialogs import Reading
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from engine.jobs.jobs import DamagedJob, Job
    from engine.survey.readiness import Readiness
    from tui.deck import Deck

SHOWN_JOBS = 5
INTERVAL = 2.0
"""Seconds between two polls of the jobs."""

_WORDS = {
    "running": ("● running", "bold $good"),
    "finished": ("  finished", "$good"),
    "failed": ("  failed", "$bad"),
    "cancelled": ("  stopped", "$todo"),
    "died": ("  died", "bold $bad"),
    "new": ("  not started", "$dim"),
}

_EXPLORING = "exploring "
"""Before the name of an exploration in the list of jobs."""

_STARTS = (
    ("guide", "g", "Guided first submission", "step by step to a checked folder"),
    ("new", "n", "New run", "pick, see the plan, run"),
    ("try", "t", "Try it now", "a tiny model, no download, half a minute"),
    ("open", "o", "Open a recipe", "saved choices"),
)


@dataclass(frozen=True)
class MachineLine:
    """A line about the machine: what it has, or what is missing and how to get it."""

    name: str
    text: str
    remedy: str = ""
    good: bool = True


class HomeScreen(DeckScreen):
    """The first screen. Running jobs come first; Enter attaches to them."""

    MODE = "home"
    ABOUT = (
        "Home shows the jobs of this machine, the newest first, four ways to start, and what this machine can run. "
        "A job is a process of its own: leaving this screen, or losing the connection, never stops it."
    )
    ACTIONS = (
        Action("g", "guide", "guide", "the guided first submission: every step explained, nothing is sent anywhere"),
        Action("n", "new", "new run", "choose model, backend, scenarios and more, and see the plan before it runs"),
        Action("t", "try", "try it", "run the demonstration that needs no download, in test style"),
        Action("o", "open", "open recipe", "start from saved choices"),
        Action("i", "machine", "this machine", "what this machine has, what is missing, and how to get it"),
    )
    BINDINGS: ClassVar = bindings(ACTIONS)
    DEFAULT_CSS = """
    HomeScreen #jobs-pane { max-height: 9; }
    HomeScreen #jobs { text-wrap: nowrap; text-overflow: ellipsis; }
    HomeScreen #machine-pane { height: 1fr; }
    HomeScreen #machine { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def body(self) -> Iterable[Widget]:
        """Yield the three panes."""
        yield Pane(
            "jobs",
            OptionList(id="jobs", markup=False),
            id="jobs-pane",
            help="The jobs of this machine. Enter opens one: a running job live, a finished one with its last state.",
        )
        yield Pane(
            "start",
            OptionList(*(_start_option(*one) for one in _STARTS), id="start", markup=False),
            id="start-pane",
            help="Four ways to start. Each shows the plan before anything runs, except 'try it'.",
        )
        yield Pane("this machine", Static(" reading…", id="machine", markup=False), id="machine-pane")

    def on_mount(self) -> None:
        """Put the focus on the ways to start."""
        self._listed: tuple[tuple[str, str, str, int], ...] | None = None
        self._jobs: dict[str, Job | DamagedJob] = {}
        self._lines: list[MachineLine] = []
        self.query("#start").focus()
        self.set_interval(INTERVAL, self._look)

    def ready(self) -> None:
        """Survey the machine once."""
        self.run_worker(self._read_machine, thread=True, group="machine", exit_on_error=False)

    def shown(self) -> None:
        """Look at the jobs."""
        self._look()

    def _look(self) -> None:
        if self.deck.opened and self.is_current:
            self.run_worker(self._read_jobs, thread=True, group="jobs", exclusive=True, exit_on_error=False)

    def _read_jobs(self) -> None:
        from engine.jobs import jobs  # noqa: PLC0415  (start-up: paint first)

        found, damaged = jobs.survey(self.deck.place.folders)
        self.deck.call_from_thread(self._show_jobs, found, damaged, running_explorations(self.deck.place.folders))

    def _show_jobs(self, found: Sequence[Job], damaged: Sequence[DamagedJob], exploring: Sequence[str]) -> None:
        live = [job for job in found if job.state == "running"]
        count = len(live)
        self.header().set_texts(running=f"{count} running" if count else "")
        others: list[Job | DamagedJob] = [*(job for job in found if job.state != "running"), *damaged]
        others.sort(key=lambda job: (len(job.id), job.id), reverse=True)
        chosen: list[Job | DamagedJob] = [*live, *others][:SHOWN_JOBS]
        listed = (*((name, "exploring", "", 0) for name in exploring), *(_shown(job) for job in chosen))
        if listed == self._listed:
            self._redraw(chosen, len(exploring))
            return
        first, self._listed = self._listed is None, listed
        self._jobs = {job.id: job for job in chosen}
        options = self.query_one("#jobs", OptionList)
        kept = options.highlighted
        options.clear_options()
        options.add_options([Option(_exploring_line(name), id=_EXPLORING + name) for name in exploring])
        options.add_options([Option(_job_line(job), id=job.id) for job in chosen])
        if not listed:
            empty = Content.styled("nothing yet: t runs a first job here, in half a minute", "$dim")
            options.add_option(Option(empty, disabled=True))
        elif kept is not None:
            options.highlighted = min(kept, len(listed) - 1)
        if first and (live or exploring):
            options.focus()
            options.highlighted = 0

    def _redraw(self, chosen: Sequence[Job | DamagedJob], above: int) -> None:
        """Update how long ago each job ran; the cursor does not move."""
        options = self.query_one("#jobs", OptionList)
        for number, job in enumerate(chosen, above):
            line = _job_line(job)
            if options.get_option_at_index(number).prompt != line:
                options.replace_option_prompt_at_index(number, line)

    def _read_machine(self) -> None:
        self._lines = _machine(self.deck)
        self.deck.call_from_thread(self.query_one("#machine", Static).update, _drawn(self._lines))
        self._lines += _checks(self.deck)
        self.deck.call_from_thread(self.query_one("#machine", Static).update, _drawn(self._lines))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open a job, or start something."""
        from engine.jobs.jobs import Job  # noqa: PLC0415

        name = event.option_id or ""
        if name.startswith(_EXPLORING):
            self.deck.go_exploration(name.removeprefix(_EXPLORING))
            return
        job = self._jobs.get(name)
        if isinstance(job, Job):
            self.deck.go_run(job)
        elif job is not None:
            self.deck.say(f"{job.id} is damaged: {job.why}", "warning")
        elif name:
            self.action_act(name)

    def why_not(self, name: str) -> str | None:
        """Every action needs the profiles."""
        return None if self.deck.opened else "the profiles are still being read"

    def do_guide(self) -> None:
        """Go to the guide."""
        self.deck.go_guide()

    def do_new(self) -> None:
        """Go to the plan."""
        self.run_worker(self.deck.run_action("switch_mode('plan')"), exit_on_error=False)

    def do_try(self) -> None:
        """Start the offline demonstration and watch it."""
        self.run_worker(self._try, thread=True, group="try", exclusive=True, exit_on_error=False)

    def _try(self) -> None:
        from engine.jobs.start import begin  # noqa: PLC0415
        from engine.plan.selection_syntax import of_recipe  # noqa: PLC0415
        from engine.profile import recipe_files  # noqa: PLC0415
        from engine.profile.benchmarks import default_name  # noqa: PLC0415
        from engine.survey.prepare import prepare  # noqa: PLC0415

        place = self.deck.place
        try:
            known = place.catalog.benchmarks
            recipe = known[default_name(known)].file.demo.offline
            chosen = of_recipe(recipe_files.read(place.catalog.profile(recipe_files.FOLDER, recipe)))
            job = begin(prepare(place, chosen))
        except InferdeckError as error:
            self.deck.call_from_thread(self.deck.say_error, error)
            return
        self.deck.call_from_thread(self.deck.go_run, job)

    def do_machine(self) -> None:
        """Show all lines whole."""
        self.deck.push_screen(Reading("this machine", _drawn(self._lines)))

    def do_open(self) -> None:
        """Choose a recipe."""
        from tui.screens.recipes import choose_recipe  # noqa: PLC0415

        choose_recipe(self.deck)


_LATER = "not supported yet"
"""The line of benchmarks that a later release will have."""


def _start_option(name: str, key: str, title: str, text: str) -> Option:
    return Option(Content.assemble((f"{key}  ", "bold $mark"), (f"{title:26}", "bold"), (text, "$dim")), id=name)


def _shown(job: Job | DamagedJob) -> tuple[str, str, str, int]:
    """Return what a line depends on, the time aside."""
    from engine.jobs.jobs import DamagedJob  # noqa: PLC0415

    if isinstance(job, DamagedJob):
        return job.id, "damaged", job.why, 0
    return job.id, job.state, job.waits, job.steps_ended


def _exploring_line(name: str) -> Content:
    return Content.assemble(
        ("● exploring   ", "bold $good"), (f"{clean(name)}  ", "bold"), ("Enter shows its trials and front", "$dim")
    )


def _job_line(job: Job | DamagedJob) -> Content:
    from engine.jobs.jobs import DamagedJob  # noqa: PLC0415

    if isinstance(job, DamagedJob):
        return Content.assemble((f"{'  damaged':14}", "bold $bad"), (f"{job.id}  ", "bold"), (clean(job.why), "$dim"))
    word, style = ("● waiting", "bold $todo") if job.waits else _WORDS[job.state]
    steps = f"{job.steps_ended}/{len(job.spec.plan.nodes)} steps"
    when = duration(time.time() - job.started)
    text = f"{when} ago" if job.state != "running" else f"for {when}"
    what = clean(job.what)
    return Content.assemble(
        (f"{word:14}", style), (f"{job.id}  ", "bold"), (f"{steps:12} {text:11} ", ""), (what, "$dim")
    )


def _machine(deck: Deck) -> list[MachineLine]:
    """Read what the machine is."""
    from engine import system  # noqa: PLC0415

    found = system.detect()
    disk = system.storage(deck.place.folders.store)
    cpu = found.cpu
    gpus = ", ".join(gpu.model for gpu in found.gpus)
    quick = [flag for flag in cpu.flags if flag in ("avx512_vnni", "avx512_bf16", "amx_int8", "avx2", "asimddp")]
    return [
        MachineLine("", f"{found.hostname}  {cpu.model}, {cpu.usable_cores} cores  {' '.join(quick)}"),
        MachineLine("", f"{size(found.memory.usable)} memory, {size(disk.free)} disk free, {gpus or 'no GPU'}"),
    ]


def _checks(deck: Deck) -> list[MachineLine]:
    """Check what can run here; what is missing something comes first, because a small screen shows no more."""
    from engine.survey.readiness import benchmark_checks, recipe_checks  # noqa: PLC0415

    checks: list[Readiness] = [*recipe_checks(deck.place), *benchmark_checks(deck.place)]
    later = [one for one in checks if not one.ready and not one.remedy]
    first = sorted((one for one in checks if one not in later), key=lambda one: one.ready)
    lines = [MachineLine(one.name, one.text, one.remedy, one.ready) for one in first]
    if later:
        lines.append(MachineLine(_LATER, ", ".join(one.name for one in later), good=False))
    return lines


def _drawn(lines: Sequence[MachineLine]) -> Content:
    parts: list[tuple[str, str]] = []
    names = max((len(line.name) for line in lines), default=0)
    for line in lines:
        if not line.name:
            parts += [(clean(line.text) + "\n", "")]
            continue
        word = (
            ("ready  ", "$good") if line.good else ("planned", "$dim") if line.name == _LATER else ("missing", "$todo")
        )
        parts += [word, (f" {line.name:{names}} ", "bold"), (clean(line.text), "" if line.good else "$dim")]
        parts += [("\n", "")]
        if line.remedy:
            parts += [(f"{'':8}{clean(line.remedy)}\n", "$dim")]
    return Content.assemble(*parts)
