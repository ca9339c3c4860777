"""LoadGen settings of a run: those of the round, changed by the user's options."""

from __future__ import annotations

from engine.harness.settings import Overrides, settings
from engine.harness.spec import LoadGenSettings
from engine.mlperf import FACTS, target_option
from engine.profile.rounds import Round
from engine.steps.measuring.run_options import LoadGenOptions
from engine.tuning.tuned import Tuned

OVERRIDES = (
    "min_duration_ms",
    "min_query_count",
    "max_query_count",
    "performance_sample_count",
    "target_qps",
    "target_latency_ms",
)


def run_settings(options: LoadGenOptions, rules: Round, sample_count: int, target: float | None) -> LoadGenSettings:
    """Return the settings of a run with this target, in the unit of its scenario; an option overrides it.

    Raises UsageError where an option breaks the rules.
    """
    given = {name: value for name in OVERRIDES if (value := getattr(options, name)) is not None}
    scenario = options.scenario
    if (own := getattr(options, target_option(scenario))) is not None:
        given[FACTS[scenario].target] = own
    if FACTS[scenario].streams:
        given.pop("target_qps", None)
    elif scenario == "Offline":
        given.pop("target_latency_ms", None)
    return settings(
        rules,
        options.benchmark,
        scenario,
        "accuracy" if options.mode == "accuracy" else "performance",
        options.style,
        sample_count=sample_count,
        target=target,
        overrides=Overrides(**given),
        test=options.compliance_test(),
    )


def given_target(options: LoadGenOptions) -> float | None:
    """Return the user's target of this scenario."""
    found: float | None = getattr(options, options.target_name())
    return None if FACTS[options.scenario].streams else found


def query_ms(made: LoadGenSettings, tuned: Tuned | None) -> float | None:
    """Return the time of a query in ms according to tuning, in a scenario that issues one after another."""
    if tuned is None or not FACTS[made.scenario].streams:
        return None
    return tuned.trial(made.scenario).query_ms
