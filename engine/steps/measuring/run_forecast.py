"""Forecast of a LoadGen run: how long it takes and why, its memory, and whether its latency constraint can be met.

Figures come from tuning where the workers have been measured on this machine, else only from the rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.facts import DataFacts
from engine.harness.spec import LoadGenSettings
from engine.mlperf import FACTS, Scenario
from engine.profile.known_rounds import round_of
from engine.profile.run_rules import resolve_rules
from engine.step import SurveyContext
from engine.steps.measuring.run_estimate import prepared_bytes, prepared_queries, refuse_hopeless, seconds
from engine.steps.measuring.run_options import LoadGenOptions
from engine.steps.measuring.run_settings import given_target, query_ms, run_settings
from engine.steps.measuring.run_workers import chosen_workers, memory
from engine.steps.measuring.target import above_latency_constraint, latency_constraint_ms, predicted_target
from engine.text import duration, short_figure
from engine.tuning.tuned import Tuned


@dataclass(frozen=True)
class RunForecast:
    """What a run needs, as far as it is known before it starts."""

    scenario: Scenario
    mode: str
    """`performance`, `accuracy` or the name of a compliance test."""
    seconds: float | None
    """None where unknown."""
    basis: str
    """What determines the duration."""
    is_measured: bool
    """Whether the machine's speed has been measured; otherwise only the rules' minimum is known."""
    memory_bytes: int | None
    """Of the sessions, the loaded samples and LoadGen's queries; None where unknown."""
    sessions: int
    """0 where unknown."""
    constraint_ms: float | None
    """Server's latency constraint; None in other scenarios."""
    beyond: str
    """Why hardly any rate will meet the latency constraint; empty where one does, or where it is unknown."""


def forecast(context: SurveyContext) -> RunForecast:
    """Forecast the run of a `loadgen-run` component.

    Raises CannotRunError for a run that can't work: too few samples, or its queries do not fit memory or do not last.
    """
    options = context.read_options(LoadGenOptions)
    rules = round_of(context.profiles, options.round)
    ruled = resolve_rules(rules, options.benchmark, options.scenario, options.mode)
    workers, target = context.inputs["workers"], predicted_target(context, rules)
    settings = run_settings(options, rules, _sample_count(context) or ruled.sample_count, target)
    tuned = workers.read(Tuned) if workers is not None else None
    each_ms = query_ms(settings, tuned)
    refuse_hopeless(settings, options.target_name(), each_ms)
    if settings.mode == "accuracy":
        takes, basis = _accuracy(options, tuned, _sample_count(context) or ruled.accuracy_sample_count)
    else:
        per_second = tuned.trial("Offline").samples_per_second if tuned is not None else None
        takes = seconds(settings, given_target(options) or each_ms or target, per_second)
        basis = _basis(settings, takes, each_ms, per_second)
    is_server = settings.scenario == "Server" and settings.mode == "performance"
    return RunForecast(
        scenario=options.scenario,
        mode=options.mode,
        seconds=takes,
        basis=basis,
        is_measured=tuned is not None,
        memory_bytes=_memory(context, options, settings, tuned),
        sessions=chosen_workers(options, tuned).sessions if tuned is not None else 0,
        constraint_ms=latency_constraint_ms(options, rules) if is_server else None,
        beyond=above_latency_constraint(options, tuned, rules) if is_server and tuned is not None else "",
    )


def _sample_count(context: SurveyContext) -> int | None:
    """Return the number of samples, existing or planned; None where unknown."""
    samples = context.inputs["preprocessed"]
    if samples is not None:
        return samples.read(DataFacts).count
    return context.expected_facts.get("preprocessed", {}).get("count")


def _accuracy(options: LoadGenOptions, tuned: Tuned | None, count: int) -> tuple[float | None, str]:
    """Return how long an accuracy run takes, and why: each sample is answered once."""
    if tuned is None or not tuned.table:
        return None, f"{count:,} samples once"
    trial = tuned.trial(options.scenario)
    rate = 1000 / trial.query_ms if options.scenario == "SingleStream" else trial.samples_per_second
    return count / rate, f"{count:,} samples once, at {short_figure(rate)} a second"


def _basis(settings: LoadGenSettings, takes: float | None, each_ms: float | None, per_second: float | None) -> str:
    """Return what determines the duration of a performance run."""
    least = settings.min_duration_ms / 1000
    if settings.scenario == "Offline":
        rate = f", {short_figure(per_second)} a second" if per_second else ""
        return f"{prepared_queries(settings)[1]:,} samples{rate}"
    if takes is None or takes <= least:
        return f"the minimum duration of {duration(least)}"
    each = f" of {short_figure(each_ms)} ms" if each_ms and FACTS[settings.scenario].streams else ""
    return f"{settings.min_query_count:,} queries{each}"


def _memory(
    context: SurveyContext, options: LoadGenOptions, settings: LoadGenSettings, tuned: Tuned | None
) -> int | None:
    """Return the bytes that a run holds. Raises CannotRunError where they do not fit."""
    model, samples = context.inputs["model"], context.inputs["preprocessed"]
    if model is None or samples is None or tuned is None:
        return None
    queries = 0 if settings.mode == "accuracy" else prepared_bytes(settings)
    return memory(model, samples, settings, chosen_workers(options, tuned).sessions) + queries
