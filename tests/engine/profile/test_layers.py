"""A file laid over another: merged keys, removed ones, changed lists, and errors with their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ProfileError
from engine.profile import layers

SCALARS = st.integers(0, 9) | st.sampled_from(["a", "b", ""])
NESTED = st.recursive(SCALARS, lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3), max_leaves=8)
MAPPINGS = st.dictionaries(st.sampled_from("xyz"), NESTED, max_size=3)


def read(folder: Path, *texts: str) -> Any:
    """Return the last of files that extend each other, merged; the first extends nothing."""
    for number, text in enumerate(texts):
        head = f"extends: '{number - 1}'\n" if number else ""
        (folder / f"{number}.yaml").write_text(head + text)
    return layers.read(folder / f"{len(texts) - 1}.yaml", lambda name: folder / f"{name}.yaml")


def merged(folder: Path, *texts: str) -> Any:
    """Return that as plain values."""
    return {key: value for key, value in read(folder, *texts)[0].plain().items() if key != "extends"}


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    first = "a: 1\nb: {c: 2, d: {e: 3}}\nwords: [x, y, z]\n"
    second = "b: {d: {f: 4}}\nwords: {add: [w], remove: [y]}\n"
    third = "a: null\nb: {c: null}\nwords: {add: [y]}\ng: {remove: []}\n"
    assert merged(tmp_path, first, second, third) == {
        "b": {"d": {"e": 3, "f": 4}},
        "words": ["x", "z", "w", "y"],
        "g": {"remove": []},
    }


def test_each_file_is_returned_by_itself(tmp_path: Path) -> None:
    _, files = read(tmp_path, "a: 1\n", "a: null\n")
    assert [dict(file.items())["a"].plain() for file in files] == [1, None]


@pytest.mark.parametrize(
    ("texts", "what", "line"),
    [
        (("words: [x]\n", "words: {remove: [y]}\n"), "'y' is not in the list", 2),
        (("a: {b: 1}\n", "\n\na: {b: 1, b: 2}\n"), "duplicate key 'b'", 4),
    ],
)
def test_an_error_names_the_file_and_line(tmp_path: Path, texts: tuple[str, ...], what: str, line: int) -> None:
    with pytest.raises(ProfileError, match=what) as caught:
        merged(tmp_path, *texts)
    assert f"1.yaml:{line}" in caught.value.what


def test_a_value_keeps_the_place_where_it_is_written(tmp_path: Path) -> None:
    whole, _ = read(tmp_path, "a: {b: 1}\n", "a: {c: 2}\n")
    inner = dict(dict(whole.items())["a"].items())
    assert [Path(inner[key].place.file).name for key in "bc"] == ["0.yaml", "1.yaml"]
    assert [inner[key].place.line for key in "bc"] == [1, 2]


def test_nothing_extends_itself_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b\n")
    (tmp_path / "b.yaml").write_text("extends: a\n")
    with pytest.raises(ProfileError, match="extends itself"):
        layers.read(tmp_path / "a.yaml", lambda name: tmp_path / f"{name}.yaml")
    with pytest.raises(ProfileError, match="there is no file 'b' to extend"):
        layers.read(tmp_path / "a.yaml", lambda _name: None)


def plain_merge(own: Any, beneath: Any) -> Any:
    """The same on plain values."""
    if not isinstance(own, dict) or not isinstance(beneath, dict):
        return own
    return beneath | {key: plain_merge(value, beneath[key]) if key in beneath else value for key, value in own.items()}


@given(st.lists(MAPPINGS, min_size=1, max_size=4))
def test_any_files_are_merged_key_by_key(tmp_path_factory: pytest.TempPathFactory, files: list[dict[str, Any]]) -> None:
    expected: Any = {}
    for file in files:
        expected = plain_merge(file, expected)
    texts = [yaml.safe_dump(file) if file else ("" if number else "{}") for number, file in enumerate(files)]
    assert merged(tmp_path_factory.mktemp("layers"), *texts) == expected
