"""Documents of a submission besides the logs: how to repeat a result, how the model was quantised."""

from __future__ import annotations

from engine.submission.provenance import Provenance
from engine.text import shell_line


def readme(origin: Provenance) -> str:
    """Return the README of a result: the command, the versions, the model."""
    words = shell_line(("inferdeck", *origin.command))
    notices = (origin.notice, f"Disturbed: {origin.disturbed}" if origin.disturbed else "")
    notice = "".join(f"> {text}\n\n" for text in notices if text)
    return f"""\
# {origin.benchmark} on {origin.sut}

{notice}Measured with inferdeck {origin.inferdeck}, MLPerf Inference {origin.round}, run style {origin.style}, on
{origin.backend} {origin.backend_version} ({origin.device}), {origin.samples} samples.

    pip install inferdeck=={origin.inferdeck}
    {words}

`lock.json` next to the measurements fixes every component, option, version and checksum of that plan;
`inferdeck run --locked lock.json` runs exactly it, or reports what differs.

Model: {origin.model["starting_weights_filename"]}, SHA-256 {origin.model_sha256}.
Weights {origin.model["weight_data_types"]},
input {origin.model["input_data_types"]}, transformations: {origin.model["weight_transformations"]}.
"""


def calibration(origin: Provenance) -> str:
    """Return the calibration document that the rules require."""
    calibrated = origin.calibration
    with_what = (
        f"Calibrated with {calibrated.text}; SHA-256 over their names and contents {calibrated.sha256}."
        if calibrated is not None
        else "Nothing was calibrated."
    )
    return f"""\
= Calibration

Weights: {origin.model["weight_data_types"]}. Transformations: {origin.model["weight_transformations"]}.

{with_what}
"""


def calibration_overview(file: str) -> str:
    """Return the calibration document of a submitter, which refers to those of the results."""
    return f"""\
# Calibration

How the weights and activations of a result were quantized, and with which samples, is in `{file}` next to its
measurements: the samples by name, their SHA-256, and the transformations. Nothing was calibrated where it says so.
"""


def demonstration(reasons: list[str]) -> str:
    """Return the file that marks a tree as a demonstration."""
    lines = "\n".join(f"- it holds a result that is {reason}" for reason in reasons)
    return f"This folder shows how a submission is made. It is not one and can't be submitted:\n\n{lines}\n"
