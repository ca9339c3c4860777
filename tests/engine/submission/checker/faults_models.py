"""Faults of the model and scenario folders."""

from __future__ import annotations

from pathlib import Path

from tests.engine.submission.base_tree import SUBMITTER
from tests.engine.submission.checker.faults import Fault, remove, rename, result_of

MODELS = [
    *(
        Fault(
            f"renamed to {name}",
            system,
            "model.unknown",
            "error",
            f"{home}/results/{system}/{name}",
            rename(name),
            at=f"{home}/results/{system}/{model}",
        )
        for system, home, model, name in (
            ("dc-resnet50", f"closed/{SUBMITTER}", "resnet50", "resnext"),
            ("dc-resnet50", f"closed/{SUBMITTER}", "resnet50", "ssd-mobilenet-v2"),
            ("edge-retinanet", f"closed/{SUBMITTER}", "retinanet", "rcnn-nas-lowproposals-coco"),
            ("net", f"network/{SUBMITTER}", "resnet50", "ssd_resnet50_v1_fpn_1024x1024"),
            ("open", f"open/{SUBMITTER}", "resnet50", "my-model"),
            ("open", f"open/{SUBMITTER}", "resnet50", "yolo-v3"),
        )
    ),
    *(
        Fault(
            f"{name} in edge",
            system,
            "model.category",
            "error",
            f"{home}/results/{system}/{name}",
            rename(name),
            at=f"{home}/results/{system}/{model}",
        )
        for system, home, model, name in (
            ("edge-bert-99", f"closed/{SUBMITTER}", "bert-99", "bert-99.9"),
            ("edge-rnnt", f"closed/{SUBMITTER}", "rnnt", "dlrm-99"),
            ("open", f"open/{SUBMITTER}", "resnet50", "dlrm-99.9"),
            ("open", f"open/{SUBMITTER}", "resnet50", "bert-99.9-pruned"),
        )
    ),
]


def alias(path: Path) -> None:
    """Give a model another name in every folder, and in code."""
    home = path.parents[2]
    for kind in ("results", "measurements", "compliance"):
        for folder in home.glob(f"{kind}/*/resnet50"):
            folder.rename(folder.with_name(path.name))
    (home / "code" / "resnet50").rename(home / "code" / path.name)


MODELS += [
    Fault(
        f"named {name}",
        "dc-resnet50",
        "model.alias",
        "warning",
        f"closed/{SUBMITTER}/results/dc-resnet50/{name}",
        alias,
    )
    for name in ("resnet", "mobilenet", "resnet50-int8")
]

_RENAMED = frozenset({"measurements.missing", "compliance.missing", "scenario.missing"})

SCENARIOS = [
    *(
        Fault(
            f"spelled {name}",
            system,
            "scenario.unknown",
            "error",
            result_of(system, name),
            rename(name),
            at=result_of(system, scenario),
            also=_RENAMED,
        )
        for system, scenario, name in (
            ("dc-rnnt", "Offline", "OffLine"),
            ("edge-rnnt", "SingleStream", "single_stream"),
            ("net", "Server", "SERVER"),
            ("open", "MultiStream", "multi"),
        )
    ),
    *(
        Fault(
            f"{name} where {scenario} belongs",
            system,
            "scenario.extra",
            "error",
            result_of(system, name),
            rename(name),
            at=result_of(system, scenario),
            also=_RENAMED,
        )
        for system, scenario, name in (
            ("dc-resnet50", "Server", "SingleStream"),
            ("dc-3d-unet-99", "Offline", "Server"),
            ("edge-bert-99", "SingleStream", "MultiStream"),
            ("net", "Server", "MultiStream"),
        )
    ),
    *(
        Fault(
            f"no {scenario}",
            system,
            "scenario.missing",
            "error",
            result_of(system, scenario).rpartition("/")[0],
            remove,
            at=result_of(system, scenario),
            results_stand=True,
        )
        for system, scenario in (
            ("dc-bert-99.9", "Server"),
            ("dc-dlrm-99", "Offline"),
            ("edge-3d-unet-99.9", "SingleStream"),
            ("edge-retinanet", "MultiStream"),
            ("both", "Server"),
            ("net", "Offline"),
            ("inferring", "MultiStream"),
        )
    ),
]

FAULTS = [*MODELS, *SCENARIOS]
