"""`inferdeck serve`: its lock, and the page in a real browser."""

from __future__ import annotations

import asyncio
import io
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from PIL import Image

from engine.cli.arguments import parse
from engine.errors import RunError, UsageError
from tests.tui.pty import ROOT, environment, python
from tui.main import SERVE, main
from tui.serve import serve_command, serving_of

pytest.importorskip("textual_serve", reason="textual-serve is not installed (the extra 'web')")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """Run `inferdeck serve`; yields the address that it prints."""
    command = python("-m", "tui", "serve", f"--port={free_port()}", f"--home={home}")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment({}))
    assert process.stdout
    try:
        address = process.stdout.readline().split()[-1]
        process.stdout.readline()
        yield address
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def fetch(address: str, *, cookies: CookieJar | None = None, **headers: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(cookies if cookies is not None else None)
    )
    try:
        with opener.open(urllib.request.Request(address, headers=headers), timeout=20) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")


def test_only_the_whole_address_opens_the_page(tmp_path: Path) -> None:
    with serving(tmp_path) as address:
        bare = address.partition("?")[0]
        jar = CookieJar()
        assert fetch(bare)[0] == 403
        assert fetch(bare + "ws")[0] == 403
        assert fetch(bare + "?key=guessed")[0] == 403
        status, page = fetch(address, cookies=jar)
        assert status == 200
        assert "textual.js" in page
        assert fetch(bare, cookies=jar)[0] == 200
        assert fetch(bare, cookies=jar, Origin="http://elsewhere.example")[0] == 403


def test_a_name_that_is_not_this_machines_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as address:
        jar = CookieJar()
        assert fetch(address, cookies=jar)[0] == 200
        bare = address.partition("?")[0]
        port = bare.rstrip("/").rpartition(":")[2]
        assert [one.name for one in jar] == [f"inferdeck-key-{port}"]
        cookie = "; ".join(f"{one.name}={one.value}" for one in jar)
        for host, status in (("rebound.example", 403), (f"rebound.example:{port}", 403), (f"localhost:{port}", 200)):
            assert fetch(bare, Host=host, Cookie=cookie)[0] == status


def test_only_the_pages_own_scripts_run(tmp_path: Path) -> None:
    with serving(tmp_path) as address:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )
        with opener.open(address, timeout=20) as answer:
            policy = dict(
                one.strip().partition(" ")[::2] for one in answer.headers["Content-Security-Policy"].split(";")
            )
        assert "unsafe-inline" not in policy["script-src"] + policy["default-src"]
        assert policy["script-src"].count("sha256-") >= 2
        assert policy["connect-src"].split() == [
            "'self'",
            *(f"{one}://{address.split('/')[2]}" for one in ("ws", "wss")),
        ]


def test_behind_a_tunnel_the_page_leads_to_the_tunnels_port(tmp_path: Path) -> None:
    with serving(tmp_path) as address:
        jar = CookieJar()
        fetch(address, cookies=jar)
        _, page = fetch(address.partition("?")[0], cookies=jar, Host=f"{address.split('/')[2].split(':')[0]}:9000")
        assert "ws://127.0.0.1:9000/ws" in page


def test_each_tab_runs_the_screen_on_the_same_home() -> None:
    found = serving_of(parse(SERVE, ["--home=/somewhere/else", "--port=9000"]))
    assert found.command.endswith("-m tui --home=/somewhere/else")
    assert found.address.startswith("http://127.0.0.1:9000/?key=")
    assert serving_of(parse(SERVE, [])).key != serving_of(parse(SERVE, [])).key
    assert serving_of(parse(SERVE, ["--host=[::1]", "--port=80"])).address.startswith("http://[::1]:80/?key=")


@pytest.mark.parametrize("word", ["--port=many", "--port=0", "--prot=1", "again", "--host"])
def test_wrong_words_are_named(word: str) -> None:
    with pytest.raises(UsageError):
        parse(SERVE, [word])


def test_the_page_and_the_screen_have_help(capsys: pytest.CaptureFixture[str]) -> None:
    for words, shown in ((["serve", "--help"], "--port=N"), (["help", "screen"], "--no-mouse"), (["-h"], "serve")):
        assert main(words) == 0
        assert shown in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (["--ascci"], "unknown option '--ascci'", "'--ascii'"),
        (["--home=/x", "jobs"], "unexpected word 'jobs'", "the command comes first"),
        (["--driver=x"], "'x' is not a value of --driver", "diff, stock"),
        (["--mouse", "--no-mouse"], "contradict each other", "keep one"),
        (["serve", "--port=0"], "'0' is no number from 1 to 65535", "--port=N"),
        (["serve", "--theme=pink"], "there is no theme 'pink'", "inferdeck-dark"),
        (["--home= "], "begins or ends with a blank", "write it without"),
        (["--theme=pink"], "there is no theme 'pink'", "inferdeck-dark"),
        (["serv"], "no command 'serv'", "'serve'"),
    ],
)
def test_wrong_words_of_the_screen_are_two_lines(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    what: str,
    remedy: str,
) -> None:
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path))
    assert main(words) == 2
    said = capsys.readouterr().err
    assert what in said
    assert remedy in said


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tui.page", None)
    with pytest.raises(UsageError, match="inferdeck\\[web\\]"):
        serve_command(parse(SERVE, []))


@pytest.mark.parametrize("host", ["a..b", "a" * 300, "\udcff", "256.1.1.1", "nothing.invalid"])
def test_a_host_that_can_not_be_is_named(host: str) -> None:
    with pytest.raises(RunError, match="can't be served"):
        serve_command(parse(SERVE, [f"--host={host}"]))


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(RunError, match=r"127\.0\.0\.1:\d+ can't be served"):
            serve_command(parse(SERVE, [f"--port={other.getsockname()[1]}"]))


@pytest.mark.slow
def test_the_page_shows_the_screen_in_a_real_browser(tmp_path: Path) -> None:
    from tests.tui.browser import CHROMIUM, browser

    if CHROMIUM is None:
        pytest.skip("chromium is not installed")

    async def look(address: str) -> None:
        async with browser(tmp_path / "browser") as new_tab:
            first = await new_tab()
            await first.open(address)
            await first.until(lambda: "this machine" in first.emulator.text())
            await first.focus()
            await first.press("2")
            await first.until(lambda: "what will happen" in first.emulator.text())
            await asyncio.sleep(1)
            picture = Image.open(io.BytesIO(await first.picture()))
            colours = picture.convert("RGB").getcolors(1 << 24)
            assert colours is not None
            assert len(colours) > 20, "the page is not empty"
            sent = [one for number, one in first.requested.items() if number not in first.blocked]
            assert not [one for one in sent if not one.startswith((address.partition("?")[0], "data:", "blob:"))]
            second = await new_tab()
            await second.open(address.partition("?")[0])
            await second.until(lambda: "this machine" in second.emulator.text())

    with serving(tmp_path / "home") as address:
        asyncio.run(look(address))
