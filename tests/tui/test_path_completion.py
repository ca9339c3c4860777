from __future__ import annotations

from pathlib import Path

import pytest

from tui.path_completion import completed


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("imagenet-val", "imagenet-train", "other", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "model.onnx").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "text", "names"),
    [
        ("im", "imagenet-", ("imagenet-train/", "imagenet-val/")),
        ("imagenet-v", "imagenet-val/", ("imagenet-val/",)),
        ("mo", "model.onnx", ("model.onnx",)),
        ("", "", ("imagenet-train/", "imagenet-val/", "model.onnx", "other/")),
        (".h", ".hidden/", (".hidden/",)),
        ("nothing", "nothing", ()),
        ("none/here", "none/here", ()),
        ("odd\0name/", "odd\0name/", ()),
    ],
)
def test_a_path_is_completed_as_a_shell_does(place: Path, typed: str, text: str, names: tuple[str, ...]) -> None:
    assert completed(f"{place}/{typed}") == (f"{place}/{text}", names)
