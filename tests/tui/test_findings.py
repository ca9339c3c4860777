"""Findings as lines: the worst first, folded and cut to the width, without control characters from the tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.guide.fixes import AnnotatedFinding, Fix
from engine.submission.checker.findings import Finding
from tui.widgets.findings import MOST, drawn, rows, whole

RULE = "performance.validity"


def annotated(
    severity: str = "error", path: str = "open/Me/x", found: str = "INVALID", explained: str = ""
) -> AnnotatedFinding:
    finding = Finding(RULE, severity, path, found, "VALID")  # type: ignore[arg-type]
    return AnnotatedFinding(
        finding, "LoadGen calls the run valid", explained, None if explained else Fix("r", "run it again")
    )


def test_errors_come_first_and_each_severity_says_how_many() -> None:
    found = list(
        rows(
            [annotated("note"), annotated("error"), annotated("warning"), annotated("warning", "open/Me/y")],
            frozenset(),
        )
    )
    heads = [row.title for row in found if row.severity]
    assert heads == ["1 error", "2 warnings", "1 note"]


def test_a_folded_branch_hides_what_is_in_it() -> None:
    all_rows = list(rows([annotated("error"), annotated("error", "open/You/y")], frozenset()))
    folded = next(row.key for row in all_rows if row.title == "You/y")
    shown = list(rows([annotated("error"), annotated("error", "open/You/y")], frozenset({folded})))
    assert len(shown) == len(all_rows) - 1
    assert [row.title for row in rows([annotated()], frozenset({"error"}))] == ["1 error"]


def test_so_many_that_nobody_reads_them_are_counted_not_drawn() -> None:
    found = list(rows([annotated(path=f"open/Me/{number}") for number in range(MOST + 20)], frozenset()))
    assert sum(row.annotated is not None for row in found) == MOST
    assert found[-1].title.startswith("and 20 more")


def test_beside_a_finding_stands_its_key_or_why_it_is_as_it_must_be() -> None:
    (mended,) = [drawn(row, 80).plain for row in rows([annotated()], frozenset()) if row.annotated]
    assert "r run it again" in mended
    (explained,) = [
        drawn(row, 80).plain
        for row in rows([annotated(explained="expected: this is a practice run")], frozenset())
        if row.annotated
    ]
    assert "expected: this is a practice run" in explained
    assert "run it again" not in explained


@given(st.text(max_size=300), st.text(min_size=1, max_size=60), st.integers(74, 160))
def test_no_line_is_wider_than_the_screen_or_holds_an_escape(found: str, path: str, width: int) -> None:
    one = annotated(found=found, path=path)
    for row in rows([one], frozenset()):
        text = drawn(row, width).plain
        assert "\x1b" not in text
        assert text.count("\n") <= 1
        assert all(len(line) <= width for line in text.split("\n"))
    assert "\x1b" not in whole(one).plain
