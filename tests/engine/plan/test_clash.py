"""Conflicting choices are named with compatible ones; misplaced words are explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from engine.errors import UsageError
from engine.plan.clash import contradictory
from engine.plan.selection_syntax import selection_of
from engine.survey.prepare import Resolved, resolved, workplace

APP = "--tags=app,mlperf,inference"


def plan_of(home: Path, *words: str) -> Resolved:
    return resolved(workplace(str(home)), selection_of(words)[0])


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        ([f"{APP},_resnet50,_scenes-net"], "_resnet50 and _scenes-net do not go together", "goes with _retinanet"),
        ([f"{APP},_retinanet,_patterns-net"], "_retinanet and _patterns-net", "_patterns-net goes with _resnet50"),
        ([f"{APP},_offline"], "'_offline'", "write --scenarios=Offline"),
        ([f"{APP},_server"], "'_server'", "write --scenarios=Server"),
        ([f"{APP},_test04"], "'_test04'", "write --compliance=TEST04"),
        ([f"{APP},_full"], "'_full'", "write --add_deps_tags.imagenet=_full"),
        ([f"{APP},_photographs"], "'_photographs'", "write --add_deps_tags.imagenet=_photographs"),
        (["--tags=run-mlperf,inference,_r5.1-dev"], "'_r5.1-dev'", "--round=v5.1"),
        ([f"{APP},retinanet"], "retinanet", "write _retinanet"),
        ([f"{APP},valid"], "'valid'", "write _valid"),
        ([f"{APP},Offline"], "'Offline'", "write --scenarios=Offline"),
        ([APP, "--model=retinanet"], "'model'", "write _retinanet into --tags"),
        ([APP, "--framework=onnxruntime"], "'framework'", "write _onnxruntime into --tags"),
        ([APP, "--execution_mode=valid"], "'execution_mode'", "write _valid into --tags"),
        ([APP, "--scenario=Offline"], "'scenario'", "did you mean 'scenarios'?"),
        ([APP, "--int8=yes"], "'int8'", "write _int8 into --tags"),
        ([APP, "--seconds=60"], "no option 'seconds'", "write --adr.workers.seconds=60"),
        ([APP, "--IMAGENET_PATH=x"], "'IMAGENET_PATH'", "--env.IMAGENET_PATH=x"),
        ([APP, "--compliance=TEST02"], "'TEST02'", "'TEST01', 'TEST04' or 'TEST05'"),
        (
            [f"{APP},-_resnet50"],
            "leaves app-mlperf-inference without a benchmark",
            "add one: ",
        ),
        ([f"{APP},-_resnet51"], "no variation '_resnet51' to leave out", "'_resnet50'"),
        ([APP, "--adr.imagenet.tags=-_ful"], "no variation '_ful' to leave out", "'_full'"),
        ([APP, "--env.IMAGENET_PATH=x"], "nothing in this plan reads", "write --add_deps_tags.imagenet=_full"),
        (
            [f"{APP},_retinanet,_scenes-net", "--adr.openimages.tags=_scenes", "--env.OPENIMAGES_PATH=x"],
            "nothing in this plan reads",
            "write --add_deps_tags.openimages=_full",
        ),
        ([APP, "--env.OPENIMAGES_PATH=x"], "nothing in this plan reads", "an input of openimages-validation"),
        (
            [f"{APP},_datacenter", "--scenarios=SingleStream"],
            "category datacenter resnet50 has no SingleStream",
            "Server",
        ),
        (
            [f"{APP},_datacenter,_all-scenarios,_valid", "--scenarios=Offline,MultiStream"],
            "has no MultiStream",
            "leave out _datacenter",
        ),
        ([APP, "--category=datacenter", "--scenarios=SingleStream"], "no SingleStream", "--category=datacenter"),
        (
            [APP, "--adr.onnxruntime.version_min=1.33", "--adr.onnxruntime.version_max=1.20"],
            "no version can be in '>=1.33,<=1.20'",
            "exclude each other",
        ),
        (
            [APP, "--adr.backend.version=1.20.1", "--adr.onnxruntime.version=1.32.0"],
            "no version can be in '==1.20.1,==1.32.0'",
            "exclude each other",
        ),
    ],
)
def test_it_is_said_what_to_write_instead(tmp_path: Path, words: list[str], what: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan_of(tmp_path, *words)
    assert what in caught.value.what
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    "words",
    [
        [f"{APP},_retinanet,_scenes-net"],
        [APP, "--adr.imagenet.tags=_full", "--env.IMAGENET_PATH=x"],
        [f"{APP},_datacenter", "--scenarios=Server"],
        [f"{APP},-_cpu,_cuda"],
        ["--tags=run-mlperf,inference,_find-performance", "--category=edge"],
        [f"{APP},_all-scenarios", "--scenarios=Server"],
    ],
)
def test_what_the_remedies_say_can_be_resolved(tmp_path: Path, words: list[str]) -> None:
    assert plan_of(tmp_path, *words).plan.root == "app-mlperf-inference"


def test_a_list_is_read_without_its_blanks_and_each_member_once(tmp_path: Path) -> None:
    found = plan_of(tmp_path, APP, "--scenarios=Offline, Server,Offline").plan
    assert found.nodes[found.root].options["scenarios"].value == ("Offline", "Server")


@pytest.mark.parametrize("range_", ["<1,>2", ">=1.33,<=1.20", "==1,==2", "==1.2,!=1.2", ">1,<1", "~=1.4,<1.4"])
def test_ranges_without_any_version(range_: str) -> None:
    assert contradictory(SpecifierSet(range_))


@pytest.mark.parametrize(
    "range_",
    ["", "<1", ">1", ">=1,<=1", "==1.20.*", "!=1.20.*,>=1.20,<1.22", "~=1.4", ">1.2,<1.2.1", "==1.0rc1", "===x"],
)
def test_ranges_with_a_version(range_: str) -> None:
    assert not contradictory(SpecifierSet(range_))


PARTS = st.lists(
    st.tuples(st.sampled_from([">=", "<=", "==", "!=", ">", "<"]), st.integers(0, 5), st.integers(0, 5)), max_size=4
)


@given(PARTS)
def test_no_range_with_a_version_is_called_contradictory(parts: list[tuple[str, int, int]]) -> None:
    range_ = SpecifierSet(",".join(f"{how}{major}.{minor}" for how, major, minor in parts))
    versions = [Version(f"{major}.{minor}") for major in range(7) for minor in range(7)]
    if any(range_.contains(one) for one in versions):
        assert not contradictory(range_)
