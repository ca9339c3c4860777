"""What is said beside the choice of a round."""

from __future__ import annotations

from engine.profile.catalog import load
from engine.profile.known_rounds import all_rounds, round_of
from engine.profile.round_effects import effects, round_choices

FOLDERS = load([]).folders
OLD = round_of(FOLDERS, "v2.1")


def test_a_later_round_says_what_it_changes_for_the_benchmark() -> None:
    found = effects(OLD, round_of(FOLDERS, "v5.1"), "resnet50")
    assert found[:3] == ("no datacenter", "no TEST05", "LoadGen 5.1")
    assert "no mlperf.conf" in found
    assert "another tree" in effects(OLD, round_of(FOLDERS, "v6.0"), "resnet50")
    assert effects(round_of(FOLDERS, "v5.1"), OLD, "resnet50")[:2] == ("datacenter: Server, Offline", "TEST05 too")


def test_a_round_without_the_benchmark_says_why() -> None:
    found = {one.name: one for one in round_choices(all_rounds(FOLDERS), OLD, "rnnt")}
    assert (found["v2.1"].text, found["v2.1"].refused) == ("results of 2022-09", "")
    assert found["v4.0"].text.startswith("Offline min_sample_count 2513 · LoadGen 4.0")
    assert found["v5.1"].refused == "rnnt left with v4.1"
    late = {one.name: one.refused for one in round_choices(all_rounds(FOLDERS), OLD, "whisper")}
    assert (late["v5.0"], late["v5.1"]) == ("whisper came later", "")
