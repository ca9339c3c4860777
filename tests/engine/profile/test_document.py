"""Reading YAML: expansion, nesting and special files are errors with a position, and never block."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ProfileError
from engine.profile.document import read


def written(folder: Path, text: str) -> Path:
    path = folder / "one.yaml"
    path.write_text(text)
    return path


def test_an_alias_stands_for_what_it_names(tmp_path: Path) -> None:
    path = written(tmp_path, "a: &x [1, 2]\nb: *x\nc: [*x, *x]\n")
    assert read(path).plain() == {"a": [1, 2], "b": [1, 2], "c": [[1, 2], [1, 2]]}


def test_aliases_of_aliases_are_bounded(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(ProfileError, match=r"one\.yaml:5: found more than 100,000 values") as caught:
        read(written(tmp_path, "\n".join(lines)))
    assert "aliases" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: &b [*b]", r":2: found more than 100,000 values"),
        ("a: &a {b: *a}", r":1: found more than 100,000 values"),
        ("a:\n  " + "[" * 60 + "]" * 60, r":2: found more than 50 lists and mappings in each other"),
        ("[" * 900 + "]" * 900, r":1: found more than 50 lists and mappings in each other"),
        ("[" * 2000 + "]" * 2000, r":1: not YAML: exceeded maximum nesting depth"),
        ("x: 1\n? [a, b]\n: c", r":2: found a list or mapping as a key"),
        ("x: &x [1]\n? *x\n: c", r"found a list or mapping as a key"),
    ],
)
def test_what_is_inside_itself_too_deep_or_no_text(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ProfileError, match=r"one\.yaml.*" + words) as caught:
        read(written(tmp_path, text))
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text", ['!!int ""', "!!bool x", "!!float x", "!!timestamp x", "2026-02-30", "!!binary z", "9" * 5000, "!!x y", "="]
)
def test_a_scalar_that_can_not_be_read_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProfileError, match=r"one\.yaml:2 \(b\): this value can't be read"):
        read(written(tmp_path, f"a: 1\nb: {text}\n")).plain()


@pytest.mark.parametrize(("text", "seen"), [("1:30", "90"), ("1:30.5", "90.5"), ("010", "8"), ("-0_17", "-15")])
def test_a_number_to_another_base_is_not_taken_for_a_decimal_one(tmp_path: Path, text: str, seen: str) -> None:
    with pytest.raises(ProfileError, match=f"without quotes, YAML reads {text} as {seen}") as caught:
        read(written(tmp_path, f"a: {text}")).plain()
    assert f"write {seen}" in caught.value.remedy
    assert read(written(tmp_path, f"a: '{text}'")).plain() == {"a": text}


def test_decimal_numbers_are_what_is_written(tmp_path: Path) -> None:
    values = read(written(tmp_path, "a: [0, 0.5, -0.25, 100, 1_000, 0x1F]")).plain()
    assert values == {"a": [0, 0.5, -0.25, 100, 1000, 31]}


def test_what_is_no_file_of_a_profile_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ProfileError, match=r"pipe\.yaml: not a plain file"):
        read(tmp_path / "pipe.yaml")
    with pytest.raises(ProfileError, match="Is a directory"):
        read(tmp_path)
    with pytest.raises(ProfileError, match="No such file"):
        read(tmp_path / "none.yaml")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert read(written(tmp_path, "\ufeffname: x\n")).plain() == {"name": "x"}


@given(st.text(st.sampled_from("&*ab[]{}:,-?!\n #'\"|>1."), max_size=40))
def test_any_text_is_a_value_or_a_message(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = written(tmp_path_factory.getbasetemp(), text)
    with contextlib.suppress(ProfileError):
        read(path).plain()
