"""`_int8` adds the quantized form of the chosen model to the plan, with its calibration images."""

from __future__ import annotations

from itertools import permutations

import pytest

from engine.errors import UsageError
from engine.plan.plan import Plan
from engine.profile.component import Override, Query
from tests.engine.plan.test_backends import plan_of, values

MODELS = [
    ("patterns-net", "patterns-net", "calibration-patterns", "unit"),
    ("stand-in", "standin-resnet50", "calibration-patterns", "vgg"),
    ("efficientnet-lite0", "efficientnet-lite0", "calibration-photographs", "efficientnet-lite"),
    ("reference", "resnet50-model", "calibration-imagenet", "vgg"),
]


def needs(plan: Plan, node: str) -> dict[str, str]:
    return {edge.name: edge.node for edge in plan.nodes[node].needs}


@pytest.mark.parametrize(("model", "original", "pictures", "chain"), MODELS)
def test_each_model_has_an_int8_form(model: str, original: str, pictures: str, chain: str) -> None:
    for words in permutations((model, "int8", "cpu")):
        plan = plan_of(*words)
        node = f"{original}-int8"
        found = needs(plan, node)
        assert (found["fp32"], found["quantizer"]) == (original, "onnxruntime")
        assert needs(plan, found["calibration"])["pictures"] == pictures
        assert values(plan, node)["preprocessing"] == chain, "calibrated on what it is measured on"
        measured = values(plan, "imagenet-preprocessed")
        assert (measured["preprocessing"], measured["layout"]) == (chain, "NCHW")
        for user in ("choose-workers", "loadgen-run[Offline performance]"):
            assert needs(plan, user)["model"] == node


@pytest.mark.parametrize("model", [model for model, *_ in MODELS])
def test_without_it_nothing_is_calibrated(model: str) -> None:
    assert not [name for name in plan_of(model).nodes if "int8" in name or "calibration" in name]


def test_a_model_file_is_quantized_as_it_is_told() -> None:
    given = {"label_offset": "1", "preprocessing": "torchvision"}
    plan = plan_of(
        "int8",
        options={"model_path": "/models/own.onnx"},
        overrides={
            "model": Override(set=given),
            "calibration": Override(add=Query(variations=("photographs",))),
        },
    )
    source = values(plan, "model-file")
    assert (source["path"], source["label_offset"]) == ("/models/own.onnx", 1)
    assert values(plan, "model-file-int8")["preprocessing"] == "torchvision"
    assert needs(plan, "calibration")["pictures"] == "calibration-photographs"


def test_the_second_list_of_the_rules() -> None:
    first = values(plan_of("int8"), "calibration-imagenet")
    second = plan_of("int8", overrides={"calibration": Override(add=Query(variations=("option-2",)))})
    assert first["md5"] != values(second, "calibration-imagenet")["md5"]
    assert values(second, "calibration-imagenet")["filename"] == "cal_image_list_option_2.txt"


def test_the_older_file_of_the_rules_model() -> None:
    old = plan_of("int8", overrides={"model": Override(add=Query(variations=("onnx-opset-8",)))})
    assert values(old, "resnet50-model")["md5"] != values(plan_of("int8"), "resnet50-model")["md5"]


@pytest.mark.parametrize("model", [model for model, *_ in MODELS] + ["model-file"])
def test_tensorflow_has_none_and_says_why(model: str) -> None:
    for words in permutations((model, "int8", "tf")):
        with pytest.raises(UsageError, match="'_tf' of int8-tensorflow can't be used") as caught:
            plan_of(*words)
        assert "does not run int8 graphs" in caught.value.remedy


@pytest.mark.parametrize("word", ["bf16", "int8"])
def test_one_precision_at_a_time(word: str) -> None:
    with pytest.raises(UsageError):
        plan_of("fp32", word)
