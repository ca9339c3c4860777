import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine import events
from engine.errors import DataError, FetchError
from engine.step import Step
from engine.steps.download import download
from tests.engine.flaky_server import Flaky, serving

CONTENT = bytes(range(256)) * 2000


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def run(output: Path, said: list[events.AnyEvent] | None = None, **options: Any) -> dict[str, Any]:
    heard = [] if said is None else said
    return download(Step(id="s", title="t", options=options, inputs={}, output=output, emit=heard.append))


def test_a_file_and_its_facts(tmp_path: Path) -> None:
    said: list[events.AnyEvent] = []
    with serving(Flaky(CONTENT)) as server:
        facts = run(tmp_path, said, url=server.url, sha256=server.sha256, md5=None, size=len(CONTENT), unpack=False)
    assert facts == {"file": "data.bin", "sha256": server.sha256, "size": len(CONTENT)}
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    last = said[-1]
    assert isinstance(last, events.Progress)
    assert (last.done, last.total, last.unit) == (len(CONTENT), len(CONTENT), "bytes")
    assert any(isinstance(event, events.Phase) for event in said)


def test_mirrors_and_a_name(tmp_path: Path) -> None:
    with serving(Flaky(b"", statuses=[404])) as gone, serving(Flaky(CONTENT)) as good:
        facts = run(tmp_path, url=[gone.url, good.url], filename="model.onnx")
    assert facts["file"] == "model.onnx"
    assert facts["sha256"] == hashlib.sha256(CONTENT).hexdigest()


def test_an_archive_is_unpacked_and_removed(tmp_path: Path) -> None:
    with serving(Flaky(zipped({"val/a.txt": b"one", "val/b.txt": b"two"}))) as server:
        facts = run(tmp_path, url=server.url, unpack=True)
    assert facts["size"] == len(server.content)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "val",
        "val/a.txt",
        "val/b.txt",
    ]


def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path) -> None:
    with serving(Flaky(zipped({"../evil": b"x"}))) as server, pytest.raises(DataError, match="leads outside"):
        run(tmp_path / "out", url=server.url, unpack=True)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", ["../up", "a/b", ".", "..", "/etc/x"])
def test_a_name_with_folders_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="not a name"):
        run(tmp_path, url="http://127.0.0.1/x", filename=name)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", [], None])
def test_without_a_name(url: Any, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="not a name"):
        run(tmp_path, url=url)
