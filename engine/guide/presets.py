"""Kinds of submission: two practices, a speed measurement, and a real submission; and the selection of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.guide.state import Guide
from engine.plan.selection import Selection
from engine.plan.selection_syntax import Changes, changed
from engine.profile.catalog import Catalog
from engine.profile.component import Query
from engine.profile.rounds import Round
from engine.store.files import digest
from engine.submission.form import Field, Pick, Verdict, system_name
from engine.submission.user_systems import is_shipped
from engine.survey.prepare import Workplace
from engine.survey.readiness import APP, TAGS

PRACTICE: Final = "practice"
PHOTOGRAPHS: Final = "photographs"
STAND_IN: Final = "stand-in"
REAL: Final = "real"

WHAT = "what"
WHERE = "how"
"""Groups of the form."""


@dataclass(frozen=True)
class Preset:
    """A kind of submission."""

    title: str
    text: str
    divisions: tuple[str, ...] = ("open",)
    styles: tuple[str, ...] = ("test",)
    """Run styles; the first is the default."""
    notice: str = ""
    """`{samples}` stands for what the benchmark's samples are."""
    expected: tuple[str, ...] = ()
    """Rules of the checker that it breaks by design, so that there is nothing to fix."""


PRESETS = {
    PRACTICE: Preset(
        "practice, nothing to fetch",
        "every step for real with a tiny model on generated samples; about two minutes, nothing to fetch",
        notice="DEMONSTRATION: open division, short runs, a tiny model on generated {samples}. Not an MLPerf result.",
    ),
    PHOTOGRAPHS: Preset(
        "practice on photographs",
        "a real model on 20 photographs (retinanet: eleven), 19 MB to fetch (56 MB); the check rejects so few, and "
        "shows how that looks",
        notice="DEMONSTRATION: open division, short runs, few photographs. Not an MLPerf result.",
        expected=("performance.sample_count",),
    ),
    STAND_IN: Preset(
        "speed of ResNet-50 with synthetic weights",
        "the real ResNet-50 graph with synthetic weights: measures speed, open division, can never be submitted",
        styles=("test", "fast", "valid"),
        notice="SYNTHETIC WEIGHTS: the ResNet-50 v1.5 graph with synthetic weights on generated images. "
        "It shows speed, not accuracy.",
    ),
    REAL: Preset(
        "a result to submit",
        "the model of the rules on the data of the rules; the runs take hours",
        divisions=("open", "closed"),
        styles=("valid", "fast", "test"),
    ),
}
"""Kinds by name, the one for beginners first."""


BACKENDS = {"onnxruntime": "onnxruntime", "tensorflow": "tf"}
CATEGORIES = {"edge": "edge", "datacenter": "datacenter", "both": "datacenter,edge"}
"""Category as users know it → `system_type` in the rules."""


def models(offer: str, catalog: Catalog) -> dict[str, str]:
    """Return the benchmarks that a kind supports, and the model variation of each."""
    known = catalog.benchmarks.items()
    return {name: one.file.models[offer] for name, one in known if offer in one.file.models}


def style_of(guide: Guide) -> str:
    """Return the style of the runs."""
    offer = PRESETS[guide.offer]
    return guide.style if guide.style in offer.styles else offer.styles[0]


def label(guide: Guide) -> str:
    """Return the results folder's name for these choices: results of different choices never mix."""
    data = f"-{digest(guide.pictures)[:6]}" if guide.offer == REAL and guide.pictures else ""
    return f"{guide.offer}-{guide.division}-{guide.benchmark}-{guide.backend}-{style_of(guide)}{data}"


def system_type(guide: Guide) -> str:
    """Return the `system_type` of the category."""
    return CATEGORIES.get(guide.category, guide.category)


def selection(guide: Guide, catalog: Catalog) -> Selection:
    """Return the selection of a guide's runs; requires that a kind is chosen."""
    offer = PRESETS[guide.offer]
    variations = (
        guide.benchmark,
        BACKENDS[guide.backend],
        "cpu",
        models(guide.offer, catalog)[guide.benchmark],
        "submission",
        style_of(guide),
    )
    changes = Changes()
    changes.keep("sut", guide.system)
    if offer.notice:
        changes.keep("notice", offer.notice.format(samples=catalog.benchmarks[guide.benchmark].file.samples))
    if guide.offer == PHOTOGRAPHS:
        changes.keep("adr.dataset.tags", "_photographs")
    if guide.offer == REAL and guide.pictures:
        changes.keep("adr.dataset.tags", "_full")
        changes.keep(f"env.{catalog.benchmarks[guide.benchmark].file.folder.env}", guide.pictures)
    if style_of(guide) == "test":
        changes.keep("adr.workers.seconds", "6")
    return changed(Selection(Query(TAGS, variations)), "", changes)


def trial(guide: Guide, catalog: Catalog) -> Selection:
    """Return the selection of a short run with the same model and data: Offline alone, test style, both modes."""
    whole = selection(guide, catalog)
    off = ("submission", style_of(guide))
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


def form(guide: Guide, place: Workplace, rules: Round) -> tuple[Field, ...]:
    """Return the form of choices, checked against each other and the rules."""
    presets = tuple(Pick(name, one.text) for name, one in PRESETS.items())
    verdict: Verdict = "ok" if guide.offer in PRESETS else "problem"
    first = Field(
        "offer",
        "what",
        WHAT,
        guide.offer,
        "a practice shows every step and can't be submitted",
        presets,
        verdict=verdict,
        said="" if guide.offer else "not chosen yet",
        remedy="" if guide.offer else "start with practice",
    )
    if guide.offer not in PRESETS:
        return (first,)
    fields = [first, _benchmark(guide, place), _division(guide, rules), _category(guide, rules), _backend(guide, place)]
    if guide.offer == REAL:
        fields.append(_pictures(guide, place))
    return (*fields, _style(guide, rules), _system(guide, place))


def _benchmark(guide: Guide, place: Workplace) -> Field:
    members = place.catalog.components[APP].groups()["benchmark"]
    offered = models(guide.offer, place.catalog)
    picks = tuple(
        Pick(one.name, one.help, one.refused or ("" if one.name in offered else "not in what was chosen above"))
        for one in members
    )
    wrong = guide.benchmark not in offered
    return Field(
        "benchmark",
        "benchmark",
        WHAT,
        guide.benchmark,
        "one of the round's",
        picks,
        verdict="problem" if wrong else "ok",
        said="not in what was chosen above" if wrong else "",
        remedy=f"choose {' or '.join(offered)}" if wrong else "",
    )


def _division(guide: Guide, rules: Round) -> Field:
    allowed = PRESETS[guide.offer].divisions
    helps = {
        "closed": "systems are compared on the rules' own model and data, with compliance tests",
        "open": "any model; no accuracy target, any scenarios",
        "network": "as closed, with the queries coming over a network",
    }
    refused: dict[str, str] = {
        name: "needs a system under test across a network, which is not supported yet"
        if name == "network"
        else "only with the model and data of the rules"
        for name in rules.divisions
        if name not in allowed
    }
    picks = tuple(Pick(name, helps[name], refused.get(name, "")) for name in rules.divisions)
    wrong = guide.division not in allowed
    return Field(
        "division",
        "division",
        WHERE,
        guide.division,
        "who you are compared with",
        picks,
        verdict="problem" if wrong else "ok",
        said=refused.get(guide.division, "no division") if wrong else "",
        remedy=f"choose {' or '.join(allowed)}" if wrong else "",
    )


def _category(guide: Guide, rules: Round) -> Field:
    def scenarios(name: str) -> tuple[str, ...]:
        return rules.required(guide.benchmark, CATEGORIES[name])

    picks = tuple(
        Pick(name, ", ".join(scenarios(name)), "" if scenarios(name) else f"{guide.benchmark} is not in it")
        for name in CATEGORIES
    )
    return Field("category", "category", WHERE, guide.category, "decides which scenarios are required", picks)


def _backend(guide: Guide, place: Workplace) -> Field:
    benchmark = place.catalog.benchmarks.get(guide.benchmark)
    refused = f"{guide.benchmark} has no TensorFlow graph in this round"
    if benchmark is None or "tensorflow" in benchmark.file.backends:
        refused = ""
    picks = (Pick("onnxruntime", "comes with inferdeck"), Pick("tensorflow", "the extra 'tensorflow'", refused))
    wrong = bool(refused) and guide.backend == "tensorflow"
    return Field(
        "backend",
        "framework",
        WHERE,
        guide.backend,
        "what runs the model",
        picks,
        verdict="problem" if wrong else "ok",
        said=refused if wrong else "",
        remedy="choose onnxruntime" if wrong else "",
    )


def _pictures(guide: Guide, place: Workplace) -> Field:
    folder = place.catalog.benchmarks[guide.benchmark].file.folder
    few = not guide.pictures and bool(folder.how_to_get)
    return Field(
        "pictures",
        folder.title,
        WHERE,
        guide.pictures,
        folder.help,
        verdict="warning" if few else "ok",
        said="" if guide.pictures else folder.without,
        remedy=folder.how_to_get if few else "",
    )


def _style(guide: Guide, rules: Round) -> Field:
    allowed = PRESETS[guide.offer].styles
    picks = tuple(
        Pick(name, one.title, "" if name in allowed else "a practice is short") for name, one in rules.styles.items()
    )
    return Field("style", "length of runs", WHERE, style_of(guide), "only valid can be submitted", picks)


def _system(guide: Guide, place: Workplace) -> Field:
    verdict, said, remedy = system_name(guide.system)
    if is_shipped(place.catalog.folders, guide.system):
        verdict, said, remedy = "problem", "an example of this name comes with inferdeck", "give yours another name"
    rule = "short, without blanks; names the folders of results"
    return Field("system", "name of the system", WHERE, guide.system, rule, verdict=verdict, said=said, remedy=remedy)
