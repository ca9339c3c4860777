"""The form of step 1: every choice with its values, checked against each other, the rules and this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from engine.errors import InferdeckError, UsageError
from engine.guide import presets
from engine.guide.presets import CATEGORIES, REAL
from engine.guide.state import Guide, folder_of
from engine.plan.plan import Plan
from engine.plan.selection import Selection
from engine.profile.component import Query
from engine.profile.known_rounds import all_rounds, has
from engine.profile.round_effects import round_choices
from engine.profile.rounds import Round
from engine.submission.form import Field, FieldChoice, system_name
from engine.submission.user_systems import is_shipped
from engine.survey import readiness
from engine.survey.output_dir import refuse_place
from engine.survey.prepare import Workplace, resolved
from engine.survey.readiness import APP, TAGS
from engine.survey.survey import STOPS, Seen, Surveyor
from engine.text import clean, whole_path

LONGEST_NAME = 255
"""Bytes of a file's name on the usual file systems."""

WHAT = "what"
HOW = "how"
WHERE = "where"
"""Groups of the form."""

_FIRST = ("round", "offer", "benchmark")
"""Fields before a kind of submission is chosen."""


def form(guide: Guide, place: Workplace, rules: Round) -> tuple[Field, ...]:
    """Return the form, checked; where no kind of submission is chosen yet only its first fields."""
    chosen = presets.preset(guide, place.catalog) is not None
    names = [name for name in _FIELDS if name != "data" or guide.offer == REAL] if chosen else _FIRST
    return tuple(field(name, guide, place, rules) for name in names)


def field(name: str, guide: Guide, place: Workplace, rules: Round) -> Field:
    """Return one field of the form."""
    return _FIELDS[name](guide, place, rules)


def _round(guide: Guide, place: Workplace, rules: Round) -> Field:
    known = round_choices(all_rounds(place.catalog.folders), rules, guide.benchmark)
    picks = tuple(
        FieldChoice(name, text, refused or _not_in_category(guide, place, name)) for name, text, refused in known
    )
    rule = "whose rules apply; the newest that has benchmark and category is proposed"
    return _picked("round", "round", WHAT, guide.round, rule, picks[::-1])


def _not_in_category(guide: Guide, place: Workplace, name: str) -> str:
    there = has(place.round(name), guide.benchmark, presets.system_type(guide))
    return "" if there else f"has no {guide.benchmark} in {guide.category}"


def _benchmark(guide: Guide, place: Workplace, _: Round) -> Field:
    members = place.catalog.components[APP].groups()["benchmark"]
    picks = tuple(
        FieldChoice(one.name, one.help + _other_round(guide, place, benchmark=one.name), one.refused) for one in members
    )
    return _picked("benchmark", "benchmark", WHAT, guide.benchmark, "its model and data", picks)


def _other_round(guide: Guide, place: Workplace, **changed: str) -> str:
    """Return, as part of a text, which round another choice takes; empty where the chosen one has it."""
    taken = presets.filled(msgspec.structs.replace(guide, **changed), place.catalog).round
    return f" (round {taken})" if taken != guide.round else ""


def _offer(guide: Guide, place: Workplace, _: Round) -> Field:
    file = presets.file_of(guide, place.catalog)
    offers = file.offers.items() if file else ()
    picks = tuple(
        FieldChoice(name, presets.PRESETS.get(name, presets.FEW).text.format(text=one.text or name))
        for name, one in offers
    )
    rule = "a practice shows every step and can't be submitted"
    found = _picked("offer", "what", WHAT, guide.offer, rule, picks)
    if guide.offer:
        return found
    return replace(found, said="not chosen yet", remedy=f"start with {picks[0].value}" if picks else "")


def _division(guide: Guide, place: Workplace, rules: Round) -> Field:
    preset = presets.preset(guide, place.catalog)
    allowed = preset.divisions if preset else ()
    helps = {
        "closed": "systems are compared on the rules' own model and data, with compliance tests",
        "open": "any model; no accuracy target, any scenarios",
        "network": "as closed, with the queries coming over a network",
    }

    def refused(name: str) -> str:
        if name in allowed:
            return ""
        network = "needs a system under test across a network, which is not supported yet"
        return network if name == "network" else "only with the model and data of the rules"

    picks = tuple(FieldChoice(name, helps[name], refused(name)) for name in rules.divisions)
    return _picked("division", "division", HOW, guide.division, "who you are compared with", picks)


def _category(guide: Guide, place: Workplace, _: Round) -> Field:
    picks = tuple(_in_category(guide, place, name) for name in CATEGORIES)
    return _picked("category", "category", HOW, guide.category, "decides which scenarios are required", picks)


def _in_category(guide: Guide, place: Workplace, name: str) -> FieldChoice:
    taken = presets.filled(msgspec.structs.replace(guide, category=name), place.catalog).round
    rules = place.round(taken)
    if not has(rules, guide.benchmark, CATEGORIES[name]):
        return FieldChoice(name, refused=f"{guide.benchmark} is not in it")
    required = ", ".join(rules.required(guide.benchmark, CATEGORIES[name]))
    return FieldChoice(name, required + _other_round(guide, place, category=name))


def _backend(guide: Guide, place: Workplace, _: Round) -> Field:
    app, file = place.catalog.components[APP], presets.file_of(guide, place.catalog)
    graphs = file.backends if file else ()
    picks = tuple(
        FieldChoice(name, app.variations[name].help, "" if name in graphs else f"has no graph of {guide.benchmark}")
        for name in app.options["backend"].choices
    )
    found = _picked("backend", "framework", HOW, guide.backend, "what runs the model", picks)
    usual = msgspec.structs.replace(guide, precision="")
    return found if found.verdict == "problem" else _with_fault(found, _fault(usual, place))


def _precision(guide: Guide, place: Workplace, _: Round) -> Field:
    usual = presets.default_precision(place.catalog)

    def fault(name: str) -> str:
        found = None if name == usual else _fault(msgspec.structs.replace(guide, precision=name), place)
        return found.what if found else ""

    members = place.catalog.components[APP].groups()[presets.PRECISIONS]
    picks = tuple(FieldChoice(one.name, one.help, one.refused or fault(one.name)) for one in members)
    return _picked("precision", "precision", HOW, guide.precision, "the numbers in which the model computes", picks)


def _tuning(guide: Guide, place: Workplace, _: Round) -> Field:
    helps = {"quick": "measured for seconds before the runs", "thorough": _help(place, "tune")}
    return _option(place, "tuning", guide.tuning, "how sessions, threads and batch are chosen", helps)


def _targets(guide: Guide, place: Workplace, _: Round) -> Field:
    helps = {
        "configured": "from the system's run configuration; measured if it has none",
        "searched": _help(place, "find-performance"),
    }
    return _option(place, "targets", guide.targets, "what LoadGen is told to expect", helps)


def _option(place: Workplace, name: str, value: str, rule: str, helps: Mapping[str, str]) -> Field:
    picks = tuple(FieldChoice(one, helps.get(one, "")) for one in place.catalog.components[APP].options[name].choices)
    return _picked(name, name, HOW, value, rule, picks)


def _help(place: Workplace, variation: str) -> str:
    return place.catalog.components[APP].variations[variation].help


def _style(guide: Guide, place: Workplace, rules: Round) -> Field:
    preset = presets.preset(guide, place.catalog)
    allowed = preset.styles if preset else ()
    picks = tuple(
        FieldChoice(name, one.title, "" if name in allowed else "a practice is short")
        for name, one in rules.styles.items()
    )
    return _picked("style", "length of runs", HOW, presets.style_of(guide), "only valid can be submitted", picks)


def _data(guide: Guide, place: Workplace, _: Round) -> Field:
    folder = place.catalog.benchmarks[guide.benchmark].file.folder
    found = Field("data", folder.title, WHERE, guide.data, folder.help)
    if not guide.data:
        few = bool(folder.how_to_get)
        return replace(found, verdict="warning" if few else "ok", said=folder.without, remedy=folder.how_to_get)
    path = whole_path(guide.data)
    if not _is_folder(path):
        return replace(found, verdict="problem", said=f"no such folder: {clean(str(path))}", remedy=folder.help)
    try:
        seen = _seen(guide, place, folder.env)
    except InferdeckError as error:
        return _with_fault(found, error)
    stopped = next((one for one in seen if one.state in STOPS), None)
    if stopped is not None:
        remedy = stopped.remedy.removeprefix(f"--env.{folder.env}=DIR").lstrip(":, ")  # here it is given in the form
        return replace(found, verdict="problem", said=stopped.text, remedy=remedy)
    return replace(found, said="; ".join(one.text for one in seen if one.text))


def _seen(guide: Guide, place: Workplace, env: str) -> list[Seen]:
    """Survey the components that read the folder, with what they need. Raises InferdeckError where none can."""
    source = readiness.full_data(place.catalog.benchmarks[guide.benchmark].file)
    options = {"round": guide.round} if guide.round else {}
    chosen = Selection(Query(TAGS, (guide.benchmark,)), options=options, env={env: str(whole_path(guide.data))})
    plan = resolved(place, readiness.on_data(chosen, source)).plan
    readers = {
        node.id
        for node in plan.nodes.values()
        if any(env in option.env for option in place.catalog.components[node.component].options.values())
    }
    wanted = {one for reader in readers for one in _below(plan, reader)}
    surveyor = Surveyor(place.catalog, place.folders)
    seen: dict[str, Seen] = {}
    for node in plan.nodes.values():
        if node.id in wanted:
            seen[node.id] = surveyor.survey_node(node, seen)
    return [seen[reader] for reader in seen if reader in readers]


def _below(plan: Plan, node: str) -> set[str]:
    """Return a node and everything that it needs."""
    return {node}.union(*(_below(plan, edge.node) for edge in plan.nodes[node].needs))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that is too long, or with a null byte
        return False


def _system(guide: Guide, place: Workplace, _: Round) -> Field:
    verdict, said, remedy = system_name(guide.system)
    if is_shipped(place.catalog.folders, guide.system):
        verdict, said, remedy = "problem", "an example of this name comes with inferdeck", "give yours another name"
    rule = "short, without blanks; names the folders of results"
    return Field("system", "name of the system", WHERE, guide.system, rule, verdict=verdict, said=said, remedy=remedy)


def _results(guide: Guide, place: Workplace, _: Round) -> Field:
    usual = folder_of(place.folders, guide.name)
    found = Field(
        "results",
        "results folder",
        WHERE,
        guide.results or str(usual),
        f"where logs, tree and zip go; empty: {clean(str(usual))}",
    )
    path = whole_path(found.value)
    if "\0" in str(path) or any(len(os.fsencode(part)) > LONGEST_NAME for part in path.parts):
        return replace(found, verdict="problem", said="can't be the name of a folder", remedy="give a shorter one")
    try:
        refuse_place(path)
    except UsageError as error:
        return replace(found, verdict="problem", said=error.what, remedy="give another folder")
    return found


def _picked(name: str, label: str, group: str, value: str, rule: str, picks: tuple[FieldChoice, ...]) -> Field:
    """Return a field of fixed values; one that is refused, or is none of them, is a problem."""
    found = Field(name, label, group, value, rule, picks)
    pick = next((one for one in picks if one.value == value), None)
    if pick is not None and not pick.refused:
        return found
    said = pick.refused if pick else f"'{clean(value)}' is none of them"
    usable = [one.value for one in picks if not one.refused]
    return replace(found, verdict="problem", said=said, remedy=f"choose {' or '.join(usable)}" if usable else "")


def _with_fault(found: Field, fault: InferdeckError | None) -> Field:
    """Return a field with the reason why nothing can be planned; unchanged where there is none."""
    return replace(found, verdict="problem", said=fault.what, remedy=fault.remedy) if fault else found


def _fault(guide: Guide, place: Workplace) -> InferdeckError | None:
    """Return why model, framework and precision do not go together; None where they do."""
    if presets.preset(guide, place.catalog) is None:
        return None
    try:
        resolved(place, presets.together(guide, place.catalog))
    except InferdeckError as error:
        return error
    return None


_FIELDS: Mapping[str, Callable[[Guide, Workplace, Round], Field]] = {
    "round": _round,
    "offer": _offer,
    "benchmark": _benchmark,
    "division": _division,
    "category": _category,
    "backend": _backend,
    "precision": _precision,
    "tuning": _tuning,
    "targets": _targets,
    "style": _style,
    "data": _data,
    "system": _system,
    "results": _results,
}
"""Fields by the names of the choices (engine.guide.state.Guide), in their order."""

NAMES = tuple(_FIELDS)
