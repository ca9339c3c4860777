"""Step: one LoadGen run in the harness's own process; and the estimate of its time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import codec
from engine.facts import SamplesFacts
from engine.harness.goal import measuring
from engine.harness.spec import REPORT, RunReport
from engine.profile.known_rounds import round_of
from engine.profile.run_rules import resolve
from engine.step import Look, Sight, Step
from engine.steps.measuring.foresight import refuse_hopeless, seconds
from engine.steps.measuring.harness_process import harness
from engine.steps.measuring.run_outcome import read_outcome
from engine.steps.measuring.run_provenance import run_provenance
from engine.steps.measuring.run_settings import given_target, query_ms, run_settings
from engine.steps.measuring.run_spec import SPEC, spec
from engine.steps.measuring.run_workers import batch_ms, expected_memory
from engine.steps.measuring.target import beyond_the_bound, foreseen_target, target
from engine.submission import provenance
from engine.tuning.tuned import Tuned


def survey(look: Look) -> Sight:
    """Estimate how long the run takes, from tuning results where there are any.

    Raises CannotRunError for a run that can't work: its queries do not fit memory, or do not last.
    """
    options = look.options
    rules = round_of(look.profiles, options["round"])
    samples = look.inputs["preprocessed"]
    count = (
        samples.read(SamplesFacts).count if samples is not None else rules.benchmark(options["benchmark"]).sample_count
    )
    target = foreseen_target(look, rules)
    made = run_settings(options, rules, count, target)
    workers = look.inputs["workers"]
    tuned = workers.read(Tuned) if workers is not None else None
    each_ms = query_ms(made, tuned)
    refuse_hopeless(options, made, each_ms)
    per_second = tuned.trial("Offline").samples_per_second if tuned is not None else None
    takes = seconds(made, given_target(options) or each_ms or target, per_second)
    beyond = beyond_the_bound(options, tuned, rules) if tuned is not None and made.mode == "performance" else ""
    return Sight("run", seconds=takes, text="; ".join(filter(None, (beyond, expected_memory(look, made, tuned)))))


def run(step: Step) -> dict[str, Any]:
    """Measure. The output folder gets LoadGen's files, the configuration files, `spec.json` and, last, `run.json`.

    The mode is `performance`, `accuracy`, or the name of a compliance test; a test's files of LoadGen and of its
    configuration are in TEST_FOLDER. Facts: `valid` (None in accuracy mode), `metric`, `value`, `unit`, and where other
    work did, `disturbed`. Raises RunError in the harness's words.
    """
    rules = round_of(step.profiles, step.options["round"])
    run_spec = spec(step, target(step, rules))
    spec_file = step.output / SPEC
    spec_file.write_bytes(codec.encode(run_spec, indent=1))
    (step.output / provenance.FILE).write_bytes(codec.encode(run_provenance(step), indent=1))
    ruled = resolve(rules, step.options["benchmark"], run_spec.settings.scenario, step.options["mode"])
    count = step.inputs["preprocessed"].read(SamplesFacts).count
    step.emit(measuring(run_spec, ruled, step.options["mode"], count))
    harness(step, spec_file, batch_ms(step))
    disturbed = codec.decode((Path(run_spec.log_dir) / REPORT).read_bytes(), type=RunReport).disturbed
    return read_outcome(step, run_spec) | ({provenance.DISTURBED: disturbed} if disturbed else {})
