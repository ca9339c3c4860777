"""The settings of one run: the round's rules, the run style, and the user's overrides.

Pure: the same arguments give the same settings and the same two configuration files, and the files equal the settings,
because LoadGen's logs and the submission show both.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from engine.errors import CannotRunError
from engine.harness.spec import LoadGenSettings
from engine.mlperf import FACTS, NS_PER_MS, Mode, Scenario
from engine.profile.rounds import Round
from engine.profile.run_rules import RunRules, resolve_rules
from engine.profile.scenario_rules import Style, StyleRule

_Count = Annotated[int, Meta(ge=0)]
_Positive = Annotated[float, Meta(gt=0)]


class Overrides(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user's overrides; None keeps the value of rules and style."""

    min_duration_ms: _Count | None = None
    min_query_count: _Count | None = None
    """Offline: samples in its one query."""
    max_query_count: _Count | None = None
    performance_sample_count: Annotated[int, Meta(ge=1)] | None = None
    target_qps: _Positive | None = None
    """Server and Offline."""
    target_latency_ms: _Positive | None = None
    """SingleStream and MultiStream: the expected latency. Server: the latency constraint, in whole milliseconds."""


def settings(
    rules: Round,
    benchmark: str,
    scenario: Scenario,
    mode: Mode,
    style: Style,
    *,
    sample_count: int,
    target: float | None = None,
    overrides: Overrides | None = None,
    test: str | None = None,
) -> LoadGenSettings:
    """Return the settings of one run.

    `sample_count` is the size of the available data set. `target` is the system's configured one for this benchmark and
    scenario, in the unit of the scenario's target (queries/s, samples/s or ms); an override takes precedence. LoadGen
    sizes an Offline query as max(min_sample_count, 1.1 * duration in s * target_qps). `test` is a compliance test,
    whose run has its own seeds; its other changes are in its audit.config.

    Raises UsageError for an unknown benchmark or test; CannotRunError if the data set is too small for a valid run or
    for the test, or an override does not match the scenario.
    """
    over = overrides or Overrides()
    ruled, how = resolve_rules(rules, benchmark, scenario, test or mode), rules.styles[style]
    _refuse_misfits(scenario, over)
    duration = _first(over.min_duration_ms, how.min_duration_ms, ruled.min_duration_ms)
    samples = _first(how.min_sample_count, ruled.min_sample_count) if scenario == "Offline" else 0
    queries = least_queries(ruled, how)
    if over.min_query_count is not None:
        samples, queries = (over.min_query_count, 1) if scenario == "Offline" else (0, over.min_query_count)
    performance_samples = _performance_samples(ruled, benchmark, style, sample_count, over)
    _refuse_too_few(ruled, performance_samples)
    return LoadGenSettings(
        scenario=scenario,
        mode=mode,
        min_duration_ms=duration,
        # a limit below the minimum duration would only make the run invalid
        max_duration_ms=0 if how.max_duration_ms < duration else how.max_duration_ms,
        min_query_count=queries,
        max_query_count=over.max_query_count or 0,
        min_sample_count=samples,
        performance_sample_count=performance_samples,
        target_qps=_target_qps(ruled, target, over),
        target_latency_ns=_latency_ns(ruled, how.expected_latency_ms.get(scenario), target, over),
        target_latency_percentile=ruled.share,
        samples_per_query=ruled.samples_per_query,
        sample_concatenate_permutation=ruled.sample_concatenate_permutation,
        use_token_latencies=ruled.counts_tokens,
        qsl_rng_seed=ruled.seeds.qsl,
        sample_index_rng_seed=ruled.seeds.sample_index,
        schedule_rng_seed=ruled.seeds.schedule,
    )


def least_queries(ruled: RunRules, how: StyleRule) -> int:
    """Return the minimum query count of a run of this style, without overrides."""
    return _first(how.min_query_count.get(ruled.scenario), ruled.min_query_count)


def _refuse_too_few(ruled: RunRules, performance_samples: int) -> None:
    """Raise CannotRunError if a test needs a sample that does not exist."""
    asked_again = ruled.test_settings.get("performance_issue_same_index", 0)
    if asked_again >= performance_samples:
        raise CannotRunError(
            f"{ruled.mode} repeats sample {asked_again} of the performance set, which has {performance_samples} only",
            "give a larger data set",
        )


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _refuse_misfits(scenario: Scenario, over: Overrides) -> None:
    if over.target_qps is not None and FACTS[scenario].streams:
        raise CannotRunError(
            f"{scenario} has no target_qps: LoadGen sends the next query when the last one is answered",
            "give target_latency, the expected latency, instead",
        )
    if over.target_latency_ms is not None and scenario == "Offline":
        raise CannotRunError("Offline has no target_latency: all samples come at once", "give target_qps instead")
    if over.target_latency_ms is not None and scenario == "Server" and over.target_latency_ms % 1:
        raise CannotRunError(
            f"LoadGen reads Server's latency constraint in whole milliseconds, not {over.target_latency_ms:g}",
            f"give {max(1, round(over.target_latency_ms))}",
        )


def _performance_samples(ruled: RunRules, benchmark: str, style: Style, sample_count: int, over: Overrides) -> int:
    """Return how many samples a run draws from. Samples are never repeated to reach a number."""
    least = ruled.performance_sample_count
    usual = max(least, sample_count) if ruled.performance_set_is_whole else least
    wanted = _first(over.performance_sample_count, usual)
    if sample_count < 1:
        raise CannotRunError(f"the data set of {benchmark} is empty", "give a data set with at least one sample")
    if style != "valid":
        return min(wanted, sample_count)
    if wanted > sample_count:
        raise CannotRunError(
            f"the data set has {sample_count} samples, a valid run of {benchmark} in round {ruled.round} "
            f"needs a performance sample count of {wanted}",
            f"give the whole data set ({ruled.dataset}, {ruled.sample_count} samples), or take the style fast or test",
        )
    if wanted < least:
        raise CannotRunError(
            f"a performance sample count of {wanted} is below the {least} that round {ruled.round} wants "
            f"of {benchmark}",
            "raise it, or take the style fast or test",
        )
    return wanted


def _target_qps(ruled: RunRules, target: float | None, over: Overrides) -> float | None:
    if ruled.target.key != "target_qps":
        return None
    return over.target_qps or target or ruled.target.default


def _latency_ns(ruled: RunRules, expected_ms: float | None, target: float | None, over: Overrides) -> int | None:
    """Return Server's latency constraint, or the expected latency that sizes a SingleStream or MultiStream run.

    `expected_ms` is that of the style, used if none is configured or measured.
    """
    if ruled.scenario == "Offline":
        return None
    if ruled.scenario == "Server":
        constraint_ms = over.target_latency_ms or ruled.latency_ms
        return None if constraint_ms is None else round(constraint_ms * NS_PER_MS)
    return round((over.target_latency_ms or target or expected_ms or ruled.target.default) * NS_PER_MS)
