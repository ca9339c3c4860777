"""Run configurations: which figures are used, and how a found one is written without changing the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.errors import ProfileError, UsageError
from engine.profile.catalog import profile_file
from engine.profile.systems import Configuration, FoundTarget, configuration, file_to_write, load_system, with_target
from profiles import FOLDER

FOUND = FoundTarget(
    target=31.5,
    date="2026-11-23",
    trials=7,
    repeats=2,
    refused=32.4,
    spread=0.02,
    trial_seconds=25,
    model="ab" * 32,
    versions={"inferdeck": "0.1", "loadgen": "6.0", "onnxruntime": "1.20"},
)
PLACE = ("onnxruntime", "resnet50", "Server")


def own(folder: Path, name: str, text: str) -> Path:
    path = folder / "systems" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def figures(folders: list[Path], sut: str, backend: str = "onnxruntime") -> Configuration:
    return configuration(folders, sut, "resnet50", backend)


@pytest.mark.parametrize("name", ["a" * 255, "../rounds/v2.1", "a\0b", ""])
def test_a_name_that_no_file_can_have_is_an_unknown_name(name: str) -> None:
    with pytest.raises(UsageError, match="there is no recipe"):
        profile_file([FOLDER], "recipes", name)


def test_configured_figures_hold_and_placeholders_do_not() -> None:
    assert figures([FOLDER], "apple-m1").figures == {
        "Offline": 70,
        "Server": 10,
        "SingleStream": 20,
        "MultiStream": 100,
    }
    assert figures([FOLDER], "default").figures == {}
    ended = figures([FOLDER], "gcp-n2-standard-80-tf")
    assert (ended.system, ended.backend, ended.figures["Offline"]) == ("gcp-n2-standard-80", "tensorflow", 175)


@pytest.mark.parametrize("shipped", sorted((FOLDER / "systems").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_found_target_holds_from_then_on(shipped: Path, tmp_path: Path) -> None:
    """For every shipped system a copy with the target goes to the user's own, and its former content is kept."""
    target = file_to_write(shipped, tmp_path)
    assert target == tmp_path / "systems" / shipped.name
    before = load_system(shipped)
    own(tmp_path, shipped.stem, with_target(shipped.read_text(), PLACE, FOUND))
    after = load_system(target)
    assert (after.targets, after.description, after.detected) == (before.targets, before.description, before.detected)
    assert set(shipped.read_text().splitlines()) - set(target.read_text().splitlines()) <= {
        line for line in shipped.read_text().splitlines() if "resnet50" in line or line == "runs: {}"
    }
    found = figures([FOLDER, tmp_path], shipped.stem)
    assert found.figures["Server"] == 31.5
    assert found.found == {"Server": FOUND}
    assert found.file == str(target)
    others = {scenario: figure for scenario, figure in found.figures.items() if scenario != "Server"}
    was = figures([FOLDER], shipped.stem).figures
    assert others == {scenario: figure for scenario, figure in was.items() if scenario != "Server"}
    assert figures([FOLDER, tmp_path], shipped.stem, "tensorflow").found == {}, "of one backend only"


def test_the_second_find_replaces_the_first(tmp_path: Path) -> None:
    text = with_target("targets: measured\nruns: {}\n", PLACE, FOUND)
    later = FoundTarget(
        target=40, date="2026-12-01", trials=2, repeats=1, trial_seconds=2, model="cd" * 32, versions={"loadgen": "6.0"}
    )
    path = own(tmp_path, "box", with_target(text, PLACE, later))
    assert figures([tmp_path], "box").found == {"Server": later}
    assert "31.5" not in path.read_text()


def test_a_figure_that_somebody_changed_is_not_found_any_more(tmp_path: Path) -> None:
    text = with_target("targets: configured\nruns: {}\n", PLACE, FOUND)
    own(tmp_path, "box", text.replace("Server: 31.5", "Server: 33"))
    changed = figures([tmp_path], "box")
    assert (changed.figures, changed.found) == ({"Server": 33}, {})


def test_a_file_of_ones_own_is_changed_in_its_place(tmp_path: Path) -> None:
    path = own(tmp_path / "other", "box", "targets: measured\nruns: {}\n")
    assert file_to_write(path, tmp_path / "own") == path


def test_a_record_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    own(tmp_path, "box", "targets: measured\nruns: {}\nfound: {onnxruntime: {resnet50: {Server: {tagret: 1}}}}\n")
    with pytest.raises(ProfileError, match=r"box.yaml:3 .*tagret"):
        figures([tmp_path], "box")


def test_an_unknown_system_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="there is no system 'apple-m2'") as caught:
        figures([FOLDER], "apple-m2")
    assert "apple-m1" in caught.value.remedy


def test_the_confidence_is_a_sentence() -> None:
    assert FOUND.confidence() == "7 trials, valid 2 times, 32.4 was not, repeats 2.0% apart"
    disturbed = replace(FOUND, invalid=1).confidence()
    assert disturbed == "7 trials, valid 2 of 3 times, 32.4 was not, repeats 2.0% apart"
    measured = replace(FOUND, trials=2, refused=None, spread=0.0012)
    assert measured.confidence() == "2 trials, repeats 0.1% apart"
    assert replace(measured, trials=1, repeats=1, spread=None).confidence() == "one trial"


@pytest.mark.parametrize("figure", [".nan", ".inf", "0", "-5", "1.0e+400"])
def test_a_target_that_is_no_rate_or_latency_is_refused_with_its_place(tmp_path: Path, figure: str) -> None:
    own(tmp_path, "box", f"targets: configured\nruns:\n  onnxruntime:\n    resnet50: {{Offline: {figure}}}\n")
    with pytest.raises(ProfileError, match=r"box\.yaml:4 \(runs\.onnxruntime\.resnet50\.Offline\)"):
        figures([tmp_path], "box")


@pytest.mark.parametrize(
    "wrong", ["sessions: 0", "intra_op_threads: -1", "max_batch: 100000000000000000000", "queue_wait_us: -5"]
)
def test_workers_that_can_not_be_are_refused_with_their_place(tmp_path: Path, wrong: str) -> None:
    right = {"sessions": "1", "intra_op_threads": "1", "max_batch": "4", "batch_ms": "1.5", "samples_per_second": "9"}
    name, _, value = wrong.partition(": ")
    workers = ", ".join(f"{one}: {figure}" for one, figure in {**right, name: value}.items())
    path = tmp_path / "box.yaml"
    path.write_text(
        "targets: configured\nruns: {}\ntuned:\n  onnxruntime:\n    resnet50:\n"
        "      {date: '2026-11-28', seconds: 5.0, cores: 2, model: aa, versions: {}, server_qps: 5.0, bound_ms: 15.0,\n"
        f"       scenarios: {{Offline: {{{workers}}}}}}}\n"
    )
    with pytest.raises(ProfileError, match=rf"box\.yaml.*{name}"):
        load_system(path)
