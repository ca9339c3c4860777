"""Calibration scans for KiTS19: those of the rules, or generated ones, prepared as for measuring."""

from __future__ import annotations

from typing import Any

from engine.facts import DataFacts
from engine.step import Step
from engine.tasks import kits_files
from engine.tasks.medical_segmentation import write


def chosen(step: Step) -> dict[str, Any]:
    """Write all volumes of the need `dataset` as a sample set, prepared by the options of engine.tasks.volumes.How.

    Facts: those of engine.tasks.medical_segmentation.prepare, and `what` and `by_rules` for the measurements file.
    Raises DataError that names every case which cannot be prepared.
    """
    dataset = step.inputs["dataset"]
    names = kits_files.cases_of(dataset)
    facts = write(step, dataset.folder / dataset.read(DataFacts).images, names)
    by_rules = kits_files.by_rules(names)
    what = "cases of the rules' calibration list (KiTS19)" if by_rules else "scans that no test set has"
    return {**facts, "what": what, "by_rules": by_rules}
