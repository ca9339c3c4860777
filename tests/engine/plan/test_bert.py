"""Plans of bert-99 and bert-99.9: one task, two targets, and their backends and scenarios."""

from __future__ import annotations

import pytest

from engine.errors import UsageError
from engine.plan.plan import Plan
from engine.plan.rule_book import refuse_foreign_scenarios
from engine.profile.catalog import profile_file
from engine.profile.component import Override, Query
from engine.profile.round_file import load_round
from tests.engine.plan.test_backends import SHIPPED, plan_of, values


def needs(plan: Plan, node: str) -> dict[str, str]:
    return {edge.name: edge.node for edge in plan.nodes[node].needs}


@pytest.mark.parametrize("benchmark", ["bert-99", "bert-99.9"])
@pytest.mark.parametrize(
    ("words", "model", "dtype"),
    [
        (("onnxruntime",), "bert-model", "int64"),
        (("openvino",), "bert-model", "int64"),
        (("tf",), "bert-model-tf", "int32"),
    ],
)
def test_the_model_decides_the_type_of_the_samples(
    benchmark: str, words: tuple[str, ...], model: str, dtype: str
) -> None:
    plan = plan_of(benchmark, *words)
    assert values(plan, "squad-preprocessed")["dtype"] == dtype
    assert needs(plan, "squad-preprocessed") == {"dataset": "squad", "vocabulary": "squad-vocabulary"}
    measured = needs(plan, "loadgen-run[Offline performance]")
    assert (measured["model"], measured["preprocessed"]) == (model, "squad-preprocessed")
    assert values(plan, "loadgen-run[Offline performance]")["benchmark"] == benchmark
    assert needs(plan, "choose-workers")["samples"] == "squad-preprocessed"
    assert values(plan, "choose-workers")["task"] == "engine.tasks.question_answering"


def test_the_shipped_model_for_tensorflow_takes_int32() -> None:
    plan = plan_of("bert-99.9", "tf", "span-net")
    assert needs(plan, "loadgen-run[Offline performance]")["model"] == "span-net-tf"
    assert needs(plan, "span-net-tf") == {"onnx": "span-net", "backend": "tensorflow"}
    assert values(plan, "squad-preprocessed")["dtype"] == "int32"
    assert needs(plan, "squad-vocabulary") == {"vocabulary": "span-net-vocabulary"}


def test_the_scenarios_and_tests_are_those_of_the_round() -> None:
    plan = plan_of("bert-99", "submission", "valid", "compliance", options={"sut": "gcp-n2-standard-80-onnxruntime"})
    runs = {node for node in plan.nodes if node.startswith("loadgen-run")}
    assert runs == {
        f"loadgen-run[{scenario} {mode}]"
        for scenario in ("SingleStream", "Offline")
        for mode in ("performance", "accuracy", "TEST01", "TEST05")
    }
    assert "accuracy-squad[Offline]" in plan.nodes
    plan = plan_of("bert-99.9", "datacenter", "all-scenarios")
    runs = {node for node in plan.nodes if node.startswith("loadgen-run")}
    assert runs == {"loadgen-run[Server performance]", "loadgen-run[Offline performance]"}


@pytest.mark.parametrize("words", [("edge", "all-scenarios"), ("submission", "valid")])
def test_a_plan_of_bert_99_9_for_edge_is_refused_by_name(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"bert-99\.9 is no benchmark of the category edge") as found:
        plan_of("bert-99.9", *words, options={"sut": "gcp-n2-standard-80-onnxruntime"})
    assert "it is one of datacenter" in found.value.remedy


def test_scenarios_of_bert_99_9_that_are_asked_for_in_edge_are_refused_by_name() -> None:
    plan = plan_of("bert-99.9", "edge", options={"scenarios": "Offline"})
    with pytest.raises(UsageError, match=r"bert-99\.9 is no benchmark of the category edge"):
        refuse_foreign_scenarios(plan.nodes[plan.root], load_round(profile_file(SHIPPED.folders, "rounds", "v2.1")))


def test_the_published_int8_model_is_for_bert_99_only() -> None:
    plan = plan_of("bert-99", "int8")
    assert needs(plan, "loadgen-run[Offline performance]")["model"] == "bert-model-int8"
    assert values(plan, "bert-model-int8")["md5"] == "45f88ffb2915362242703c85c38ec2d4"
    with pytest.raises(UsageError) as found:
        plan_of("bert-99.9", "int8")
    assert "below 99.9 %: use _bert-99" in found.value.remedy


@pytest.mark.parametrize("benchmark", ["bert-99", "bert-99.9"])
@pytest.mark.parametrize(
    ("words", "options", "model", "calibration"),
    [
        (("span-net",), {}, "span-net", "calibration-articles"),
        (("stand-in",), {}, "standin-bert", "calibration-articles"),
        ((), {"model_path": "/models/own.onnx"}, "model-file-span", "calibration-squad"),
    ],
)
def test_other_models_are_quantized_here(
    benchmark: str, words: tuple[str, ...], options: dict[str, str], model: str, calibration: str
) -> None:
    plan = plan_of(benchmark, "int8", *words, options=options)
    int8 = f"{model}-int8"
    assert needs(plan, "loadgen-run[Offline performance]")["model"] == int8
    assert needs(plan, int8) == {"fp32": model, "calibration": calibration, "quantizer": "onnxruntime"}
    assert values(plan, int8)["operators"] == ("MatMul", "Gemm")
    with pytest.raises(UsageError) as found:
        plan_of(benchmark, "int8", "tf", *words, options=options)
    assert "TensorFlow runs no int8 graph" in found.value.remedy


def test_a_model_of_one_s_own_is_calibrated_with_its_vocabulary() -> None:
    plan = plan_of(
        "bert-99",
        "int8",
        options={"model_path": "/models/own.onnx"},
        overrides={"squad-vocab": Override(add=Query(variations=("own",)))},
        env={"SQUAD_VOCAB_PATH": "/models/vocab.txt"},
    )
    assert needs(plan, "calibration-squad")["vocabulary"] == needs(plan, "squad-preprocessed")["vocabulary"]
    assert values(plan, "own-vocabulary")["path"] == "/models/vocab.txt"


def test_an_int8_stand_in_shows_no_accuracy() -> None:
    with pytest.raises(UsageError) as found:
        plan_of("bert-99", "int8", "stand-in", "accuracy-only")
    assert "its answers mean nothing" in found.value.remedy


def test_a_model_of_one_s_own_comes_with_its_vocabulary() -> None:
    plan = plan_of(
        "bert-99",
        options={"model_path": "/models/own.onnx"},
        overrides={"squad-vocab": Override(add=Query(variations=("own",)))},
        env={"SQUAD_PATH": "/data/squad", "SQUAD_VOCAB_PATH": "/models/vocab.txt"},
    )
    assert needs(plan, "loadgen-run[Offline performance]")["model"] == "model-file-span"
    assert values(plan, "squad-dev")["path"] == "/data/squad"
    assert needs(plan, "squad-vocabulary") == {"vocabulary": "own-vocabulary"}
    assert values(plan, "own-vocabulary")["path"] == "/models/vocab.txt"


@pytest.mark.parametrize("name", ["SQUAD_PATH", "CM_DATASET_SQUAD_VAL_PATH"])
def test_the_data_set_is_known_by_the_names_of_the_tutorial(name: str) -> None:
    assert values(plan_of("bert-99", env={name: "/data/dev-v1.1.json"}), "squad-dev")["path"] == "/data/dev-v1.1.json"
