"""What can be submitted: two practices, a measurement of speed, and the real thing. And the selection of each."""

from __future__ import annotations

from dataclasses import dataclass

from engine.guide.state import Guide
from engine.job.health import APP, TAGS
from engine.job.prepare import Workplace
from engine.plan.selection import Selection
from engine.plan.words import Changes, changed
from engine.profile.component import Query
from engine.profile.rounds import Round
from engine.store.files import digest
from engine.submission.form import Field, Pick, Verdict, folder_name
from engine.submission.own import is_shipped

PRACTICE, PHOTOGRAPHS, STAND_IN, REAL = "practice", "photographs", "stand-in", "real"

WHAT = "what"
WHERE = "how"
"""The groups of the form."""


@dataclass(frozen=True)
class Offer:
    """One thing that can be taken through all steps."""

    title: str
    text: str
    model: str
    """A variation of the benchmark."""
    data: str = ""
    """A variation of the data set; empty leaves it to the model, or to the person's folder."""
    divisions: tuple[str, ...] = ("open",)
    styles: tuple[str, ...] = ("test",)
    """The first is taken unless the person chooses."""
    notice: str = ""
    expected: tuple[str, ...] = ()
    """Rules of the checker that it must break, which ends it: there is nothing to mend."""


OFFERS = {
    PRACTICE: Offer(
        "practice, nothing to fetch",
        "every step for real with a tiny model on generated pictures; about two minutes, nothing to fetch",
        model="patterns-net",
        notice="DEMONSTRATION: open division, short runs, a tiny model on 1,024 generated pictures. "
        "Not an MLPerf result.",
    ),
    PHOTOGRAPHS: Offer(
        "practice on photographs",
        "a real model on 20 photographs, 19 MB to fetch; the check must refuse so few, and shows how that looks",
        model="efficientnet-lite0",
        data="photographs",
        notice="DEMONSTRATION: open division, short runs, 20 photographs. Not an MLPerf result.",
        expected=("performance.sample_count",),
    ),
    STAND_IN: Offer(
        "speed of ResNet-50 without its weights",
        "the true graph of ResNet-50 with made-up weights: what this machine can do, in open, never to be handed in",
        model="stand-in",
        styles=("test", "fast", "valid"),
        notice="STAND-IN: the ResNet-50 v1.5 graph with made-up weights on generated pictures. It shows speed, "
        "not accuracy.",
    ),
    REAL: Offer(
        "a result to hand in",
        "the model of the rules on the data of the rules; the runs take hours",
        model="reference",
        divisions=("open", "closed"),
        styles=("valid", "fast", "test"),
    ),
}
"""By name, the one for a first time first."""

BACKENDS = {"onnxruntime": "onnxruntime", "tensorflow": "tf"}
CATEGORIES = {"edge": "edge", "datacenter": "datacenter", "both": "datacenter,edge"}
"""As a person says it → as the rules spell `system_type`."""


def style_of(guide: Guide) -> str:
    """Return the style of the runs."""
    offer = OFFERS[guide.offer]
    return guide.style if guide.style in offer.styles else offer.styles[0]


def label(guide: Guide) -> str:
    """Return the name of the folder for what was chosen: results of other choices never mix with these."""
    data = f"-{digest(guide.pictures)[:6]}" if guide.offer == REAL and guide.pictures else ""
    return f"{guide.offer}-{guide.division}-{guide.benchmark}-{guide.backend}-{style_of(guide)}{data}"


def system_type(guide: Guide) -> str:
    """Return the category as the rules spell it."""
    return CATEGORIES.get(guide.category, guide.category)


def selection(guide: Guide) -> Selection:
    """Return what the runs of a guide select; only where an offer was taken."""
    offer = OFFERS[guide.offer]
    variations = (guide.benchmark, BACKENDS[guide.backend], "cpu", offer.model, "submission", style_of(guide))
    changes = Changes()
    changes.keep("sut", guide.system)
    if offer.notice:
        changes.keep("notice", offer.notice)
    if offer.data:
        changes.keep("adr.imagenet.tags", f"_{offer.data}")
    if guide.offer == REAL and guide.pictures:
        changes.keep("adr.imagenet.tags", "_full")
        changes.keep("env.IMAGENET_PATH", guide.pictures)
    if style_of(guide) == "test":
        changes.keep("adr.workers.seconds", "6")
    return changed(Selection(Query(TAGS, variations)), "", changes)


def trial(guide: Guide) -> Selection:
    """Return a short run of the same model and data: Offline alone, in test style, both modes."""
    whole = selection(guide)
    off = ("submission", style_of(guide))
    kept = tuple(name for name in whole.query.variations if name not in off)
    changes = Changes()
    changes.keep("scenarios", "Offline")
    changes.keep("adr.workers.seconds", "6")
    return changed(
        Selection(Query(TAGS, (*kept, "all-modes", "test")), whole.options, whole.env, whole.overrides), "", changes
    )


def one_scenario(guide: Guide, scenario: str) -> Selection:
    """Return the runs of one scenario again, and the tree built anew from all results."""
    changes = Changes()
    changes.keep("scenarios", scenario)
    return changed(selection(guide), "", changes)


def form(guide: Guide, place: Workplace, rules: Round) -> tuple[Field, ...]:
    """Return what is to choose, checked against each other and the rules."""
    offers = tuple(Pick(name, one.text) for name, one in OFFERS.items())
    verdict: Verdict = "ok" if guide.offer in OFFERS else "problem"
    first = Field(
        "offer",
        "what",
        WHAT,
        guide.offer,
        "a practice shows every step and can't be handed in",
        offers,
        verdict=verdict,
        said="" if guide.offer else "not chosen yet",
        remedy="" if guide.offer else "the first is made for a first time",
    )
    if guide.offer not in OFFERS:
        return (first,)
    fields = [first, _benchmark(guide, place), _division(guide, rules), _category(guide, rules), _backend(guide)]
    if guide.offer == REAL:
        fields.append(_pictures(guide))
    return (*fields, _style(guide, rules), _system(guide, place))


def _benchmark(guide: Guide, place: Workplace) -> Field:
    members = place.catalog.components[APP].groups()["benchmark"]
    picks = tuple(Pick(one.name, one.help, one.refused) for one in members)
    return Field("benchmark", "benchmark", WHAT, guide.benchmark, "one of the round's", picks)


def _division(guide: Guide, rules: Round) -> Field:
    allowed = OFFERS[guide.offer].divisions
    helps = {
        "closed": "systems are compared on the rules' own model and data, with compliance tests",
        "open": "any model; no accuracy to reach, scenarios as you like",
        "network": "as closed, with the queries coming over a network",
    }
    refused: dict[str, str] = {
        name: "needs a system under test across a network, which can't be measured here yet"
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


def _backend(guide: Guide) -> Field:
    picks = (Pick("onnxruntime", "comes with inferdeck"), Pick("tensorflow", "the extra 'tensorflow'"))
    return Field("backend", "framework", WHERE, guide.backend, "what runs the model", picks)


def _pictures(guide: Guide) -> Field:
    few = not guide.pictures
    return Field(
        "pictures",
        "ImageNet folder",
        WHERE,
        guide.pictures,
        "the folder with val_map.txt and the 50,000 validation pictures, which only you can get: image-net.org",
        verdict="warning" if few else "ok",
        said="empty: 500 pictures are fetched, too few to hand in" if few else "",
        remedy="register at image-net.org, unpack the validation set, write its folder" if few else "",
    )


def _style(guide: Guide, rules: Round) -> Field:
    allowed = OFFERS[guide.offer].styles
    picks = tuple(
        Pick(name, one.title, "" if name in allowed else "a practice is short") for name, one in rules.styles.items()
    )
    return Field("style", "length of runs", WHERE, style_of(guide), "only valid can be handed in", picks)


def _system(guide: Guide, place: Workplace) -> Field:
    verdict, said, remedy = folder_name(guide.system)
    if is_shipped(place.catalog.folders, guide.system):
        verdict, said, remedy = "problem", "an example of this name comes with inferdeck", "give yours another name"
    rule = "short, without blanks; names the folders of results"
    return Field("system", "name of the system", WHERE, guide.system, rule, verdict=verdict, said=said, remedy=remedy)
