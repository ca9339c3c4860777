"""Columns fit into any width: figures and states are whole, and what all runs share is said once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.explore.columns import COLUMNS, LISTED
from engine.explore.layout import GAP, layout
from engine.explore.runs import Run
from engine.text import cells

WHOLE = ("run", "result", "latency_p99", "accuracy", "state", "samples_per_second", "workers", "target")
EVERY = [COLUMNS[key] for key in LISTED]

runs = st.builds(
    Run,
    id=st.from_regex(r"r-\d{4}/(Server|Offline|SingleStream)", fullmatch=True),
    job=st.just("r"),
    step=st.just("s"),
    scenario=st.sampled_from(["Server", "Offline", "SingleStream"]),
    model=st.text(max_size=30),
    backend=st.sampled_from(["onnxruntime", "openvino"]),
    sut=st.text(max_size=20),
    choices=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
    figures=st.fixed_dictionaries(
        {}, optional={"samples_per_second": st.floats(0, 1e9), "latency_p99": st.floats(0, 1e12)}
    ),
    valid=st.sampled_from([True, False, None]),
    disturbed=st.sampled_from(["", "other work"]),
)


@given(st.lists(runs, min_size=1, max_size=6), st.integers(20, 250))
def test_rows_fit_and_figures_are_whole(listed: list[Run], width: int) -> None:
    found = layout(listed, EVERY, width)
    assert "run" in [column.key for column in found.columns]
    total = sum(found.widths) + GAP * (len(found.widths) - 1)
    assert total <= width or len(found.columns) == 1
    for column, room in zip(found.columns, found.widths, strict=True):
        if column.key in WHOLE:
            assert all(cells(column.text(run)) <= room for run in listed)


def test_80_columns_keep_result_latency_and_state() -> None:
    listed = [
        Run(
            id=f"r-000{number}/Server",
            job="r",
            step="s",
            scenario="Server",
            model="patterns-net",
            backend="onnxruntime",
            style="test",
            choices={"target_qps": str(1000 * number)},
            figures={"scheduled_rate": 1498.0, "samples_per_second": 1498.0, "latency_p99": 4e6, "accuracy": 99.0},
            valid=number == 1,
            disturbed="other work" if number == 1 else "",
        )
        for number in (1, 2)
    ]
    found = layout(listed, EVERY, 80)
    keys = [column.key for column in found.columns]
    assert {"run", "choices", "result", "latency_p99", "accuracy", "state"} <= set(keys)
    assert found.common == ("patterns-net", "onnxruntime", "test")
    assert "model" not in keys
    assert [column.key for column in layout(listed, EVERY, 32).columns][-1] == "state"
