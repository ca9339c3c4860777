"""Reports of an exploration in all formats: complete, harmless, and readable by what reads them."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest

from engine.design_space import reports
from engine.design_space.exploration import Exploration
from engine.design_space.exploration_findings import findings, summary
from engine.design_space.front_charts import drift_chart, front_chart, front_charts
from engine.explore import dots
from engine.explore.svg import svg
from tests.engine.design_space.explored import ACCURACY, DEFAULT, explored
from tests.engine.design_space.spaces import LATENCY, OBJECTIVES, THROUGHPUT

ORDER = ("on the front", "indistinguishable", "dominated", "not comparable", "breaks", "failed", "refused")


@pytest.fixture(scope="module")
def asked() -> Exploration:
    return explored()


def test_findings_put_the_best_first(asked: Exploration) -> None:
    found = findings(asked)
    words = [row.word for row in found.rows]
    assert words[0] == "on the front"
    assert words == sorted(
        words,
        key=("on the front", "indistinguishable", "dominated", "not comparable", "breaks", "failed", "refused").index,
    )
    assert words[-2:] == ["failed", "refused"]
    assert {row.point for row in found.rows} == set(asked.points) | set(asked.refused)
    default = next(row for row in found.rows if row.point == DEFAULT)
    assert default.notes[0] == "default"


def test_summary_names_drift_and_what_is_left_out(asked: Exploration) -> None:
    lines = summary(findings(asked))
    assert any(re.match(r"session 2 has drifted: Offline -\d+ ±[\d.]+ %, .*not compared", line) for line in lines)
    assert "left out: 12 points of the space were not measured" in lines
    assert "constraint: accuracy >= 74" in lines


def test_text_says_why_a_point_is_better(asked: Exploration) -> None:
    text = reports.text(asked)
    assert re.search(r"against the default: backend openvino instead of onnxruntime, .*Offline \+\d+ ±[\d.]+ %", text)
    assert "main effects" in text
    assert "again, trial" in text


def test_json_has_trials_and_front(asked: Exploration) -> None:
    data = json.loads(reports.json(asked), parse_constant=pytest.fail)
    assert len(data["trials"]) == len(asked.trials)
    assert data["trials"][0]["point"] == dict(DEFAULT)
    assert {one["standing"] for one in data["front"]} <= {"on the front", "indistinguishable"}
    best = data["front"][0]
    low, high = best["intervals"]["Offline"]
    assert low < best["means"]["Offline"] < high
    assert data["drift"]["sessions"][1]["has_drifted"]


def test_csv_has_a_row_for_each_trial(asked: Exploration) -> None:
    rows = list(csv.DictReader(io.StringIO(reports.csv(asked))))
    assert len(rows) == len(asked.trials)
    assert float(rows[0]["Offline"]) == pytest.approx(asked.trials[0].figures["Offline"])
    assert rows[0]["purpose"] == "baseline"


class Parts(HTMLParser):
    """Collects what a page would load, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [str(value) for name, value in attributes if name in ("src", "href", "action", "data")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_whole_and_loads_nothing(asked: Exploration) -> None:
    page = reports.html(asked)
    parts = Parts()
    parts.feed(page)
    assert not parts.open, "every tag is closed"
    assert not parts.loads
    assert not parts.tags & {"script", "link", "img", "iframe", "object"}
    assert "url(" not in page
    assert "@import" not in page
    assert "svg" in parts.tags
    for told in ("Conditions", "Machine", "Versions", "Drift", "Main effects", "inferdeck run --tags=run,_demo"):
        assert told in page


@pytest.mark.parametrize("form", reports.FORMATS)
def test_text_from_outside_is_harmless(asked: Exploration, form: str) -> None:
    written = getattr(reports, form)(asked)
    assert "\x1b" not in written
    if form != "json":
        assert "\u202e" not in written
    if form in ("html", "md"):
        assert "<script>" not in written.replace("\\<", "")


@pytest.mark.parametrize("form", reports.FORMATS)
def test_nothing_measured_yet(form: str) -> None:
    assert "empty" in getattr(reports, form)(Exploration(name="empty", axes=(), objectives=OBJECTIVES)) or form == "csv"


def test_charts_are_drawn_both_ways(asked: Exploration) -> None:
    found = findings(asked)
    (chart,) = front_charts(found)
    assert [one.name for one in chart.series][:1] == ["on the front"]
    assert chart.series[0].line
    assert 'stroke-opacity="0.5"' in svg(chart), "intervals"
    assert "on the front" in dots.plain(dots.rows(chart, 78, 22))
    assert not front_chart(found, LATENCY, THROUGHPUT).is_empty
    assert len(drift_chart(found).series) == 2


def test_with_one_objective_the_best_so_far(asked: Exploration) -> None:
    one = Exploration(name="one", axes=asked.axes, objectives=OBJECTIVES[:1], trials=asked.trials)
    (chart,) = front_charts(findings(one))
    best = [value for _, value in chart.series[1].points]
    assert best == sorted(best)


def test_with_three_objectives_the_front_is_not_joined(asked: Exploration) -> None:
    three = Exploration(name="three", axes=asked.axes, objectives=(*OBJECTIVES, ACCURACY), trials=asked.trials)
    charts = front_charts(findings(three))
    assert len(charts) == 3
    assert not any(series.line for chart in charts for series in chart.series)
