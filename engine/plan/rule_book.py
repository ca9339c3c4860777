"""Values of a plan that come from the rules of the round rather than from a profile or the user."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from engine.errors import ProfileError, UsageError, nearest
from engine.plan.clash import asked_variation
from engine.plan.decide import RuleBook
from engine.plan.plan import Node
from engine.plan.reason import Asked
from engine.profile.names import folder_fault
from engine.profile.rounds import Round
from engine.profile.run_rules import resolve_rules
from engine.profile.systems import Description
from engine.profile.tree_rules import Division

SYSTEM_TYPES = {"edge": "edge", "datacenter": "datacenter", "both": "datacenter,edge"}

TUNING_SECONDS = {"quick": 20.0, "thorough": 150.0}


def rule_book(rules: Round, describe: Callable[[str], Description]) -> RuleBook:
    """Return the lookup that the resolver calls: (name of the rule, the component's options) → value.

    `describe` returns the description of a system by its name (`engine.profile.systems.describer`).
    """

    def look_up(name: str, options: Mapping[str, Any]) -> Any:
        if name not in _RULES and name not in _OF_THE_SYSTEM:
            raise ProfileError(f"the round has no rule '{name}'", nearest(name, (*_RULES, *_OF_THE_SYSTEM)))
        try:
            if name in _OF_THE_SYSTEM:
                return _OF_THE_SYSTEM[name](_of_system(describe(options["sut"]), options.get("submitter")))
            return _RULES[name](rules, options)
        except KeyError as error:
            raise ProfileError(
                f"the rule '{name}' looks for '{error.args[0]}' and does not find it",
                "the component must declare the options that the rule reads before it, with values of the round",
            ) from None

    return look_up


def refuse_foreign_scenarios(root: Node, rules: Round) -> None:
    """Raise UsageError if the user asked for a scenario that the requested category does not have."""
    benchmark, category, scenarios = (root.options.get(name) for name in ("benchmark", "category", "scenarios"))
    if benchmark is None or category is None or scenarios is None or not isinstance(scenarios.reason, Asked):
        return
    word = asked_variation(root, "category")
    how = f"_{word}" if word else f"--category={category.value}" if isinstance(category.reason, Asked) else ""
    if not how or category.value not in SYSTEM_TYPES:
        return
    allowed = _allowed(rules, benchmark.value, category.value)
    foreign = [one for one in scenarios.value if one not in allowed]
    if foreign:
        what = f"{scenarios.reason.how}: in the category {category.value} {benchmark.value} has no {', '.join(foreign)}"
        raise UsageError(what, f"there it has {', '.join(allowed)}; or leave out {how}")


def _of_system(system: Description, submitter: str | None) -> Description:
    """Return a description that rules can use. Raises UsageError if it names no allowed submitter."""
    if not system.fields:
        raise UsageError(
            f"the system '{system.name}' has no description", f"inferdeck system new {system.name} writes one"
        )
    own = str(system.fields.get("submitter", ""))
    fault = folder_fault(submitter or own) if submitter or own else None
    if fault is not None and submitter:
        raise UsageError(f"--submitter: {fault[0]}", fault[1])
    if fault is not None:
        raise _wrong(system, "submitter", *fault)
    return system


def _wrong(system: Description, field: str, what: str, remedy: str) -> UsageError:
    """Return an error about a field's value, with its file and line."""
    return UsageError(f"{system.place(field)}: {what}", remedy)


def _category(system: Description) -> str:
    kind = str(system.fields.get("system_type", ""))
    for category, system_type in SYSTEM_TYPES.items():
        if set(kind.split(",")) == set(system_type.split(",")):
            return category
    raise _wrong(
        system, "system_type", f"the system_type of the system is '{kind}'", _nearest(kind, SYSTEM_TYPES.values())
    )


def _division(system: Description) -> Any:
    """Return the description's division; None if it has none."""
    division = system.fields.get("division")
    if division is not None and division not in get_args(Division):
        remedy = _nearest(str(division), get_args(Division))
        raise _wrong(system, "division", f"the division of the system is '{division}'", remedy)
    return division


def _nearest(word: str, allowed: Iterable[str]) -> str:
    """Return the nearest spelling, ignoring case."""
    return nearest(word.lower(), allowed)


_OF_THE_SYSTEM: Mapping[str, Callable[[Description], Any]] = {
    "sut-category": _category,
    "sut-division": _division,
}


def _required_scenarios(rules: Round, options: Mapping[str, Any]) -> tuple[str, ...]:
    _allowed(rules, options["benchmark"], options["category"])
    return rules.required(options["benchmark"], SYSTEM_TYPES[options["category"]])


def _allowed(rules: Round, benchmark: str, category: str) -> tuple[str, ...]:
    """Return the scenarios that a result may have. Raises UsageError if the category does not have the benchmark."""
    found = rules.allowed(benchmark, SYSTEM_TYPES[category])
    if not found:
        where = rules.benchmark(benchmark).suites()
        raise UsageError(
            f"{benchmark} is no benchmark of the category {category} in round {rules.name}",
            f"it is one of {' and '.join(where)}: choose that, or a system whose description says it"
            if where
            else f"choose another one: inferdeck rounds show {rules.name}",
        )
    return found


def _server_latency_ms(rules: Round, options: Mapping[str, Any]) -> float | None:
    return resolve_rules(rules, options["benchmark"], "Server").latency_ms


def _server_percentile(rules: Round, options: Mapping[str, Any]) -> float:
    return resolve_rules(rules, options["benchmark"], "Server").percentile


def _samples_per_query(rules: Round, options: Mapping[str, Any]) -> int:
    return resolve_rules(rules, options["benchmark"], "MultiStream").samples_per_query


def _compliance_tests(rules: Round, options: Mapping[str, Any]) -> tuple[str, ...]:
    return rules.benchmark(options["benchmark"]).compliance


def _required_compliance(rules: Round, options: Mapping[str, Any]) -> tuple[str, ...]:
    division = rules.divisions.get(options["division"])
    return _compliance_tests(rules, options) if division is not None and division.compliance else ()


def _usual_modes(_rules: Round, options: Mapping[str, Any]) -> tuple[str, ...]:
    """A search or a tuning runs alone, or together with explicitly named modes."""
    return () if options["targets"] == "searched" or options["tuning"] == "thorough" else ("performance",)


def _search_seconds(rules: Round, options: Mapping[str, Any]) -> float:
    return rules.styles[options["style"]].search_seconds


def _tuning_seconds(_rules: Round, options: Mapping[str, Any]) -> float:
    return TUNING_SECONDS[options["tuning"]]


_RULES: Mapping[str, Callable[[Round, Mapping[str, Any]], Any]] = {
    "required-scenarios": _required_scenarios,
    "server-latency-ms": _server_latency_ms,
    "server-percentile": _server_percentile,
    "samples-per-query": _samples_per_query,
    "compliance-tests": _compliance_tests,
    "required-compliance": _required_compliance,
    "usual-modes": _usual_modes,
    "search-seconds": _search_seconds,
    "tuning-seconds": _tuning_seconds,
}
