"""Writes a results folder as jobs leave it: small logs, real file names, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from engine.profile.catalog import load, profile_file
from engine.profile.round_file import load_round
from engine.profile.rounds import Round
from engine.submission import provenance
from engine.submission.provenance import Provenance

DESCRIPTION = {"division": "open", "submitter": "Me", "status": "available", "system_type": "edge"}


def rules() -> Round:
    """Return the rules of v2.1."""
    return load_round(profile_file(load().folders, "rounds", "v2.1"))


def origin(sut: str, benchmark: str, scenario: str, mode: str) -> Provenance:
    """Return the provenance of a run by the rules."""
    return Provenance(
        inferdeck="0.1.0",
        command=("run", "--tags=app"),
        notice="",
        round="v2.1",
        benchmark=benchmark,
        sut=sut,
        scenario=scenario,
        mode=mode,
        style="valid",
        backend="onnxruntime",
        backend_version="1.32.0",
        device="cpu",
        samples=1024,
        stand_in=False,
        model=dict.fromkeys(provenance.MEASUREMENTS, "fp32"),
        model_sha256="0" * 64,
    )


def write_run(
    results: Path, sut: str, benchmark: str, scenario: str, changes: Mapping[str, object] = MappingProxyType({})
) -> None:
    """Write performance and accuracy of one scenario; `changes` go into the provenance of both."""
    for mode in ("performance", "accuracy"):
        folder = results / sut / benchmark / scenario / mode
        folder.mkdir(parents=True)
        for name in ("mlperf_log_summary.txt", "mlperf_log_detail.txt", "mlperf.conf", "user.conf", "lock.json"):
            (folder / name).write_text(f"{name} of {scenario} {mode}")
        (folder / "mlperf_log_accuracy.json").write_bytes(bytes(range(32, 127)) * 200)
        found = msgspec.structs.replace(origin(sut, benchmark, scenario, mode), **changes)
        (folder / provenance.FILE).write_bytes(msgspec.json.encode(found))
        (folder / "run.json").write_text("{}")
    (results / sut / benchmark / scenario / "accuracy" / "accuracy.txt").write_text(
        "accuracy=76.456%, good=1, total=1\n"
    )
