"""Steps are derived from files, whoever wrote them, and can be resumed anywhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from engine.errors import InferdeckError, StoreError, UsageError
from engine.guide import actions, offers, state
from engine.guide.standing import unforeseen
from engine.guide.steps import current, steps
from engine.guide.texts import STEPS, TEXTS
from engine.submission import own
from tests.engine.guide.way import EDGE, SYSTEM, Way, states


@pytest.fixture
def way(tmp_path: Path) -> Way:
    return Way(tmp_path)


def test_nine_steps_and_each_says_what_and_why() -> None:
    assert len(STEPS) == 9
    assert all(all(text) for text in TEXTS.values())


def test_the_whole_way_resumed_at_every_step_by_another_terminal(way: Way) -> None:
    assert states(way.elsewhere()) == "n........"
    way.choose()
    assert states(way.elsewhere()) == "dn......-"
    way.elsewhere().describe()
    assert states(way.elsewhere()) == "ddn.....-"
    assert way.steps()["get"].takes.endswith("nothing to fetch")
    way.elsewhere().measure(EDGE[:2])
    assert way.elsewhere().steps()["runs"].state == "next"
    way.measure(EDGE[2:])
    assert way.elsewhere().steps()["runs"].brief == "6 runs"
    assert way.steps()["preflight"].state == "done", "who has all runs has gone on"
    way.elsewhere().build()
    found = way.steps()
    assert (found["check"].state, found["pack"].state, found["send"].state) == ("done", "done", "skipped")
    assert found["check"].brief.startswith("passed")
    assert way.sight().zip.is_file()


def test_a_step_waits_for_those_before_it_and_says_so(way: Way) -> None:
    way.choose()
    found = way.steps()
    assert found["get"].state == "next"
    assert found["get"].reason == "step 2 comes first"
    assert [need.text for need in found["describe"].needs] == ["submitter: it is empty"]


def test_the_description_begins_with_what_was_chosen_and_detected(way: Way) -> None:
    way.choose(category="both")
    fields = {field.name: field for field in way.sight().fields}
    assert (fields["division"].value, fields["system_type"].value) == ("open", "datacenter,edge")
    assert fields["operating_system"].value == fields["operating_system"].detected != ""
    assert not way.sight().written
    way.describe(cooling="air")
    read = own.read(way.looker.place.folders.profiles, SYSTEM)
    assert read is not None
    assert read.description["cooling"] == "air"
    assert way.sight().written


def test_a_description_that_contradicts_the_choice_is_no_done_step(way: Way) -> None:
    way.choose()
    way.describe(division="closed")
    step = way.steps()["describe"]
    assert step.state == "now"
    assert step.needs[0].text == "division: step 1 says open"
    way.describe(division="open", system_type="datacenter,edge")
    assert way.steps()["describe"].needs[0].text == "category: step 1 says edge"


def test_a_changed_description_makes_the_tree_old_and_building_it_makes_it_new(way: Way) -> None:
    way.choose()
    way.describe()
    way.measure()
    way.build()
    way.describe(cooling="water")
    sight = way.sight()
    assert sight.stale == "the description was changed after it was built"
    assert way.steps()["check"].state == "now"
    assert not sight.packed
    way.build()
    assert way.sight().stale == ""
    assert way.steps()["check"].state == "done"


def test_another_submitter_leaves_nothing_of_the_old_one_in_the_tree(way: Way) -> None:
    way.choose()
    way.describe()
    way.measure()
    way.build()
    way.describe(submitter="Other")
    way.build()
    assert [path.name for path in (way.sight().tree / "open").iterdir()] == ["Other"]


def test_results_of_another_choice_are_not_taken_for_these(way: Way) -> None:
    way.choose()
    way.describe()
    way.measure()
    assert all(run.done for run in way.sight().runs)
    way.choose(offers.PHOTOGRAPHS)
    assert not any(run.done for run in way.sight().runs)
    way.choose(offers.PRACTICE)
    assert all(run.done for run in way.sight().runs)


def test_a_practice_has_only_reasons_that_belong_to_it(way: Way) -> None:
    way.choose()
    way.describe()
    sight = way.sight()
    assert {one.about for one in sight.expected if one.severity == "error"} == {"style", "model"}
    assert unforeseen(sight) == []
    actions.have_read(sight)
    assert way.guide.read == sight.fingerprint
    way.describe(cooling="air")
    assert way.sight().fingerprint != way.guide.read, "what was read was of another description"


def test_photographs_are_refused_and_that_is_foreseen(way: Way) -> None:
    way.choose(offers.PHOTOGRAPHS)
    way.describe()
    way.measure(samples=20)
    for log in way.sight().results.glob("*/*/*/performance/mlperf_log_detail.txt"):
        key = '"effective_performance_sample_count", "value": '
        log.write_text(log.read_text().replace(f"{key}1024", f"{key}20"))
    way.build()
    found = way.steps()
    report = way.sight().report
    assert report is not None
    assert {one.rule for one in report.findings if one.severity == "error"} == {"performance.sample_count"}
    assert (found["check"].state, found["check"].brief) == ("done", "3 as expected")
    assert (found["pack"].state, found["pack"].brief) == ("skipped", "rejected, as expected")


def test_the_real_thing_needs_its_data_and_says_what_is_missing(way: Way, tmp_path: Path) -> None:
    way.choose(offers.REAL, pictures=str(tmp_path / "nowhere"))
    way.describe()
    step = way.steps()["get"]
    assert step.state == "blocked"
    assert "nowhere" in step.needs[0].text
    assert way.steps()["send"].state == "next"


def test_steps_can_be_left_out_and_taken_up_again(way: Way) -> None:
    way.choose()
    way.describe()
    actions.skip(way.sight(), "try")
    assert way.steps()["try"].state == "skipped"
    actions.skip(way.sight(), "try")
    assert way.steps()["try"].state == "next"


def test_only_what_a_person_may_change_is_changed(way: Way) -> None:
    with pytest.raises(UsageError, match="no choice 'made'"):
        actions.choose(way.looker, way.guide, "made", "1")
    way.choose(system="demo-offline")
    assert way.steps()["offer"].state == "now", "an example of that name comes with inferdeck"
    with pytest.raises(UsageError, match="is an example"):
        way.describe()


def test_a_choice_takes_the_division_along(way: Way) -> None:
    way.choose(offers.REAL, division="closed")
    way.choose(offers.PRACTICE)
    assert way.guide.division == "open"


def test_nothing_starts_before_it_can_be_planned(way: Way) -> None:
    way.choose()
    for act in (actions.get, actions.try_out, actions.run):
        with pytest.raises(UsageError, match="nothing can be planned"):
            act(way.sight())


def test_a_tree_that_lost_its_results_is_an_error_with_a_remedy(way: Way) -> None:
    way.choose()
    way.describe()
    way.measure()
    shutil.rmtree(way.sight().results / SYSTEM / "resnet50" / "Offline" / "accuracy")
    with pytest.raises(InferdeckError) as caught:
        way.build()
    assert "no finished accuracy run" in caught.value.what


def test_guides_are_listed_and_numbered(way: Way) -> None:
    folders = way.looker.place.folders
    assert state.names(folders) == []
    assert state.another(folders).name == state.FIRST
    way.choose()
    second = state.save(folders, state.another(folders))
    assert (second.name, second.system) == ("submission-2", SYSTEM)
    assert set(state.names(folders)) == {state.FIRST, "submission-2"}
    assert state.another(folders).name == "submission-3"


def test_a_broken_guide_file_is_named(way: Way) -> None:
    way.choose()
    path = state.folder_of(way.looker.place.folders, state.FIRST) / state.FILE
    path.write_bytes(b"{")
    with pytest.raises(StoreError, match=r"guide\.json"):
        _ = way.guide


def test_the_current_step_is_the_first_that_is_not_over(way: Way) -> None:
    way.choose()
    assert current(steps(way.sight())).name == "describe"
    assert msgspec.json.decode(msgspec.json.encode(way.guide), type=state.Guide) == way.guide
