"""Convert our settings to LoadGen's, so that a run matches its record, seeds included.

LoadGen 6 ignores seeds in configuration files other than its built-in one, so every number is set as an attribute. The
two configuration files are still written and read: they are part of a submission, and a file that would change a number
reveals a difference between record and files, which is an error.
"""

import os
from collections.abc import Mapping
from math import isclose
from pathlib import Path
from typing import Final

import mlperf_loadgen as lg

from engine.errors import RunError
from engine.harness.spec import LoadGenSettings, RunSpec
from engine.mlperf import AUDIT_CONFIG, MLPERF_CONF, USER_CONF

_READS_BOTH: Final = "conf_type" in (lg.TestSettings.FromConfig.__doc__ or "")
"""Whether LoadGen reads mlperf.conf; before version 5 it takes its built-in one, and calls another an error."""

_FILE_ONLY: Final = 2 if _READS_BOTH else 0
"""FromConfig's last argument: `conf_type`, whose 0 and 1 load the newest round's rules that are built into LoadGen; or,
before version 5, whether the file is mlperf.conf."""

_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "SingleStream": {
        "target_latency_ns": "single_stream_expected_latency_ns",
        "target_latency_percentile": "single_stream_target_latency_percentile",
    },
    "MultiStream": {
        "target_latency_ns": "multi_stream_expected_latency_ns",
        "target_latency_percentile": "multi_stream_target_latency_percentile",
        "samples_per_query": "multi_stream_samples_per_query",
    },
    "Server": {
        "target_qps": "server_target_qps",
        "target_latency_ns": "server_target_latency_ns",
        "target_latency_percentile": "server_target_latency_percentile",
    },
    "Offline": {"target_qps": "offline_expected_qps"},
}
_COMMON: Final[Mapping[str, str]] = {
    "min_duration_ms": "min_duration_ms",
    "max_duration_ms": "max_duration_ms",
    "min_query_count": "min_query_count",
    "max_query_count": "max_query_count",
    "performance_sample_count": "performance_sample_count_override",
    "sample_concatenate_permutation": "sample_concatenate_permutation",
    "use_token_latencies": "use_token_latencies",
    "qsl_rng_seed": "qsl_rng_seed",
    "sample_index_rng_seed": "sample_index_rng_seed",
    "schedule_rng_seed": "schedule_rng_seed",
}


def attributes(record: LoadGenSettings) -> dict[str, int | float | bool]:
    """Return the settings of a run by the names of LoadGen's attributes; None values are omitted."""
    names = {**_COMMON, **_NAMES[record.scenario]}
    values = {name: getattr(record, field) for field, name in names.items()}
    if record.scenario == "Offline":
        # In Offline LoadGen takes the minimum sample count of the one query from the minimum query count.
        values["min_query_count"] = max(record.min_query_count, record.min_sample_count)
    return {name: value for name, value in values.items() if value is not None}


def settings(spec: RunSpec, folder: Path) -> "lg.TestSettings":
    """Write mlperf.conf, user.conf and audit.config into `folder` and return LoadGen's settings of the run.

    They do not include audit.config's changes. Raises RunError if one of the other two differs from the record, LoadGen
    cannot parse one, or `folder` holds an audit.config that is not in the record.
    """
    effective = lg.TestSettings()
    # LoadGen before 6 has no attribute for sample_concatenate_permutation: there mlperf.conf alone sets it.
    wanted = {name: value for name, value in attributes(spec.settings).items() if hasattr(effective, name)}
    effective.scenario = getattr(lg.TestScenario, spec.settings.scenario)
    effective.mode = lg.TestMode.AccuracyOnly if spec.settings.mode == "accuracy" else lg.TestMode.PerformanceOnly
    _assign(effective, wanted)
    for name, text in ((MLPERF_CONF, spec.mlperf_conf), (USER_CONF, spec.user_conf)):
        path = _written(folder / name, text)
        if name == USER_CONF or _READS_BOTH:
            _read(effective, path, spec)
    for name, value in wanted.items():
        found = getattr(effective, name)
        if not isclose(found, value, rel_tol=1e-9):
            raise RunError(
                f"{folder}: {MLPERF_CONF} and {USER_CONF} set {name} to {found}, the run's record says {value}",
                f"make {USER_CONF} say the same as the run's settings",
            )
    # Set again: the files may differ by rounding, the record is what runs.
    _assign(effective, wanted)
    if spec.audit:
        _read(lg.TestSettings(), _written(folder / AUDIT_CONFIG, spec.audit), spec)
    elif (folder / AUDIT_CONFIG).exists():
        raise RunError(f"{folder / AUDIT_CONFIG}: LoadGen would apply this file", "remove it, or give another folder")
    return effective


def log_settings(folder: Path) -> "lg.LogSettings":
    """Return settings that write LoadGen's files into `folder` and nothing to the terminal."""
    output = lg.LogOutputSettings()
    output.outdir = os.fsencode(folder)  # as bytes: a path need not be UTF-8
    output.copy_summary_to_stdout = False
    logs = lg.LogSettings()
    logs.log_output = output
    logs.enable_trace = False
    return logs


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _read(settings: "lg.TestSettings", path: Path, spec: RunSpec) -> None:
    if settings.FromConfig(os.fsencode(path), spec.benchmark, spec.settings.scenario, _FILE_ONLY) != 0:
        raise RunError(f"{path}: LoadGen cannot read this file", "each line is: model.scenario.key = value")


def _assign(settings: "lg.TestSettings", values: Mapping[str, int | float | bool]) -> None:
    for name, value in values.items():
        try:
            setattr(settings, name, value)
        except TypeError as error:
            raise RunError(f"LoadGen's setting {name} cannot be {value!r}", "give a number in its range") from error
