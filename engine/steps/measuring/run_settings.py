"""LoadGen settings of a run: those of the round, changed by the user's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from engine.harness.settings import Overrides, settings
from engine.harness.spec import LoadGenSettings
from engine.mlperf import FACTS, Mode, target_option
from engine.profile.rounds import Round
from engine.tuning.tuned import Tuned

OVERRIDES = (
    "min_duration_ms",
    "min_query_count",
    "max_query_count",
    "performance_sample_count",
    "target_qps",
    "target_latency_ms",
)


def run_settings(options: Mapping[str, Any], rules: Round, sample_count: int, target: float | None) -> LoadGenSettings:
    """Return the settings of a run with this target, in the unit of its scenario; an option overrides it.

    Raises UsageError where an option breaks the rules.
    """
    given = {name: options[name] for name in OVERRIDES if options[name] is not None}
    scenario = options["scenario"]
    own = target_option(scenario)
    if options.get(own) is not None:
        given[FACTS[scenario].target] = options[own]
    if FACTS[scenario].streams:
        given.pop("target_qps", None)
    elif scenario == "Offline":
        given.pop("target_latency_ms", None)
    return settings(
        rules,
        options["benchmark"],
        scenario,
        "accuracy" if options["mode"] == "accuracy" else "performance",
        options["style"],
        sample_count=sample_count,
        target=target,
        overrides=Overrides(**given),
        test=compliance_test(options),
    )


def compliance_test(options: Mapping[str, Any]) -> str | None:
    """Return the compliance test that the mode names, if any."""
    mode: str = options["mode"]
    return None if mode in get_args(Mode) else mode


def given_target(options: Mapping[str, Any]) -> float | None:
    """Return the user's target of this scenario."""
    facts, own = FACTS[options["scenario"]], target_option(options["scenario"])
    found: float | None = options[own] if options.get(own) is not None else options[facts.target]
    return None if facts.streams else found


def query_ms(made: LoadGenSettings, tuned: Tuned | None) -> float | None:
    """Return the time of a query in ms according to tuning, in a scenario that issues one after another."""
    if tuned is None or not FACTS[made.scenario].streams:
        return None
    return tuned.trial(made.scenario).query_ms
