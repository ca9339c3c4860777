"""`inferdeck components`: list, search and show, as text and JSON."""

from __future__ import annotations

import json

import pytest

from engine.cli.main import main


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run the command; returns status, output and errors."""
    status = main(["components", *words])
    return status, *capsys.readouterr()


def test_the_list_and_a_search(capsys: pytest.CaptureFixture[str]) -> None:
    _, everything, _ = said(capsys)
    status, found, _ = said(capsys, "resnet50,ml-model")
    assert status == 0
    names = [line.split()[0] for line in found.splitlines()[1:-1]]
    assert "resnet50-model" in names
    assert len(names) < len(everything.splitlines()) - 2


def test_one_is_shown_with_variations_options_and_versions(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "app-mlperf-inference")
    assert "_onnxruntime" in out
    assert "--scenarios=" in out
    data = json.loads(said(capsys, "onnxruntime", "--json")[1])[0]
    assert data["name"] == "onnxruntime"
    assert {"variations", "options", "versions", "needs"} <= data.keys()


def test_what_matches_nothing_is_a_usage_error_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = said(capsys, "onnxruntme")
    assert status == 2
    assert "onnxruntime" in err
