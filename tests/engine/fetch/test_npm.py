"""npm against a registry on this machine; without npm, the error about it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine.errors import FetchError, UsageError
from engine.fetch import npm
from engine.fetch.package_index import PackageFile

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm on this machine")
SCRIPT = '{"name": "@some/sample", "version": "1.2.3", "scripts": {"prepack": "touch ran", "install": "touch ran"}}'


def archive() -> bytes:
    """A package whose scripts would leave a trace."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, text in (("package/package.json", SCRIPT), ("package/data/one.txt", "one")):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(data.getvalue(), mtime=0)


class Registry:
    """An npm index with one package of one version."""

    def __init__(self, folder: Path) -> None:
        self.data = archive()
        self.promised = self.data
        """What the index lists."""
        self.folder = folder
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = registry.answer(self.path)
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body or b"{}")))
                self.end_headers()
                self.wfile.write(body or b"{}")

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str) -> bytes | None:
        if path.lower() == "/@some%2fsample":
            digest = base64.b64encode(hashlib.sha512(self.promised).digest()).decode()
            dist = {"tarball": f"{self.address}/file.tgz", "integrity": f"sha512-{digest}"}
            one = {**json.loads(SCRIPT), "dist": dist}
            whole = {"name": "@some/sample", "dist-tags": {"latest": "1.2.3"}, "versions": {"1.2.3": one}}
            return json.dumps(whole).encode()
        return self.data if path == "/file.tgz" else None


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """All that npm can reach, with no cache and no configuration of the user."""
    made = Registry(tmp_path)
    monkeypatch.setenv("npm_config_registry", made.address)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def get(place: Path, *, package: str = "@some/sample", version: str = "1.2.3", **wanted: Any) -> Path:
    heard: list[tuple[int, int | None]] = []
    found = npm.download(
        PackageFile(package=package, version=version, **wanted), place, lambda *both: heard.append(both)
    )
    assert heard == [(found.stat().st_size, found.stat().st_size)]
    return found


@needs_npm
def test_a_package_comes_as_it_is_and_nothing_of_it_runs(registry: Registry, place: Path) -> None:
    digest = hashlib.sha256(registry.data).hexdigest()
    found = get(place, filename="some-sample-1.2.3.tgz", sha256=digest.upper())
    assert found.read_bytes() == registry.data
    assert list(place.iterdir()) == [found]
    assert not list(registry.folder.rglob("ran"))


@needs_npm
def test_what_npm_has_kept_serves_without_a_network(registry: Registry, place: Path) -> None:
    get(place).unlink()
    registry.server.shutdown()
    registry.server.server_close()
    assert get(place).read_bytes() == registry.data


@needs_npm
def test_another_file_is_refused(registry: Registry, place: Path) -> None:
    with pytest.raises(FetchError, match="wrong SHA-256: expected 0000") as caught:
        get(place, sha256="0" * 64)
    assert hashlib.sha256(registry.data).hexdigest() in caught.value.what
    assert "npm config list" in caught.value.remedy


@needs_npm
def test_a_file_that_the_index_did_not_promise_is_refused(registry: Registry, place: Path) -> None:
    registry.promised = b"another"
    with pytest.raises(FetchError, match="another file than its index lists"):
        get(place)


@needs_npm
@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(("package", "version"), [("@some/sample", "9.9.9"), ("nothing", "1.0.0")])
def test_the_index_does_not_have_it(place: Path, package: str, version: str) -> None:
    with pytest.raises(FetchError, match="no such package or version") as caught:
        get(place, package=package, version=version)
    assert "npm config list" in caught.value.remedy


@needs_npm
@pytest.mark.usefixtures("registry")
def test_no_network(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    with pytest.raises(FetchError, match="does not answer") as caught:
        get(place)
    assert "network" in caught.value.remedy


def test_a_machine_without_npm(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(place))
    with pytest.raises(FetchError, match="no npm on this machine") as caught:
        get(place)
    assert "Node.js" in caught.value.remedy


@pytest.mark.parametrize(
    ("package", "version"),
    [("git+ssh://host/some", "1.0.0"), ("./folder", "1.0.0"), ("some/sample", "1.0.0"), ("sample", "^1"), ("--x", "1")],
)
def test_only_a_name_and_a_version_of_the_index(place: Path, package: str, version: str) -> None:
    with pytest.raises(UsageError, match="no package of the npm index"):
        get(place, package=package, version=version)


@pytest.mark.parametrize(
    ("output", "what"),
    [
        ("npm ERR! code ENOTFOUND\nnpm ERR! errno ENOTFOUND\n", "does not answer (ENOTFOUND)"),
        ("npm error code E401\nnpm error GET http://me:secret@host/x\n", "npm failed: npm error GET http://host/x"),
        ("env: 'node': No such file or directory\n", "npm failed: env: 'node'"),
        ("", "it printed nothing"),
    ],
)
def test_what_npm_says_is_told(output: str, what: str) -> None:
    error = npm._explained(PackageFile(package="sample", version="1.0.0"), output)
    assert what in error.what
    assert "secret" not in str(error)
    assert error.remedy
