from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from engine.errors import ProfileError
from engine.profile import document, typed


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    size: Annotated[int, Meta(ge=0)]
    kind: Literal["big", "small"] = "small"


class Outer(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    share: float = 0.5
    flag: bool | None = None
    inner: Inner | None = None
    many: dict[str, Inner] = {}
    closed: dict[Literal["a", "b"], int] = {}
    words: tuple[str, ...] = ()
    klass: str = msgspec.field(default="", name="class")


def read(tmp_path: Path, text: str) -> Outer:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    return typed.build(document.read(path), Outer)


def test_every_shape(tmp_path: Path) -> None:
    text = "name: x\nshare: 1\nflag: true\ninner: {size: 18446744073709551615}\nmany: {k: {size: 1, kind: big}}\n"
    text += "closed: {a: 1}\nwords: [p, q]\nclass: c\n"
    assert read(tmp_path, text) == Outer(
        name="x",
        share=1.0,
        flag=True,
        inner=Inner(size=2**64 - 1),
        many={"k": Inner(size=1, kind="big")},
        closed={"a": 1},
        words=("p", "q"),
        klass="c",
    )
    assert read(tmp_path, "name: x\nflag: null\ninner: null\n") == Outer(name="x")


@pytest.mark.parametrize(
    ("text", "line", "what", "remedy"),
    [
        ("name: x\nshar: 1\n", 2, "unknown key 'shar'", "did you mean 'share'?"),
        ("share: 1\n", 1, "the key 'name' is missing", "add it"),
        ("name: x\nname: y\n", 2, "duplicate key", "keep one"),
        ("name: 2.1\n", 1, "(name): Expected str, got float (2.1)", "quotes"),
        ("name: x\nshare: much\n", 2, "(share): Expected float, got str ('much')", "of that type"),
        ("name: x\nflag: 1\n", 2, "Expected bool", "of that type"),
        ("name: x\ninner:\n  size: -1\n", 3, "(inner.size): Expected int >= 0", "of that type"),
        ("name: x\ninner:\n  size: 1.0\n", 3, "Expected int, got float", "of that type"),
        ("name: x\ninner: {size: 1, kind: bigg}\n", 2, "'bigg' is not allowed here", "did you mean 'big'?"),
        ("name: x\nmany:\n  k:\n    sise: 1\n", 4, "(many.k.sise): unknown key", "did you mean 'size'?"),
        ("name: x\nclosed:\n  c: 1\n", 3, "'c' is not allowed here", "allowed: a, b"),
        ("name: x\nwords:\n- p\n- 7\n", 4, "(words[1]): Expected str, got int (7)", "quotes"),
        ("name: x\nwords: p\n", 2, "where a list is expected", "[one, two]"),
        ("name: x\ninner: p\n", 2, "where a mapping is expected", "key: value"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(
    text: str, line: int, what: str, remedy: str, tmp_path: Path
) -> None:
    with pytest.raises(ProfileError) as caught:
        read(tmp_path, text)
    assert f"file.yaml:{line}" in caught.value.what
    assert what in caught.value.what
    assert remedy in caught.value.remedy
