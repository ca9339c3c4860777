"""Whether a job's servers answer is checked before it starts, with a time limit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.errors import CannotRunError
from engine.plan.resolve import resolve
from engine.plan.selection import Selection
from engine.profile import catalog
from engine.profile.component import Query
from engine.survey import network_check
from engine.survey.survey import Surveyor
from tests.helpers import catalog_of, folders_in

STEP = "step: engine.steps.download:download\ncost: {fetch: 1 MB}\n"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextmanager
def listening() -> Iterator[str]:
    """Address of a server that accepts connections and nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def dead() -> str:
    """Host and port without a listener."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def check(tmp_path: Path, files: Mapping[str, str], **env: str) -> None:
    """Check a plan for the component `one`."""
    ours = catalog_of(tmp_path / "profile", files)
    plan = resolve(ours, Selection(Query(("one",)), env=env))
    seen = Surveyor(ours, folders_in(tmp_path / "home")).survey(plan)
    assert not seen.problems()
    network_check.refuse_unreachable(plan, seen, ours)


def fetching(*urls: str, more: str = "") -> str:
    """A component that downloads from these mirrors."""
    return f"tags: [one]\nsummary: Things\n{STEP}options:\n  url: {{type: list, default: {list(urls)}}}\n{more}"


def test_a_server_that_answers(tmp_path: Path) -> None:
    with listening() as server:
        check(tmp_path, {"one": "name: one\n" + fetching(f"http://{server}/a/{{name}}")})


def test_a_server_that_does_not(tmp_path: Path) -> None:
    with pytest.raises(CannotRunError) as caught:
        check(tmp_path, {"one": "name: one\n" + fetching(f"http://me:secret@{dead()}/a?token=secret")})
    assert caught.value.what == "can't fetch Things: 127.0.0.1: connection refused"
    assert caught.value.remedy == "check the network and the proxy (HTTPS_PROXY)"


def test_what_the_survey_says_can_be_given_instead(tmp_path: Path) -> None:
    code = "from engine.step import Sight\n\ndef seen(look):\n    return Sight('run', remedy='put it next to')\n"
    (tmp_path / "profile" / "components").mkdir(parents=True)
    (tmp_path / "profile" / "components" / "look.py").write_text(code)
    with pytest.raises(CannotRunError) as caught:
        check(tmp_path, {"one": "name: one\nsurvey: look.py:seen\n" + fetching(f"http://{dead()}/a")})
    assert caught.value.remedy == "check the network and the proxy (HTTPS_PROXY); or put it next to"


def test_one_mirror_is_enough(tmp_path: Path) -> None:
    with listening() as server:
        check(tmp_path, {"one": "name: one\n" + fetching(f"http://{dead()}/a", f"http://{server}/a")})


def test_each_list_of_addresses_needs_one(tmp_path: Path) -> None:
    more = f"  pictures: {{type: list, default: ['http://{dead()}/{{name}}']}}\n"
    with listening() as server, pytest.raises(CannotRunError, match="can't fetch Things: 127"):
        check(tmp_path, {"one": "name: one\n" + fetching(f"http://{server}/a", more=more)})


@pytest.mark.parametrize(
    "url", ["file:///x", "http://[::1", "http:///x", "http://127.0.0.1:99999999/x", "gopher://x/y"]
)
def test_addresses_that_need_no_server_or_are_none(url: str, tmp_path: Path) -> None:
    check(tmp_path, {"one": "name: one\n" + fetching(url)})
    check(tmp_path, {"one": "name: one\n" + fetching(url, f"http://{dead()}/a")})


def test_what_is_not_fetched_is_not_asked_for(tmp_path: Path) -> None:
    text = fetching(f"http://{dead()}/a").replace("cost: {fetch: 1 MB}\n", "")
    check(tmp_path, {"one": f"name: one\n{text}"})


def test_a_name_that_cannot_be_resolved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "create_connection", unknown)
    with pytest.raises(CannotRunError, match=r"things\.example: the host name cannot be resolved\n"):
        check(tmp_path, {"one": "name: one\n" + fetching("https://things.example/a")})


def test_a_wall_that_swallows_everything_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    over = threading.Event()

    def swallow(*_: object, **__: object) -> None:
        over.wait()
        raise TimeoutError

    monkeypatch.setattr(network_check, "SECONDS", 0.05)
    monkeypatch.setattr(socket, "create_connection", swallow)
    try:
        with pytest.raises(CannotRunError, match="no answer in time"):
            check(tmp_path, {"one": "name: one\n" + fetching("https://things.example/a")})
    finally:
        over.set()


def test_a_proxy_is_what_must_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = {"one": "name: one\n" + fetching("https://things.invalid/a")}
    with listening() as server:
        monkeypatch.setenv("https_proxy", f"http://me:secret@{server}")
        check(tmp_path, text)
        monkeypatch.setenv("https_proxy", server)
        check(tmp_path, text)
    monkeypatch.setenv("https_proxy", f"http://me:secret@{dead()}")
    with pytest.raises(CannotRunError, match=r"things\.invalid: through the proxy 127\.0\.0\.1: connection refused\n"):
        check(tmp_path, text)
    with listening() as server:
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        check(tmp_path, {"one": "name: one\n" + fetching(f"https://{server}/a")})


def test_the_option_that_gives_a_place_instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(network_check, "_failures", lambda servers: dict.fromkeys(servers, "no route to host"))
    ours = catalog.load([])
    plan = resolve(ours, Selection(Query(("get", "dataset", "openimages", "original"), ("full",))))
    seen = Surveyor(ours, folders_in(tmp_path)).survey(plan)
    with pytest.raises(CannotRunError) as caught:
        network_check.refuse_unreachable(plan, seen, ours)
    assert caught.value.what.endswith(": github.com, open-images-dataset.s3.amazonaws.com: no route to host")
    assert caught.value.remedy.endswith("; or give a local copy: --env.OPENIMAGES_PATH=PATH")
    assert len(str(caught.value).splitlines()) == 2

    annotations_only = lambda servers: {one: "no route" for one in servers if one[0] == "github.com"}  # noqa: E731
    monkeypatch.setattr(network_check, "_failures", annotations_only)
    with pytest.raises(CannotRunError) as caught:
        network_check.refuse_unreachable(plan, seen, ours)
    assert "amazonaws" not in caught.value.what
    assert caught.value.remedy.endswith("; or give a local copy: --env.OPENIMAGES_PATH=PATH")
