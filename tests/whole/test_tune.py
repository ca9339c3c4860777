"""Tuning from the command line: measured and kept, shown again from the store, and used by the next plain run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine import events
from engine.jobs.event_log import EventReader
from tests.whole.command import inferdeck

TAGS = "--tags=app,mlperf,inference,reference,_patterns-net,_test"
STEP = "choose-workers"


def tuning_of(home: Path, *words: str) -> dict[str, Any]:
    """Tune and return the record; fails the test if the job failed."""
    status, out, err = inferdeck(home, "tune", TAGS, "--adr.workers.seconds=6", *words, "--json")
    assert status == 0, f"{out}\n{err}"
    found: dict[str, Any] = json.loads(out)["tuning"]
    return found


def told(home: Path, job: str) -> list[events.AnyEvent]:
    """Return a job's event of the step that chooses workers."""
    seen = EventReader(home / "state" / "jobs" / job / "events.jsonl").read()
    return [event for event in seen if getattr(event, "step", "") == STEP]


@pytest.mark.slow
def test_what_was_tuned_is_kept_and_a_plain_run_takes_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    short = ("--min_duration_ms=200", "--min_query_count=24")
    status, out, err = inferdeck(home, "run", TAGS, *short, "--json", f"--output_dir={tmp_path / 'before'}")
    assert status == 0, f"{out}\n{err}"
    found = tuning_of(home)
    ways = [(one["sessions"], one["intra_op_threads"], one["batch"]) for one in found["tuned"]["table"]]
    chosen = found["tuned"]["workers"]
    assert set(chosen) == {"SingleStream", "MultiStream", "Server", "Offline"}
    for one in chosen.values():
        assert (one["sessions"], one["intra_op_threads"], one["max_batch"]) in ways
    measured = [event for event in told(home, "r-0002") if isinstance(event, events.Measured)]
    assert {(event.scenario, event.mode) for event in measured} == {(scenario, "tune") for scenario in chosen}

    file = home / "config" / "profiles" / "systems" / "default.yaml"
    assert found["file"] == str(file)
    kept = yaml.safe_load(file.read_text())["tuned"]["onnxruntime"]["resnet50"]
    assert kept["date"][:2] == "20"
    assert set(kept["versions"]) == {"inferdeck", "onnxruntime"}
    assert found["kept"]["date"] == kept["date"]
    assert {name: one["sessions"] for name, one in kept["scenarios"].items()} == {
        name: one["sessions"] for name, one in chosen.items()
    }

    again = tuning_of(home)
    assert again["tuned"] == found["tuned"], "it comes from the store, its table too"
    assert again["kept"] == found["kept"]
    assert [type(event) for event in told(home, "r-0003")] == [events.StepEnded]
    status, out, _ = inferdeck(home, "tune", TAGS, "--adr.workers.seconds=6", "--plain")
    assert status == 0
    assert sum("█" in line for line in out.splitlines()) == len(ways)
    assert f"saved in {file}" in out
    shown = [inferdeck(home, *words)[1] for words in (("tune", "show", "default"), ("system", "show", "default"))]
    assert all(f"measured on {kept['date']} for {kept['seconds']:g} s" in text for text in shown)

    status, out, err = inferdeck(home, "run", TAGS, *short, "--json", f"--output_dir={tmp_path / 'results'}")
    assert status == 0, f"{out}\n{err}"
    said = told(home, json.loads(out)["job"])
    assert not [event for event in said if isinstance(event, events.Progress | events.Measured)], "nothing is measured"
    (ended,) = (event for event in said if isinstance(event, events.StepEnded))
    assert ended.outcome == "built"
    assert f"measured on {kept['date']}" in ended.text
    spec = json.loads((tmp_path / "results/default/resnet50/Offline/performance/spec.json").read_text())
    assert spec["workers"] == chosen["Offline"]
