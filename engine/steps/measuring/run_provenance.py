"""Provenance of a run: recorded next to its result, to distinguish it from others and to repeat it."""

from __future__ import annotations

from collections.abc import Mapping

import engine
from engine.facts import BackendFacts, ModelFacts, SamplesFacts
from engine.step import Step
from engine.steps.measuring.run_options import LoadGenOptions
from engine.submission import provenance


def run_provenance(step: Step) -> provenance.Provenance:
    """Return the provenance of the run that a step is about to make."""
    options, model = step.read_options(LoadGenOptions), step.inputs["model"].read(ModelFacts)
    backend = step.inputs["backend"].read(BackendFacts)
    return provenance.Provenance(
        inferdeck=engine.VERSION,
        command=step.command,
        notice=step.notice,
        round=options.round,
        benchmark=options.benchmark,
        sut=options.sut,
        scenario=options.scenario,
        mode=options.mode,
        style=options.style,
        backend=options.backend,
        backend_version=backend.version,
        device=backend.device,
        environment={name: value for name, value in backend.environment.items() if name != "python"},
        settings=backend.settings,
        samples=step.inputs["preprocessed"].read(SamplesFacts).count,
        stand_in=model.stand_in,
        model=_measured(model, backend.measured),
        model_sha256=model.sha256,
        calibration=model.calibration,
    )


def _measured(model: ModelFacts, backend: Mapping[str, str]) -> dict[str, str]:
    """Return the measurements file's fields about the model, including changes that the backend makes."""
    found = {name: str(getattr(model, name)) for name in provenance.MEASUREMENTS}
    if found["weight_data_types"] == "fp32":  # what was quantized before stays so
        before = found["weight_transformations"]
        found |= backend
        if "weight_transformations" in backend and before != "none":
            found["weight_transformations"] = f"{before}; {backend['weight_transformations']}"
    return found
