import re
from pathlib import Path

import pytest

import profiles
from engine.errors import ProfileError, UsageError
from engine.profile.round_file import load_round
from engine.profile.rounds import Round

V2_1 = profiles.FOLDER / "rounds" / "v2.1.yaml"


@pytest.fixture(scope="module")
def rules() -> Round:
    return load_round(V2_1)


def test_accuracy_targets_are_the_checkers(rules: Round) -> None:
    assert {name: bench.accuracy[0].target for name, bench in rules.benchmarks.items()} == {
        "resnet50": 76.46 * 0.99,
        "retinanet": 37.55 * 0.99,
        "bert-99": 90.874 * 0.99,
        "bert-99.9": 90.874 * 0.999,
        "dlrm-99": 80.25 * 0.99,
        "dlrm-99.9": 80.25 * 0.999,
        "3d-unet-99": 0.8617 * 0.99,
        "3d-unet-99.9": 0.8617 * 0.999,
        "rnnt": (100 - 7.452) * 0.99,
    }


@pytest.mark.parametrize(
    ("benchmark", "datacenter", "edge", "both"),
    [
        ("resnet50", "Server Offline", "SingleStream MultiStream Offline", "SingleStream MultiStream Server Offline"),
        ("rnnt", "Server Offline", "SingleStream Offline", "SingleStream Server Offline"),
        ("bert-99", "Server Offline", "SingleStream Offline", "SingleStream Server Offline"),
        ("bert-99.9", "Server Offline", "", "Server Offline"),
        ("dlrm-99", "Server Offline", "", "Server Offline"),
        ("3d-unet-99.9", "Offline", "SingleStream Offline", "SingleStream Offline"),
    ],
)
def test_required_scenarios(rules: Round, benchmark: str, datacenter: str, edge: str, both: str) -> None:
    assert " ".join(rules.required(benchmark, "datacenter")) == datacenter
    assert " ".join(rules.required(benchmark, "edge")) == edge
    assert " ".join(rules.required(benchmark, "datacenter,edge")) == both
    assert " ".join(rules.required(benchmark, "edge,datacenter")) == both


def test_unknown_words_name_the_nearest(rules: Round) -> None:
    with pytest.raises(UsageError, match="resnet50"):
        rules.benchmark("resnet51")
    with pytest.raises(UsageError, match="did you mean 'datacenter,edge'"):
        rules.required("resnet50", "datacenter, edge")


def test_figures_of_the_round(rules: Round) -> None:
    assert rules.seeds.qsl == 14284205019438841327
    test05 = rules.compliance["TEST05"].seeds
    assert test05 is not None
    assert test05.schedule == 413914573387865862
    assert {name: bench.server_latency_ms for name, bench in rules.benchmarks.items()} == {
        "resnet50": 15,
        "retinanet": 100,
        "bert-99": 130,
        "bert-99.9": 130,
        "dlrm-99": 30,
        "dlrm-99.9": 30,
        "3d-unet-99": None,
        "3d-unet-99.9": None,
        "rnnt": 1000,
    }
    assert all(rule.min_duration_ms == 600_000 for rule in rules.scenarios.values())
    assert [len(fields) for fields in (rules.system.required, rules.system.network, rules.system.optional)] == [
        33,
        13,
        14,
    ]
    assert [name for name, bench in rules.benchmarks.items() if "TEST04" in bench.compliance] == ["resnet50"]


@pytest.mark.parametrize(
    ("folder", "benchmark"),
    [
        ("resnet50", "resnet50"),
        ("resnet", "resnet50"),
        ("mobilenet", "resnet50"),
        ("mobilenet-v3-large", "resnet50"),
        ("efficientnet-lite0-quantized", "resnet50"),
        ("resnet50-sparse", "resnet50"),
        ("ssd-resnet34", "retinanet"),
        ("bert-99.9-large", "bert-99.9"),
        ("bert-99_pruned", "bert-99"),
        ("3d-unet-99.9", "3d-unet-99.9"),
        ("ssd-mobilenet-v1", None),
        ("ssd_resnet50_v1_fpn_640x640", None),
        ("rcnn-resnet50-lowproposals-coco", None),
        ("rcnn-x", None),
        ("3d-unet", None),
        ("dlrm", None),
        ("", None),
    ],
)
def test_model_folders(rules: Round, folder: str, benchmark: str | None) -> None:
    found = rules.benchmark_of(folder)
    assert found == (rules.benchmarks[benchmark] if benchmark else None)
    if found is not None:
        assert rules.checker_class(folder) == found.checker_class


@pytest.mark.parametrize(
    ("metric", "line", "value"),
    [
        ("acc", "accuracy=76.456%, good=38228, total=50000", "76.456"),
        ("mAP", "mAP=37.477%", "37.477"),
        ("AUC", "AUC=80.185%, accuracy=96.608%, good=86114148, total=89137319, queries=330067", "80.185"),
        ("F1", '{"exact_match": 83.68, "f1": 90.87}', "90.87"),
        ("F1", "{'exact_match': 83.68, 'f1': 90.87}", "90.87"),
        ("WER", "Word Error Rate: 7.4477440303050795%, accuracy=92.55225596969493%", "92.55225596969493"),
        ("DICE", "Accuracy: mean = 0.86240, kidney = 0.9350, tumor = 0.7898", "0.86240"),
    ],
)
def test_accuracy_lines(rules: Round, metric: str, line: str, value: str) -> None:
    pattern = re.compile(rules.accuracy_lines[metric].line)
    match = pattern.match(line)
    assert match is not None
    assert match[1] == value
    assert pattern.match(" " + line) is None


def test_the_hash_line(rules: Round) -> None:
    assert re.match(rules.accuracy_hash, "hash=" + "a" * 64)
    assert not re.match(rules.accuracy_hash, "hash=abc def")
    assert not re.match(rules.accuracy_hash, "mAP=37.5%hash=abc")


@pytest.mark.parametrize(
    ("old", "new", "what", "remedy"),
    [
        ("percentile: 90", "percentil: 90", "unknown key 'percentil'", "percentile"),
        ("[Server, Offline]", "[Servr, Offline]", "'Servr' is not allowed here", "Server"),
        ("metric: acc,", "metric: akk,", "unknown metric 'akk'", "acc"),
        ("[TEST01, TEST04, TEST05]", "[TEST01, TEST4]", "unknown test 'TEST4'", "TEST04"),
        ("sample_count: 50000", "sample_count: 500", "the data set has 500 samples only", "at most"),
        (r"acc: {line: 'accuracy=([\d.]+)'", "acc: {line: 'accuracy='", "0 groups", "one group"),
        (r"accuracy_hash: 'hash=(\w+)$'", "accuracy_hash: 'hash=('", "not a regular expression", "fix it"),
        ("  fast:\n", "  fats:\n", "'fats' is not allowed here", "fast"),
        ("  open: {", "  # open: {", "the key 'open' is missing", "add it"),
        ("min_query_count: 1024", "min_query_count: -1", "Expected int >= 0", "of that type"),
        ("name: v2.1", "name: 2.1", "Expected str, got float", "quotes"),
        ("seeds:\n", "sheep:\n", "unknown key 'sheep'", "seeds"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_place(old: str, new: str, what: str, remedy: str, tmp_path: Path) -> None:
    text = V2_1.read_text()
    assert old in text
    line = text[: text.index(old)].count("\n") + 1
    path = tmp_path / "round.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ProfileError) as caught:
        load_round(path)
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    found = re.search(r"round\.yaml:(\d+)", caught.value.what)
    assert found is not None
    # A missing key is reported at its section, which begins before the changed line.
    assert int(found[1]) <= line + 1
    assert "missing" in what or int(found[1]) >= line
