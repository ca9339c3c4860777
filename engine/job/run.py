"""Run a plan: independent steps side by side, measurements alone, and go on where an earlier attempt stopped."""

from __future__ import annotations

import queue
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine import codec, events
from engine.errors import CannotRunError, DataError, InferdeckError
from engine.job import lock, results, timings
from engine.job.child import Children, file_name
from engine.job.log import EventWriter
from engine.job.spec import JobSpec
from engine.job.survey import STOPS, Seen, Surveyor
from engine.plan.plan import Node
from engine.profile.catalog import Catalog
from engine.profile.component import Component, fill
from engine.steps.base import Artifact
from engine.store.files import disk_errors, read_plain, write_atomic
from engine.store.folders import Folders
from engine.store.recipe import NotKept, Recipe

LARGEST_MARK = 64 << 20
"""Bytes that `finished.json` may have."""


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """The mark of a finished step that belongs to the job, written when everything of it is in place."""

    entry: str
    """What it was made from: another recipe is another step."""
    facts: dict[str, object]
    seconds: float


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
        self.log = EventWriter(folder / "events.jsonl")
        self.surveyor = Surveyor(catalog, folders, again=spec.again)
        self.children = Children(folder, spec, self.log.write, catalog.folders, folders.profiles, folders.store)
        self.results = spec.results_folder(folder)
        self.seen: dict[str, Seen] = {}
        self.lost: set[str] = set()
        self.times: dict[str, float] = {}
        self._ended: queue.SimpleQueue[_Ended] = queue.SimpleQueue()
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Stop: kill what runs, keep what is finished. Safe to call from a signal handler's thread."""
        self._cancelled.set()
        self.children.stop()

    def run(self) -> events.Ending:
        """Run every step that can run; returns how the job ended. The log's last record says the same."""
        started = time.time()
        waiting = list(self.spec.plan.nodes.values())
        running: dict[str, bool] = {}
        while waiting or running:
            waiting = self._start_what_can(waiting, running)
            if running:
                self._take(self._ended.get(), running)
            elif waiting and not self._progress_possible(waiting):
                raise AssertionError(f"steps wait for each other: {[node.id for node in waiting]}")
        timings.add(self.folders, self.times)
        ending: events.Ending = "cancelled" if self._cancelled.is_set() else "failed" if self.lost else "finished"
        now = time.time()
        self.log.write(events.Done(at=now, ending=ending, seconds=now - started, results=str(self.results)))
        self.log.close()
        return ending

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
        """End a step here and now if it needs no work; otherwise return what the survey said of it."""
        lost = [one for one in self._before(node) if one in self.lost]
        if lost or self._cancelled.is_set():
            text = f"{lost[0]} failed" if lost else "cancelled"
            self._end(_Ended(node.id, "skipped" if lost else "cancelled", Seen(state="blocked"), text=text))
            return None
        try:
            seen = self.surveyor.look(node, self.seen)
        except InferdeckError as error:
            self._end(_Ended(node.id, "failed", Seen(state="missing"), error=error))
            return None
        if seen.state in STOPS:
            self._end(_Ended(node.id, "failed", seen, error=CannotRunError(seen.text, seen.remedy)))
        elif seen.state in ("found", "cached", "group"):
            self._warn(node, seen)
            self._end(_Ended(node.id, "cached" if seen.state == "cached" else "found", seen, text=seen.text))
        else:
            kept = self._kept(node, seen)
            if kept is None:
                return seen
            self._end(_Ended(node.id, "reused", kept, text="finished in an earlier attempt of this job"))
        return None

    def _start(self, node: Node, seen: Seen, running: dict[str, bool]) -> None:
        component = self.catalog.components[node.component]
        running[node.id] = component.exclusive
        why = "; ".join(str(cause) for cause in seen.causes if not isinstance(cause, NotKept))
        self.log.write(events.StepStarted(at=time.time(), step=node.id, title=node.title, why=why))
        threading.Thread(target=self._work, args=(node, component, seen), daemon=True).start()

    def _work(self, node: Node, component: Component, seen: Seen) -> None:
        """Run one step in its thread; whatever comes of it goes into the queue."""
        started = time.monotonic()
        try:
            made = self._make(node, component, seen) if component.cache else self._do(node, component, seen)
        except InferdeckError as error:
            self._ended.put(_Ended(node.id, "failed", seen, time.monotonic() - started, error=error))
        except BaseException as bug:  # noqa: BLE001  (the outer edge of a step's thread: the main thread raises it)
            self._ended.put(_Ended(node.id, "failed", seen, time.monotonic() - started, bug=bug))
        else:
            self._ended.put(_Ended(node.id, made[0], made[1], time.monotonic() - started, text=_told(made[1])))

    def _make(self, node: Node, component: Component, seen: Seen) -> tuple[events.Outcome, Seen]:
        """Make an artifact and publish it to the store, unless another job has done so meanwhile."""
        recipe = seen.recipe
        assert recipe is not None
        started = time.monotonic()
        store = self.surveyor.store
        with store.making(recipe, resumable=component.resumable) as making:
            manifest = None if self.spec.again else store.hit(recipe)
            outcome: events.Outcome = "cached"
            if manifest is None:
                facts = self.children.run(node, component, self._inputs(node), making.content, (making.lock, self.lock))
                self._refuse_changed(node, recipe)
                manifest = store.publish(recipe, facts, time.monotonic() - started)
                outcome = "built"
        return outcome, _with(seen, Artifact(str(store.content(recipe.entry())), manifest.facts))

    def _refuse_changed(self, node: Node, recipe: Recipe) -> None:
        """Raise DataError where files that a step read from elsewhere are no longer those that the survey saw."""
        if "outside" in recipe.inputs and self.surveyor.look(node, self.seen).identity != recipe.key():
            raise DataError(
                f"files that '{node.title}' reads changed while it read them",
                "let nothing write to them, and give the same command again",
            )

    def _warn(self, node: Node, seen: Seen) -> None:
        if seen.warning:
            self.log.write(events.Warned(at=time.time(), step=node.id, text=seen.warning))

    def _do(self, node: Node, component: Component, seen: Seen) -> tuple[events.Outcome, Seen]:
        """Run a step whose outcome belongs to this job: a measurement, its score."""
        folder = self._folder(node)
        output = folder / "output"
        with disk_errors(folder):
            if output.exists():
                shutil.rmtree(output)
            output.mkdir(parents=True)
        started = time.monotonic()
        facts = self.children.run(node, component, self._inputs(node), output, (self.lock,))
        if component.results:
            inside = fill(component.results, node.values())
            if self.spec.lock is not None and component.exclusive:
                lock.write(output / lock.FILE, self.spec.lock)
            results.publish(output, self.results, inside, fresh=component.exclusive)
        mark = Finished(entry=seen.entry, facts=facts, seconds=time.monotonic() - started)
        write_atomic(folder / "finished.json", codec.encode(mark))
        return "built", _with(seen, Artifact(str(output), facts))

    def _kept(self, node: Node, seen: Seen) -> Seen | None:
        """Return what an earlier attempt of this job finished, where it was made from the same things."""
        if self.catalog.components[node.component].cache:
            return None
        folder = self._folder(node)
        try:
            mark = codec.decode(read_plain(folder / "finished.json", LARGEST_MARK), type=Finished)
        except (OSError, msgspec.DecodeError):
            return None
        return _with(seen, Artifact(str(folder / "output"), mark.facts)) if mark.entry == seen.entry else None

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
                self.times[ended.node] = ended.seconds
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


def _told(seen: Seen) -> str:
    """Return what a step says of its outcome: the fact `text`."""
    return str(seen.artifact.facts.get("text", "")).strip() if seen.artifact else ""


def _with(seen: Seen, artifact: Artifact) -> Seen:
    return msgspec.structs.replace(seen, artifact=artifact)
