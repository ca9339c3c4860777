"""Plans of rnnt: where audio and transcripts come from, what is run and how it is scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.plan.plan import Plan
from engine.plan.resolve import resolve
from engine.plan.rule_book import rule_book
from engine.plan.selection import Selection
from engine.profile.catalog import load, profile_file
from engine.profile.component import Override, Query
from engine.profile.round_file import load_round
from engine.profile.systems import describer
from tests.engine.plan.test_backends import plan_of as shipped_plan
from tests.engine.plan.test_backends import values
from tests.engine.plan.test_bert import needs
from tests.helpers import write_components

RUN = "loadgen-run[Offline performance]"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile folder with a model and generated speech."""
    folder = tmp_path_factory.mktemp("profile")
    small = "name: letters-net\ntags: [get, ml-model, letters-net, rnnt]\nbeside: {dataset: {add: _generated}}\n"
    models = {
        "rnnt-model": "name: rnnt-model\ntags: [get, ml-model, reference, rnnt]\n",
        "letters-net": small,
        "generated": "name: librispeech-generated\ntags: [get, dataset, librispeech-generated]\n",
        "recordings": "name: librispeech-recordings\ntags: [get, dataset, librispeech-recordings]\n",
    }
    write_components(folder, models)
    return folder


def plan_of(profile: Path, *words: str, **changes: Any) -> Plan:
    catalog = load([profile])
    rules = rule_book(load_round(profile_file(catalog.folders, "rounds", "v2.1")), describer(catalog.folders))
    return resolve(
        catalog, Selection(Query(("app", "mlperf", "inference"), ("rnnt", *words)), **changes), rules, "v2.1"
    )


def test_a_submission_runs_what_the_round_wants_of_an_edge_system(profile: Path) -> None:
    plan = plan_of(profile, "submission", "valid", "compliance", options={"sut": "gcp-n2-standard-80-onnxruntime"})
    assert {node for node in plan.nodes if node.startswith("loadgen-run")} == {
        f"loadgen-run[{scenario} {mode}]"
        for scenario in ("SingleStream", "Offline")
        for mode in ("performance", "accuracy", "TEST01", "TEST05")
    }
    assert {node for node in plan.nodes if node.startswith("accuracy-librispeech")} == {
        "accuracy-librispeech[SingleStream]",
        "accuracy-librispeech[Offline]",
    }
    assert values(plan, "compliance[Offline TEST01]")["dtype"] == "int64"
    assert "submission" in plan.nodes


def test_a_datacenter_system_runs_server(profile: Path) -> None:
    plan = plan_of(profile, "datacenter", "all-scenarios", "valid")
    assert {node for node in plan.nodes if node.startswith("loadgen-run")} == {
        "loadgen-run[Server performance]",
        "loadgen-run[Offline performance]",
    }
    assert values(plan, "choose-workers")["target_latency_ms"] == 1000


def test_audio_and_manifest_of_the_rules_are_made_samples(profile: Path) -> None:
    plan = plan_of(profile)
    assert needs(plan, "librispeech") == {"audio": "librispeech-dev-clean"}
    assert needs(plan, "librispeech-labels") == {"manifest": "librispeech-manifest"}
    assert needs(plan, "librispeech-preprocessed") == {"dataset": "librispeech", "manifest": "librispeech-labels"}
    measured = needs(plan, RUN)
    assert (measured["model"], measured["preprocessed"]) == ("rnnt-model", "librispeech-preprocessed")
    assert values(plan, RUN)["task"] == "engine.tasks.speech_recognition"
    assert values(plan, "librispeech-dev-clean")["md5"] == "42e2234ba48799c1f50f24a7926300a1"
    assert values(plan, "librispeech-manifest")["md5"] == "f185f584928dd329c1ab254c617a0e21"


def test_workers_are_chosen_with_the_whole_program(profile: Path) -> None:
    plan = plan_of(profile)
    assert needs(plan, "choose-workers")["samples"] == "librispeech-preprocessed"
    assert values(plan, "choose-workers")["task"] == "engine.tasks.speech_recognition"


@pytest.mark.parametrize("name", ["LIBRISPEECH_PATH", "CM_DATASET_LIBRISPEECH_PATH"])
def test_a_folder_is_known_by_the_names_of_the_tutorial(profile: Path, name: str) -> None:
    plan = plan_of(profile, env={name: "/data/LibriSpeech"})
    assert values(plan, "librispeech-dev-clean")["path"] == "/data/LibriSpeech"
    assert values(plan, "librispeech-manifest")["path"] == "/data/LibriSpeech"


@pytest.mark.parametrize("by_model", [True, False])
def test_generated_speech_brings_its_manifest(profile: Path, by_model: bool) -> None:
    if by_model:
        plan = plan_of(profile, "letters-net")
    else:
        plan = plan_of(profile, overrides={"librispeech": Override(add=Query(variations=("generated",)))})
    assert needs(plan, "librispeech") == {"audio": "librispeech-generated"}
    assert needs(plan, "librispeech-labels") == {"dataset": "librispeech"}
    assert "librispeech-manifest" not in plan.nodes, "nothing is fetched"
    assert needs(plan, RUN)["model"] == ("letters-net" if by_model else "rnnt-model")


def test_recordings_bring_their_manifest(profile: Path) -> None:
    plan = plan_of(profile, overrides={"librispeech": Override(add=Query(variations=("recordings",)))})
    assert needs(plan, "librispeech") == {"audio": "librispeech-recordings"}
    assert needs(plan, "librispeech-labels") == {"dataset": "librispeech"}


@pytest.mark.parametrize(
    ("words", "model"), [((), "rnnt-model"), (("letters-net",), "letters-net"), (("stand-in",), "standin-rnnt")]
)
def test_int8_models_are_made_of_the_fp32_ones_for_onnx_runtime(words: tuple[str, ...], model: str) -> None:
    plan = shipped_plan("rnnt", "int8", "performance-only", *words)
    assert needs(plan, RUN)["model"] == f"{model}-int8"
    assert needs(plan, f"{model}-int8") == {"fp32": model, "quantizer": "onnxruntime"}
    with pytest.raises(UsageError) as found:
        shipped_plan("rnnt", "int8", "openvino", *words)
    assert "use _onnxruntime with _int8, or _openvino with _bf16" in found.value.remedy
    with pytest.raises(UsageError, match="do not go together"):
        shipped_plan("rnnt", "int8", "tf", *words)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_synthetic_weights_show_no_accuracy(precision: str) -> None:
    with pytest.raises(UsageError) as found:
        shipped_plan("rnnt", precision, "stand-in", "accuracy-only")
    assert "made-up weights" in found.value.remedy


def test_openvino_runs_the_onnx_graphs_in_fp32_and_bf16() -> None:
    for precision in ("fp32", "bf16"):
        plan = shipped_plan("rnnt", "openvino", precision)
        assert needs(plan, RUN)["model"] == "rnnt-model"
        assert needs(plan, RUN)["backend"] == "openvino"
