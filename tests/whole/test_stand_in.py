"""The stand-in ResNet-50 from one command to a checked tree: one that is packed as a demonstration, one that never is.

Few queries: what is looked at are files, rules and refusals. 1,024 pictures where the checker must accept the result.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.mlperf_logs import detail
from engine.profile.catalog import load, profile_file
from engine.profile.round_file import load_round
from tests.whole.command import SHORT, inferdeck, measured

TAGS = "--tags=app,mlperf,inference,reference,python,_resnet50,_onnxruntime,_cpu,_stand-in,_submission,_test"
BUILT_SMALL = ("--adr.model.training_pictures=60", "--adr.model.held_out_pictures=10")
ENOUGH = "--min_query_count=662"
"""The queries needed to infer MultiStream from SingleStream."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user with a system of their own in closed; both tests share the store, so that the model is built once."""
    folder = tmp_path_factory.mktemp("home")
    described = {
        "targets": "measured",
        "detected": True,
        "description": {"division": "closed", "submitter": "Me", "system_type": "datacenter", "system_name": "box"},
        "runs": {},
    }
    systems = folder / "config" / "profiles" / "systems"
    systems.mkdir(parents=True)
    (systems / "box.yaml").write_text(yaml.safe_dump(described))
    return folder


def findings(tree: Path, home: Path) -> tuple[int, list[dict[str, Any]], dict[str, str]]:
    """Check a tree; return the exit status, the findings, and the verdicts by the scenario's folder."""
    status, out, err = inferdeck(home, "submission", "check", str(tree), "--json")
    assert out, err
    said = json.loads(out)
    return status, said["findings"], {one["path"]: one["verdict"] for one in said["results"]}


def errors(found: Sequence[dict[str, Any]]) -> set[str]:
    """Return the rules that are broken."""
    return {one["rule"] for one in found if one["severity"] == "error"}


@pytest.mark.slow
def test_open_edge_is_accepted_and_packed_as_a_demonstration(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    edge = ("--sut=demo", "--scenarios=SingleStream", "--adr.submission.infer=yes", f"--output_dir={out}")
    results = measured(home, "run", TAGS, *edge, *BUILT_SMALL, *SHORT, ENOUGH)
    assert results["SingleStream", "performance"]["valid"]
    tree = out / "submission"
    assert "synthetic weights" in (tree / "DEMONSTRATION.md").read_text()
    for _ in range(3):
        status, found, verdicts = findings(tree, home)
        assert status == 0
        assert errors(found) == set()
        assert {path.rpartition("/")[2] for path in verdicts} == {"SingleStream", "MultiStream", "Offline"}
        assert "performance.summary" not in {one["rule"] for one in found}, "LoadGen contradicts itself nowhere"
        status, said, err = inferdeck(home, "submission", "truncate", str(tree), f"--backup={tmp_path / 'whole'}")
        assert (status, "0 truncated" in said) == (0, True), err
    packed = zipfile.ZipFile(out / "submission.zip").namelist()
    assert "submission/DEMONSTRATION.md" in packed
    status, _, err = inferdeck(home, "submission", "zip", str(tree), f"--out={tmp_path / 'again.zip'}")
    assert status == 0, err
    assert (tmp_path / "again.zip").read_bytes() == (out / "submission.zip").read_bytes()
    (tree / "DEMONSTRATION.md").unlink()
    status, _, err = inferdeck(home, "submission", "zip", str(tree))
    assert (status, "of a model with synthetic weights" in err) == (1, True)


@pytest.mark.slow
def test_closed_datacenter_runs_every_test_and_can_never_be_packed(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("run", TAGS, "--sut=box", "--adr.images.count=64", f"--output_dir={out}", *BUILT_SMALL, *SHORT)
    status, said, err = inferdeck(home, *words, "--server_target_qps=4", "--plain")
    assert status == 0, f"{said}\n{err}"
    assert "rejected by the checker, so not packed" in said
    assert "warning  accuracy-imagenet[Offline]: error accuracy.target" in said, "said at once, not at the end"
    tree = out / "submission"
    rules = load_round(profile_file(load().folders, "rounds", "v2.1"))
    for scenario in ("Server", "Offline"):
        place = tree / "closed" / "Me" / "compliance" / "box" / "resnet50" / scenario
        for test in ("TEST01", "TEST04", "TEST05"):
            log = detail.read(place / test / "performance" / "run_1" / "mlperf_log_detail.txt")
            assert log.value("effective_scenario") == scenario
            seeds = rules.test(test).seeds or rules.seeds
            assert log.value("effective_schedule_rng_seed") == seeds.schedule
            for name, value in rules.test(test).settings.items():
                assert log.value(f"effective_{name}") == value
            assert (place / test / "verify_performance.txt").read_text().startswith("Verifying performance.")
        answers = (place / "TEST01" / "verify_accuracy.txt").read_text()
        assert answers.endswith("num_perf_log_data_mismatch = 0\nnum_missing_qsl_idxs = 0\nTEST PASS\n")
        assert "hash=" in (place / "TEST01" / "accuracy" / "accuracy.txt").read_text()
    status, found, verdicts = findings(tree, home)
    assert status == 1
    assert set(verdicts.values()) == {"fail"}
    # So short a run is rarely valid, and how fast two of them are is up to what else the machine does.
    always, perhaps = (
        {"accuracy.target", "performance.sample_count"},
        {
            "performance.validity",
            "performance.early_stopping",
            "compliance.verify_performance",
            "scenario.missing",
        },
    )
    assert always <= errors(found) <= always | perhaps
    for marked in (False, True):
        if marked:
            (tree / "DEMONSTRATION.md").write_text("marked")
        status, _, err = inferdeck(home, "submission", "zip", str(tree))
        assert status == 1
        assert "it can never be in closed" in err
    assert not list(out.glob("*.zip"))
