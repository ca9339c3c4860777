"""Run a plan: independent steps in parallel, measurements alone, resuming from earlier attempts."""

from __future__ import annotations

import queue
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine import codec, events
from engine.errors import CannotRunError, DataError, InferdeckError
from engine.facts import CommonFacts
from engine.jobs import measuring, places
from engine.jobs import publishing as results
from engine.jobs.child import Children, file_name
from engine.jobs.event_log import EventWriter
from engine.jobs.job_spec import JobSpec
from engine.plan.plan import Node
from engine.profile.catalog import Catalog
from engine.profile.component import Component, fill
from engine.step import Artifact
from engine.store.files import disk_errors, read_plain, write_atomic
from engine.store.folders import Folders
from engine.store.recipe import NotKept, Recipe
from engine.submission import provenance
from engine.survey import lock, timings
from engine.survey.survey import STOPS, Seen, Surveyor

_THERE = ("found", "cached", "group")
"""Survey states of a step that needs no work."""

LARGEST_MARK = 64 << 20
"""Maximum size of `finished.json` in bytes."""

_LOOK_FOR_SIGNALS = 1.0
"""Seconds."""


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """Marks a step of the job as finished; written when all of its files are in place."""

    entry: str
    """The recipe's entry name: another recipe means another step."""
    facts: dict[str, object]
    seconds: float
    published: bool = True
    """False where the results folder does not have it yet: a full disk, or a kill in between."""


class _Clock:
    """Measures a step's duration, without the time that it waited for another job."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def seconds(self) -> float:
        """Return the seconds so far."""
        return time.monotonic() - self._started

    def restart(self) -> None:
        """Reset to zero."""
        self._started = time.monotonic()


@dataclass(frozen=True)
class _Ended:
    node: str
    outcome: events.Outcome
    seen: Seen
    seconds: float = 0.0
    error: InferdeckError | None = None
    bug: BaseException | None = None
    text: str = ""


class Runner:
    """Runs one job in this process, which holds the job's lock."""

    def __init__(self, folder: Path, spec: JobSpec, catalog: Catalog, folders: Folders, lock: int) -> None:
        self.folder = folder
        self.spec = spec
        self.catalog = catalog
        self.folders = folders
        self.lock = lock
        (folder / places.NOW).unlink(missing_ok=True)
        self.log = EventWriter(folder / places.EVENTS)
        self.surveyor = Surveyor(catalog, folders, again=spec.again)
        self.children = Children(folder, spec, self.log.write, catalog.folders, folders.profiles, folders.store)
        self.results = spec.results_folder(folder)
        self.seen: dict[str, Seen] = {}
        self.lost: set[str] = set()
        self.times: dict[str, float] = {}
        self._ended: queue.SimpleQueue[_Ended] = queue.SimpleQueue()
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Cancel: kill what runs, keep what is finished. Safe to call from a signal handler's thread."""
        self._cancelled.set()
        self.children.stop()

    def run(self) -> events.Ending:
        """Run every step that can run; returns how the job ended, which the log's last record says too."""
        started = time.time()
        waiting = list(self.spec.plan.nodes.values())
        running: dict[str, bool] = {}
        while waiting or running:
            waiting = self._start_what_can(waiting, running)
            if running:
                self._take(self._next(), running)
            elif waiting and not self._progress_possible(waiting):
                raise AssertionError(f"steps wait for each other: {[node.id for node in waiting]}")
        self.surveyor.store.release()
        timings.add(self.folders, self.times)
        ending: events.Ending = "cancelled" if self._cancelled.is_set() else "failed" if self.lost else "finished"
        now = time.time()
        self.log.write(events.Done(at=now, ending=ending, seconds=now - started, results=str(self.results)))
        self.log.close()
        return ending

    def _next(self) -> _Ended:
        """Wait for a step to end. Not for ever: a signal that arrives just before the wait would be seen at its end."""
        while True:
            with suppress(queue.Empty):
                return self._ended.get(timeout=_LOOK_FOR_SIGNALS)

    def _progress_possible(self, waiting: list[Node]) -> bool:
        return any(self._ready(node) for node in waiting)

    def _ready(self, node: Node) -> bool:
        return all(one in self.seen or one in self.lost for one in self._before(node))

    def _before(self, node: Node) -> list[str]:
        return [*(edge.node for edge in node.needs), *node.follows]

    def _start_what_can(self, waiting: list[Node], running: dict[str, bool]) -> list[Node]:
        """Settle or start every step whose needs have ended; returns those that still wait."""
        still: list[Node] = []
        alone: list[tuple[Node, Seen]] = []
        for node in waiting:
            if not self._ready(node):
                still.append(node)
            elif (seen := self._settle(node)) is not None:
                if self.catalog.components[node.component].exclusive:
                    alone.append((node, seen))
                elif len(running) < self.spec.at_once and not any(running.values()):
                    self._start(node, seen, running)
                else:
                    still.append(node)
        for node, seen in alone:
            if not running and not any(self._ready(one) for one in still):
                self._start(node, seen, running)
            else:
                still.append(node)
        return still

    def _settle(self, node: Node) -> Seen | None:
        """End a step that needs no work; otherwise return its survey result."""
        lost = [one for one in self._before(node) if one in self.lost]
        if lost or self._cancelled.is_set():
            text = f"{lost[0]} failed" if lost else "cancelled"
            self._end(_Ended(node.id, "skipped" if lost else "cancelled", Seen(state="blocked"), text=text))
            return None
        try:
            seen = self._survey_step(node)
            if seen.state in STOPS:
                raise CannotRunError(seen.text, seen.remedy)
            there = seen.state in _THERE
            kept = None if there else self._kept(node, seen)
        except InferdeckError as error:
            self._end(_Ended(node.id, "failed", Seen(state="missing"), error=error))
            return None
        if there:
            self._warn(node, seen)
            self._end(_Ended(node.id, "cached" if seen.state == "cached" else "found", seen, text=seen.text))
            return None
        if kept is not None:
            self._end(_Ended(node.id, "reused", kept, text="finished in an earlier attempt of this job"))
            return None
        return seen

    def _survey_step(self, node: Node) -> Seen:
        """Survey a step; an artifact that the job will use can't be removed from then on."""
        seen = self.surveyor.survey_node(node, self.seen)
        if seen.state != "cached":
            return seen
        store = self.surveyor.store
        store.use(seen.entry)
        there = store.content(seen.entry).exists()  # it may have been removed in between
        return seen if there else self.surveyor.survey_node(node, self.seen)

    def _start(self, node: Node, seen: Seen, running: dict[str, bool]) -> None:
        component = self.catalog.components[node.component]
        running[node.id] = component.exclusive
        self._say_started(node, seen)
        threading.Thread(target=self._work, args=(node, component, seen), daemon=True).start()

    def _say_started(self, node: Node, seen: Seen) -> None:
        why = "; ".join(str(cause) for cause in seen.causes if not isinstance(cause, NotKept))
        self.log.write(events.StepStarted(at=time.time(), step=node.id, title=node.title, why=why))

    def _work(self, node: Node, component: Component, seen: Seen) -> None:
        """Run one step in its thread, and put its outcome into the queue."""
        clock, how = _Clock(), self._make if component.cache else self._do
        try:
            outcome, made = how(node, component, seen, clock)
        except InferdeckError as error:
            self._ended.put(_Ended(node.id, "failed", seen, clock.seconds(), error=error))
        except BaseException as bug:  # noqa: BLE001  (the outer edge of a step's thread: the main thread raises it)
            self._ended.put(_Ended(node.id, "failed", seen, clock.seconds(), bug=bug))
        else:
            self._ended.put(_Ended(node.id, outcome, made, clock.seconds(), text=_summary(made)))

    def _run(
        self, node: Node, component: Component, seen: Seen, output: Path, locks: tuple[int, ...], clock: _Clock
    ) -> dict[str, object]:
        """Run a step in a worker and return its facts; one that measures first waits for its turn on this machine."""
        if not component.exclusive:
            return self.children.run(node, component, self._inputs(node), output, locks)
        with measuring.turn(self.folder.name) as turn:
            self._wait(node, seen, turn, clock)
            facts = self.children.run(node, component, self._inputs(node), output, (*locks, *turn.locks))
            if concurrent := turn.disturbed():
                self.log.write(events.Warned(at=time.time(), step=node.id, text=concurrent, disturbs=True))
            disturbed = "; ".join(filter(None, (concurrent, str(facts.get(provenance.DISTURBED, "")))))
        return {**facts, provenance.DISTURBED: disturbed} if disturbed else facts

    def _wait(self, node: Node, seen: Seen, turn: measuring.Turn, clock: _Clock) -> None:
        """Wait until no other job on this machine measures, or the user asks not to wait."""

        def report(holder: str) -> None:
            self.log.write(events.Waiting(at=time.time(), step=node.id, holder=holder))

        if turn.wait(self._cancelled.is_set, lambda: self.spec.now or (self.folder / places.NOW).exists(), report):
            clock.restart()
            if not self._cancelled.is_set():
                self._say_started(node, seen)
        if turn.fault:
            remedy = f"{measuring.VARIABLE}=DIR names a folder on a local disk that all users may write to"
            self.log.write(events.Warned(at=time.time(), step=node.id, text=turn.fault, remedy=remedy))

    def _make(self, node: Node, component: Component, seen: Seen, clock: _Clock) -> tuple[events.Outcome, Seen]:
        """Make an artifact and publish it to the store, unless another job has done so meanwhile."""
        recipe = seen.recipe
        assert recipe is not None
        store = self.surveyor.store
        with store.making(recipe, resumable=component.resumable) as making:
            manifest = None if self.spec.again else store.hit(recipe)
            outcome: events.Outcome = "cached"
            if manifest is None:
                facts = self._run(node, component, seen, making.content, (making.lock, self.lock), clock)
                self._refuse_changed(node, recipe)
                manifest = store.publish(recipe, facts, clock.seconds())
                outcome = "built"
            store.use(recipe.entry())
        return outcome, _with(seen, Artifact(str(store.content(recipe.entry())), manifest.facts))

    def _refuse_changed(self, node: Node, recipe: Recipe) -> None:
        """Raise DataError where files that a step read from elsewhere changed since the survey."""
        if "outside" in recipe.inputs and self.surveyor.survey_node(node, self.seen).identity != recipe.key():
            raise DataError(
                f"files that '{node.title}' reads changed while it read them",
                "make sure nothing writes to them, and run the same command again",
            )

    def _warn(self, node: Node, seen: Seen) -> None:
        if seen.warning:
            self.log.write(events.Warned(at=time.time(), step=node.id, text=seen.warning))

    def _do(self, node: Node, component: Component, seen: Seen, clock: _Clock) -> tuple[events.Outcome, Seen]:
        """Run a step whose outcome belongs to this job: a measurement, its score."""
        folder = self._folder(node)
        output = folder / "output"
        with disk_errors(folder):
            if output.exists():
                shutil.rmtree(output)
            output.mkdir(parents=True)
        facts = self._run(node, component, seen, output, (self.lock,), clock)
        if component.results:
            self._complete(component, output, facts)
        mark = Finished(entry=seen.entry, facts=facts, seconds=clock.seconds(), published=not component.results)
        self._file(node, mark)
        return "built", _with(seen, Artifact(str(output), facts))

    def _file(self, node: Node, mark: Finished) -> None:
        """Mark a step as finished, then publish its files to the results folder.

        In this order, so that an unwritable folder costs no measurement: the next attempt publishes it.
        """
        place, component = self._folder(node) / places.FINISHED, self.catalog.components[node.component]
        write_atomic(place, codec.encode(mark))
        if not mark.published:
            self._publish(node, component)
            write_atomic(place, codec.encode(msgspec.structs.replace(mark, published=True)))

    def _complete(self, component: Component, output: Path, facts: Mapping[str, object]) -> None:
        """Add to a step's output what readers of the results folder need: lock file, disturbance."""
        if self.spec.lock is not None and component.exclusive:
            lock.write(output / lock.FILE, self.spec.lock)
        if disturbed := facts.get(provenance.DISTURBED):
            write_atomic(output / provenance.DISTURBED_FILE, f"{disturbed}\n".encode())

    def _publish(self, node: Node, component: Component) -> None:
        inside = fill(component.results, node.values())
        replaced = results.publish(self._folder(node) / "output", self.results, inside, fresh=component.exclusive)
        if replaced is not None:
            text = f"what an earlier run left in {self.results / inside} is kept in {replaced}"
            self.log.write(events.Warned(at=time.time(), step=node.id, text=text))

    def _kept(self, node: Node, seen: Seen) -> Seen | None:
        """Return what an earlier attempt of this job finished, where it was made from the same inputs.

        It is published if that had not happened yet. Raises StoreError where it can't be.
        """
        if self.catalog.components[node.component].cache:
            return None
        folder = self._folder(node)
        try:
            mark = codec.decode(read_plain(folder / places.FINISHED, LARGEST_MARK), type=Finished)
        except (OSError, msgspec.DecodeError):
            return None
        if mark.entry != seen.entry:
            return None
        if not mark.published:
            self._file(node, mark)
        return _with(seen, Artifact(str(folder / "output"), mark.facts))

    def _inputs(self, node: Node) -> Mapping[str, Artifact]:
        found = {}
        for edge in node.needs:
            artifact = self.seen[edge.node].artifact
            if artifact is not None:
                found[edge.name] = artifact
        return found

    def _folder(self, node: Node) -> Path:
        return self.folder / "steps" / file_name(node.id)

    def _take(self, ended: _Ended, running: dict[str, bool]) -> None:
        del running[ended.node]
        if ended.bug is not None:
            raise ended.bug
        self._end(ended)

    def _end(self, ended: _Ended) -> None:
        if ended.outcome in ("failed", "skipped", "cancelled"):
            self.lost.add(ended.node)
        else:
            self.seen[ended.node] = ended.seen
            if ended.outcome == "built":
                self.times[ended.seen.identity] = ended.seconds
        cancelled = ended.error is not None and self._cancelled.is_set()
        self.log.write(
            events.StepEnded(
                at=time.time(),
                step=ended.node,
                outcome="cancelled" if cancelled else ended.outcome,
                seconds=ended.seconds,
                text=ended.text if ended.error is None else "stopped" if cancelled else ended.error.what,
                remedy="" if ended.error is None or cancelled else ended.error.remedy,
            )
        )


def _summary(seen: Seen) -> str:
    """Return a step's summary of its outcome: the fact `text`."""
    return seen.artifact.read(CommonFacts).text.strip() if seen.artifact else ""


def _with(seen: Seen, artifact: Artifact) -> Seen:
    return msgspec.structs.replace(seen, artifact=artifact)
