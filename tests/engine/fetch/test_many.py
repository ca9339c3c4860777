"""Downloads of many small files: each is complete or absent, and failures don't affect others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.errors import DataError, FetchError, StoreError
from engine.fetch import many as module
from engine.fetch.many import Lost, Order
from tests.engine.openimages_server import Fault, Tree, dead_url, serving

NAMES = [f"{index:03}.jpg" for index in range(60)]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def content(name: str) -> bytes:
    return name.encode() * 5000


def tree(names: Sequence[str] = NAMES) -> Tree:
    return Tree({f"/x/{name}": content(name) for name in names})


def good(name: str, data: bytes) -> str:
    return "" if data == content(name) else "it is another file"


def fetch(
    urls: Sequence[str], folder: Path, names: Sequence[str] = NAMES, check: module.Check = good
) -> tuple[int, list[Lost], list[tuple[int, int]]]:
    """Fetch and return the bytes, what was lost, and the progress."""
    lost: list[Lost] = []
    told: list[tuple[int, int]] = []
    order = Order(names, "the list", [f"{url}/x/{{name}}" for url in urls], check)
    size = module.fetch_many(order, folder, progress=lambda *both: told.append(both), lost=lost.append)
    return size, lost, told


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_all_come_over_a_bounded_number_of_kept_connections(tmp_path: Path) -> None:
    with serving(tree()) as server:
        server.slow = 0.02
        size, lost, told = fetch([server.url], tmp_path / "new")
    assert left(tmp_path / "new") == NAMES
    assert all((tmp_path / "new" / name).read_bytes() == content(name) for name in NAMES)
    assert (size, lost) == (sum(len(content(name)) for name in NAMES), [])
    assert told[-1] == (60, size)
    assert told == sorted(told)
    assert server.asked == dict.fromkeys(server.files, 1)
    assert 1 < server.most_at_once <= module.AT_ONCE
    assert server.connections <= module.AT_ONCE


@pytest.mark.parametrize("fault", ["drop", "503", "429", "wrong bytes", "no length", "hang up"])
def test_what_fails_once_is_asked_for_again(fault: Fault, tmp_path: Path) -> None:
    with serving(tree()) as server:
        server.files["/x/007.jpg"] = b"a comment" * 1000
        server.faults = {"/x/007.jpg": [fault], "/x/050.jpg": [fault] * 3}
        fetch([server.url], tmp_path, check=lambda name, data: good(name, data) if name != "007.jpg" else "")
    assert left(tmp_path) == NAMES
    assert (tmp_path / "007.jpg").read_bytes() == b"a comment" * 1000
    comes = fault == "no length" or (fault == "wrong bytes")
    assert server.asked["/x/050.jpg"] == (1 if comes else 4)


@pytest.mark.parametrize(
    ("fault", "kind", "why", "asked"),
    [
        ("404", "address", "404 Not Found", 1),
        ("503", "network", "503 Service Unavailable", 4),
        ("drop", "network", "the connection ended early", 4),
        ("short", "content", "wrong MD5: the server says", 4),
        ("wrong bytes", "content", "wrong MD5: the server says", 4),
    ],
)
def test_what_never_comes_is_told_at_the_end(fault: Fault, kind: str, why: str, asked: int, tmp_path: Path) -> None:
    lost: list[Lost] = []
    with serving(tree()) as server:
        server.files["/x/007.jpg"] = b"a comment" * 1000
        server.always = {"/x/007.jpg": fault}
        order = Order(NAMES, "the list", [f"{server.url}/x/{{name}}"], lambda name, data: "")
        with pytest.raises(FetchError) as caught:
            module.fetch_many(order, tmp_path, progress=lambda *_: None, lost=lost.append)
    assert left(tmp_path) == [name for name in NAMES if name != "007.jpg"]
    assert [(one.name, one.kind) for one in lost] == [("007.jpg", kind)]
    assert lost[0].why.startswith(why)
    assert f"1 of 60 files could not be fetched from 127.0.0.1: 007.jpg: {why}" in caught.value.what
    assert "59 are kept, and the same command downloads only the others" in caught.value.remedy
    assert server.asked["/x/007.jpg"] == asked


def test_the_first_names_and_the_number_of_the_lost(tmp_path: Path) -> None:
    with serving(tree()) as server:
        for name in NAMES[::6]:
            del server.files[f"/x/{name}"]
        with pytest.raises(FetchError) as caught:
            fetch([server.url], tmp_path)
    assert caught.value.what.startswith("10 of 60 files could not be fetched")
    assert caught.value.what.count(".jpg: 404") == module.NAMED
    assert len(left(tmp_path)) == 50


@pytest.mark.parametrize("etags", ["multipart", "none"])
def test_an_etag_of_another_form_is_no_checksum(etags: str, tmp_path: Path) -> None:
    flawed = tree()
    flawed.etags = etags  # type: ignore[assignment]
    flawed.files["/x/007.jpg"] = b"a comment" * 1000
    flawed.faults = {"/x/007.jpg": ["wrong bytes"]}
    with serving(flawed) as server:
        fetch([server.url], tmp_path, check=lambda name, data: "")
    assert (tmp_path / "007.jpg").read_bytes() == b"A COMMENT" * 1000
    assert server.asked["/x/007.jpg"] == 1


def test_a_whole_file_that_fails_the_check_is_not_asked_for_again(tmp_path: Path) -> None:
    with serving(tree()) as server:
        server.files["/x/007.jpg"] = b"another"
        with pytest.raises(FetchError, match=r"007\.jpg: it is another file"):
            fetch([server.url], tmp_path)
        assert server.asked["/x/007.jpg"] == 1, "its MD5 is right: the server has no other"
        server.etags = "none"
        with pytest.raises(FetchError, match=r"007\.jpg: it is another file"):
            fetch([server.url], tmp_path)
    assert server.asked["/x/007.jpg"] == 5, "it may have been damaged on the way"
    assert "007.jpg" not in left(tmp_path)


def test_more_than_any_picture_is_not_taken_into_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "LARGEST", 1 << 20)
    with serving(tree()) as server:
        server.etags = "none"
        server.always = {"/x/007.jpg": "endless"}
        with pytest.raises(FetchError, match=r"007\.jpg: larger than 1 MiB"):
            fetch([server.url], tmp_path)
    assert len(left(tmp_path)) == 59


def test_a_second_attempt_asks_for_what_is_missing_or_broken_only(tmp_path: Path) -> None:
    with serving(tree()) as server:
        fetch([server.url], tmp_path)
        server.asked.clear()
        (tmp_path / "003.jpg").unlink()
        (tmp_path / "004.jpg").write_bytes(content("004.jpg")[:-1])
        (tmp_path / "005.jpg").write_bytes(b"")
        (tmp_path / "006.jpg.part").write_bytes(b"half")
        size, _, told = fetch([server.url], tmp_path)
    assert server.asked == {f"/x/00{index}.jpg": 1 for index in (3, 4, 5)}
    assert left(tmp_path) == NAMES
    assert told[-1] == (60, size)


def test_the_other_server_is_asked_for_what_the_first_has_not(tmp_path: Path) -> None:
    with serving(tree(NAMES[:30])) as first, serving(tree()) as second:
        fetch([first.url, second.url], tmp_path)
    assert sum(first.asked.values()) == 60
    assert sorted(second.asked) == [f"/x/{name}" for name in NAMES[30:]]
    assert left(tmp_path) == NAMES


def test_without_a_network_it_does_not_try_every_file(tmp_path: Path) -> None:
    names = [f"{index:05}.jpg" for index in range(5000)]
    lost: list[Lost] = []
    order = Order(names, "the list", [f"{dead_url()}/x/{{name}}"], good)
    with pytest.raises(FetchError) as caught:
        module.fetch_many(order, tmp_path, progress=lambda *_: None, lost=lost.append)
    assert module.GIVE_UP <= len(lost) < module.GIVE_UP + module.AT_ONCE
    assert "and 100 in a row failed" in caught.value.what
    assert "no connection" in caught.value.what
    assert "HTTPS_PROXY" in caught.value.remedy


def test_losses_with_files_between_them_do_not_end_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 1)
    monkeypatch.setattr(module, "GIVE_UP", 3)
    some = tree(NAMES[::3])
    with serving(some), pytest.raises(FetchError, match=r"^40 of 60 files could not be fetched from 127\.0\.0\.1: "):
        fetch([some.url], tmp_path)
    assert len(left(tmp_path)) == 20


@pytest.mark.parametrize(
    "name",
    [
        *("../up.jpg", "/etc/passwd", "a/b.jpg", "..", ".hidden", "", "a.jpg?x=1", "a.jpg#x", "a%2f..%2fb", "a b.jpg"),
        *("@host.jpg", "a\\b.jpg", "a\nb.jpg", "-rf.jpg", "ä.jpg", "a" * 300),
    ],
)
def test_a_name_that_means_more_than_a_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the list names .*no plain file name"):
        Order(["good.jpg", name], "the list", ["http://127.0.0.1/{name}"], good)


def test_a_name_that_comes_twice() -> None:
    with pytest.raises(DataError, match=r"the list names 'a\.jpg', which is there twice"):
        Order(["a.jpg", "b.jpg", "a.jpg"], "the list", ["http://127.0.0.1/{name}"], good)


@pytest.mark.parametrize("patterns", [[], ["http://127.0.0.1/x"], ["http://{name}/x"], ["http://127.0.0.1/{Name}"]])
def test_an_address_without_a_place_for_the_name(patterns: list[str]) -> None:
    with pytest.raises(FetchError, match=r"no \{name\} in its path"):
        Order(["a.jpg"], "the list", patterns, good)


@pytest.mark.parametrize("pattern", ["ftp://127.0.0.1/{name}", "127.0.0.1/{name}"])
def test_what_cannot_be_fetched_with(pattern: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="not an address that can be fetched"):
        module.fetch_many(Order(["a.jpg"], "it", [pattern], good), tmp_path, progress=print, lost=lambda _: None)


def test_nothing_to_fetch(tmp_path: Path) -> None:
    assert fetch(["http://127.0.0.1:9"], tmp_path, []) == (0, [], [])


def test_secrets_of_an_address_are_not_shown(tmp_path: Path) -> None:
    url = dead_url().replace("//", "//me:secret@")
    order = Order(["a.jpg"], "it", [f"{url}/{{name}}?token=secret"], good)
    with pytest.raises(FetchError) as caught:
        module.fetch_many(order, tmp_path, progress=print, lost=lambda _: None)
    assert "secret" not in str(caught.value)


def test_a_full_disk_ends_it_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with serving(tree()) as server, pytest.raises(StoreError, match="full"):
        fetch([server.url], tmp_path)
    assert sum(server.asked.values()) <= 2 * module.AT_ONCE


def test_a_stop_in_the_middle_keeps_whole_files_only(tmp_path: Path) -> None:
    def stop(done: int, size: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with serving(tree()) as server:
        order = Order(NAMES, "the list", [f"{server.url}/x/{{name}}"], good)
        with pytest.raises(KeyboardInterrupt):
            module.fetch_many(order, tmp_path, progress=stop, lost=lambda _: None)
        came = left(tmp_path)
        assert 20 <= len(came) < len(NAMES), "what was under way may have ended, no more was begun"
        server.asked.clear()
        fetch([server.url], tmp_path)
    assert sorted(server.asked) == sorted(f"/x/{name}" for name in NAMES if name not in came)


def test_a_killed_process_leaves_what_the_next_one_goes_on_with(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom engine.fetch.many import Order, fetch_many\n"
        "names = [f'{index:03}.jpg' for index in range(60)]\n"
        "order = Order(names, 'the list', [sys.argv[1] + '/x/{name}'], lambda name, data: '')\n"
        "fetch_many(order, Path(sys.argv[2]), progress=lambda *_: None, lost=print)\n"
    )
    with serving(tree()) as server:
        server.slow = 0.1
        child = subprocess.Popen([sys.executable, "-c", code, server.url, str(tmp_path)])
        while not any(tmp_path.glob("*.jpg")):
            assert child.poll() is None
            time.sleep(0.005)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        came = [path.name for path in tmp_path.glob("*.jpg")]
        assert 0 < len(came) < 60
        assert all((tmp_path / name).read_bytes() == content(name) for name in came)
        server.slow = 0
        server.asked.clear()
        fetch([server.url], tmp_path)
    assert sorted(server.asked) == sorted(f"/x/{name}" for name in NAMES if name not in came)
    assert left(tmp_path) == NAMES
