"""Kinds of submission: practices, a speed measurement, and a real submission; and the selection of each.

Which of them a benchmark has, with which model and data, is in its file (`offers` of profiles/benchmarks/*.yaml).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from engine.guide.state import Guide
from engine.plan.selection import Selection
from engine.plan.selection_syntax import Changes, changed
from engine.profile.benchmarks import BenchmarkFile, default_name
from engine.profile.catalog import Catalog
from engine.profile.component import Query
from engine.profile.known_rounds import DEFAULT, all_rounds, has, newest_with
from engine.store.files import digest
from engine.survey import readiness
from engine.survey.readiness import APP, TAGS

PRACTICE: Final = "practice"
STAND_IN: Final = "stand-in"
REAL: Final = readiness.REAL

SHORT: Final = (
    "performance.min_duration",
    "performance.min_query_count",
    "performance.samples_per_query",
    "performance.early_stopping",
)
"""Rules of the checker that short runs break. The last one makes a run invalid, too."""

FEW_SAMPLES: Final = ("performance.sample_count", "accuracy.data_set", "accuracy.samples")
"""Rules that a small data set breaks."""

PRECISIONS: Final = "precision"
"""The group of variations that say in which numbers the model computes."""


@dataclass(frozen=True)
class Preset:
    """A kind of submission."""

    text: str
    """`{text}` stands for what the benchmark's file says."""
    divisions: tuple[str, ...] = ("open",)
    styles: tuple[str, ...] = ("test",)
    """Run styles; the first is the default."""
    notice: str = ""
    """`{samples}` stands for what the benchmark's samples are."""
    expected: tuple[str, ...] = (*SHORT[:3], *FEW_SAMPLES)
    """Rules of the checker that it breaks by design, so that there is nothing to fix."""


PRESETS = {
    PRACTICE: Preset(
        "every step for real with a tiny model on generated samples; a few minutes, nothing to fetch",
        notice="DEMONSTRATION: open division, short runs, a tiny model on generated {samples}. Not an MLPerf result.",
    ),
    STAND_IN: Preset(
        "the benchmark's own graph with synthetic weights: measures speed, open division, can never be submitted",
        styles=("test", "fast", "valid"),
        expected=(),
    ),
    REAL: Preset(
        "a result to submit: the model of the rules on the data of the rules; the runs take hours",
        divisions=("open", "closed"),
        styles=("valid", "fast", "test"),
        expected=(),
    ),
}
"""Kinds by the names that every benchmark may use."""

FEW = Preset(
    "{text}; the check rejects so few, and shows how that looks",
    notice="DEMONSTRATION: open division, short runs, few {samples}. Not an MLPerf result.",
)
"""Every other name in a benchmark's `offers`: a practice on a few real samples."""

CATEGORIES = {"edge": "edge", "datacenter": "datacenter", "both": "datacenter,edge"}
"""Category as users know it → `system_type` in the rules."""


def filled(guide: Guide, catalog: Catalog) -> Guide:
    """Return the choices with the defaults for those that were not made."""
    benchmark = guide.benchmark or default_name(catalog.benchmarks)
    known = catalog.benchmarks.get(benchmark)
    backend = guide.backend or (known.file.backends[0] if known else "")
    precision = guide.precision or default_precision(catalog)
    found = msgspec.structs.replace(guide, benchmark=benchmark, backend=backend, precision=precision)
    return msgspec.structs.replace(found, round=_round(found, catalog))


def _round(guide: Guide, catalog: Catalog) -> str:
    """Return the chosen round, or the newest where it lacks benchmark or category; the default one where all do."""
    known, wanted = {one.name: one for one in all_rounds(catalog.folders)}, system_type(guide)
    if guide.round in known and has(known[guide.round], guide.benchmark, wanted):
        return guide.round
    newest = newest_with(catalog.folders, guide.benchmark, wanted)
    return newest.name if newest else guide.round if guide.round in known else DEFAULT


def default_precision(catalog: Catalog) -> str:
    """Return the variation that leaves the weights as they were trained."""
    return next((one.name for one in catalog.components[APP].groups()[PRECISIONS] if one.default), "")


def file_of(guide: Guide, catalog: Catalog) -> BenchmarkFile | None:
    """Return the file of the chosen benchmark; None where there is no such benchmark."""
    known = catalog.benchmarks.get(guide.benchmark)
    return known.file if known else None


def preset(guide: Guide, catalog: Catalog) -> Preset | None:
    """Return the chosen kind; None where none is chosen, or none that the benchmark has."""
    file = file_of(guide, catalog)
    return PRESETS.get(guide.offer, FEW) if file is not None and guide.offer in file.offers else None


def style_of(guide: Guide) -> str:
    """Return the style of the runs."""
    styles = PRESETS.get(guide.offer, FEW).styles
    return guide.style if guide.style in styles else styles[0]


def label(guide: Guide) -> str:
    """Return the results folder's name for these choices: results of different choices never mix."""
    parts = [guide.offer, guide.division, guide.benchmark, guide.backend, style_of(guide)]
    parts += [guide.precision] if guide.precision not in ("", "fp32") else []
    parts += [name for name in (guide.tuning, guide.targets) if name not in ("quick", "configured")]
    parts += [digest(guide.data)[:6]] if guide.offer == REAL and guide.data else []
    parts += [guide.round] if guide.round not in ("", DEFAULT) else []
    return "-".join(parts)


def system_type(guide: Guide) -> str:
    """Return the `system_type` of the category."""
    return CATEGORIES.get(guide.category, guide.category)


def selection(guide: Guide, catalog: Catalog) -> Selection:
    """Return the selection of a guide's runs; requires that a kind is chosen."""
    file, chosen = catalog.benchmarks[guide.benchmark].file, PRESETS.get(guide.offer, FEW)
    changes = Changes()
    changes.keep("sut", guide.system)
    if guide.round not in ("", DEFAULT):
        changes.keep("round", guide.round)
    if chosen.notice:
        changes.keep("notice", chosen.notice.format(samples=file.samples))
    if guide.offer == REAL and guide.data:
        changes.keep(f"env.{file.folder.env}", guide.data)
    if style_of(guide) == "test":
        changes.keep("adr.workers.seconds", "6")
    whole = guide.offer != REAL or bool(guide.data)
    started = Selection(Query(TAGS, (*_parts(guide, catalog), "submission", *_measured(guide), style_of(guide))))
    return changed(readiness.on_data(started, file.offers[guide.offer].data if whole else ""), "", changes)


def together(guide: Guide, catalog: Catalog) -> Selection:
    """Return model, framework and precision alone, with accuracy runs: a plan of it exists if they go together."""
    return Selection(Query(TAGS, (*_parts(guide, catalog), "all-modes")))


def _parts(guide: Guide, catalog: Catalog) -> tuple[str, ...]:
    """Return the variations of what is measured."""
    model = catalog.benchmarks[guide.benchmark].file.offers[guide.offer].model
    usual = guide.precision in ("", default_precision(catalog))
    return (guide.benchmark, guide.backend, "cpu", model, *(() if usual else (guide.precision,)))


def _measured(guide: Guide) -> tuple[str, ...]:
    """Return the variations of what is measured before the runs."""
    names = {"tune": guide.tuning == "thorough", "find-performance": guide.targets == "searched"}
    return tuple(name for name, wanted in names.items() if wanted)


def trial(guide: Guide, catalog: Catalog) -> Selection:
    """Return the selection of a short run with the same model and data: Offline alone, test style, both modes."""
    whole = selection(guide, catalog)
    off = ("submission", style_of(guide), *_measured(guide))
    kept = tuple(name for name in whole.query.variations if name not in off)
    changes = Changes()
    changes.keep("scenarios", "Offline")
    changes.keep("adr.workers.seconds", "6")
    return changed(
        Selection(Query(TAGS, (*kept, "all-modes", "test")), whole.options, whole.env, whole.overrides), "", changes
    )


def one_scenario(guide: Guide, catalog: Catalog, scenario: str) -> Selection:
    """Return the selection of one scenario's runs again, which rebuilds the tree from all results."""
    changes = Changes()
    changes.keep("scenarios", scenario)
    return changed(selection(guide, catalog), "", changes)
