"""Parse `mlperf_log_summary.txt` into the detail log's keys, so that the two can be compared.

The wording differs between LoadGen 2.1 and 6.x; both give the same keys. No verdict may depend on this text: it is
rounded, and the rules use the detail log.
"""

import re

Value = str | int | float | bool | list[str]

_NAMES = {
    "SUT name": "sut_name",
    "Scenario": "effective_scenario",
    "Mode": "effective_test_mode",
    "Result is": "result_validity",
    "Performance constraints satisfied": "result_perf_constraints_met",
    "Min duration satisfied": "result_min_duration_met",
    "Min queries satisfied": "result_min_queries_met",
    "Early stopping satisfied": "early_stopping_met",
    "Samples per second": "result_samples_per_second",
    "Scheduled samples per second": "result_scheduled_samples_per_sec",
    "Completed samples per second": "result_completed_samples_per_sec",
    "QPS w/ loadgen overhead": "result_qps_with_loadgen_overhead",
    "QPS w/o loadgen overhead": "result_qps_without_loadgen_overhead",
}
"""Names left of a colon → the detail log's key."""
_TEXTS = {"SUT name", "Scenario", "Mode", "Result is"}
_BLOCKS = {"Recommendations": "recommendations", "Early Stopping Result": "early_stopping_result"}
"""Headings that are followed by indented lines."""
_ESTIMATES = {"90": "early_stopping_latency_ss", "99": "early_stopping_latency_ms"}
_PERCENTILE = re.compile(r"(\d+(?:\.\d+)?)(?:th)? percentile latency \(ns\)")
_EXTREME = re.compile(r"(Min|Max|Mean) latency \(ns\)")
_ESTIMATE = re.compile(r"\* Early stopping (90|99)(?:\.0)?th percentile estimate: (\d+)")
_COUNT = re.compile(r"(No|\d+) (warning|error)s? encountered", re.IGNORECASE)
_PARAMETERS = "Test Parameters Used"


def parse(text: str) -> dict[str, Value]:
    """Return the values of a summary, in text order.

    Keys are those of the detail log (`result_99.00_percentile_latency_ns`, `effective_target_qps`), and `num_warnings`,
    `num_errors`, `recommendations`, `early_stopping_result` (the lines below these two headings). An unknown line `name
    : value` keeps its own name. A text that is no summary gives an empty dictionary.
    """
    values: dict[str, Value] = {}
    block: list[str] = []
    parameters = False
    for line in text.splitlines():
        parameters = parameters or line.strip() == _PARAMETERS
        name, colon, right = (part.strip() for part in line.partition(":"))
        if name in _BLOCKS and not right:
            block = []
            values[_BLOCKS[name]] = block
        elif count := _COUNT.match(line):
            values[f"num_{count[2].lower()}s"] = int(count[1]) if count[1].isdigit() else 0
        elif line.startswith(" ") and name not in _NAMES:
            block.append(line.strip())
            if estimate := _ESTIMATE.match(line.strip()):
                values[_ESTIMATES[estimate[1]]] = int(estimate[2])
        elif name in _TEXTS:
            values.setdefault(_NAMES[name], right)
        elif colon and right:
            key = _parameter(name) if parameters else _key(name, values.get("effective_scenario") == "MultiStream")
            values.setdefault(key, _value(right))
    return values


def _key(name: str, per_query: bool) -> str:
    """Return the detail log's key; MultiStream's summary has per-query latencies under keys of their own."""
    latency = "query_latency_ns" if per_query else "latency_ns"
    if extreme := _EXTREME.fullmatch(name):
        return f"result_{extreme[1].lower()}_{latency}"
    if percentile := _PERCENTILE.fullmatch(name):
        return f"result_{float(percentile[1]):.2f}_percentile_{'per_' if per_query else ''}{latency}"
    return _NAMES.get(name, name)


def _parameter(name: str) -> str:
    """`min_duration (ms)` → `effective_min_duration_ms`."""
    return "effective_" + re.sub(r" \((\w+)\)$", r"_\1", name)


def _value(text: str) -> Value:
    if text.upper() in {"YES", "NO"}:
        return text.upper() == "YES"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
