"""`inferdeck bundle`: what a plan fetches goes into one archive, which `run --bundle` takes in without a network."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import codec
from engine.cli.main import main
from engine.errors import DataError
from engine.jobs import bundle, jobs
from engine.store.folders import folders
from engine.store.store import Store
from tests.engine.flaky_server import Flaky, serving
from tests.helpers import write_components

CONTENT = b"measured samples " * 5000
ROOT = Path(__file__).parents[3]

APP = """
name: app
tags: [app]
needs: {data: {tags: "get,data"}}
after: {run: {tags: "run,it"}}
"""
DATA = """
name: data
tags: [get, data]
step: engine.steps.download:download
cost: {fetch: 0.1 MB}
options:
  url: {default: URL}
  filename: {default: data.bin}
  sha256: {}
  md5: {}
  size: {type: int}
  unpack: {type: bool, default: false}
"""
RUN = """
name: run
tags: [run, it]
step: steps.py:count
cache: false
needs: {data: {beside: data}}
results: counted
"""
STEPS = """
def count(step):
    size = step.inputs["data"].folder.joinpath("data.bin").stat().st_size
    (step.output / "size.txt").write_text(str(size))
    return {"text": f"{size} bytes"}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a bundle, and the profile folder that its plan needs."""
    place = tmp_path_factory.mktemp("bundle")
    own, out = place / "profile", place / "b.tar"
    with serving(Flaky(CONTENT)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("INFERDECK_HOME", str(place / "online"))
        write_components(own, {"app": APP, "data": DATA.replace("URL", server.url), "run": RUN})
        (own / "components" / "steps.py").write_text(STEPS)
        assert main(["bundle", "--tags=app", f"--profiles={own}", f"--out={out}", "--quiet"]) == 0
    return out, own


def changed(made: Path, to: Path, edit: Callable[[dict[str, bytes]], None]) -> Path:
    """Write a bundle with other members."""
    with tarfile.open(made) as archive:
        members = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]
    edit(members)
    with tarfile.open(to, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return to


def entry_file(members: dict[str, bytes]) -> str:
    return next(name for name in members if name.endswith("data.bin"))


def test_a_run_takes_everything_from_the_bundle(
    made: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, own = made  # its server is gone
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path / "offline"))
    assert main(["run", f"--bundle={file}", f"--profiles={own}", "--plain"]) == 0
    out = capsys.readouterr().out
    assert "cached" in out
    assert f"{len(CONTENT)} bytes" in out
    (job,) = jobs.all_jobs(folders(None))
    assert job.state == "finished"
    assert main(["run", f"--bundle={file}", f"--profiles={own}", "--quiet"]) == 0  # and again: nothing is unpacked


def test_its_report_names_every_part(
    made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = bundle.read_contents(made[0])
    (entry,) = contents.entries
    assert list(contents.files) == [f"entries/{entry}/data.bin"]
    assert contents.lock.command[0] == "run"
    monkeypatch.setenv("INFERDECK_HOME", str(made[0].parent / "online"))
    out = tmp_path / "again.tar"
    assert main(["bundle", "--tags=app", f"--profiles={made[1]}", f"--out={out}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == [entry]
    assert out.read_bytes() == made[0].read_bytes()  # the same plan makes the same bundle


def test_a_changed_file_is_refused(made: tuple[Path, Path], tmp_path: Path) -> None:
    def edit(members: dict[str, bytes]) -> None:
        members[entry_file(members)] = CONTENT[::-1]

    with pytest.raises(DataError, match=r"damaged: entries/.*data\.bin is missing or was changed"):
        bundle.take_in(changed(made[0], tmp_path / "b.tar", edit), tmp_path / "store")
    assert not Store(tmp_path / "store").names()


def test_a_missing_file_is_refused(made: tuple[Path, Path], tmp_path: Path) -> None:
    def edit(members: dict[str, bytes]) -> None:
        del members[entry_file(members)]

    with pytest.raises(DataError, match="is missing or was changed"):
        bundle.take_in(changed(made[0], tmp_path / "b.tar", edit), tmp_path / "store")


def test_a_member_that_leads_outside_is_refused(made: tuple[Path, Path], tmp_path: Path) -> None:
    def edit(members: dict[str, bytes]) -> None:
        plain = json.loads(members["bundle.json"])
        (entry,) = plain["entries"]
        outside = f"entries/{entry}/../../../../outside"
        plain["files"][outside] = {"size": 1, "sha256": "00"}
        members["bundle.json"] = codec.encode(plain)
        members[outside] = b"x"

    with pytest.raises(DataError, match="leads outside"):
        bundle.take_in(changed(made[0], tmp_path / "b.tar", edit), tmp_path / "store")
    assert not (tmp_path / "outside").exists()


def test_an_entry_under_another_name_is_refused(made: tuple[Path, Path], tmp_path: Path) -> None:
    def edit(members: dict[str, bytes]) -> None:
        plain = json.loads(members["bundle.json"])
        (manifest,) = plain["entries"].values()
        manifest["recipe"]["component"] = "../../../elsewhere"
        members["bundle.json"] = codec.encode(plain)

    with pytest.raises(DataError, match="is another one"):
        bundle.take_in(changed(made[0], tmp_path / "b.tar", edit), tmp_path / "store")


@pytest.mark.parametrize("data", [b"", b"no archive", b"\0" * 10240])
def test_what_is_no_bundle_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "b.tar"
    file.write_bytes(data)
    with pytest.raises(DataError):
        bundle.read_contents(file)


def test_a_bundle_runs_in_a_network_namespace_without_any_network(made: tuple[Path, Path], tmp_path: Path) -> None:
    words = ["unshare", "--net"] if shutil.which("unshare") else []
    if not words or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces are not allowed here")
    file, own = made
    run = [sys.executable, "-m", "engine.cli.main", "run", f"--bundle={file}", f"--profiles={own}", "--plain"]
    done = subprocess.run(
        [*words, *run],
        cwd=ROOT,
        env={**os.environ, "INFERDECK_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(CONTENT)} bytes" in done.stdout
