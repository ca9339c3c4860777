"""`inferdeck submission preflight`: why a submission by these words would be refused, before anything runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine.cli.run import Prepared, prepare
from engine.cli.screen import Screen, duration, size
from engine.cli.words import Words
from engine.errors import InferdeckError, UsageError
from engine.profile import systems
from engine.profile.rounds import load_round
from engine.submission import describe
from engine.submission.preflight import Expected, Intended, preflight

_STYLES = {"error": "bad", "warning": "todo", "note": "dim"}


def preflight_command(asked: Words) -> int:
    """Say what can be known; exit status 0 if nothing will be refused, 1 if something will."""
    asked.positional.clear()
    prepared = prepare(asked)
    rules = load_round(prepared.catalog.profile("rounds", prepared.round))
    found = preflight(_intended(prepared), rules)
    found += [
        Expected("error", f"{node}: {seen.text}", seen.remedy or "see inferdeck plan")
        for node, seen in prepared.survey.problems()
    ]
    status = 1 if any(one.severity == "error" for one in found) else 0
    if "json" in asked.flags:
        sys.stdout.write(json.dumps([asdict(one) for one in found]) + "\n")
        return status
    _show(Screen(), prepared, found)
    return status


def _intended(prepared: Prepared) -> Intended:
    options = prepared.plan.nodes[prepared.plan.root].values()
    if "benchmark" not in options:
        raise UsageError(f"{prepared.plan.root} is no benchmark", "give the tags of one: app,mlperf,inference,...")
    facts = _facts(prepared)
    configured = systems.configuration(
        prepared.catalog.folders, options["sut"], options["benchmark"], options["backend"]
    )
    return Intended(
        benchmark=options["benchmark"],
        style=options["style"],
        scenarios=options["scenarios"],
        modes=options["modes"],
        compliance=options["compliance"],
        description=_description(prepared, options["sut"]),
        samples=facts.get("count"),
        stand_in=any(node.component.startswith("standin-") for node in prepared.plan.nodes.values()),
        notice=prepared.notice,
        targets=configured.figures if configured.targets == "configured" else {},
        disk_needed=prepared.survey.totals.disk_bytes,
        disk_free=prepared.survey.totals.disk_free,
    )


def _facts(prepared: Prepared) -> Mapping[str, Any]:
    """Return the facts of the data set: of the preprocessed one where it is there, else of the pictures."""
    for name in ("preprocessed", "dataset"):
        for edge in prepared.plan.nodes[prepared.plan.root].needs:
            artifact = prepared.survey.seen[edge.node].artifact
            if edge.name == name and artifact is not None and "count" in artifact.facts:
                return artifact.facts
    return {}


def _description(prepared: Prepared, sut: str) -> Mapping[str, Any]:
    rules = load_round(prepared.catalog.profile("rounds", prepared.round))
    try:
        return describe.description_of(prepared.catalog.folders, sut, rules, prepared.folders.store.parent)
    except InferdeckError:
        return {}


def _show(screen: Screen, prepared: Prepared, found: list[Expected]) -> None:
    for one in found:
        screen.cells([(f"{one.severity:8}", _STYLES[one.severity]), (one.what, ""), (f"  {one.remedy}", "dim")])
    totals = prepared.survey.totals
    for node, seen in prepared.survey.seen.items():
        if prepared.catalog.components[prepared.plan.nodes[node].component].exclusive and seen.seconds:
            screen.line(f"  {duration(seen.seconds):>8}  {node}", "dim")
    unknown = f", and {totals.unknown_times} steps of unknown length" if totals.unknown_times else ""
    seconds = duration(totals.prepare_seconds + totals.run_seconds)
    screen.line(f"at least {seconds}{unknown}; {size(totals.fetch_bytes)} to fetch")
    errors = sum(one.severity == "error" for one in found)
    if errors:
        screen.line(f"a submission made by these words would be refused for {errors} reasons", "bad")
    else:
        screen.line("nothing that can be known now stands against a submission made by these words", "good")
