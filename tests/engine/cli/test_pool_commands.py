"""`inferdeck pool`: what is missing or unreachable is said in two lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.main import main
from engine.pool import pool_folder


def test_a_pool_needs_dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(pool_folder, "find_spec", lambda _: None)
    for words in (["start", f"--folder={tmp_path}"], ["join", str(tmp_path)], ["status", str(tmp_path)]):
        assert main(["pool", *words]) == 2
        assert "pip install 'inferdeck[pool]'" in capsys.readouterr().err


def test_a_folder_without_a_pool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed")
    assert main(["pool", "join", str(tmp_path), "--name=a"]) == 1
    assert "is not the folder of a pool" in capsys.readouterr().err
    assert main(["pool", "join", str(tmp_path), "--name=a/b"]) == 2
    explore = ["explore", "--tags=app,mlperf,inference,_resnet50", "--axis=sessions=1,2", "--objective=Offline"]
    assert main([*explore, f"--pool={tmp_path}"]) == 1
    assert "is not the folder of a pool" in capsys.readouterr().err
    assert main(["pool", "start", f"--folder={tmp_path / 'new'}", "--listen=nowhere"]) == 2
    assert "HOST:PORT" in capsys.readouterr().err
