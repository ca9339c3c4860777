"""Question answering from one command to a checked tree, with a model of the test on generated questions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.mlperf_logs import accuracy_log as accuracy
from tests.engine.tasks import span_model, squad_cases
from tests.whole.command import SHORT, inferdeck, measured

SEED = 2
FEATURES = 104


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The options that give a model, questions and a vocabulary."""
    folder = tmp_path_factory.mktemp("own")
    questions, vocabulary = squad_cases.write(folder, SEED)
    model = span_model.write(folder / "model.onnx", len(squad_cases.vocabulary(SEED)))
    return (
        f"--model_path={model}",
        f"--env.SQUAD_PATH={questions}",
        "--adr.squad-vocab.tags=_own",
        f"--env.SQUAD_VOCAB_PATH={vocabulary}",
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("benchmark", "category", "scenario"), [("bert-99", "edge", "SingleStream"), ("bert-99.9", "datacenter", "Offline")]
)
def test_a_submission_with_its_compliance_tests_is_checked(
    home: Path, tmp_path: Path, own: tuple[str, ...], benchmark: str, category: str, scenario: str
) -> None:
    out = tmp_path / "out"
    tags = f"--tags=app,mlperf,inference,reference,python,_{benchmark},_onnxruntime,_cpu,_test,_submission,_compliance"
    words = (f"{tags},_{category}", "--env.CM_SUT_NAME=demo-offline", f"--scenarios={scenario}", *own)
    status, text, err = inferdeck(home, "run", *words, f"--output_dir={out}", *SHORT, "--min_query_count=70", "--json")
    assert json.loads(text)["state"] == "finished", f"{text}\n{err}"
    assert status == 0
    folder = out / "demo-offline" / benchmark / scenario
    text = (folder / "accuracy" / "accuracy.txt").read_text()
    assert re.fullmatch(r'\{"exact_match": [\d.]+, "f1": [\d.]+\}\n(hash=\w+\n)?', text)
    records = list(accuracy.records(folder / "accuracy" / "mlperf_log_accuracy.json"))
    assert sorted({one.qsl_idx for one in records}) == list(range(FEATURES))
    assert min(len(one.data) for one in records) < 384 * 8, "as long as the sample is"
    (place,) = out.glob(f"submission/*/*/compliance/demo-offline/{benchmark}/{scenario}")
    assert {path.name for path in place.iterdir()} == {"TEST01", "TEST05"}
    status, text, err = inferdeck(home, "submission", "check", str(out / "submission"), "--json")
    found = json.loads(text)
    broken = {one["rule"] for one in found["findings"] if one["severity"] == "error"}
    assert broken <= {"performance.validity", "performance.sample_count"}, f"{found}\n{err}"


@pytest.mark.slow
def test_it_is_tuned_run_and_compared_as_every_benchmark(tmp_path: Path) -> None:
    home, tags = tmp_path / "home", "--tags=app,mlperf,inference,_bert-99,_span-net,_test,_performance-only"
    words = (tags, "--scenarios=Offline", "--add_deps_tags.questions=_count.64")
    status, out, err = inferdeck(home, "tune", *words, "--adr.workers.seconds=3", "--json")
    assert status == 0, f"{out}\n{err}"
    chosen = json.loads(out)["tuning"]["tuned"]["workers"]
    assert all(one["max_cost"] for one in chosen.values()), "batches are limited by their tokens"
    assert chosen["Server"]["cost_us"]
    tuned = measured(home, "run", *words, *SHORT[:2])
    alone = measured(home, "run", *words, *SHORT[:2], "--sessions=1", "--intra_op_threads=1", "--max_batch=1")
    assert set(tuned) == set(alone) == {("Offline", "performance")}
    status, out, err = inferdeck(home, "results", "compare", "r-0002/Offline", "r-0003/Offline", "--format=json")
    assert status == 0, err
    compared = json.loads(out)
    assert [one["model"] for one in compared["runs"]] == ["span-net", "span-net"]
    assert any("max_batch" in name for name in compared["differs"])
