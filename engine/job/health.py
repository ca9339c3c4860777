"""What this machine can run: every recipe and benchmark looked at, and what each lacks."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import InferdeckError
from engine.job.prepare import Workplace, prepare
from engine.plan.selection import Selection
from engine.plan.words import Changes, changed, read_recipe, recipes
from engine.profile.component import Query
from engine.text import size

APP = "app-mlperf-inference"
TAGS = ("app", "mlperf", "inference", "reference", "python")
WHOLE = "full"
"""The variation of a data set that is all of it."""


@dataclass(frozen=True)
class Health:
    """What one benchmark or recipe needs on this machine."""

    name: str
    ready: bool
    text: str
    remedy: str = ""


def recipe_checks(place: Workplace) -> list[Health]:
    """Look at every recipe."""
    return [_check(f"recipe {name}", read_recipe(path)[0], place) for name, path in recipes(place.catalog).items()]


def benchmark_checks(place: Workplace) -> list[Health]:
    """Look at every benchmark of the rules, with the whole data set and with what is taken if nobody says which."""
    found = []
    for variation in place.catalog.components[APP].groups()["benchmark"]:
        if variation.refused:
            found.append(Health(variation.name, ready=False, text=variation.refused))
            continue
        chosen = Selection(Query(TAGS, (variation.name, "all-scenarios", "all-modes")))
        whole = Changes()
        whole.keep("adr.dataset.tags", f"_{WHOLE}")
        found.append(_check(f"{variation.name}, whole data set", changed(chosen, "", whole), place))
        usual = _usual_source(place, chosen)
        if usual != WHOLE:
            found.append(_check(f"{variation.name}, {usual} pictures", chosen, place))
    return found


def _usual_source(place: Workplace, chosen: Selection) -> str:
    """Return the variation of the data set that a selection leads to."""
    plan = prepare(place, chosen).plan
    (dataset,) = (plan.nodes[edge.node] for edge in plan.nodes[plan.root].needs if edge.name == "dataset")
    return next(one.name for one in dataset.variations if one.group == "source")


def _check(name: str, chosen: Selection, place: Workplace) -> Health:
    """Survey what would run."""
    try:
        survey = prepare(place, chosen).seen
    except InferdeckError as error:
        return Health(name, ready=False, text=error.what, remedy=error.remedy)
    problems = survey.problems()
    if problems:
        remedy = "; ".join(seen.remedy for _, seen in problems)
        return Health(name, ready=False, text="; ".join(seen.text for _, seen in problems), remedy=remedy)
    fetch = survey.totals.fetch_bytes
    text = f"can run, {size(fetch)} to fetch first" if fetch else "can run, nothing to fetch"
    return Health(name, ready=True, text="; ".join([text, *(warning for _, warning in survey.warnings())]))
