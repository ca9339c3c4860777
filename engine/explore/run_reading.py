"""Read the finished measurements of a job from its folder, tolerating missing and damaged files.

The job's own step folders are read rather than the results folder, which a later job may have overwritten. Damage is
recorded in the run as text: an unreadable run is listed as damaged, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine import codec
from engine.errors import JobError, StoreError
from engine.explore import origin
from engine.explore.asked import read_settings
from engine.explore.metrics import DICE, figures
from engine.explore.runs import Run
from engine.facts import CommonFacts, RunFacts
from engine.harness.spec import REPORT
from engine.jobs import places
from engine.jobs.child import file_name
from engine.jobs.job_spec import JobSpec, read_spec
from engine.jobs.runner import Finished
from engine.mlperf import ACCURACY_TEXT, DETAIL_LOG, SUMMARY_LOG, TEST_FOLDER
from engine.mlperf_logs import detail
from engine.mlperf_logs import summary_log as summary
from engine.mlperf_logs.stopping import stopping_words
from engine.plan.plan import Node
from engine.store.files import is_locked, read_plain
from engine.submission import provenance
from engine.system.machine_state import MachineState
from engine.text import clean

READ = (REPORT, provenance.FILE, DETAIL_LOG, SUMMARY_LOG)
"""Files of a run that are read, in its output or the folder of a compliance test."""
LARGEST = 16 << 20
"""Maximum bytes of a file; the detail log of a valid run has some hundred kilobytes."""
MOST_SAMPLES = 1 << 53
"""Upper limit of sample counts; more means damage."""
T = TypeVar("T")

_PLACE = ("sut", "benchmark", "scenario", "mode")
"""Options that make up the path of a run in the results folder."""

_SEEDS = ("qsl", "sample_index", "schedule")
"""LoadGen's random numbers: which samples are loaded, which are drawn, when Server's queries arrive."""

_BROKEN = {
    "result_perf_constraints_met": "the performance constraints are not met",
    "result_min_duration_met": "the run was too short",
    "result_min_queries_met": "there were too few queries",
    "early_stopping_met": "early stopping is not met",
}
"""LoadGen's checks, as text for logs that give no reason of their own."""


@dataclass
class _Damage:
    """Collects what could not be read of one run."""

    found: list[str] = field(default_factory=list)

    def json(self, path: Path) -> dict[str, Any]:
        try:
            return codec.decode(read_plain(path, LARGEST), type=dict[str, Any])
        except FileNotFoundError:
            self.found.append(f"{path.name} is missing")
        except OSError as error:
            self.found.append(f"{path.name}: {error.strerror}")
        except msgspec.DecodeError as error:
            self.found.append(f"{path.name}: {error}")
        return {}


def job_runs(folder: Path) -> list[Run]:
    """Return every measurement that a job has finished, in plan order."""
    try:
        spec = read_spec(folder)
    except JobError as error:
        return list(_without_plan(folder, error.what))
    found = []
    for node in spec.plan.nodes.values():
        if {"scenario", "mode"} <= node.options.keys():
            step = folder / "steps" / file_name(node.id)
            if _ended(folder, step):
                found.append(_run(folder, step, spec, node))
    return numbered(found)


def folder_run(output: Path, job: str) -> Run:
    """Return the run whose files are in a folder of results, without a job: what its own records say."""
    damage = _Damage()
    recorded = damage.json(output / provenance.FILE)
    scenario, mode = str(recorded.get("scenario", output.parent.name)), str(recorded.get("mode", output.name))
    text = _accuracy_text(output)
    known = Run(
        id=_id(job, scenario, mode),
        job=job,
        step="",
        folder=str(output),
        disturbed=provenance.disturbed(output),
        score=text,
    )
    fields = {"scenario": scenario, "mode": mode, **origin.from_provenance(recorded)}
    return _measured(known, output, damage, fields, _score_readings(text))


def _accuracy_text(output: Path) -> str:
    """Return the line of accuracy.txt that the checker reads; empty where there is none."""
    try:
        lines = read_plain(output / ACCURACY_TEXT, LARGEST).decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return clean(lines[-1]) if lines else ""


def _score_readings(text: str) -> dict[str, Any]:
    """Return the figure of an accuracy line: its first number; a Dice score is below 1."""
    match = re.search(r"(?:accuracy|mAP|f1|AUC|mean)\D*?(\d+(?:\.\d+)?)", text, re.IGNORECASE)
    if match is None:
        return {}
    return {"score.value": float(match[1]), **({"score.metric": DICE} if "mean" in text.lower() else {})}


def _ended(folder: Path, step: Path) -> bool:
    """Return whether a measurement has ended: the job recorded it, or the harness wrote its last file before it
    died."""
    if _exists(step / places.FINISHED):
        return True
    return _log_folder(step / "output") is not None and not _runs(folder)


def _runs(folder: Path) -> bool:
    try:
        return is_locked(folder / places.LOCK)
    except StoreError:
        return False  # another's job, of which a copy may be read


def _exists(path: Path) -> bool:
    """Return whether something exists; what may not be accessed counts as existing, and is damage."""
    try:
        return path.exists()
    except OSError:
        return True


def _log_folder(output: Path) -> Path | None:
    """Return the folder of the harness's report: a compliance test has a subfolder for it."""
    return next((place for place in (output, output / TEST_FOLDER) if _exists(place / REPORT)), None)


def _without_plan(folder: Path, why: str) -> Iterator[Run]:
    """Return the runs of a job whose plan can't be read, from the runs' own records."""
    try:
        steps = sorted((folder / "steps").iterdir())
    except FileNotFoundError:
        return
    except OSError:  # whatever it has measured, it is not there to be seen
        yield Run(id=folder.name, job=folder.name, step="", damage=why)
        return
    for step in steps:
        output = step / "output"
        if not _exists(output / provenance.FILE) and _log_folder(output) is None:
            continue
        damage = _Damage([f"the job's plan.json can't be read: {why}"])
        origin_ = damage.json(output / provenance.FILE)
        scenario, mode = str(origin_.get("scenario", step.name)), str(origin_.get("mode", ""))
        known = Run(id=_id(folder.name, scenario, mode), job=folder.name, step=step.name, folder=str(output))
        yield _measured(
            known, output, damage, {"scenario": scenario, "mode": mode, **origin.from_provenance(origin_)}, {}
        )


def _run(folder: Path, step: Path, spec: JobSpec, node: Node) -> Run:
    damage = _Damage()
    output = step / "output"
    values = node.values()
    filed, score = _filed(step, damage), _scored(folder, spec, node)
    scenario, mode = str(values["scenario"]), str(values["mode"])
    known = Run(
        id=_id(folder.name, scenario, mode),
        job=folder.name,
        step=node.id,
        recipe=filed.entry if filed else "",
        choices=origin.choices(spec.plan, node),
        keys=origin.keys(spec, node),
        command=spec.command,
        folder=str(output),
        published=str(spec.results_folder(folder).joinpath(*(str(values.get(name, "")) for name in _PLACE))),
        notice=spec.notice,
        disturbed=_facts(filed, CommonFacts()).disturbed,
        passed=score.get("passed"),
        score=str(score.get("text", "")).strip(),
        samples=_count(score.get("total")),
        labelled=_count(score.get("labelled")),
        reasons=(str(score["why"]),) if score.get("passed") is False else (),
    )
    fields = {**origin.planned(spec, node), **origin.from_provenance(damage.json(output / provenance.FILE))}
    run = _measured(known, output, damage, fields, {f"score.{name}": value for name, value in score.items()})
    valid = _facts(filed, RunFacts()).valid
    if valid is not None:
        run = msgspec.structs.replace(run, valid=valid)
    decided = {**origin.decided(spec, node), **run.decided}
    return msgspec.structs.replace(run, decided=decided)


def _measured(run: Run, output: Path, damage: _Damage, fields: Mapping[str, Any], score: Mapping[str, Any]) -> Run:
    """Return the run with what its own files record."""
    place = _log_folder(output) or output
    report = damage.json(place / REPORT)
    log = _log(place, damage)
    performance = fields["mode"] != "accuracy"
    readings = {**(log if performance else {}), **{f"run.{name}": value for name, value in report.items()}, **score}
    return msgspec.structs.replace(
        run,
        **{
            **fields,
            "notice": run.notice or fields.get("notice", ""),
            "command": run.command or fields.get("command", ()),
        },
        when=_when(place, output),
        figures=figures(readings),
        settings=read_settings(readings),
        seeds=_seeds(log),
        machine=_machine(report.get("machine")),
        decided=origin.measured(report, fields),
        valid=_valid(log) if performance else None,
        reasons=run.reasons or (_reasons(log) if performance else ()),
        disturbed=run.disturbed or str(report.get("disturbed", "")),
        damage="; ".join(damage.found),
    )


def _filed(step: Path, damage: _Damage) -> Finished | None:
    try:
        return codec.decode(read_plain(step / places.FINISHED, LARGEST), type=Finished)
    except FileNotFoundError:
        damage.found.append("the job ended before it was filed")
    except OSError as error:
        damage.found.append(f"{places.FINISHED}: {error.strerror}")
    except msgspec.DecodeError as error:
        damage.found.append(f"{places.FINISHED}: {error}")
    return None


def _facts(filed: Finished | None, unknown: T) -> T:
    """Return the facts recorded for a step; `unknown` where they can't be decoded."""
    try:
        return msgspec.convert(filed.facts, type(unknown)) if filed is not None else unknown
    except msgspec.ValidationError:
        return unknown


def _count(found: object) -> int:
    return found if isinstance(found, int) and 0 <= found < MOST_SAMPLES else 0


def _scored(folder: Path, spec: JobSpec, node: Node) -> Mapping[str, Any]:
    """Return the facts of the step that scored this accuracy run, or verified this compliance test."""
    handle = "run" if node.options["mode"].value == "accuracy" else "test"
    for later in spec.plan.nodes.values():
        if any(edge.node == node.id and edge.name == handle for edge in later.needs):
            filed = _filed(folder / "steps" / file_name(later.id), _Damage())
            if filed is not None and {"value", "passed"} & filed.facts.keys():
                return filed.facts
    return {}


def _log(place: Path, damage: _Damage) -> dict[str, Any]:
    """Return LoadGen's messages by key: from the detail log, which is exact, or else from the summary."""
    try:
        found = detail.parse(read_plain(place / DETAIL_LOG, LARGEST))
        messages = {message.key: message.value for message in reversed(found.messages)}
        if "result_validity" in messages or "effective_test_mode" in messages:
            return {**messages, "errors": [str(one.value) for one in found.errors]}
        damage.found.append(f"{DETAIL_LOG} holds no result")
    except FileNotFoundError:
        damage.found.append(f"{DETAIL_LOG} is missing")
    except OSError as error:
        damage.found.append(f"{DETAIL_LOG}: {error.strerror}")
    try:
        return dict(summary.parse(read_plain(place / SUMMARY_LOG, LARGEST).decode("utf-8", "replace")))
    except FileNotFoundError:
        damage.found.append(f"{SUMMARY_LOG} is missing")
    except OSError as error:
        damage.found.append(f"{SUMMARY_LOG}: {error.strerror}")
    return {}


def _valid(log: Mapping[str, Any]) -> bool | None:
    verdict = log.get("result_validity")
    return verdict == "VALID" and not log.get("errors") if isinstance(verdict, str) else None


def _reasons(log: Mapping[str, Any]) -> tuple[str, ...]:
    """Return why LoadGen calls the run INVALID, in its own words if it gives any."""
    texts = [str(log.get("result_invalid_reason", "")), *map(str, log.get("errors") or ())]
    words = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    if not words and log.get("early_stopping_met") is False:
        words = stopping_words(log.get("early_stopping_result"))
    if not words and log.get("result_validity") == "INVALID":
        words = [text for key, text in _BROKEN.items() if log.get(key) is False]
    return tuple(words)


def _machine(record: object) -> MachineState | None:
    try:
        return msgspec.convert(record, MachineState) if isinstance(record, dict) else None
    except msgspec.ValidationError:
        return None


def _seeds(log: Mapping[str, Any]) -> dict[str, int]:
    found = {name: log.get(f"effective_{name}_rng_seed") for name in _SEEDS}
    return {name: seed for name, seed in found.items() if isinstance(seed, int)}


def _when(place: Path, output: Path) -> float:
    for path in (place / REPORT, place / DETAIL_LOG, output):
        try:
            return path.stat().st_mtime
        except OSError:
            continue
    return 0.0


def _id(job: str, scenario: str, mode: str) -> str:
    return f"{job}/{scenario}" + (f"/{mode}" if mode not in ("", "performance") else "")


def numbered(runs: list[Run]) -> list[Run]:
    """Number runs with equal ids, which only the user's own components can cause."""
    seen: dict[str, int] = {}
    found = []
    for run in runs:
        count = seen[run.id] = seen.get(run.id, 0) + 1
        found.append(run if count == 1 else msgspec.structs.replace(run, id=f"{run.id}#{count}"))
    return found
