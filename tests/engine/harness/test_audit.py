"""Real LoadGen runs of the compliance tests: effects of audit.config and the seeds, by LoadGen's own logs."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

import profiles
from engine.errors import CannotRunError, UsageError
from engine.harness.conf import audit_config
from engine.harness.settings import settings
from engine.harness.spec import LoadGenSettings
from engine.mlperf import SCENARIOS, Scenario
from engine.mlperf_logs.accuracy_log import records
from engine.profile.round_file import load_round
from engine.submission import verification as compliance
from tests.engine.harness import runs

RULES = load_round(profiles.FOLDER / "rounds" / "v2.1.yaml")
RESNET = RULES.benchmark("resnet50")

SEEDS = RULES.test("TEST05").seeds
assert SEEDS is not None
TEST05_SEEDS = {f"{name}_rng_seed": value for name, value in msgspec.structs.asdict(SEEDS).items()}


def made(test: str | None, samples: int = 50_000) -> LoadGenSettings:
    return settings(RULES, "resnet50", "Offline", "performance", "test", sample_count=samples, test=test)


def test_the_text_says_what_the_round_says() -> None:
    assert audit_config(RULES, "resnet50", "TEST01") == (
        "*.*.mode = 2\n*.*.accuracy_log_rng_seed = 720381539243781796\n*.*.accuracy_log_sampling_target = 4096\n"
    )
    assert audit_config(RULES, "resnet50", "TEST04") == (
        "*.*.mode = 2\n*.*.performance_issue_same = 1\n*.*.performance_issue_same_index = 3\n"
        "*.*.performance_issue_unique = 0\n"
    )
    assert audit_config(RULES, "resnet50", "TEST05") == (
        "*.*.mode = 2\n*.*.qsl_rng_seed = 313588358309856706\n*.*.sample_index_rng_seed = 471397156132239067\n"
        "*.*.schedule_rng_seed = 413914573387865862\n"
    )


def test_a_benchmark_has_its_own_number_of_responses_to_log() -> None:
    assert "sampling_target = 256\n" in audit_config(RULES, "retinanet", "TEST01")
    assert "sampling_target = 64\n" in audit_config(RULES, "3d-unet-99.9", "TEST01")
    assert "sampling_target" not in audit_config(RULES, "retinanet", "TEST04")


def test_the_seeds_of_a_run_are_those_of_its_test() -> None:
    plain, changed = made(None), made("TEST05")
    assert changed == msgspec.structs.replace(plain, **TEST05_SEEDS)
    assert made("TEST01") == made("TEST04") == plain


def test_an_unknown_test_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'TEST0"):
        made("TEST02")


def test_a_data_set_without_the_sample_that_is_asked_again_is_refused() -> None:
    with pytest.raises(CannotRunError, match="TEST04 repeats sample 3"):
        made("TEST04", samples=3)
    assert made("TEST04", samples=4).performance_sample_count == 4


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_test01_logs_sampled_responses_that_are_those_of_the_accuracy_run(tmp_path: Path, scenario: Scenario) -> None:
    for name in ("accuracy", "test"):
        (tmp_path / name).mkdir()
    reference = runs.finish(runs.spec(tmp_path / "accuracy", runs.settings(scenario, "accuracy")))
    run = runs.spec(
        tmp_path / "test", runs.settings(scenario, "performance"), audit=audit_config(RULES, "resnet50", "TEST01")
    )
    done = runs.finish(run)
    assert (done.status, done.stderr) == (0, "")
    assert (done.folder / "audit.config").read_text() == run.audit
    assert done.detail["effective_test_mode"] == "PerformanceOnly"
    assert done.detail["effective_accuracy_log_sampling_target"] == 4096
    assert done.detail["effective_accuracy_log_rng_seed"] == 720381539243781796
    assert {key: done.detail[f"effective_{key}"] for key in runs.SEEDS} == runs.SEEDS
    log = done.folder / "mlperf_log_accuracy.json"
    found = compliance.answers(reference.folder / log.name, log)
    assert found.passed
    # MultiStream fills its last query with samples that it has already issued.
    assert found.num_acc_log_entries - found.num_acc_log_duplicate_keys == runs.SAMPLES
    assert found.num_perf_log_qsl_idx_match == len(list(records(log))) > 0
    for index, data in done.answers:
        assert data == np.float32(16 * index + 6).tobytes()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_test04_issues_one_query_again_and_again(tmp_path: Path, scenario: Scenario) -> None:
    # Responses are logged, which TEST04 does not do, to see what was issued; with a target of 1000 about a dozen are,
    # too few to see every sample of a query.
    audit = audit_config(RULES, "resnet50", "TEST04") + "*.*.accuracy_log_sampling_target = 100000\n"
    run = runs.settings(scenario, "performance")
    done = runs.finish(runs.spec(tmp_path, run, audit=audit))
    assert (done.status, done.stderr) == (0, "")
    assert done.detail["effective_performance_issue_same"] is True
    assert done.detail["effective_performance_issue_same_index"] == 3
    issued = {index for index, _ in done.answers}
    assert len(issued) == (run.samples_per_query if scenario == "MultiStream" else 1) < len(done.answers)
    assert done.detail["loaded_qsl_set"][3] in issued


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_test05_runs_with_its_own_seeds(tmp_path: Path, scenario: Scenario) -> None:
    run = runs.settings(scenario, "performance", **TEST05_SEEDS)
    done = runs.finish(runs.spec(tmp_path, run, audit=audit_config(RULES, "resnet50", "TEST05"), **runs.NULL))
    assert (done.status, done.stderr) == (0, "")
    for source in ("requested", "effective"):
        assert {key: done.detail[f"{source}_{key}"] for key in TEST05_SEEDS} == TEST05_SEEDS
    assert done.answers == []


def test_an_audit_config_that_loadgen_cannot_read_is_refused(tmp_path: Path) -> None:
    done = runs.finish(runs.spec(tmp_path, runs.settings("Offline", "performance"), audit="mode 2\n", **runs.NULL))
    assert (done.status, done.finished) == (3, False)
    assert "audit.config: LoadGen cannot read" in done.failure["what"]


def test_an_audit_config_that_the_record_does_not_know_of_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "audit.config").write_text("*.*.mode = 2\n")
    done = runs.finish(runs.spec(tmp_path, runs.settings("Offline", "performance"), **runs.NULL))
    assert (done.status, done.finished) == (3, False)
    assert "LoadGen would apply this file" in done.failure["what"]
