"""Verdicts on compliance tests: on synthetic logs, and on every published run next to the repository."""

import re
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import profiles
from engine.errors import DataError, UsageError
from engine.mlperf import VERIFY_PERFORMANCE
from engine.mlperf_logs import detail
from engine.mlperf_logs.accuracy_log import Record, records, write_log
from engine.mlperf_logs.detail import Detail, Message
from engine.profile.round_file import load_round
from engine.submission import verification as compliance
from engine.submission.verification import Baseline, ComplianceOutcome, ResponseCounts, Speed
from tests.engine.profile.later_round import later_round
from tests.helpers import SHARED

RULES = load_round(profiles.FOLDER / "rounds" / "v2.1.yaml")
RESNET = RULES.benchmark("resnet50")
SEEDS = {
    "effective_qsl_rng_seed": 14284205019438841327,
    "effective_sample_index_rng_seed": 4163916728725999944,
    "effective_schedule_rng_seed": 299063814864929621,
}
OF_TEST: Mapping[str, Mapping[str, Any]] = {
    "TEST01": {
        **SEEDS,
        "effective_accuracy_log_rng_seed": 720381539243781796,
        "effective_accuracy_log_sampling_target": 4096,
    },
    "TEST04": {
        **SEEDS,
        "effective_performance_issue_same": True,
        "effective_performance_issue_same_index": 3,
        "effective_performance_issue_unique": False,
    },
    "TEST05": {
        "effective_qsl_rng_seed": 313588358309856706,
        "effective_sample_index_rng_seed": 471397156132239067,
        "effective_schedule_rng_seed": 413914573387865862,
    },
}


def log(scenario: str, score: float, **changes: Any) -> Detail:
    """A detail log with this score, in LoadGen's keys."""
    values = {
        "effective_scenario": scenario,
        "result_validity": "VALID",
        compliance.SCORES[scenario]: score,
        **changes,
    }
    return Detail(tuple(Message(key=key, value=value, line=1) for key, value in values.items()))


def judged(test: str, scenario: str, reference: float, score: float, **changes: Any) -> Speed:
    """Return the verdict on a test's run, given these scores of it and of the performance run."""
    tested = log(scenario, score, **{**OF_TEST[test], **changes})
    return compliance.speed(RULES, RESNET, test, log(scenario, reference, **SEEDS), tested)


@pytest.mark.parametrize(
    ("test", "scenario", "reference", "passing", "failing"),
    [
        ("TEST01", "Offline", 1000.0, (900.5, 1000, 1099.5), (900, 1100, 10)),
        ("TEST01", "Server", 1000.0, (901, 1099), (899, 1101)),
        ("TEST01", "SingleStream", 200_001, (180_100, 220_000), (180_000, 220_010)),
        ("TEST01", "SingleStream", 200_000, (160_001, 239_999), (160_000, 240_000)),
        ("TEST01", "MultiStream", 1_600_000, (1_280_001, 1_919_999), (1_280_000, 1_920_000)),
        ("TEST01", "MultiStream", 1_600_010, (1_500_000, 1_760_000), (1_430_000, 1_770_000)),
        ("TEST05", "Offline", 1000.0, (950.5, 1049.5), (950, 1050)),
        ("TEST05", "Server", 150_000, (143_000, 157_000), (142_000, 158_000)),
        ("TEST05", "SingleStream", 100_000, (80_001, 119_999), (80_000, 120_000)),
        ("TEST04", "Offline", 1000.0, (1, 1099.5), (1100, 5000)),
        ("TEST04", "Server", 1000.0, (1, 1099.5), (1100, 5000)),
    ],
)
def test_a_score_must_be_near_that_of_the_performance_run(
    test: str, scenario: str, reference: float, passing: Iterable[float], failing: Iterable[float]
) -> None:
    for score in passing:
        assert judged(test, scenario, reference, score).passed, score
    for score in failing:
        found = judged(test, scenario, reference, score)
        assert not found.passed, score
        assert found.why


def test_a_latency_is_a_rate_where_only_a_better_score_counts() -> None:
    """A latency of 5 ms is 200 queries/s, which the verification script takes for a very short latency: 20 %."""
    found = judged("TEST04", "SingleStream", 5_000_000, 4_200_000)
    assert found.passed
    assert found.reference == 200.0
    assert found.score == pytest.approx(238.1, abs=0.1)
    assert (found.least, found.most) == (None, 240.0)
    assert not judged("TEST04", "SingleStream", 5_000_000, 4_100_000).passed
    assert judged("TEST04", "SingleStream", 5_000_000, 50_000_000).passed, "slower is no fault"
    assert not judged("TEST04", "SingleStream", 4_900, 4_300).passed, "204,082 queries/s are above the limit: 10 %"


@pytest.mark.parametrize("whose", ["reference", "test"])
@pytest.mark.parametrize("validity", ["INVALID", None])
def test_only_valid_runs_are_compared(whose: str, validity: str | None) -> None:
    logs = [log("Offline", 1000, **SEEDS), log("Offline", 1000, **OF_TEST["TEST05"])]
    scores = log("Offline", 1000, **OF_TEST["TEST05"], result_validity=validity)
    logs["reference test".split().index(whose)] = scores
    found = compliance.speed(RULES, RESNET, "TEST05", *logs)
    assert not found.passed
    assert ("performance run" if whose == "reference" else "test's run") in found.why
    assert (validity or "unfinished") in found.why
    assert (found.reference, found.score) == (1000, 1000)


def test_runs_of_two_scenarios_are_not_compared() -> None:
    found = compliance.speed(RULES, RESNET, "TEST05", log("Offline", 1000), log("Server", 1000, **OF_TEST["TEST05"]))
    assert not found.passed
    assert "Server" in found.why
    assert "Offline" in found.why


def test_empty_logs_are_not_compared() -> None:
    found = compliance.speed(RULES, RESNET, "TEST01", Detail(()), Detail(()))
    assert not found.passed
    assert "no known scenario" in found.why


@pytest.mark.parametrize(
    ("test", "changes", "says"),
    [
        ("TEST01", {"effective_accuracy_log_sampling_target": 0}, "accuracy_log_sampling_target is 0, not 4096"),
        ("TEST04", {"effective_performance_issue_same": False}, "performance_issue_same is False"),
        ("TEST05", SEEDS, "qsl_rng_seed is 14284205019438841327, not 313588358309856706"),
        ("TEST01", OF_TEST["TEST05"], "qsl_rng_seed"),
    ],
)
def test_a_run_that_is_not_of_the_test_proves_nothing(test: str, changes: dict[str, Any], says: str) -> None:
    found = judged(test, "Offline", 1000, 1000, **changes)
    assert not found.passed
    assert says in found.why


def test_a_benchmark_has_its_own_number_of_responses() -> None:
    tested = log("Offline", 1000, **{**OF_TEST["TEST01"], "effective_accuracy_log_sampling_target": 256})
    reference = log("Offline", 1000)
    assert compliance.speed(RULES, RULES.benchmark("retinanet"), "TEST01", reference, tested).passed
    assert not compliance.speed(RULES, RESNET, "TEST01", reference, tested).passed


@pytest.mark.parametrize("score", [0, None, "fast", True, float("nan")])
def test_a_run_without_an_estimate_has_no_score(score: Any) -> None:
    found = judged("TEST05", "SingleStream", 1000, score)
    assert not found.passed
    assert found.score is None
    assert "too few queries" in found.why


def test_an_unknown_test_is_refused() -> None:
    with pytest.raises(UsageError, match="TEST09"):
        compliance.speed(RULES, RESNET, "TEST09", Detail(()), Detail(()))


@given(st.sampled_from(sorted(OF_TEST)), st.sampled_from(sorted(compliance.SCORES)), st.floats(1, 1e12))
def test_the_same_score_always_passes(test: str, scenario: str, score: float) -> None:
    assert judged(test, scenario, score, score).passed
    assert not judged(
        test, scenario, score, score / 10 if scenario in ("SingleStream", "MultiStream") else score * 10
    ).passed


def accuracy_log(path: Path, answers: Iterable[tuple[int, bytes]]) -> Path:
    """Write an accuracy log with these answers."""
    write_log(path, (Record(number, index, data) for number, (index, data) in enumerate(answers)))
    return path


REFERENCE = [(index, index.to_bytes(4, "little")) for index in range(20)]


def compared(folder: Path, tested: Iterable[tuple[int, bytes]], **changes: Any) -> ResponseCounts:
    """The counts of comparing these answers with REFERENCE."""
    logs = (accuracy_log(folder / "a.json", REFERENCE), accuracy_log(folder / "t.json", tested))
    return compliance.answers(*logs, **{"dtype": "int32", **changes})


def test_sampled_responses_are_looked_up_by_their_sample(tmp_path: Path) -> None:
    found = compared(tmp_path, [REFERENCE[7], REFERENCE[3], REFERENCE[7]])
    assert found == ResponseCounts(num_acc_log_entries=20, num_perf_log_entries=3, num_perf_log_qsl_idx_match=3)
    assert found.passed


def test_a_changed_response_is_found(tmp_path: Path) -> None:
    found = compared(tmp_path, [REFERENCE[7], (3, b"\x04\0\0\0")])
    assert found.num_perf_log_data_mismatch == 1
    assert not found.passed


def test_missing_samples_are_counted_only(tmp_path: Path) -> None:
    found = compared(tmp_path, [REFERENCE[7], (20, b"\0\0\0\0")])
    assert (found.num_missing_qsl_idxs, found.num_perf_log_qsl_idx_match) == (1, 1)
    assert found.passed


@pytest.mark.parametrize("tested", [[], [(99, b"\0\0\0\0")]])
def test_nothing_to_compare_is_no_pass(tmp_path: Path, tested: list[tuple[int, bytes]]) -> None:
    assert not compared(tmp_path, tested).passed


def test_an_answer_given_twice_is_counted_and_the_first_one_holds(tmp_path: Path) -> None:
    reference = accuracy_log(
        tmp_path / "a.json", [(0, b"\1\0\0\0"), (0, b"\2\0\0\0"), (1, b"\0\0\0\0"), (1, b"\0\0\0\0")]
    )
    tested = accuracy_log(tmp_path / "t.json", [(0, b"\1\0\0\0")])
    found = compliance.answers(reference, tested, "int32")
    assert (found.num_acc_log_duplicate_keys, found.num_acc_log_data_mismatch) == (2, 1)
    assert found.passed


@pytest.mark.parametrize(
    ("dtype", "same", "other"),
    [
        ("byte", b"\x01\x09", b"\x02\x09"),
        ("float32", b"\0\0\x80\x3f\x09", b"\0\0\x81\x3f\x09"),
        ("int32", b"\x01\0\0\0\x09\x09\x09\x09", b"\x01\0\0\x01\x09\x09\x09\x09"),
        ("int64", b"\x01\0\0\0\0\0\0\0\x09", b"\x01\0\0\0\0\0\0\x01\x09"),
    ],
)
def test_the_first_element_alone_is_compared(tmp_path: Path, dtype: Any, same: bytes, other: bytes) -> None:
    reference = accuracy_log(tmp_path / "a.json", [(0, same[:-1] + b"\x07")])
    assert compliance.answers(reference, accuracy_log(tmp_path / "t.json", [(0, same)]), dtype).passed
    assert not compliance.answers(reference, accuracy_log(tmp_path / "u.json", [(0, other)]), dtype).passed


def test_a_response_too_short_for_an_element_is_compared_whole(tmp_path: Path) -> None:
    """A detector that finds nothing in an image has an empty response."""
    reference = accuracy_log(tmp_path / "a.json", [(0, b""), (1, b"\1\0\0\0")])
    assert compliance.answers(reference, accuracy_log(tmp_path / "t.json", [(0, b""), (1, b"\1\0\0\0")])).passed
    assert not compliance.answers(reference, accuracy_log(tmp_path / "u.json", [(0, b"\1\0\0\0")])).passed


def test_a_truncated_log_is_refused(tmp_path: Path) -> None:
    whole = accuracy_log(tmp_path / "a.json", REFERENCE)
    cut = tmp_path / "cut.json"
    cut.write_bytes(b"[\n" + b"\n\n...\n\n" + b"]\n")
    with pytest.raises(DataError, match="truncated"):
        compliance.answers(cut, whole)


def scorer(values: Mapping[int, float]) -> Callable[[Path], str]:
    """Return a score that depends on how many different samples a log holds."""

    def score(path: Path) -> str:
        seen = {record.qsl_idx for record in records(path)}
        good = sum(index.to_bytes(4, "little") == record.data for record in records(path) for index in [record.qsl_idx])
        return f"accuracy={values.get(good, 0):.3f}%, good={good}, total={len(seen)}\n"

    return score


def fallen_back(folder: Path, benchmark: str, values: Mapping[int, float]) -> Baseline:
    """Compare accuracies over the samples 3, 5 and 7, one of which the test answers differently."""
    reference = accuracy_log(folder / "a.json", [*REFERENCE, (7, b"\x09\0\0\0")])
    tested = accuracy_log(folder / "t.json", [REFERENCE[3], REFERENCE[7], (5, b"\0\0\0\0")])
    return compliance.baseline(RULES, RULES.benchmark(benchmark), reference, tested, scorer(values), folder)


def test_the_accuracies_of_the_sampled_responses_decide_where_responses_differ(tmp_path: Path) -> None:
    found = fallen_back(tmp_path, "resnet50", {3: 76.0, 2: 75.5})
    assert found == Baseline(
        passed=True,
        baseline=76.0,
        compliance=75.5,
        baseline_text="accuracy=76.000%, good=3, total=3\n",
        compliance_text="accuracy=75.500%, good=2, total=3\n",
    )


@pytest.mark.parametrize(("value", "passed"), [(75.25, True), (75.2, False), (76.7, True), (76.8, False), (0, False)])
def test_two_accuracies_may_be_one_per_cent_apart(tmp_path: Path, value: float, passed: bool) -> None:
    found = fallen_back(tmp_path, "resnet50", {3: 76.0, 2: value})
    assert found.passed == passed
    assert bool(found.why) != passed


def test_the_tolerance_is_the_benchmarks(tmp_path: Path) -> None:
    def score(path: Path) -> str:
        return '{"exact_match": 80.0, "f1": ' + ("90.5" if path.name == "t.json" else "90.7") + "}\n"

    reference = accuracy_log(tmp_path / "a.json", REFERENCE)
    tested = accuracy_log(tmp_path / "t.json", REFERENCE[:2])
    for name, passed in (("bert-99", True), ("bert-99.9", False)):
        found = compliance.baseline(RULES, RULES.benchmark(name), reference, tested, score, tmp_path)
        assert found.passed == passed


def test_a_score_without_the_metric_is_refused(tmp_path: Path) -> None:
    reference = accuracy_log(tmp_path / "a.json", REFERENCE)
    with pytest.raises(DataError, match="no line with its acc"):
        compliance.baseline(RULES, RESNET, reference, reference, lambda path: "mAP=1.0%\n", tmp_path)


@pytest.mark.parametrize(
    ("scenario", "score", "said"),
    [
        ("SingleStream", 140_000_000, "its latency is 14.0% of the performance run's: faster than"),
        ("SingleStream", 2_000_000_000, "its latency is 200.0% of the performance run's: slower than"),
        ("Offline", 2_000_000_000, "its throughput is 200.0% of the performance run's: faster than"),
        ("Server", 140_000_000, "its throughput is 14.0% of the performance run's: slower than"),
    ],
)
def test_a_test_that_fails_says_whether_it_was_faster(scenario: str, score: int, said: str) -> None:
    assert said in judged("TEST05", scenario, 1_000_000_000, score).why


def test_the_texts_are_what_the_checker_reads() -> None:
    passed = judged("TEST05", "Offline", 1000.5, 1001)
    assert compliance.performance_text(passed) == (
        "Verifying performance.\nreference score = 1000.5\ntest score = 1001\nTEST PASS\n"
    )
    failed = compliance.performance_text(judged("TEST05", "Offline", 1000, 1100))
    assert failed == (
        "Verifying performance.\nreference score = 1000\ntest score = 1100\n"
        "TEST FAIL: its throughput is 110.0% of the performance run's: faster than the test allows; "
        "other work may have slowed one of them\n"
    )
    text = compliance.performance_text(judged("TEST05", "Offline", 1000, 1000, result_validity="INVALID"))
    assert "TEST PASS" not in text
    counts = ResponseCounts(num_acc_log_entries=3, num_perf_log_entries=2, num_perf_log_qsl_idx_match=2)
    assert compliance.accuracy_text(counts) == (
        "Verifying accuracy.\nnum_acc_log_entries = 3\nnum_acc_log_duplicate_keys = 0\nnum_acc_log_data_mismatch = 0\n"
        "num_perf_log_entries = 2\nnum_perf_log_qsl_idx_match = 2\nnum_perf_log_data_mismatch = 0\n"
        "num_missing_qsl_idxs = 0\nTEST PASS\n"
    )
    assert compliance.accuracy_text(ResponseCounts()).endswith("\nTEST FAIL\n")


def test_an_outcome_is_what_all_its_parts_say(tmp_path: Path) -> None:
    good, bad = Speed(passed=True), Speed(passed=False, why="too slow")
    same, differ = (
        ResponseCounts(num_perf_log_qsl_idx_match=1),
        ResponseCounts(num_perf_log_qsl_idx_match=2, num_perf_log_data_mismatch=1),
    )
    near = fallen_back(tmp_path, "resnet50", {3: 76.0, 2: 76.0})
    far = fallen_back(tmp_path, "resnet50", {3: 76.0, 2: 60.0})

    def outcome(
        speed: Speed, answers: ResponseCounts | None = None, baseline: Baseline | None = None
    ) -> ComplianceOutcome:
        return ComplianceOutcome(test="TEST01", scenario="Offline", speed=speed, answers=answers, baseline=baseline)

    for passing in (outcome(good), outcome(good, same), outcome(good, differ, near)):
        assert (passing.passed, passing.why) == (True, "")
    assert outcome(bad, same).why == "too slow"
    assert "no response" in outcome(good, ResponseCounts()).why
    assert outcome(bad, differ, far).why.startswith("too slow; the sampled responses have acc 60")
    for failing in (outcome(bad), outcome(bad, same), outcome(good, ResponseCounts()), outcome(good, differ, far)):
        assert not failing.passed


PUBLISHED = SHARED / "corpus" / "results_v2.1_sample.tar.xz"
_TEST = re.compile(r"(\w+/[^/]+)/compliance/([^/]+/([^/]+)/[^/]+)/(TEST0[145])/verify_performance\.txt")
_RUN = "performance/run_1/mlperf_log_detail.txt"
_FIGURE = re.compile(r"(reference|test) score = (\S+)")


@pytest.fixture(scope="module")
def published() -> Mapping[str, bytes]:
    """The published detail logs and verification texts, by path."""
    if not PUBLISHED.exists():
        pytest.skip("the published results are not next to this repository (../shared/corpus)")
    found = {}
    with tarfile.open(PUBLISHED) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith((_RUN, VERIFY_PERFORMANCE)):
                stream = tar.extractfile(member)
                assert stream is not None
                found[member.name.removeprefix("./")] = stream.read()
    return found


def test_published_verdicts_are_ours_too(published: Mapping[str, bytes]) -> None:
    """Every test of the sample, by its detail logs.

    A few submitters verified against a different performance run than the one that they submitted: its score is near.
    """
    judged_by_us, another_run = [], 0
    for path, text in published.items():
        match = _TEST.fullmatch(path)
        if match is None:
            continue
        owner, result, model, test = match.groups()
        benchmark = RULES.benchmark_of(model)
        assert benchmark is not None
        runs = (f"{owner}/results/{result}/{_RUN}", f"{owner}/compliance/{result}/{test}/{_RUN}")
        logs = [detail.parse(published[run]) for run in runs]
        found = compliance.speed(RULES, benchmark, test, *logs)
        assert found.passed == (b"TEST PASS" in text), f"{path}: {found}"
        figures = {name: float(value) for name, value in _FIGURE.findall(text.decode())}
        assert found.score == pytest.approx(figures["test"], rel=1e-4), path
        assert found.reference == pytest.approx(figures["reference"], rel=0.03), path
        another_run += found.reference != pytest.approx(figures["reference"], rel=1e-4)
        judged_by_us.append(found.passed)
    assert (len(judged_by_us), judged_by_us.count(False), another_run) == (219, 1, 15)


def test_every_metric_of_a_benchmark_is_compared(tmp_path: Path) -> None:
    rules = later_round(tmp_path)
    texts = {"baseline.json": "boxes=20\nmAP=37.5%\n"}

    def score(path: Path) -> str:
        return texts[path.name]

    reference = accuracy_log(tmp_path / "a.json", REFERENCE)
    tested = accuracy_log(tmp_path / "t.json", REFERENCE[:2])
    for boxes, why in (
        ("20.3", ""),
        (
            "20.5",
            "the sampled responses have BOXES 20.5, the accuracy run's to the same samples 20: more than 2 % apart",
        ),
    ):
        texts["t.json"] = f"boxes={boxes}\nmAP=37.5%\n"
        found = compliance.baseline(rules, rules.benchmark("retinanet"), reference, tested, score, tmp_path)
        assert (found.passed, found.why) == (not why, why)
        assert (found.baseline, found.compliance) == (37.5, 37.5)


def test_a_test_that_is_not_about_speed_compares_none(tmp_path: Path) -> None:
    rules = later_round(tmp_path)
    found = compliance.speed(rules, rules.benchmark("retinanet"), "TEST06", log("Offline", 1), log("Offline", 1000))
    assert found == compliance.Speed(passed=True)
