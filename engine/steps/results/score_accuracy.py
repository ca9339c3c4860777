"""Score an accuracy run into `accuracy.txt`, in the format that the submission checker reads."""

from __future__ import annotations

import importlib
import time
from typing import Any

import msgspec

from engine import codec, events
from engine.facts import SamplesFacts
from engine.mlperf import ACCURACY_LOG, ACCURACY_TEXT
from engine.profile.known_rounds import round_of
from engine.step import Options, Step
from engine.steps.measuring import run_findings as findings
from engine.submission import provenance
from engine.submission.checker import single


class ScoreOptions(Options, frozen=True, kw_only=True):
    """How an accuracy run is scored."""

    round: str
    task: str
    """Module of the task."""
    scenario: str


def score(step: Step) -> dict[str, Any]:
    """Score the log of the need `run` against the labels of the measured samples."""
    options, samples = step.read_options(ScoreOptions), step.inputs["preprocessed"].read(SamplesFacts)
    labels = step.inputs["preprocessed"].folder / samples.labels
    task = importlib.import_module(options.task)
    found = task.score(step.inputs["run"].folder / ACCURACY_LOG, labels)
    (step.output / ACCURACY_TEXT).write_text(found.text)
    if found.warning and not _stand_in(step):
        step.warn(
            f"{found.metric} {found.value:.3f}{found.unit}: {found.warning}",
            remedy="compare some answers with their labels",
        )
    labelled = samples.count if samples.labelled is None else samples.labelled
    scored = f"{found.total} of {labelled}"
    step.emit(
        events.Measured(
            at=time.time(),
            step=step.id,
            scenario=options.scenario,
            mode="accuracy",
            metric=found.metric,
            value=found.value,
            unit=found.unit,
            valid=None,
            scored=scored,
        )
    )
    _say_findings(step, found.text)
    line = found.text.splitlines()[-1]  # what the checker reads; above it the task may have said more
    return {
        "metric": found.metric,
        "value": found.value,
        "good": found.good,
        "total": found.total,
        "labelled": labelled,
        "text": f"{line}, {scored} labelled samples",
        **found.figures,
    }


def _stand_in(step: Step) -> bool:
    """Return whether the model has synthetic weights, whose accuracy is chance."""
    try:
        origin = codec.decode((step.inputs["run"].folder / provenance.FILE).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return False
    return bool(origin.get("stand_in"))


def _say_findings(step: Step, text: str) -> None:
    rules = round_of(step.profiles, step.read_options(ScoreOptions).round)
    what = findings.about(step.options, rules)
    findings.warn_of(step, single.accuracy_run(step.inputs["run"].folder, what, text))
