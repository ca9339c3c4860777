from pathlib import Path

import mlperf_loadgen as lg
import pytest

import profiles
from engine.harness.conf import mlperf_conf, user_conf
from engine.harness.loadgen import attributes
from engine.harness.settings import Overrides, settings
from engine.mlperf import SCENARIOS, Scenario
from engine.profile.round_file import load_round
from engine.profile.scenario_rules import Style

RULES = load_round(profiles.FOLDER / "rounds" / "v2.1.yaml")
FILE_ONLY = 2
SEEDS = {"qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed"}
"""LoadGen reads these only from its built-in file."""


@pytest.mark.parametrize("style", ["test", "fast", "valid"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_files_say_to_loadgen_what_the_settings_say(style: Style, scenario: Scenario, tmp_path: Path) -> None:
    changes = Overrides(min_duration_ms=1234, min_query_count=77, max_query_count=5000)
    for benchmark, rule in RULES.benchmarks.items():
        for overrides in (None, changes):
            made = settings(
                RULES,
                benchmark,
                scenario,
                "performance",
                style,
                sample_count=rule.sample_count,
                target=12.25,
                overrides=overrides,
            )
            read = lg.TestSettings()
            read.scenario = getattr(lg.TestScenario, scenario)
            for text in (mlperf_conf(RULES), user_conf(RULES, benchmark, made)):
                path = tmp_path / "file.conf"
                path.write_text(text)
                assert read.FromConfig(str(path), rule.loadgen_model, scenario, FILE_ONLY) == 0
            wanted = {name: value for name, value in attributes(made).items() if name not in SEEDS}
            assert {name: getattr(read, name) for name in wanted} == pytest.approx(wanted)


def test_mlperf_conf_holds_the_seeds() -> None:
    text = mlperf_conf(RULES)
    assert "*.*.qsl_rng_seed = 14284205019438841327\n" in text
    assert "*.*.schedule_rng_seed = 299063814864929621\n" in text


def test_user_conf_holds_the_target_and_what_differs() -> None:
    valid = settings(RULES, "resnet50", "Server", "performance", "valid", sample_count=50_000, target=100)
    assert user_conf(RULES, "resnet50", valid) == "resnet50.Server.target_qps = 100\n"
    small = settings(RULES, "bert-99", "SingleStream", "performance", "test", sample_count=20, target=2.5)
    assert user_conf(RULES, "bert-99", small) == (
        "bert.SingleStream.min_duration = 2000\n"
        "bert.SingleStream.max_duration = 150000\n"
        "bert.SingleStream.min_query_count = 64\n"
        "bert.SingleStream.performance_sample_count_override = 20\n"
        "bert.SingleStream.target_latency = 2.5\n"
    )
