"""The summary beside a detail log: nothing rests on it, but people read it, so it must not say something else."""

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
"""Relative: numbers in a detail log have six digits."""
ROUNDED = 6e-3
"""Absolute: some numbers in a summary have two decimals."""
LIMIT = 1 << 16
"""Bytes; a summary has 3,000."""
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
        name, colon, said = line.partition(":")
        parameters = parameters or name.strip() == PARAMETERS
        if not colon or not said:
            continue
        key = _key(name.strip(), scenario, parameters=parameters)
        value = log.value(key)
        if value is not None and not _agree(said.strip(), value):
            wrong.append(f"{key} {said.strip()}, not {value}")
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        path = f"{run.path}/{SUMMARY_LOG}"
        location.context.collector.add(
            "performance.summary", path, "; ".join(wrong[:SHOWN]) + more, "what the detail log says"
        )


@lru_cache(maxsize=1024)
def _key(name: str, scenario: str, *, parameters: bool) -> str:
    """Return the detail log's key for a name in a summary, as the summary's reader knows it; parsing it all is slow."""
    heading = f"{PARAMETERS}\n" if parameters else ""
    return list(summary.parse(f"Scenario : {scenario}\n{heading}{name} : 0"))[-1]


def _agree(said: str, value: Any) -> bool:
    if isinstance(value, bool):
        return said.upper() in (("YES", "1") if value else ("NO", "0"))
    if isinstance(value, int) and said.isdecimal():
        return int(said) == value
    if isinstance(value, int | float):
        try:
            return math.isclose(float(said), value, rel_tol=CLOSE, abs_tol=ROUNDED)
        except ValueError:
            return False
    return not isinstance(value, str) or said == value.strip()
