"""Steps are derived from files, whoever wrote them, and can be resumed anywhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from engine.errors import InferdeckError, StoreError, UsageError
from engine.guide import actions, presets, state
from engine.guide.step_status import not_by_design
from engine.guide.step_texts import STEPS, TEXTS
from engine.guide.steps import current, steps
from engine.submission import user_systems
from engine.submission.form import Field
from tests.engine.guide.driver import EDGE, SYSTEM, GuideDriver, states


def fields(driver: GuideDriver) -> dict[str, Field]:
    return {field.name: field for field in driver.overview().choices}


@pytest.fixture
def driver(tmp_path: Path) -> GuideDriver:
    return GuideDriver(tmp_path)


def test_nine_steps_and_each_says_what_and_why() -> None:
    assert len(STEPS) == 9
    assert all(all(text) for text in TEXTS.values())


def test_the_whole_way_resumed_at_every_step_by_another_terminal(driver: GuideDriver) -> None:
    assert states(driver.elsewhere()) == "n........"
    driver.choose()
    assert states(driver.elsewhere()) == "dn......-"
    driver.elsewhere().describe()
    assert states(driver.elsewhere()) == "ddn.....-"
    assert driver.steps()["get"].takes.endswith("nothing to fetch")
    driver.elsewhere().measure(EDGE[:2])
    assert driver.elsewhere().steps()["runs"].state == "next"
    driver.measure(EDGE[2:])
    assert driver.elsewhere().steps()["runs"].brief == "6 runs"
    assert driver.steps()["preflight"].state == "done", "who has all runs has gone on"
    driver.elsewhere().build()
    found = driver.steps()
    assert (found["check"].state, found["pack"].state, found["send"].state) == ("done", "done", "skipped")
    assert found["check"].brief.startswith("passed")
    assert driver.overview().zip.is_file()


def test_a_step_waits_for_those_before_it_and_says_so(driver: GuideDriver) -> None:
    driver.choose()
    found = driver.steps()
    assert found["get"].state == "next"
    assert found["get"].reason == "step 2 comes first"
    assert [need.text for need in found["describe"].needs] == ["submitter: it is empty"]


def test_the_description_begins_with_what_was_chosen_and_detected(driver: GuideDriver) -> None:
    driver.choose(category="both")
    fields = {field.name: field for field in driver.overview().fields}
    assert (fields["division"].value, fields["system_type"].value) == ("open", "datacenter,edge")
    assert fields["operating_system"].value == fields["operating_system"].detected != ""
    assert not driver.overview().written
    driver.describe(cooling="air")
    read = user_systems.read(driver.reader.place.folders.profiles, SYSTEM)
    assert read is not None
    assert read.description["cooling"] == "air"
    assert driver.overview().written


def test_a_description_that_contradicts_the_choice_is_no_done_step(driver: GuideDriver) -> None:
    driver.choose()
    driver.describe(division="closed")
    step = driver.steps()["describe"]
    assert step.state == "now"
    assert step.needs[0].text == "division: step 1 says open"
    driver.describe(division="open", system_type="datacenter,edge")
    assert driver.steps()["describe"].needs[0].text == "category: step 1 says edge"


def test_a_changed_description_makes_the_tree_old_and_building_it_makes_it_new(driver: GuideDriver) -> None:
    driver.choose()
    driver.describe()
    driver.measure()
    driver.build()
    driver.describe(cooling="water")
    overview = driver.overview()
    assert overview.stale == "the description was changed after it was built"
    assert driver.steps()["check"].state == "now"
    assert not overview.packed
    driver.build()
    assert driver.overview().stale == ""
    assert driver.steps()["check"].state == "done"


def test_another_submitter_leaves_nothing_of_the_old_one_in_the_tree(driver: GuideDriver) -> None:
    driver.choose()
    driver.describe()
    driver.measure()
    driver.build()
    driver.describe(submitter="Other")
    driver.build()
    assert [path.name for path in (driver.overview().tree / "open").iterdir()] == ["Other"]


def test_results_of_another_choice_are_not_taken_for_these(driver: GuideDriver) -> None:
    driver.choose()
    driver.describe()
    driver.measure()
    assert all(run.done for run in driver.overview().runs)
    driver.choose("photographs")
    assert not any(run.done for run in driver.overview().runs)
    driver.choose(presets.PRACTICE)
    assert all(run.done for run in driver.overview().runs)


def test_a_practice_has_only_reasons_that_belong_to_it(driver: GuideDriver) -> None:
    driver.choose()
    driver.describe()
    overview = driver.overview()
    assert {one.about for one in overview.expected if one.severity == "error"} == {"style", "model"}
    assert not_by_design(overview) == []
    actions.have_read(overview)
    assert driver.guide.read == overview.fingerprint
    driver.describe(cooling="air")
    assert driver.overview().fingerprint != driver.guide.read, "what was read was of another description"


def test_photographs_are_refused_and_that_is_foreseen(driver: GuideDriver) -> None:
    driver.choose("photographs")
    driver.describe()
    driver.measure(samples=20)
    for log in driver.overview().results.glob("*/*/*/performance/mlperf_log_detail.txt"):
        key = '"effective_performance_sample_count", "value": '
        log.write_text(log.read_text().replace(f"{key}1024", f"{key}20"))
    driver.build()
    found = driver.steps()
    report = driver.overview().report
    assert report is not None
    assert {one.rule for one in report.findings if one.severity == "error"} == {"performance.sample_count"}
    assert (found["check"].state, found["check"].brief) == ("done", "3 as expected")
    assert (found["pack"].state, found["pack"].brief) == ("skipped", "rejected, as expected")


def test_the_real_thing_needs_its_data_and_says_what_is_missing(driver: GuideDriver, tmp_path: Path) -> None:
    driver.choose(presets.REAL, data=str(tmp_path / "nowhere"))
    found = fields(driver)["data"]
    assert (found.verdict, found.said) == ("problem", f"no such folder: {tmp_path / 'nowhere'}")
    assert "val_map.txt" in found.remedy
    (tmp_path / "nowhere").mkdir()
    driver.reader = GuideDriver(driver.home).reader
    found = fields(driver)["data"]
    assert (found.verdict, found.said) == ("problem", f"{tmp_path / 'nowhere'}: it is empty")
    assert found.remedy == "give the folder that the image files are in"
    assert driver.steps()["offer"].state == "now"
    assert driver.steps()["send"].state == "next"


def test_steps_can_be_left_out_and_taken_up_again(driver: GuideDriver) -> None:
    driver.choose()
    driver.describe()
    actions.skip(driver.overview(), "try")
    assert driver.steps()["try"].state == "skipped"
    actions.skip(driver.overview(), "try")
    assert driver.steps()["try"].state == "next"


def test_only_what_a_person_may_change_is_changed(driver: GuideDriver) -> None:
    with pytest.raises(UsageError, match="no choice 'made'"):
        actions.choose(driver.reader, driver.guide, "made", "1")
    driver.choose(system="demo-offline")
    assert driver.steps()["offer"].state == "now", "an example of that name comes with inferdeck"
    with pytest.raises(UsageError, match="is an example"):
        driver.describe()


def test_a_choice_takes_the_division_along(driver: GuideDriver) -> None:
    driver.choose(presets.REAL, division="closed")
    driver.choose(presets.PRACTICE)
    assert driver.guide.division == "open"


def test_nothing_starts_before_it_can_be_planned(driver: GuideDriver) -> None:
    driver.choose()
    for act in (actions.get, actions.try_out, actions.run):
        with pytest.raises(UsageError, match="no plan yet"):
            act(driver.overview())


def test_a_tree_that_lost_its_results_is_an_error_with_a_remedy(driver: GuideDriver) -> None:
    driver.choose()
    driver.describe()
    driver.measure()
    shutil.rmtree(driver.overview().results / SYSTEM / "resnet50" / "Offline" / "accuracy")
    with pytest.raises(InferdeckError) as caught:
        driver.build()
    assert "no finished accuracy run" in caught.value.what


def test_guides_are_listed_and_numbered(driver: GuideDriver) -> None:
    folders = driver.reader.place.folders
    assert state.names(folders) == []
    assert state.another(folders).name == state.FIRST
    driver.choose()
    second = state.save(folders, state.another(folders))
    assert (second.name, second.system) == ("submission-2", SYSTEM)
    assert set(state.names(folders)) == {state.FIRST, "submission-2"}
    assert state.another(folders).name == "submission-3"


def test_a_broken_guide_file_is_named(driver: GuideDriver) -> None:
    driver.choose()
    path = state.folder_of(driver.reader.place.folders, state.FIRST) / state.FILE
    path.write_bytes(b"{")
    with pytest.raises(StoreError, match=r"guide\.json"):
        _ = driver.guide


def test_the_current_step_is_the_first_that_is_not_over(driver: GuideDriver) -> None:
    driver.choose()
    assert current(steps(driver.overview())).name == "describe"
    assert msgspec.json.decode(msgspec.json.encode(driver.guide), type=state.Guide) == driver.guide
