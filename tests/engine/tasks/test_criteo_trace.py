import hashlib
from pathlib import Path

import numpy as np
import pytest

from engine.errors import DataError
from engine.tasks import criteo_trace


def test_the_rules_rows_have_the_rules_trace(tmp_path: Path) -> None:
    lengths = criteo_trace.lengths(89_137_319)
    criteo_trace.write(tmp_path / "trace", lengths)
    assert len(lengths) == 330_067
    assert hashlib.md5((tmp_path / "trace").read_bytes()).hexdigest() == "3db90209564316f2506c99cc994ad0b2"


@pytest.mark.parametrize("rows", [0, 1, 199, 200, 201, 12_345])
def test_a_trace_is_read_back_and_has_all_rows(tmp_path: Path, rows: int) -> None:
    lengths = criteo_trace.lengths(rows)
    criteo_trace.write(tmp_path / "trace", lengths)
    assert lengths.sum() == rows
    assert (lengths > 0).all()
    np.testing.assert_array_equal(criteo_trace.read(tmp_path / "trace", rows), lengths)
    np.testing.assert_array_equal(criteo_trace.drawn(1000)[: len(lengths)][:-1], lengths[:-1])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("0, 200, 200\n200, 300, 100\n", "of 300 rows, the test set has 500"),
        ("0, 200, 200\n201, 300, 99\n", ":2: rows 201 to 300"),
        ("0, 200, 201\n", ":1: rows 0 to 200 \\(201\\)"),
        ("0, 0, 0\n", ":1:"),
        ("0, 200, 200\n200, 30", ":2: '200, 30' is not"),
        ("\x1b[31m, 1, 2\n", ":1: '[^\x1b]*' is not"),
    ],
)
def test_another_trace_is_refused_with_its_line(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "trace").write_text(text)
    with pytest.raises(DataError, match=what):
        criteo_trace.read(tmp_path / "trace", 500)
