import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import profiles
from engine.errors import CannotRunError, UsageError
from engine.harness.settings import Overrides, settings
from engine.harness.spec import LoadGenSettings
from engine.mlperf import SCENARIOS, Mode, Scenario
from engine.profile.round_file import load_round
from engine.profile.scenario_rules import Style

RULES = load_round(profiles.FOLDER / "rounds" / "v2.1.yaml")
STYLES: tuple[Style, ...] = ("test", "fast", "valid")


def make(
    scenario: Scenario,
    style: Style = "valid",
    *,
    benchmark: str = "resnet50",
    mode: Mode = "performance",
    samples: int = 50_000,
    target: float | None = None,
    **overrides: float,
) -> LoadGenSettings:
    over = msgspec.convert(overrides, Overrides)
    return settings(RULES, benchmark, scenario, mode, style, sample_count=samples, target=target, overrides=over)


def test_a_valid_run_is_what_the_rules_say() -> None:
    assert make("Server", target=100) == LoadGenSettings(
        scenario="Server",
        mode="performance",
        min_duration_ms=600_000,
        min_query_count=270_336,
        performance_sample_count=1024,
        target_qps=100,
        target_latency_ns=15_000_000,
        target_latency_percentile=0.99,
        samples_per_query=1,
        qsl_rng_seed=14284205019438841327,
        sample_index_rng_seed=4163916728725999944,
        schedule_rng_seed=299063814864929621,
    )
    offline = make("Offline")
    assert (offline.min_query_count, offline.min_sample_count, offline.target_qps) == (1, 24_576, 1)
    assert (offline.target_latency_ns, offline.target_latency_percentile) == (None, 0.9)
    single = make("SingleStream", target=2.5)
    assert (single.min_query_count, single.target_latency_ns, single.target_qps) == (1024, 2_500_000, None)
    multi = make("MultiStream")
    # Fewer than the 270,336 of mlperf.conf: the early stopping test of the rules decides whether they were enough.
    assert (multi.min_query_count, multi.samples_per_query, multi.target_latency_ns) == (662, 8, 80_000_000)


def test_a_benchmark_has_its_own_figures() -> None:
    assert make("MultiStream", benchmark="retinanet", samples=24_781).target_latency_ns == 528_000_000
    unet = make("Offline", benchmark="3d-unet-99", samples=43)
    assert (unet.performance_sample_count, unet.sample_concatenate_permutation) == (43, True)
    assert make("Server", benchmark="3d-unet-99", samples=43).target_latency_ns == 10_000_000


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_short_style_is_short(scenario: Scenario) -> None:
    test, fast = make(scenario, "test"), make(scenario, "fast")
    assert test.min_duration_ms <= 5_000 < test.max_duration_ms <= 150_000
    assert 30_000 <= fast.min_duration_ms < fast.max_duration_ms <= 300_000
    least = max(test.min_query_count, test.min_sample_count)
    assert least == 1001 if scenario == "Server" else least < 1000


def test_samples_are_never_repeated() -> None:
    assert make("Offline", "test", samples=20).performance_sample_count == 20
    assert make("Offline", "fast", samples=20, performance_sample_count=64).performance_sample_count == 20
    assert make("Offline", "fast", samples=5000).performance_sample_count == 1024
    assert make("Offline", "test", benchmark="3d-unet-99", samples=3).performance_sample_count == 3


@pytest.mark.parametrize("mode", ["performance", "accuracy"])
def test_a_valid_run_needs_enough_samples(mode: Mode) -> None:
    with pytest.raises(CannotRunError) as caught:
        make("Offline", samples=500, mode=mode)
    assert "500 samples" in caught.value.what
    assert "1024" in caught.value.what
    assert "50000" in caught.value.remedy
    with pytest.raises(CannotRunError, match="2000"):
        make("Offline", samples=1999, performance_sample_count=2000)
    with pytest.raises(CannotRunError, match="below the 1024"):
        make("Offline", performance_sample_count=1000)
    with pytest.raises(CannotRunError, match="42"):
        make("Offline", benchmark="3d-unet-99", samples=41)
    assert make("Offline", performance_sample_count=2048).performance_sample_count == 2048


def test_an_empty_data_set_cannot_run() -> None:
    with pytest.raises(CannotRunError, match="empty"):
        make("Offline", "test", samples=0)


def test_overrides_win() -> None:
    changed = make("Server", "fast", target=7, min_duration_ms=300_000, min_query_count=10, max_query_count=99)
    assert (changed.min_duration_ms, changed.min_query_count, changed.max_query_count) == (300_000, 10, 99)
    assert changed.max_duration_ms == 0, "a limit below the least duration would make every run invalid"
    assert changed.target_qps == 7
    assert make("Server", target=7, target_qps=8, target_latency_ms=20).target_latency_ns == 20_000_000
    assert make("Server", target=7, target_qps=8).target_qps == 8
    assert make("SingleStream", target=7, target_latency_ms=0.25).target_latency_ns == 250_000
    offline = make("Offline", "test", min_query_count=100)
    assert (offline.min_query_count, offline.min_sample_count) == (1, 100)


def test_a_configured_target_beats_the_style() -> None:
    assert make("SingleStream", "test").target_latency_ns == 100_000
    assert make("SingleStream", "test", target=30).target_latency_ns == 30_000_000


@pytest.mark.parametrize(
    ("scenario", "overrides"),
    [
        ("SingleStream", {"target_qps": 5}),
        ("MultiStream", {"target_qps": 5}),
        ("Offline", {"target_latency_ms": 5}),
        ("Server", {"target_latency_ms": 0.5}),
    ],
)
def test_an_override_that_does_not_fit_is_refused(scenario: Scenario, overrides: dict[str, float]) -> None:
    with pytest.raises(CannotRunError) as caught:
        make(scenario, "valid", **overrides)  # type: ignore[arg-type]  # only overrides are in there
    assert caught.value.remedy


def test_an_unknown_benchmark_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'resnet50'"):
        make("Offline", benchmark="resnet5")


@given(
    st.sampled_from(SCENARIOS),
    st.sampled_from(STYLES),
    st.sampled_from(sorted(RULES.benchmarks)),
    st.integers(1, 400_000),
    st.none() | st.floats(0.001, 1e6),
)
def test_settings_are_always_sound(
    scenario: Scenario, style: Style, benchmark: str, samples: int, target: float | None
) -> None:
    try:
        made = make(scenario, style, benchmark=benchmark, samples=samples, target=target)
    except CannotRunError:
        assert style == "valid"
        assert samples < RULES.benchmarks[benchmark].performance_sample_count
        return
    assert 1 <= made.performance_sample_count <= samples
    assert made.max_duration_ms == 0 or made.max_duration_ms > made.min_duration_ms
    assert (made.target_qps is None) == (scenario in ("SingleStream", "MultiStream"))
    assert (made.target_latency_ns is None) == (scenario == "Offline")
    assert made == msgspec.json.decode(msgspec.json.encode(made), type=LoadGenSettings)
