"""MLPerf Inference vocabulary: scenarios, modes and file names. All other modules take them from here.

Numbers of the rules (seeds, durations, latency constraints) are not here but in a round's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Scenario = Literal["SingleStream", "MultiStream", "Server", "Offline", "Interactive"]
SCENARIOS: Final[tuple[Scenario, ...]] = ("SingleStream", "MultiStream", "Server", "Offline")
"""LoadGen's scenarios."""
SUBMITTED: Final[tuple[Scenario, ...]] = get_args(Scenario)
"""Scenarios of results. Interactive is run as LoadGen's Server with tighter latency constraints (v5.1 and later)."""

Mode = Literal["performance", "accuracy"]
"""What LoadGen is run for; a compliance test is a performance run with its own name."""
MODES: Final[tuple[Mode, ...]] = get_args(Mode)

NS_PER_MS: Final = 1_000_000
"""LoadGen logs latencies in ns; the rules and mlperf.conf state them in ms."""

DETAIL_LOG: Final = "mlperf_log_detail.txt"
SUMMARY_LOG: Final = "mlperf_log_summary.txt"
ACCURACY_LOG: Final = "mlperf_log_accuracy.json"
LOADGEN_FILES: Final = (SUMMARY_LOG, DETAIL_LOG, ACCURACY_LOG)
ACCURACY_TEXT: Final = "accuracy.txt"
"""The score of an accuracy run, in the format of the rules' script."""
TRUNCATION_MARK: Final = b"\n\n...\n\n"
"""What the rules' truncation tool leaves between the beginning and the end of an accuracy log. LoadGen's logs have no
empty line, so it identifies a truncated one."""
MLPERF_CONF: Final = "mlperf.conf"
USER_CONF: Final = "user.conf"
AUDIT_CONFIG: Final = "audit.config"
"""LoadGen reads it from the working directory when a test starts; it overrides other settings."""
VERIFY_PERFORMANCE: Final = "verify_performance.txt"
VERIFY_ACCURACY: Final = "verify_accuracy.txt"
TEST_FOLDER: Final = "performance"
"""The folder of LoadGen's files in the output of a compliance test; the verification's files are next to it."""


@dataclass(frozen=True)
class ScenarioFacts:
    """Properties of a scenario that do not depend on the round."""

    result_name: str
    """The metric that the rules rank by, by LoadGen's name."""
    result_key: str
    """Its key in the detail log: a latency in ns, or a rate per second."""
    test_key: str
    """The key of the metric by which a compliance test is compared with the performance run."""
    unit: str
    """The unit as the checker prints it."""
    higher_is_better: bool
    target: Literal["target_qps", "target_latency_ms"]
    """What a run's target is: a rate, or the expected latency, which sizes the run."""
    short_name: str

    @property
    def streams(self) -> bool:
        """Whether the next query is issued when the last one was answered, so that the latency is the result."""
        return not self.higher_is_better


FACTS: Final[Mapping[str, ScenarioFacts]] = {
    "SingleStream": ScenarioFacts(
        result_name="90th percentile estimate",
        result_key="early_stopping_latency_ss",
        test_key="early_stopping_latency_ss",
        unit="Latency (ms)",
        higher_is_better=False,
        target="target_latency_ms",
        short_name="Single",
    ),
    "MultiStream": ScenarioFacts(
        result_name="99th percentile estimate",
        result_key="early_stopping_latency_ms",  # `ms` in the key means MultiStream; the value is in nanoseconds
        test_key="early_stopping_latency_ms",
        unit="Latency (ms)",
        higher_is_better=False,
        target="target_latency_ms",
        short_name="Multi",
    ),
    "Server": ScenarioFacts(
        result_name="scheduled throughput",
        result_key="result_scheduled_samples_per_sec",
        test_key="result_completed_samples_per_sec",
        unit="Queries/s",
        higher_is_better=True,
        target="target_qps",
        short_name="Server",
    ),
    "Offline": ScenarioFacts(
        result_name="throughput",
        result_key="result_samples_per_second",
        test_key="result_samples_per_second",
        unit="Samples/s",
        higher_is_better=True,
        target="target_qps",
        short_name="Offline",
    ),
}
"""By scenario."""


def target_option(scenario: str) -> str:
    """Return the option that sets the target of this scenario alone: `offline_target_qps`."""
    return f"{scenario.lower()}_{FACTS[scenario].target}"
