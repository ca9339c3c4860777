"""How a job chose its workers, read from store, lock and the SUT's file, with any of them missing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine.explore import tuning
from engine.explore.tuning import of_job
from engine.store.folders import Folders
from engine.tuning.tuned import Tuned
from tests.engine.explore import history, tuned_jobs
from tests.helpers import folders_in


@pytest.fixture
def places(tmp_path: Path) -> Folders:
    return folders_in(tmp_path)


def test_a_job_that_took_them_from_the_store_shows_them_all(places: Folders) -> None:
    found = of_job(tuned_jobs.job(places).spec, places)
    assert found is not None
    assert (found.benchmark, found.backend, found.sut, found.thorough) == ("resnet50", "onnxruntime", "default", True)
    assert found.tuned == tuned_jobs.TUNED
    assert found.bound_ms == 15
    assert found.made == history.START


def test_the_ways_stand_in_order_each_with_what_it_was_chosen_for(places: Folders) -> None:
    found = of_job(tuned_jobs.job(places).spec, places)
    assert found is not None
    candidates = found.candidates()
    assert [(candidate.workers, candidate.batch, candidate.pinned, candidate.label()) for candidate in candidates] == [
        ("1 × 2", 1, "", "Single"),
        ("1 × 2", 8, "", "dropped early"),
        ("2 × 1", 4, "", "Multi"),
        ("2 × 1", 8, "", ""),
        ("2 × 1", 8, "yes", "Server Offline"),
    ]
    assert [candidate.dropped for candidate in candidates] == [True, True, False, False, False]
    assert candidates[-1].share == 1
    assert candidates[0].share == pytest.approx(0.2)
    assert candidates[-1].label(3) == "Ser Off"


def test_what_was_chosen_is_said_with_wait_and_reach(places: Folders) -> None:
    found = of_job(tuned_jobs.job(places).spec, places)
    assert found is not None
    expected = [
        ("SingleStream", "1 × 2, batch 1", "10 ms a batch"),
        ("MultiStream", "2 × 1, batch 4", "25 ms a batch"),
        ("Server", "2 × 1, batch 8, queue delay 0.75 ms, pinned", "420.5 queries/s within 15 ms"),
        ("Offline", "2 × 1, batch 8, pinned", "500 samples/s"),
    ]
    assert [tuple(pick) for pick in tuning.picks(found)] == expected
    assert [tuple(pick) for pick in tuning.kept_picks(tuned_jobs.record())] == expected


def test_a_server_that_meets_no_bound_says_what_it_can(places: Folders) -> None:
    slow = msgspec.structs.replace(tuned_jobs.TUNED, server_qps=0.0)
    found = of_job(tuned_jobs.job(places, tuned=slow).spec, places)
    assert found is not None
    assert tuning.picks(found)[2].reaches == "500 samples/s"


def test_the_file_counts_as_kept_only_where_it_says_just_this(places: Folders) -> None:
    spec = tuned_jobs.job(places).spec
    before = of_job(spec, places)
    assert before is not None
    assert before.kept is None
    file = tuned_jobs.write_system(places)
    found = of_job(spec, places)
    assert found is not None
    assert found.kept == tuned_jobs.record()
    assert found.file == str(file)
    assert "151.2 s on 2 cores with inferdeck 0.1.0, onnxruntime 1.32.0, model abab" in tuning.origin(
        tuned_jobs.record()
    )
    changed = file.read_text().replace("queue_wait_us: 750", "queue_wait_us: 10")
    assert changed != file.read_text()
    file.write_text(changed)
    after = of_job(spec, places)
    assert after is not None
    assert after.kept is None
    file.write_text("targets: [")
    broken = of_job(spec, places)
    assert broken is not None
    assert (broken.kept, broken.file) == (None, "")


def test_what_is_not_there_is_none(places: Folders) -> None:
    assert of_job(tuned_jobs.job(places, tuned=None).spec, places) is None
    spec = tuned_jobs.job(places, f"{history.TAGS},_all-scenarios", tuned=None).spec
    assert of_job(msgspec.structs.replace(spec, lock=None), places) is None
    nodes = {name: node for name, node in spec.plan.nodes.items() if node.component != tuning.COMPONENT}
    assert of_job(msgspec.structs.replace(spec, plan=msgspec.structs.replace(spec.plan, nodes=nodes)), places) is None


def test_facts_of_another_version_are_none(places: Folders) -> None:
    job = tuned_jobs.job(places)
    (manifest,) = (places.store / "entries").glob("*/manifest.json")
    plain = msgspec.json.decode(manifest.read_bytes())
    plain["facts"] = {"workers": plain["facts"]["workers"]}
    manifest.write_bytes(msgspec.json.encode(plain))
    assert of_job(job.spec, places) is None


def test_the_quick_look_before_a_run_is_told_apart(places: Folders) -> None:
    found = of_job(tuned_jobs.job(places, history.TAGS).spec, places)
    assert found is not None
    assert not found.thorough
    assert isinstance(found.tuned, Tuned)
