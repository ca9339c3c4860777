"""Survey this machine for a plan: each node is cached, found, to fetch, to build, missing or in conflict.

It changes nothing. The job uses the same functions when it comes to each step, so that what the plan said and what the
job does can't diverge.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from engine.errors import CannotRunError, InferdeckError, ProfileError
from engine.facts import DataFacts
from engine.moved import present_name
from engine.plan.plan import Node, Plan
from engine.plan.reason import NoRoom
from engine.profile.catalog import Catalog
from engine.profile.component import Component
from engine.step import Artifact, SurveyContext, SurveyResult
from engine.store.files import disk_errors
from engine.store.folders import Folders
from engine.store.recipe import AskedAgain, Cause, NotKept, Recipe
from engine.store.store import Store
from engine.survey import timings
from engine.survey.keys import code_digest, recipe_of, source_file
from engine.system import disk_free
from engine.text import size

State = Literal["group", "cached", "found", "fetch", "build", "run", "missing", "conflict", "blocked"]
"""`group` has nothing to run of its own; `fetch`, `build` and `run` must still be done (a `run` is a measurement or
belongs to the job); `blocked` waits for something that is missing or in conflict."""

TO_DO: frozenset[State] = frozenset({"fetch", "build", "run"})

STOPS: frozenset[State] = frozenset({"missing", "conflict"})


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Survey result of one node."""

    state: State
    identity: str = ""
    """What the keys of dependent steps are made from: the store key, or the identity of something found."""
    entry: str = ""
    """Name of its store entry, existing or to be made."""
    recipe: Recipe | None = None
    """Recipe of the artifact, where the step must run."""
    artifact: Artifact | None = None
    causes: tuple[Cause, ...] = ()
    """Why it must run."""
    fetch_bytes: int | None = None
    disk_bytes: int | None = None
    seconds: float | None = None
    seconds_from: Literal["", "measured here", "profile", "rules"] = ""
    text: str = ""
    remedy: str = ""
    warning: str = ""
    made: float | None = None
    """When the stored artifact was made, seconds since the epoch."""
    expected_facts: dict[str, Any] = {}
    """Facts that the artifact will have, where some are known."""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Totals below the tree."""

    ready: int
    to_do: int
    fetch_bytes: int
    disk_bytes: int
    disk_free: int
    prepare_seconds: float
    run_seconds: float
    unknown_times: int
    """Number of steps without a known time."""

    @property
    def fits(self) -> bool:
        """Whether the known requirements fit the disk."""
        return self.disk_bytes <= self.disk_free


class Survey(msgspec.Struct, frozen=True):
    """Survey result of a plan."""

    seen: dict[str, Seen]
    totals: Totals

    def problems(self) -> list[tuple[str, Seen]]:
        """Return the nodes that prevent the plan from running; several for the same reason are one, and counted."""
        found: dict[tuple[str, str], list[str]] = {}
        for node, seen in self.seen.items():
            if seen.state in STOPS:
                found.setdefault((seen.text, seen.remedy), []).append(node)
        more = {nodes[0]: f" and {len(nodes) - 1} more" if len(nodes) > 1 else "" for nodes in found.values()}
        return [(node + said, self.seen[node]) for node, said in more.items()]

    def warnings(self) -> list[tuple[str, str]]:
        """Return (node, text) of every caveat that applies to results of this plan."""
        return [(node, seen.warning) for node, seen in self.seen.items() if seen.warning]

    def refuse_problems(self) -> None:
        """Raise CannotRunError if something is missing or in conflict, or does not fit the disk."""
        found = self.problems()
        if not found and not self.totals.fits:
            to_do = [node for node, one in self.seen.items() if one.state in TO_DO]
            largest = max(to_do, key=lambda node: self.seen[node].disk_bytes or 0)
            raise CannotRunError(
                f"this needs about {size(self.totals.disk_bytes)} of the disk, of which {size(self.totals.disk_free)} "
                f"are free; the most is for {largest}: {size(self.seen[largest].disk_bytes)}",
                "; or ".join(
                    filter(None, (self.seen[largest].remedy, "free some space or move the store: --home DIR"))
                ),
            )
        if found:
            raise CannotRunError(
                "; ".join(f"{node}: {seen.text}" for node, seen in found),
                "; ".join(dict.fromkeys(seen.remedy for _, seen in found if seen.remedy)),
            )


class Surveyor:
    """Surveys nodes one by one, in the order of the plan."""

    def __init__(self, catalog: Catalog, folders: Folders, *, again: bool = False) -> None:
        self.catalog = catalog
        self.store = Store(folders.store)
        self.folders = folders
        self.again = again
        self.times = timings.load(folders)

    def survey(self, plan: Plan) -> Survey:
        """Survey the whole plan."""
        seen: dict[str, Seen] = {}
        for node in plan.nodes.values():
            seen[node.id] = self.survey_node(node, seen)
        return Survey(seen, self._totals(plan, seen))

    def survey_node(self, node: Node, seen: Mapping[str, Seen]) -> Seen:
        """Survey one node, given the results of the nodes that it needs."""
        component = self.catalog.components[node.component]
        blocked = [edge.node for edge in node.needs if seen[edge.node].state in STOPS | {"blocked"}]
        if blocked:
            return Seen(state="blocked", text=f"waits for {blocked[0]}")
        result = self._survey_result(node, component, seen)
        if result.state in ("found", "conflict") or (result.state == "missing" and not component.step):
            return _found_or_missing(component, result)
        if not component.step and not component.command:
            return _group([seen[edge.node] for edge in node.needs])
        recipe = recipe_of(
            node, component, {edge.node: seen[edge.node].identity for edge in node.needs}, result.identity
        )
        stored = self._stored(component, recipe, result)
        if stored is not None:  # also where what made it is missing by now
            return stored
        if result.state == "missing":
            return Seen(state="missing", text=result.text, remedy=result.remedy)
        return self._to_do(node, component, result, recipe, seen)

    def _stored(self, component: Component, recipe: Recipe, result: SurveyResult) -> Seen | None:
        manifest = self.store.hit(recipe) if component.cache and not self.again else None
        if manifest is None:
            return None
        return Seen(
            state="cached",
            identity=recipe.key(),
            entry=recipe.entry(),
            artifact=Artifact(str(self.store.content(recipe.entry())), manifest.facts),
            disk_bytes=manifest.bytes,
            text="" if result.state == "missing" else result.text,
            warning=result.warning,
            made=manifest.made,
        )

    def _to_do(
        self, node: Node, component: Component, result: SurveyResult, recipe: Recipe, seen: Mapping[str, Seen]
    ) -> Seen:
        fetch = result.fetch_bytes if result.fetch_bytes is not None else component.cost.fetch_bytes
        causes: tuple[Cause, ...] = (NotKept(),)
        if component.cache:
            causes = (AskedAgain(),) if self.again else self.store.causes(recipe)
        seconds, origin = self._seconds(recipe, component, result)
        return Seen(
            state="run" if not component.cache else "fetch" if fetch else "build",
            identity=recipe.key(),
            entry=recipe.entry(),
            recipe=recipe,
            causes=causes,
            fetch_bytes=fetch,
            disk_bytes=result.disk_bytes if result.disk_bytes is not None else component.cost.disk_bytes,
            seconds=seconds,
            seconds_from=origin,
            text="; ".join(filter(None, (result.text, _decided_here(node)))),
            remedy=result.remedy,
            warning=result.warning,
            expected_facts=_expected_facts(node, result, seen),
        )

    def _seconds(
        self, recipe: Recipe, component: Component, result: SurveyResult
    ) -> tuple[float | None, Literal["", "measured here", "profile", "rules"]]:
        if recipe.key() in self.times:
            return self.times[recipe.key()], "measured here"
        if result.seconds is not None:
            return result.seconds, "rules"
        if component.cost.seconds is not None:
            return component.cost.seconds, "profile"
        return None, ""

    def context(self, node: Node, seen: Mapping[str, Seen]) -> SurveyContext:
        """Return what a survey function of a node gets, given the results of the nodes that it needs."""
        return SurveyContext(
            options=node.values(),
            inputs={edge.name: seen[edge.node].artifact for edge in node.needs},
            expected_facts={edge.name: seen[edge.node].expected_facts for edge in node.needs},
            version=node.version_range or None,
            profiles=self.catalog.folders,
            own_profiles=self.folders.profiles,
            store=self.folders.store,
        )

    def _survey_result(self, node: Node, component: Component, seen: Mapping[str, Seen]) -> SurveyResult:
        if not component.survey:
            return SurveyResult("run")
        try:
            with disk_errors(self.folders.store):
                result = load_function(component.survey, component)(self.context(node, seen))
        except InferdeckError as error:
            return SurveyResult("missing", text=error.what, remedy=error.remedy)
        assert isinstance(result, SurveyResult)
        return result

    def _totals(self, plan: Plan, seen: Mapping[str, Seen]) -> Totals:
        todo = {node: one for node, one in seen.items() if one.state in TO_DO}
        measures = {node for node in todo if self.catalog.components[plan.nodes[node].component].exclusive}
        times = {node: one.seconds or 0.0 for node, one in todo.items()}
        return Totals(
            ready=sum(one.state in ("cached", "found") for one in seen.values()),
            to_do=len(todo),
            fetch_bytes=sum(one.fetch_bytes or 0 for one in todo.values()),
            disk_bytes=sum(one.disk_bytes or 0 for one in todo.values()),
            disk_free=disk_free(self.folders.store),
            prepare_seconds=sum(time_ for node, time_ in times.items() if node not in measures),
            run_seconds=sum(time_ for node, time_ in times.items() if node in measures),
            unknown_times=sum(one.seconds is None for one in todo.values()),
        )


def _expected_facts(node: Node, result: SurveyResult, seen: Mapping[str, Seen]) -> dict[str, Any]:
    """Return the facts that an artifact will have: at least the number of its samples, where it is known.

    That is what the node's own option `count` asks for, but no more than its data set has.
    """
    facts = dict(result.expected_facts)
    counts = [count for count in (node.values().get("count"), _samples_needed(node, seen)) if isinstance(count, int)]
    return facts if "count" in facts or not counts else {**facts, "count": min(counts)}


def _samples_needed(node: Node, seen: Mapping[str, Seen]) -> int | None:
    """Return the number of samples of the data set that a node needs; None where unknown, or where it needs none."""
    needed = next((seen[edge.node] for edge in node.needs if edge.name == "dataset"), None)
    if needed is None:
        return None
    return needed.artifact.read(DataFacts).count if needed.artifact else needed.expected_facts.get("count")


def _decided_here(node: Node) -> str:
    """Return what the survey of this machine decided about a node; usually nothing."""
    return next((str(one.reason) for one in node.options.values() if isinstance(one.reason, NoRoom)), "")


def _found_or_missing(component: Component, result: SurveyResult) -> Seen:
    """Return the result for a node that was found, or is missing, regardless of the store."""
    if result.state != "found":
        return Seen(
            state="conflict" if result.state == "conflict" else "missing", text=result.text, remedy=result.remedy
        )
    code = code_digest(component) if component.code else ""
    identity = f"{result.identity} {code}".rstrip()
    return Seen(state="found", identity=identity, artifact=result.artifact, text=result.text, warning=result.warning)


def _group(needs: list[Seen]) -> Seen:
    """Return the result of a node with nothing to run: with a single need, it passes on that artifact."""
    identity = " ".join(one.identity for one in needs)
    if len(needs) != 1:
        return Seen(state="group", identity=identity)
    return Seen(state="group", identity=identity, artifact=needs[0].artifact, expected_facts=needs[0].expected_facts)


def load_function(name: str, component: Component) -> Any:
    """Import `module:function`, or `file.py:function` next to the profile. Raises ProfileError if it does not exist."""
    module_name, _, function = present_name(name).partition(":")
    if module_name.endswith(".py"):
        path = source_file(module_name, component)
        spec = importlib.util.spec_from_file_location(f"inferdeck_own_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        source_file(module_name, component)
        module = importlib.import_module(module_name)
    if not hasattr(module, function):
        raise ProfileError(
            f"{component.place}: '{module_name}' has no function '{function}'", "check the name after ':'"
        )
    return getattr(module, function)
