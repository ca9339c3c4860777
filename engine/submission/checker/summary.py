"""Check that mlperf_log_summary.txt agrees with the detail log."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from engine.mlperf import SUMMARY_LOG
from engine.mlperf_logs import summary_log as summary
from engine.submission.checker.file_system import Folder
from engine.submission.checker.location import Location
from engine.submission.checker.log import Log

CLOSE = 1e-3
"""Relative tolerance: numbers in a detail log have six digits."""
ROUNDED = 6e-3
"""Absolute tolerance: some numbers in a summary have two decimals."""
LIMIT = 1 << 16
"""Maximum bytes; a summary has 3,000."""
PARAMETERS = "Test Parameters Used"
SHOWN = 4


def check(location: Location, run: Folder, log: Log) -> None:
    """Compare the summary of a performance run with its detail log."""
    data = location.context.read(run, SUMMARY_LOG)
    if data is None:
        return
    scenario = str(log.value("effective_scenario"))
    wrong = []
    parameters = False
    for line in data[:LIMIT].decode(errors="replace").splitlines():
        name, colon, shown = line.partition(":")
        parameters = parameters or name.strip() == PARAMETERS
        if not colon or not shown:
            continue
        key = _key(name.strip(), scenario, parameters=parameters)
        value = log.value(key)
        if value is not None and not _agree(shown.strip(), value):
            wrong.append(f"{key} {shown.strip()}, not {value}")
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        path = f"{run.path}/{SUMMARY_LOG}"
        location.context.collector.add(
            "performance.summary", path, "; ".join(wrong[:SHOWN]) + more, "the detail log's values"
        )


@lru_cache(maxsize=1024)
def _key(name: str, scenario: str, *, parameters: bool) -> str:
    """Return the detail log's key for a name in a summary, from the summary's parser; parsing it all is slow."""
    heading = f"{PARAMETERS}\n" if parameters else ""
    return list(summary.parse(f"Scenario : {scenario}\n{heading}{name} : 0"))[-1]


def _agree(shown: str, value: Any) -> bool:
    if isinstance(value, bool):
        return shown.upper() in (("YES", "1") if value else ("NO", "0"))
    if isinstance(value, int) and shown.isdecimal():
        return int(shown) == value
    if isinstance(value, int | float):
        try:
            return math.isclose(float(shown), value, rel_tol=CLOSE, abs_tol=ROUNDED)
        except ValueError:
            return False
    return not isinstance(value, str) or shown == value.strip()
