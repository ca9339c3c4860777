"""Step: one LoadGen run in the harness's own process; and the estimate of its time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import codec
from engine.facts import SamplesFacts
from engine.harness.goal import measuring
from engine.harness.spec import REPORT, RunReport
from engine.profile.known_rounds import round_of
from engine.profile.run_rules import resolve_rules
from engine.step import Step, SurveyContext, SurveyResult
from engine.steps.measuring.harness_process import harness
from engine.steps.measuring.run_estimate import memory_text
from engine.steps.measuring.run_forecast import forecast
from engine.steps.measuring.run_options import LoadGenOptions
from engine.steps.measuring.run_outcome import read_outcome
from engine.steps.measuring.run_provenance import run_provenance
from engine.steps.measuring.run_spec import SPEC, spec
from engine.steps.measuring.run_workers import batch_ms
from engine.steps.measuring.target import target
from engine.submission import provenance


def survey(context: SurveyContext) -> SurveyResult:
    """Estimate how long the run takes, from tuning results where there are any.

    Raises CannotRunError for a run that can't work: its queries do not fit memory, or do not last.
    """
    known = forecast(context)
    memory = memory_text(known.memory_bytes, known.sessions) if known.memory_bytes else ""
    return SurveyResult("run", seconds=known.seconds, text="; ".join(filter(None, (known.beyond, memory))))


def run(step: Step) -> dict[str, Any]:
    """Measure. The output folder gets LoadGen's files, the configuration files, `spec.json` and, last, `run.json`.

    The mode is `performance`, `accuracy`, or the name of a compliance test; a test's files of LoadGen and of its
    configuration are in TEST_FOLDER. Facts: `valid` (None in accuracy mode), `metric`, `value`, `unit`, and where other
    work did, `disturbed`. Raises RunError in the harness's words.
    """
    options = step.read_options(LoadGenOptions)
    rules = round_of(step.profiles, options.round)
    run_spec = spec(step, target(step, rules))
    spec_file = step.output / SPEC
    spec_file.write_bytes(codec.encode(run_spec, indent=1))
    (step.output / provenance.FILE).write_bytes(codec.encode(run_provenance(step), indent=1))
    ruled = resolve_rules(rules, options.benchmark, run_spec.settings.scenario, options.mode)
    count = step.inputs["preprocessed"].read(SamplesFacts).count
    step.emit(measuring(run_spec, ruled, options.mode, count))
    harness(step, spec_file, batch_ms(step))
    disturbed = codec.decode((Path(run_spec.log_dir) / REPORT).read_bytes(), type=RunReport).disturbed
    return read_outcome(step, run_spec) | ({provenance.DISTURBED: disturbed} if disturbed else {})
