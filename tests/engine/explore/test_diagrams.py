"""Charts from runs: their points, the Pareto front, what they leave out; drawn as SVG and in characters."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.explore.charts import CHARTS, chart
from engine.explore.diagrams import MOST_SERIES, ChartAxis, Diagram, Series, distribution, front, pareto, trend
from engine.explore.dots import plain, rows
from engine.explore.history import all_runs
from engine.explore.metrics import BY_KEY
from engine.explore.runs import Run
from engine.explore.scale import scales
from engine.explore.svg import svg
from engine.explore.timeline import Timeline
from engine.text import cells
from tests.engine.explore import history
from tests.helpers import folders_in


def run(number: int, rate: float, p99_ms: float, *, valid: bool = True, disturbed: str = "", when: float = 0.0) -> Run:
    """Return a Server run with these figures."""
    figures = {"samples_per_second": rate, "latency_p99": p99_ms * 1e6, "scheduled_rate": rate}
    return Run(
        id=f"r-{number:04d}/Server",
        job=f"r-{number:04d}",
        step="s",
        scenario="Server",
        benchmark="resnet50",
        figures=figures,
        valid=valid,
        disturbed=disturbed,
        when=when,
    )


def series(diagram: Diagram, role: str) -> Series:
    """Return the series of a role."""
    return next(one for one in diagram.series if one.role == role)


def test_the_front_is_what_nothing_beats_in_both() -> None:
    runs = [
        run(1, 100, 5),
        run(2, 200, 9),
        run(3, 150, 10),
        run(4, 300, 20, valid=False),
        run(5, 400, 1, disturbed="x"),
    ]
    found = pareto(runs)
    assert series(found, "front").points == ((100.0, 5.0), (200.0, 9.0))
    assert series(found, "plain").labels == ("r-0003/Server",)
    assert set(series(found, "bad").labels) == {"r-0004/Server", "r-0005/Server"}
    assert found.y.log


figures = st.tuples(st.integers(1, 5), st.integers(1, 5))


@given(st.lists(figures, min_size=1, max_size=12))
def test_every_run_off_the_front_is_beaten_by_one_on_it(values: list[tuple[int, int]]) -> None:
    runs = [run(number, rate, p99) for number, (rate, p99) in enumerate(values)]
    best = front(runs, BY_KEY["samples_per_second"], BY_KEY["latency_p99"])
    on = {(one.figures["samples_per_second"], one.figures["latency_p99"]) for one in best}
    for rate, p99 in values:
        here = (float(rate), p99 * 1e6)
        beaten = any(a >= here[0] and b <= here[1] and (a, b) != here for a, b in on)
        assert beaten != (here in on)


def test_a_distribution_ends_at_all_queries() -> None:
    found = distribution({"a": Timeline((1.0,), (2.0,), (3.0,), {100: 1, 300: 3})})
    assert [share for _, share in found.series[0].points] == [25.0, 100.0]
    many = distribution({str(number): Timeline((1.0,), (1.0,), (1.0,), {5: 1}) for number in range(MOST_SERIES + 2)})
    assert len(many.series) == MOST_SERIES
    assert many.notes == ("2 more are left out: choose runs",)


def test_a_trend_has_a_line_per_series_and_says_what_is_left_out() -> None:
    offline = Run(
        id="r-0009/Offline", job="r", step="s", scenario="Offline", figures={"samples_per_second": 1}, valid=True
    )
    found = trend([run(2, 20, 1, when=200), run(1, 10, 1, when=100), run(3, 5, 1, when=300, valid=False), offline])
    assert [one.points for one in found.series] == [((100, 10.0), (200, 20.0))]
    assert found.notes[0].startswith("1 series of scenarios")


@pytest.mark.parametrize("kind", CHARTS)
def test_every_chart_of_recorded_runs_is_drawn(tmp_path: Path, kind: str) -> None:
    folders = folders_in(tmp_path)
    for rate in (100.0, 140.0):
        history.job(folders, "--scenarios=Server", rate=rate, rates=[rate, rate + 10] * 3)
    found = chart(kind, all_runs(folders))
    assert not found.is_empty
    assert ElementTree.fromstring(svg(found)).tag.endswith("svg")
    assert "r-0001/Server" in svg(found) or kind in ("trend", "pareto")
    assert len(rows(found, 78, 20)) == 20


finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)
anything = st.builds(
    Diagram,
    title=st.text(max_size=20),
    x=st.builds(ChartAxis, st.text(max_size=8), log=st.booleans(), date=st.just(False)),
    y=st.builds(ChartAxis, st.text(max_size=8), log=st.booleans(), date=st.just(False)),
    series=st.lists(
        st.builds(
            Series,
            name=st.text(max_size=12),
            points=st.lists(st.tuples(finite, finite), max_size=5).map(tuple),
            line=st.booleans(),
            role=st.sampled_from(["plain", "front", "bad"]),
        ),
        max_size=4,
    ).map(tuple),
    notes=st.lists(st.text(max_size=30), max_size=2).map(tuple),
)


@given(anything, st.integers(0, 120), st.integers(0, 40), st.booleans())
def test_any_diagram_is_drawn_within_its_room(diagram: Diagram, width: int, height: int, ascii_only: bool) -> None:
    drawn = rows(diagram, width, height, ascii_only=ascii_only)
    assert all(sum(cells(text) for text, _ in row) <= max(width, 0) for row in drawn)
    assert len(drawn) <= max(height, 1)
    text = plain(drawn)
    assert "\x1b" not in text
    named = "".join((*(one.name for one in diagram.series), *diagram.notes, diagram.x.title, diagram.y.title))
    assert text.isascii() or not ascii_only or not named.isascii()


@given(anything)
def test_any_diagram_is_well_formed_svg_with_finite_positions(diagram: Diagram) -> None:
    document = ElementTree.fromstring(svg(diagram))
    for circle in document.iter("{http://www.w3.org/2000/svg}circle"):
        assert isfinite(float(circle.get("cx", "nan")))
        assert -1 <= float(circle.get("cy", "nan")) <= 461


@given(anything)
def test_scales_hold_every_point(diagram: Diagram) -> None:
    across, _ = scales(diagram)
    values = [x for one in diagram.series for x, _ in one.points if x > 0 or not diagram.x.log]
    assert across.low < across.high
    assert all(-1e-6 <= across.share(value) <= 1 + 1e-6 for value in values)
    assert len(across.ticks) < 60
