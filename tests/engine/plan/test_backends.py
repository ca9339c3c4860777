"""The backend determines the format of the model, and the model the layout of the images, in any order of options."""

from __future__ import annotations

from itertools import permutations
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

SHIPPED = load()
RULES = rule_book(load_round(profile_file(SHIPPED.folders, "rounds", "v2.1")), describer(SHIPPED.folders))
PB_MD5 = "7b94a2da05dd30f6c0af23a46bc08886"


def plan_of(*words: str, **changes: Any) -> Plan:
    return resolve(SHIPPED, Selection(Query(("app", "mlperf", "inference"), words), **changes), RULES, "v2.1")


def values(plan: Plan, node: str) -> dict[str, Any]:
    return {name: decided.value for name, decided in plan.nodes[node].options.items()}


@pytest.mark.parametrize("backend", ["tf", "tensorflow"])
@pytest.mark.parametrize(
    ("model", "node", "source", "preprocessing"),
    [
        ("patterns-net", "patterns-net-tf", "patterns-net", "unit"),
        ("efficientnet-lite0", "efficientnet-lite0-tf", "efficientnet-lite0", "efficientnet-lite"),
        ("stand-in", "standin-resnet50-tf", "standin-resnet50", "vgg"),
    ],
)
def test_each_model_has_a_tensorflow_form(backend: str, model: str, node: str, source: str, preprocessing: str) -> None:
    for words in permutations((backend, model, "cpu")):
        plan = plan_of(*words)
        pictures = values(plan, "imagenet-preprocessed")
        assert (pictures["layout"], pictures["preprocessing"]) == ("NHWC", preprocessing)
        assert {edge.name: edge.node for edge in plan.nodes[node].needs} == {"onnx": source, "backend": "tensorflow"}
        for user in ("choose-workers", "loadgen-run[Offline performance]"):
            assert ("model", node) in {(edge.name, edge.node) for edge in plan.nodes[user].needs}
        assert values(plan, "loadgen-run[Offline performance]")["backend"] == "tensorflow"
        assert values(plan, "sut-configuration")["backend"] == "tensorflow"
        assert "onnxruntime" not in plan.nodes


@pytest.mark.parametrize("model", ["patterns-net", "efficientnet-lite0", "stand-in", "reference"])
def test_without_it_nothing_of_tensorflow_is_in_the_plan(model: str) -> None:
    plan = plan_of(model)
    assert values(plan, "imagenet-preprocessed")["layout"] == "NCHW"
    assert not [node for node in plan.nodes if "tensorflow" in node or node.endswith("-tf")]


def test_the_rules_model_is_fetched_in_the_backends_form() -> None:
    plan = plan_of("tf")
    model = values(plan, "resnet50-model-tf")
    assert (model["md5"], model["format"], model["filename"]) == (PB_MD5, "tf", "resnet50_v1.pb")
    assert values(plan, "imagenet-preprocessed")["layout"] == "NHWC"
    assert values(plan_of(), "resnet50-model")["format"] == "onnx"


def test_a_model_file_is_of_the_backends_form() -> None:
    plan = plan_of("tf", options={"model_path": "/models/own.pb"})
    assert values(plan, "model-file-tf")["format"] == "tf"
    assert values(plan, "imagenet-preprocessed")["layout"] == "NHWC"
    turned = plan_of(
        "tf",
        options={"model_path": "/models/own.pb"},
        overrides={"preprocessed": Override(add=Query(variations=("NCHW",)))},
    )
    assert values(turned, "imagenet-preprocessed")["layout"] == "NCHW", "a person's word beats the model's"
    plain = plan_of(options={"model_path": "/models/own.onnx"})
    assert (values(plain, "model-file")["format"], values(plain, "imagenet-preprocessed")["layout"]) == ("onnx", "NCHW")


def test_what_makes_the_stand_in_can_be_said_of_either_form() -> None:
    few = {"model": Override(set={"training_pictures": "60"})}
    assert values(plan_of("stand-in", "tf", overrides=few), "standin-resnet50")["training_pictures"] == 60
    assert values(plan_of("stand-in", overrides=few), "standin-resnet50")["training_pictures"] == 60


def test_a_saved_model_is_another_artifact() -> None:
    saved = plan_of("patterns-net", "tf", overrides={"model": Override(add=Query(variations=("saved-model",)))})
    assert values(saved, "patterns-net-tf")["form"] == "saved-model"


def test_two_backends_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        plan_of("tf", "onnxruntime")


def test_openvino_takes_the_onnx_files() -> None:
    plan = plan_of("openvino", "stand-in")
    assert values(plan, "loadgen-run[Offline performance]")["backend"] == "openvino"
    assert values(plan, "imagenet-preprocessed")["layout"] == "NCHW"
    assert values(plan, "openvino")["settings"] == ("INFERENCE_PRECISION_HINT=f32",)
    assert "onnxruntime" not in plan.nodes


def test_bf16_is_the_backends_business() -> None:
    chosen = values(plan_of("openvino", "bf16"), "openvino")
    assert chosen["settings"] == ("INFERENCE_PRECISION_HINT=bf16",)
    assert chosen["cpu_flags"] == ("avx512_bf16", "amx_bf16")
    with pytest.raises(UsageError, match="'_bf16' of onnxruntime can't be used"):
        plan_of("bf16")


def test_a_device_of_a_backend_is_another_package() -> None:
    plan = plan_of("cuda")
    assert values(plan, "onnxruntime")["package"] == "onnxruntime-gpu"
    assert values(plan, "onnxruntime")["device"] == "cuda"
    with pytest.raises(UsageError, match="'_cuda' of tensorflow can't be used"):
        plan_of("tf", "cuda")
