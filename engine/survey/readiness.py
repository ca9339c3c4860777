"""Which recipes and benchmarks this machine can run, and what each of the others lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from engine.errors import InferdeckError, UsageError, nearest
from engine.plan.selection import Selection
from engine.plan.selection_syntax import Changes, changed, of_recipe
from engine.profile import recipe_files
from engine.profile.benchmarks import BenchmarkFile
from engine.profile.component import Query
from engine.profile.known_rounds import DEFAULT, all_rounds
from engine.survey.prepare import Workplace, prepare, resolved
from engine.text import size

APP = "app-mlperf-inference"
TAGS = ("app", "mlperf", "inference", "reference", "python")
REAL = "real"
"""The offer of a benchmark's file that can be submitted: its data set is the full one."""


Given = Mapping[str, str]
NOTHING: Given = {}


@dataclass(frozen=True)
class Readiness:
    """Whether one benchmark or recipe can run on this machine."""

    name: str
    ready: bool
    text: str
    remedy: str = ""


def recipe_checks(place: Workplace, given: Given = NOTHING) -> list[Readiness]:
    """Survey every recipe."""
    known = recipe_files.files(place.catalog.folders).items()
    found: list[Readiness] = []
    for name, path in known:
        with _reporting(f"recipe {name}", found):
            found.append(_check(f"recipe {name}", of_recipe(recipe_files.read(path)), place, given))
    return found


@contextmanager
def _reporting(name: str, found: list[Readiness]) -> Iterator[None]:
    """Add what a person has to mend in a profile or recipe as a check that failed: the others are still made."""
    try:
        yield
    except InferdeckError as error:
        found.append(Readiness(name, ready=False, text=error.what, remedy=error.remedy))


def refuse_unread(place: Workplace, given: Given) -> None:
    """Raise UsageError for an input that no component reads."""
    known = {
        name for one in place.catalog.components.values() for option in one.options.values() for name in option.env
    }
    for name in given:
        if name not in known:
            raise UsageError(f"--env.{name}: no component reads '{name}'", nearest(name, known))


def benchmark_checks(place: Workplace, given: Given = NOTHING) -> list[Readiness]:
    """Survey every benchmark of the rules, with the full data set and with the default one.

    `given` are inputs by their external names; each plan gets those that it reads.
    """
    found: list[Readiness] = []
    for variation in place.catalog.components[APP].groups()["benchmark"]:
        if variation.refused:
            found.append(Readiness(variation.name, ready=False, text=variation.refused))
            continue
        file = place.catalog.benchmarks[variation.name].file
        query = Query(TAGS, (variation.name, "all-scenarios", "all-modes"))
        chosen = Selection(query, options=_round(place, variation.name))
        whole = f"{variation.name}, full data set"
        with _reporting(whole, found):
            found.append(_check(whole, on_data(chosen, full_data(file)), place, given))
        with _reporting(variation.name, found):
            usual = _usual_source(place, chosen)
            if usual and full_data(file) not in ("", usual):
                found.append(_check(f"{variation.name}, {usual} {file.samples}", chosen, place, given))
    return found


def _round(place: Workplace, benchmark: str) -> dict[str, str]:
    """Return the option that chooses the newest round with a benchmark, where the default one lacks it."""
    rounds = [] if benchmark in place.round(DEFAULT).benchmarks else all_rounds(place.catalog.folders)
    newest = next((one.name for one in reversed(rounds) if benchmark in one.benchmarks), "")
    return {"round": newest} if newest else {}


def full_data(file: BenchmarkFile) -> str:
    """Return the variation of the data set that is all of it; empty where that is the data set's own default."""
    return file.offers[REAL].data if REAL in file.offers else ""


def on_data(chosen: Selection, source: str) -> Selection:
    """Return a selection that runs on a variation of the data set; empty leaves it as it is."""
    if not source:
        return chosen
    changes = Changes()
    changes.keep("adr.dataset.tags", f"_{source}")
    return changed(chosen, "", changes)


def _read(place: Workplace, chosen: Selection, given: Given) -> dict[str, str]:
    """Return the inputs that a selection's plan reads."""
    components = {node.component for node in resolved(place, chosen).plan.nodes.values()}
    options = [option for name in components for option in place.catalog.components[name].options.values()]
    return {name: value for name, value in given.items() if any(name in option.env for option in options)}


def _usual_source(place: Workplace, chosen: Selection) -> str:
    """Return the data set variation that a selection resolves to; empty where there is no choice."""
    plan = prepare(place, chosen).plan
    (dataset,) = (plan.nodes[edge.node] for edge in plan.nodes[plan.root].needs if edge.name == "dataset")
    return next((one.name for one in dataset.variations if one.group == "source"), "")


def _check(name: str, chosen: Selection, place: Workplace, given: Given) -> Readiness:
    """Survey what would run."""
    if given:
        chosen = replace(chosen, env={**chosen.env, **_read(place, chosen, given)})
    survey = prepare(place, chosen).seen
    problems = survey.problems()
    if problems:
        remedy = "; ".join(dict.fromkeys(seen.remedy for _, seen in problems))
        return Readiness(name, ready=False, text="; ".join(seen.text for _, seen in problems), remedy=remedy)
    fetch = survey.totals.fetch_bytes
    text = f"can run, {size(fetch)} to fetch first" if fetch else "can run, nothing to fetch"
    return Readiness(name, ready=True, text="; ".join([text, *(warning for _, warning in survey.warnings())]))
