import errno
import hashlib
import random
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

from engine.errors import FetchError, StoreError
from engine.fetch import one as module
from engine.fetch.part import Part
from tests.engine.flaky_server import Flaky, serving

CONTENT = random.Random(1).randbytes(1_000_000)
OTHER = random.Random(2).randbytes(1_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def fetch(urls: Sequence[str], target: Path, **options: Any) -> str:
    return module.fetch(urls, target, progress=options.pop("progress", lambda done, total: None), **options)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def dead_url() -> str:
    """An address that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/data.bin"


def test_a_file_arrives_whole_and_alone(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    target = tmp_path / "new" / "data.bin"
    with serving(Flaky(CONTENT)) as server:
        digest = fetch([server.url], target, sha256=SHA256.upper(), progress=lambda *both: told.append(both))
    assert digest == SHA256
    assert target.read_bytes() == CONTENT
    assert left(target.parent) == ["data.bin"]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("drops", [1, 4])
def test_a_dropped_connection_goes_on_where_it_ended(drops: int, tmp_path: Path) -> None:
    with serving(Flaky(CONTENT, drops=drops)) as server:
        assert fetch([server.url], tmp_path / "data.bin", sha256=SHA256) == SHA256
    assert len(server.seen) == drops + 1
    assert [bool(asked) for asked in server.asked] == [False] + [True] * drops
    assert server.seen[-1]["if-range"] == server.etag


def interrupt(url: str, target: Path, **options: Any) -> int:
    """Fetch until somebody presses ^C; return how many bytes are kept."""

    def press(done: int, total: int | None) -> None:
        if done > 300_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch([url], target, progress=press, **options)
    return target.with_name(f"{target.name}.part").stat().st_size


def test_the_next_command_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    with serving(Flaky(CONTENT)) as server:
        came = interrupt(server.url, tmp_path / "data.bin")
        assert 300_000 < came < len(CONTENT)
        assert fetch([server.url], tmp_path / "data.bin") == SHA256
    assert server.asked == ["", f"bytes={came}-"]
    assert left(tmp_path) == ["data.bin"]


def test_giving_up_says_that_the_same_command_goes_on(tmp_path: Path) -> None:
    with serving(Flaky(CONTENT, drops=1)) as server:
        came = interrupt(server.url, tmp_path / "data.bin")
        server.statuses = [503] * 9
        with pytest.raises(FetchError, match="503") as caught:
            fetch([server.url], tmp_path / "data.bin")
    assert "resumes" in caught.value.remedy
    assert (tmp_path / "data.bin.part").stat().st_size == came


def test_a_server_without_ranges_starts_again(tmp_path: Path) -> None:
    with serving(Flaky(CONTENT, drops=1, ranges=False)) as server:
        assert fetch([server.url], tmp_path / "data.bin", sha256=SHA256) == SHA256
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_server_that_never_gets_further_is_given_up(tmp_path: Path) -> None:
    with serving(Flaky(CONTENT, drops=1000, ranges=False)) as server, pytest.raises(FetchError, match="ended"):
        fetch([server.url], tmp_path / "data.bin")
    assert len(server.seen) < 10
    assert "data.bin" not in left(tmp_path)


@pytest.mark.parametrize(
    ("validator", "before", "after"),
    [
        ("etag", '"one"', '"two"'),
        ("modified", "Mon, 01 Aug 2022 00:00:00 GMT", "Tue, 02 Aug 2022 00:00:00 GMT"),
    ],
)
def test_a_file_that_changed_in_between_starts_again(validator: str, before: str, after: str, tmp_path: Path) -> None:
    flaky = Flaky(OTHER, etag="")
    setattr(flaky, validator, before)
    with serving(flaky):
        came = interrupt(flaky.url, tmp_path / "data.bin")
        flaky.content = CONTENT
        setattr(flaky, validator, after)
        assert fetch([flaky.url], tmp_path / "data.bin") == SHA256
    assert flaky.asked == ["", f"bytes={came}-"]
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_anything_to_tell_versions_apart_it_starts_again(etag: str, tmp_path: Path) -> None:
    with serving(Flaky(CONTENT, drops=1, etag=etag)) as server:
        assert fetch([server.url], tmp_path / "data.bin") == SHA256
    assert server.asked == ["", ""]


def test_wrong_bytes_never_get_the_name(tmp_path: Path) -> None:
    with serving(Flaky(OTHER)) as server, pytest.raises(FetchError) as caught:
        fetch([server.url], tmp_path / "data.bin", sha256=SHA256)
    assert SHA256 in caught.value.what
    assert server.sha256 in caught.value.what
    assert "mirror" in caught.value.remedy
    assert left(tmp_path) == []


def test_a_wrong_md5_is_told_too(tmp_path: Path) -> None:
    good = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    with serving(Flaky(CONTENT)) as server:
        with pytest.raises(FetchError, match=f"wrong MD5: expected {'0' * 32}, found {good}"):
            fetch([server.url], tmp_path / "data.bin", md5="0" * 32)
        assert fetch([server.url], tmp_path / "data.bin", md5=good) == SHA256


def test_a_damaged_beginning_is_fetched_again_once(tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(bytes(300_000))
    with serving(Flaky(CONTENT)) as server:
        assert fetch([server.url], tmp_path / "data.bin", sha256=SHA256) == SHA256
    assert server.asked == ["bytes=300000-", ""]


def test_another_mirror_goes_on_with_what_has_come(tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:400_000])
    with serving(Flaky(CONTENT, statuses=[404])) as first, serving(Flaky(CONTENT)) as second:
        assert fetch([first.url, second.url], tmp_path / "data.bin", sha256=SHA256) == SHA256
    assert second.asked == ["bytes=400000-"]


def test_mirrors_are_asked_in_order(tmp_path: Path) -> None:
    with serving(Flaky(OTHER)) as wrong, serving(Flaky(CONTENT)) as right, serving(Flaky(CONTENT)) as unused:
        fetch([dead_url(), wrong.url, right.url, unused.url], tmp_path / "data.bin", sha256=SHA256)
    assert (len(wrong.seen), len(right.seen), len(unused.seen)) == (1, 1, 0)


def test_no_mirror_has_it(tmp_path: Path) -> None:
    with (
        serving(Flaky(CONTENT, statuses=[404] * 9)) as one,
        serving(Flaky(CONTENT, statuses=[410] * 9)) as two,
        pytest.raises(FetchError) as caught,
    ):
        fetch([one.url, two.url], tmp_path / "data.bin")
    assert f"{one.url}: 404 Not Found" in caught.value.what
    assert f"{two.url}: 410 Gone" in caught.value.what
    assert "by hand" in caught.value.remedy
    assert (len(one.seen), len(two.seen)) == (1, 1)


def test_no_network(tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        fetch([dead_url()], tmp_path / "data.bin")
    assert "no connection" in caught.value.what
    assert "network" in caught.value.remedy


def test_a_server_that_swallows_everything_is_asked_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def swallow(*_: object, **__: object) -> None:
        asked.append(1)
        raise requests.ConnectTimeout

    monkeypatch.setattr(requests.Session, "get", swallow)
    with pytest.raises(FetchError, match="no answer in time") as caught:
        fetch(["http://127.0.0.1/x"], tmp_path / "data.bin")
    assert "network" in caught.value.remedy
    assert len(asked) == 1


def test_certificates_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nothing.pem"))
    with pytest.raises(FetchError, match=r"nothing\.pem"):
        fetch([dead_url().replace("http:", "https:")], tmp_path / "data.bin")


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    with serving(Flaky(CONTENT, statuses=[503, 429])) as server:
        assert fetch([server.url], tmp_path / "data.bin") == SHA256
    assert len(server.seen) == 3


def test_another_size_is_refused_before_the_good_part_is_lost(tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:400_000])
    with serving(Flaky(b"please log in", ranges=False)) as server, pytest.raises(FetchError) as caught:
        fetch([server.url], tmp_path / "data.bin", sha256=SHA256, size=len(CONTENT))
    assert f"expected {len(CONTENT)} bytes, found 13" in caught.value.what
    assert (tmp_path / "data.bin.part").stat().st_size == 400_000


def test_a_size_that_shows_only_at_the_end(tmp_path: Path) -> None:
    with serving(Flaky(CONTENT, length=False)) as server:
        with pytest.raises(FetchError, match="expected 5 bytes, found 1000000"):
            fetch([server.url], tmp_path / "data.bin", size=5)
        assert fetch([server.url], tmp_path / "data.bin", size=len(CONTENT)) == SHA256


def test_bytes_are_taken_as_they_are_stored(tmp_path: Path) -> None:
    with serving(Flaky(CONTENT, headers={"Content-Encoding": "gzip"})) as server:
        assert fetch([server.url], tmp_path / "data.bin", sha256=SHA256) == SHA256
    assert server.seen[0]["accept-encoding"] == "identity"


@pytest.mark.parametrize("name", ["data.bin", "data.bin.part"])
def test_a_finished_file_is_not_fetched_again(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(CONTENT)
    with serving(Flaky(CONTENT)) as server:
        assert fetch([server.url], tmp_path / "data.bin", sha256=SHA256) == SHA256
    assert server.seen == []
    assert left(tmp_path) == ["data.bin"]


def test_a_whole_part_that_nothing_was_promised_of(tmp_path: Path) -> None:
    flaky = Flaky(CONTENT)
    (tmp_path / "data.bin.part").write_bytes(CONTENT)
    with serving(flaky):
        (tmp_path / "data.bin.part.json").write_text(f'{{"url": "{flaky.url}", "etag": "\\"one\\""}}')
        assert fetch([flaky.url], tmp_path / "data.bin") == SHA256
    assert flaky.asked == [f"bytes={len(CONTENT)}-"]


def test_a_part_that_is_too_long_starts_again(tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(OTHER + OTHER)
    with serving(Flaky(CONTENT)) as server:
        assert fetch([server.url], tmp_path / "data.bin", sha256=SHA256) == SHA256


def test_an_unreadable_memo_is_no_memo(tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(OTHER[:1000])
    (tmp_path / "data.bin.part.json").write_text("{")
    with serving(Flaky(CONTENT)) as server:
        assert fetch([server.url], tmp_path / "data.bin") == SHA256


def test_a_file_address(tmp_path: Path) -> None:
    source = tmp_path / "with blank.bin"
    source.write_bytes(CONTENT)
    assert fetch([source.as_uri()], tmp_path / "out" / "data.bin", sha256=SHA256) == SHA256
    with pytest.raises(FetchError, match="No such file"):
        fetch([(tmp_path / "nothing").as_uri()], tmp_path / "out" / "more.bin")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "no address", "http://", ""])
def test_what_is_no_address(url: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        fetch([url], tmp_path / "data.bin")
    assert caught.value.remedy


def test_no_address_at_all(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="no address"):
        fetch([], tmp_path / "data.bin")


def test_secrets_in_an_address_are_not_shown(tmp_path: Path) -> None:
    with serving(Flaky(CONTENT, statuses=[403])) as server, pytest.raises(FetchError) as caught:
        fetch([server.url.replace("//", "//me:secret@") + "?token=secret"], tmp_path / "data.bin")
    assert "secret" not in str(caught.value)
    assert "403" in caught.value.what


def test_a_full_disk_is_told_before_it_is_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with serving(Flaky(CONTENT)) as server, pytest.raises(StoreError) as caught:
        fetch([server.url], tmp_path / "data.bin")
    assert "free" in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize(("number", "word"), [(errno.ENOSPC, "full"), (errno.EACCES, "permission")])
def test_a_disk_that_cannot_be_written(number: int, word: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, "no")

    (tmp_path / "data.bin.part").write_bytes(CONTENT[:1000])
    monkeypatch.setattr(Part, "extend", fail)
    with serving(Flaky(CONTENT)) as server, pytest.raises(StoreError, match=word) as caught:
        fetch([server.url], tmp_path / "data.bin", sha256=SHA256)
    assert caught.value.remedy
    assert (tmp_path / "data.bin.part").exists()


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        fetch([dead_url()], tmp_path / "file" / "data.bin")
