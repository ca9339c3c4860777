"""Writes folders of finished jobs: plans of the shipped profiles, logs in LoadGen's form, synthetic figures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from engine import events
from engine.jobs import control
from engine.jobs.child import file_name
from engine.jobs.event_log import EventWriter
from engine.jobs.job_spec import JobSpec
from engine.jobs.runner import Finished
from engine.plan.plan import Node
from engine.plan.selection_syntax import selection_of
from engine.profile import catalog
from engine.store.files import digest
from engine.store.folders import Folders
from engine.survey.lock import Lock, LockedNode
from engine.survey.prepare import Workplace, resolved
from tests.engine.submission.loadgen_logs import message
from tests.engine.submission.results_folder import origin

TAGS = "--tags=app,mlperf,inference,reference,python,_patterns-net"
START = 1_700_000_000.0
"""When the first of these jobs ended, seconds since the epoch; each later one a minute later."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
CPU = "Some CPU; x86_64; 1 sockets; 8 cores"


@cache
def our_catalog() -> catalog.Catalog:
    """Return our own profiles."""
    return catalog.load()


def job(
    folders: Folders,
    *words: str,
    rate: float = 1000.0,
    accuracy: float = 76.0,
    scores: Mapping[str, float] = NOTHING,
    log: Mapping[str, Any] = NOTHING,
    report: Mapping[str, Any] = NOTHING,
    told: Mapping[str, Any] = NOTHING,
    machine: str = CPU,
    rates: Iterable[float] = (),
    results: str = "",
) -> Path:
    """Write a finished job of the options `words`; returns its folder.

    `rate` is its samples per second, from which latencies follow; `scores` are further facts of its scoring steps;
    `log`, `report` and `told` change its detail logs, run.json and provenance; `rates` are the rates of each second in
    the ticks of its event log.
    """
    command = ("run", *(words if words and words[0].startswith("--tags") else (TAGS, *words)))
    selection, _ = selection_of(command)
    plan = resolved(Workplace(folders, our_catalog()), selection).plan
    lock = Lock(
        inferdeck="0.1.0", command=command, nodes={node.id: _locked(node, machine) for node in plan.nodes.values()}
    )
    root = plan.nodes[plan.root].values()
    spec = JobSpec(plan=plan, command=command, title="test", notice=root["notice"] or "", lock=lock, results=results)
    folder = control.create(folders, spec)
    ended = START + 60 * int(folder.name[2:])
    for node in plan.nodes.values():
        if {"scenario", "mode"} <= node.options.keys():
            _measured(folder, spec, node, rate, {**log}, {**report}, {**told}, ended)
        elif node.component in ("accuracy-imagenet", "compliance"):
            text = f"accuracy={accuracy:.3f}%, good={round(accuracy * 10)}, total=1000\n"
            scored = {"metric": "accuracy", "value": accuracy, "total": 1000, "text": text, **scores}
            facts = scored if node.component == "accuracy-imagenet" else {"passed": True, "why": ""}
            _filed(folder, node, "score", facts)
    _events(folder, plan.nodes.values(), ended, list(rates))
    return folder


def _locked(node: Node, machine: str) -> LockedNode:
    known = {"detect-system": machine, "loadgen": "mlcommons-loadgen==6.0.17", "onnxruntime": "onnxruntime==1.32.0"}
    made = digest(f"{node.component} {sorted((name, str(value)) for name, value in node.values().items())}")
    return LockedNode(
        component=node.component,
        options=node.values(),
        variations=tuple(one.name for one in node.variations),
        version="",
        identity=known.get(node.component, made),
    )


def _measured(
    folder: Path,
    spec: JobSpec,
    node: Node,
    rate: float,
    log: Mapping[str, Any],
    report: Mapping[str, Any],
    told: Mapping[str, Any],
    ended: float,
) -> None:
    values = node.values()
    scenario, mode = values["scenario"], values["mode"]
    output = folder / "steps" / file_name(node.id) / "output"
    place = output / "performance" if mode.startswith("TEST") else output
    place.mkdir(parents=True)
    said = {**detail_values(scenario, mode, rate), **log}
    (place / "mlperf_log_detail.txt").write_text("".join(message(key, value) for key, value in said.items()))
    (place / "mlperf_log_summary.txt").write_text(
        f"Scenario : {scenario}\nSamples per second: {rate}\nResult is : VALID\n"
    )
    workers: dict[str, Any] = {
        "sessions": 2,
        "intra_op_threads": 4,
        "max_batch": values["max_batch"] or 32,
        "queue_wait_us": 0,
        "cores": [],
    }
    harness = {"seconds": 60.0, "load_seconds": 0.5, "samples": 6000, "batches": 600, "workers": workers}
    versions = {"backend_version": "1.32.0", "loadgen_version": "6.0.17"}
    (place / "run.json").write_bytes(msgspec.json.encode({**harness, **versions, **report}))
    os.utime(place / "run.json", (ended, ended))
    came = msgspec.to_builtins(origin(values["sut"], values["benchmark"], scenario, mode))
    came |= {"style": values["style"], "backend": values["backend"], "notice": spec.notice, **told}
    (output / "provenance.json").write_bytes(msgspec.json.encode(came))
    (output / "spec.json").write_text(f'{{"log_dir": "{output}"}}')
    valid = said.get("result_validity") == "VALID" if mode != "accuracy" else None
    _filed(folder, node, f"loadgen-run-{_recipe(spec, node)}", {"valid": valid})


def _recipe(spec: JobSpec, node: Node) -> str:
    assert spec.lock is not None
    machine = next(one.identity for one in spec.lock.nodes.values() if one.component == "detect-system")
    inputs = [spec.lock.nodes[edge.node].identity for edge in node.needs]
    return digest(f"{sorted((name, str(value)) for name, value in node.values().items())} {machine} {inputs}")[:20]


def _filed(folder: Path, node: Node, entry: str, facts: dict[str, object]) -> None:
    step = folder / "steps" / file_name(node.id)
    step.mkdir(parents=True, exist_ok=True)
    (step / "finished.json").write_bytes(msgspec.json.encode(Finished(entry=entry, facts=facts, seconds=1.0)))


def detail_values(scenario: str, mode: str, rate: float) -> dict[str, Any]:
    """Return the values in a detail log of a run at this rate, as far as results are read from it."""
    start = {"effective_scenario": scenario, "effective_samples_per_query": 8 if scenario == "MultiStream" else 1}
    if mode == "accuracy":
        return {**start, "effective_test_mode": "AccuracyOnly"}
    median = 1e9 / rate
    query = "per_query_" if scenario == "MultiStream" else ""
    latencies = {
        f"result_{percentile:.2f}_percentile_{query}latency_ns": round(median * share)
        for percentile, share in ((50, 1), (90, 1.5), (95, 2), (97, 2.5), (99, 3), (99.9, 6))
    }
    rates: dict[str, dict[str, float]] = {
        "Offline": {"result_samples_per_second": rate},
        "Server": {
            "result_scheduled_samples_per_sec": rate,
            "result_completed_samples_per_sec": rate,
            "result_overlatency_query_count": 3,
            "result_query_count": 6000,
        },
        "SingleStream": {
            "result_qps_with_loadgen_overhead": rate,
            "early_stopping_latency_ss": round(median * 1.6),
            "early_stopping_latency_ms": round(median * 3.2),
        },
        "MultiStream": {"result_mean_query_latency_ns": 8e9 / rate, "early_stopping_latency_ms": round(median * 3.2)},
    }
    verdict = {"effective_test_mode": "PerformanceOnly", "result_validity": "VALID"}
    return {**start, **verdict, **rates[scenario], "result_mean_latency_ns": round(median * 1.2), **latencies}


def _events(folder: Path, nodes: Iterable[Node], ended: float, rates: list[float]) -> None:
    """Write an event log: four ticks for each rate, with a latency of one sample at that rate."""
    from tests.histograms import bucket_of

    log = EventWriter(folder / "events.jsonl")
    log.write(events.Launch(at=ended - 60, job=folder.name, pid=1, command=(), version="0.1.0", steps=1))
    for node in nodes:
        if node.options.get("mode") is not None and node.options["mode"].value == "performance":
            completed = 0.0
            for number, rate in enumerate(rate for rate in rates for _ in range(4)):
                completed += rate / 4
                tick = events.Tick(
                    at=ended,
                    step=node.id,
                    elapsed=(number + 1) / 4,
                    issued=round(completed),
                    completed=round(completed),
                    latencies={bucket_of(round(1e9 / rate)): round(rate / 4)},
                )
                log.write(tick)
    log.write(events.Done(at=ended, ending="finished", seconds=60, results=""))
    log.close()
