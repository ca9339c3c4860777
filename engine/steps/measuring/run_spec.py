"""Build the specification of one run for the harness: settings, model, samples, workers, configuration files."""

from __future__ import annotations

from engine.facts import BackendFacts, ModelFacts, SamplesFacts
from engine.harness.conf import audit_config, mlperf_conf, user_conf
from engine.harness.spec import RunSpec
from engine.mlperf import TEST_FOLDER
from engine.profile.known_rounds import round_of
from engine.profile.run_rules import resolve_rules
from engine.step import Step
from engine.steps.measuring.run_estimate import refuse_hopeless
from engine.steps.measuring.run_options import LoadGenOptions
from engine.steps.measuring.run_settings import query_ms, run_settings
from engine.steps.measuring.run_workers import chosen_workers, memory
from engine.tuning.tuned import Tuned

SPEC = "spec.json"

TOO_FEW = "performance.sample_count"
"""The checker's rule that a small data set breaks, reported before the run."""


def spec(step: Step, target: float) -> RunSpec:
    """Return the specification of a run with this target, in the unit of its scenario; an option overrides it.

    Raises CannotRunError where the data set or an option does not fit the rules, or memory does not hold the run.
    """
    options, inputs = step.read_options(LoadGenOptions), step.inputs
    rules = round_of(step.profiles, options.round)
    test = options.compliance_test()
    model, samples = inputs["model"].read(ModelFacts), inputs["preprocessed"].read(SamplesFacts)
    backend = inputs["backend"].read(BackendFacts)
    settings = run_settings(options, rules, samples.count, target)
    tuned = inputs["workers"].read(Tuned)
    refuse_hopeless(settings, options.target_name(), query_ms(settings, tuned))
    workers = chosen_workers(options, tuned)
    memory(inputs["model"], inputs["preprocessed"], settings, workers.sessions)
    ruled = resolve_rules(rules, options.benchmark, options.scenario, options.mode)
    least = ruled.performance_sample_count
    if settings.mode == "performance" and settings.performance_sample_count < least:
        step.warn(
            f"the data set has {samples.count} samples; the rules require {least} in a performance run: "
            "this result can't be submitted",
            rule=TOO_FEW,
        )
    return RunSpec(
        step=step.id,
        benchmark=ruled.loadgen_model,
        sut_name=options.sut,
        qsl_name=options.benchmark,
        settings=settings,
        backend=backend.module,
        backend_options=backend.settings,
        device=backend.device,
        model=model.paths(inputs["model"].folder),
        outputs=model.outputs,
        task=options.task,
        task_options=model.options(inputs["model"].folder),
        samples=samples.paths(inputs["preprocessed"].folder),
        on_load=samples.made(inputs["preprocessed"].folder),
        workers=workers,
        mlperf_conf=mlperf_conf(rules),
        user_conf=user_conf(rules, options.benchmark, settings),
        audit=audit_config(rules, options.benchmark, test) if test else "",
        log_dir=str(step.output / TEST_FOLDER if test else step.output),
    )
