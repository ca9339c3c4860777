"""Check the power folders of a performance run, and compute power or energy from spl.txt."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import reduce
from operator import add
from typing import NamedTuple

from engine.mlperf import DETAIL_LOG
from engine.profile.tree_rules import PowerRule
from engine.submission.checker.file_system import Folder, misfit, text_lines
from engine.submission.checker.location import Location
from engine.submission.checker.log import Log

SAMPLES = "spl.txt"
WATTS = "Watts"

_FORMAT = "%m-%d-%Y %H:%M:%S.%f"
_DAY = r"(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31"
_TIME = rf"(?:{_DAY})-[1-9]\d{{3}} (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{{3}}"
"""Pattern of the usual form of a time: comparing text is ten times as fast as parsing dates."""
_STAMP = re.compile(_TIME, re.ASCII).fullmatch
_LINES = re.compile(rf"^Time,({_TIME}),[^,\n]*,(\d+\.\d+)(?:,.*)?$", re.ASCII | re.MULTILINE).findall
"""Time and watts of every line of the usual form."""


class _Window(NamedTuple):
    begin: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.begin).total_seconds()


def unit(location: Location) -> str:
    """Return the unit of a result's power or energy."""
    return location.context.rules.power.units[location.scenario]


def has_power(location: Location) -> bool:
    """Return whether power was measured: whether there is anything named power next to the run."""
    performance = location.folder.at("performance")
    return performance is not None and "power" in performance


def check(location: Location, log: Log | None) -> float | None:
    """Check the power folders; return watts (Offline, Server) or joules per query, or None where rejected."""
    performance = location.folder.at("performance")
    run = location.folder.at("performance", "run_1")
    if performance is None or run is None:
        return None
    collector = location.context.collector
    before = collector.errors
    _check_files(location, performance, run)
    window = None if log is None else _window(location, log, f"{run.path}/{DETAIL_LOG}")
    watts = None if window is None else _average(location, run, window)
    value = None
    if log is not None and window is not None and watts is not None:
        value = _power_metric(location, log, watts, window.seconds)
    return value if collector.errors == before else None


def _check_files(location: Location, performance: Folder, run: Folder) -> None:
    files, collector = location.context.rules.files, location.context.collector
    ranging = performance.folders.get("ranging")
    if ranging is None:
        collector.add("power.ranging_missing", f"{performance.path}/ranging", "no such folder", "the ranging run")
    logs = performance.folders.get("power")
    if logs is None:
        collector.add("power.files", f"{performance.path}/power", "a file", "a folder")
    wanted = files.performance + files.power_performance
    for folder, expected, tolerated in (
        (run, wanted, files.tolerated + files.tolerated_performance),
        (ranging, wanted, files.tolerated + files.tolerated_performance),
        (logs, files.power_logs, files.tolerated),
    ):
        fault = misfit(folder, expected, tolerated) if folder is not None else ""
        if folder is not None and fault:
            collector.add("power.files", folder.path, fault, ", ".join(expected))


def _window(location: Location, log: Log, path: str) -> _Window | None:
    """Return start and end of the run, by LoadGen's clock."""
    times = []
    for key in ("power_begin", "power_end"):
        value = log.value(key)
        try:
            times.append(_time(value))
        except (TypeError, ValueError):
            location.context.collector.add("power.window", path, f"{key} {value!r}", "MM-DD-YYYY hh:mm:ss.mmm in UTC")
    return _Window(*times) if len(times) == 2 else None


def _time(text: str) -> datetime:
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)


def _average(location: Location, run: Folder, window: _Window) -> float | None:
    """Return the average of the samples strictly within the run, in watts."""
    data = location.context.read(run, SAMPLES)
    if data is None:
        return None
    path = f"{run.path}/{SAMPLES}"
    try:
        watts = _samples(data, window, location.context.rules.power)
    except ValueError as error:
        location.context.collector.add(
            "power.sample_line", path, str(error), "Time,MM-DD-YYYY hh:mm:ss.mmm,Watts,NUMBER,..."
        )
        return None
    if not watts:
        within = f"samples between {window.begin:%H:%M:%S} and {window.end:%H:%M:%S} UTC"
        location.context.collector.add("power.no_samples", path, "none", within)
        return None
    # One after the other, as the published figures were added up: from Python 3.12 on, sum() rounds otherwise.
    return reduce(add, watts) / len(watts)


def _samples(data: bytes, window: _Window, rules: PowerRule) -> list[float]:
    """Return the watts of the samples in the window. Raises ValueError for an invalid line."""
    text = data.decode()
    begin, end = (f"{time:%m-%d-%Y %H:%M:%S.%f}"[:-3] for time in window)
    first, last = _sortable(begin), _sortable(end)
    exact = all(time.microsecond % 1000 == 0 for time in window)
    year = first[:4]
    usual = _LINES(text) if exact and last.startswith(year) and "\r" not in text else []
    count = text.count("\n") + (not text.endswith("\n"))
    if len(usual) == count:  # within a year times sort as they are written
        within = [float(watts) for stamp, watts in usual if begin < stamp < end and stamp[6:10] == year]
        return [watts for watts in within if watts > 0] if rules.positive_only else within
    found, lines = [], text_lines(data)
    for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines, start=1):
        if rules.other_lines and not line.startswith("Time"):
            continue
        columns = line.split(",", 4)
        try:
            stamp = columns[1]
            if exact and _STAMP(stamp):
                inside = first < _sortable(stamp) < last
            else:
                inside = window.begin < _time(stamp) < window.end
            if inside and ((watts := float(columns[3])) > 0 or not rules.positive_only):
                found.append(watts)
        except (ValueError, IndexError):
            raise ValueError(f"line {number}: {line[:80]}") from None
    return found


def _sortable(stamp: str) -> str:
    return stamp[6:10] + stamp[:5] + stamp[10:]


def _power_metric(location: Location, log: Log, watts: float, seconds: float) -> float | None:
    """Return watts, or the energy per query; a MultiStream query inferred from SingleStream counts as eight (v2.1)."""
    rules = location.context.rules
    if unit(location) == WATTS:
        return watts
    count = log.value("result_query_count")
    if not isinstance(count, int) or count == 0:
        path = f"{location.folder.path}/performance/run_1/{DETAIL_LOG}"
        location.context.collector.add("power.query_count", path, f"result_query_count {count!r}", "a number above 0")
        return None
    energy = watts * seconds
    if location.scenario == "MultiStream" and log.value("effective_scenario") == "SingleStream":
        energy *= rules.scenarios["MultiStream"].samples_per_query
    return energy * rules.power.per_joule / count if rules.power.per_joule > 1 else energy / count
