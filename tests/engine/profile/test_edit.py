"""Setting a value in a YAML text: the data is as requested, and every other line is unchanged."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.profile.edit import put
from profiles import FOLDER

OWN = """\
# My box.
targets: measured   # nothing is known yet

description:
  system_name: "my box"  # as we say
  hw_notes: |
    two lines
    of notes
# between
runs:
  onnxruntime:
    resnet50: {Offline: 1.0, SingleStream: 10} # placeholders

  tensorflow:
    resnet50:
      Offline: 2  # measured by hand
      # and this below
# the end
"""


def lines_kept(before: str, after: str) -> list[str]:
    """Return the lines of `before` that are not in `after`, in order."""
    rest = iter(after.splitlines())
    return [line for line in before.splitlines() if not any(line == other for other in rest)]


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("targets",), "configured", "targets: configured   # nothing is known yet"),
        (
            ("runs", "onnxruntime", "resnet50", "Server"),
            31.5,
            "    resnet50: {Offline: 1.0, SingleStream: 10, Server: 31.5} # placeholders",
        ),
        (
            ("runs", "onnxruntime", "resnet50", "Offline"),
            70.25,
            "    resnet50: {Offline: 70.25, SingleStream: 10} # placeholders",
        ),
        (("runs", "tensorflow", "resnet50", "Offline"), 3.5, "      Offline: 3.5  # measured by hand"),
    ],
)
def test_one_line_changes(path: tuple[str, ...], value: Any, line: str) -> None:
    after = put(OWN, path, value)
    changed = [new for old, new in zip(OWN.splitlines(), after.splitlines(), strict=True) if old != new]
    assert changed == [line]


@pytest.mark.parametrize(
    ("path", "value", "added"),
    [
        (("runs", "tensorflow", "resnet50", "Server"), 20, ["      Server: 20"]),
        (("runs", "openvino", "resnet50", "Server"), 20, ["  openvino:", "    resnet50: {Server: 20}"]),
        (("description", "cooling"), "air", ["  cooling: air"]),
        (
            ("found", "openvino"),
            {"a": 1, "b": {"c": "2"}},
            ["found:", "  openvino:", "    a: 1", "    b: {c: '2'}"],
        ),
    ],
)
def test_lines_are_added_and_none_is_lost(path: tuple[str, ...], value: Any, added: list[str]) -> None:
    after = put(OWN, path, value)
    assert lines_kept(OWN, after) == []
    assert [line for line in after.splitlines() if line not in OWN.splitlines()] == added
    assert put(after, path, value) == after


def test_comments_stay_with_what_they_follow() -> None:
    assert put(OWN, ("found",), 1) == OWN + "found: 1\n"
    assert put(OWN, ("runs", "tensorflow", "resnet50", "Server"), 20).endswith(
        "      # and this below\n      Server: 20\n# the end\n"
    )


def test_a_record_is_replaced_in_its_own_style() -> None:
    once = put(OWN, ("found", "tf"), {"target": 1.5, "versions": {"a": "1"}})
    again = put(once, ("found", "tf"), {"target": 2.5, "versions": {"a": "2"}})
    assert again == once.replace("1.5", "2.5").replace("a: '1'", "a: '2'")


@pytest.mark.parametrize("text", ["runs: {}\n", "runs:\n", "runs: null", "runs: {}", "{runs: {}, targets: measured}"])
def test_an_empty_mapping_is_filled(text: str) -> None:
    after = put(text, ("runs", "onnxruntime", "resnet50", "Server"), 5)
    assert yaml.safe_load(after)["runs"] == {"onnxruntime": {"resnet50": {"Server": 5}}}
    assert len(after.splitlines()) == 1


def test_a_value_that_an_anchor_shares_is_changed_in_one_place_only() -> None:
    text = textwrap.dedent("""\
        # Mine.
        runs:
          onnxruntime: &same
            resnet50: {Offline: 70}
          tensorflow: *same
        """)
    after = put(text, ("runs", "tensorflow", "resnet50", "Offline"), 50)
    assert after.startswith("# Mine.\n")
    assert yaml.safe_load(after)["runs"] == {
        "onnxruntime": {"resnet50": {"Offline": 70}},
        "tensorflow": {"resnet50": {"Offline": 50}},
    }


NAMES = st.text("abcdefg:#{}[]'\"- é", min_size=1, max_size=6)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
)
DATA = st.recursive(SCALARS, lambda inner: st.dictionaries(NAMES, inner, max_size=4) | st.lists(inner, max_size=3))


@given(
    st.dictionaries(NAMES, DATA, max_size=4),
    st.lists(NAMES, min_size=1, max_size=3),
    DATA,
    st.sampled_from([True, False, None]),
)
def test_the_data_is_always_what_was_asked_for(
    data: dict[str, Any], path: list[str], value: Any, style: bool | None
) -> None:
    after = put(yaml.safe_dump(data, default_flow_style=style), path, value)
    wanted: Any = data
    for key in path[:-1]:
        if not isinstance(wanted.get(key), dict):
            wanted[key] = {}
        wanted = wanted[key]
    wanted[path[-1]] = value
    assert yaml.safe_load(after) == data


@pytest.mark.parametrize("path", sorted((FOLDER / "systems").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_systems_keep_their_lines(path: Any) -> None:
    text = path.read_text()
    after = put(text, ("found", "onnxruntime", "resnet50", "Server"), {"target": 5.5})
    assert lines_kept(text, after) == []
