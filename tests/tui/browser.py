"""Debian's headless Chromium, controlled over its debugging protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.tui.pty import Emulator

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_WAIT = 60.0


class Tab:
    """A page, what its web socket brought, and a keyboard."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, columns: int = 80, rows: int = 24) -> None:
        self.emulator = Emulator(columns, rows)
        self.requested: dict[str, str] = {}
        """The URLs that the page requested, by request number."""
        self.blocked: set[str] = set()
        """Numbers of the requests that the page's policy blocked."""
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read())

    async def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send a command of the protocol; returns its result."""
        self._number += 1
        future = asyncio.get_running_loop().create_future()
        self._answers[self._number] = future
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        return await asyncio.wait_for(future, _WAIT)

    async def open(self, address: str) -> None:
        """Go to a page."""
        await self.ask("Page.enable")
        await self.ask("Network.enable")
        await self.ask("Page.navigate", url=address)

    async def until(self, holds: Callable[[], bool], seconds: float = _WAIT) -> None:
        """Wait for a condition; fails with what the terminal in the page shows."""
        end = asyncio.get_running_loop().time() + seconds
        while not holds():
            assert asyncio.get_running_loop().time() < end, self.emulator.text()
            await asyncio.sleep(0.05)

    async def focus(self) -> None:
        """Focus the terminal in the page. A click would act on the screen, too."""
        await self.ask("Page.bringToFront")
        await self.ask("Runtime.evaluate", expression="document.querySelector('textarea').focus()")

    async def press(self, character: str) -> None:
        """Press and release a key."""
        await self.ask("Input.dispatchKeyEvent", type="keyDown", text=character, key=character)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", key=character)

    async def picture(self) -> bytes:
        """Return a screenshot of the page, as PNG."""
        return base64.b64decode((await self.ask("Page.captureScreenshot"))["data"])

    async def close(self) -> None:
        """Stop listening."""
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said.get("result", said.get("error", {})))
            elif said["method"] == "Network.requestWillBeSent":
                self.requested[said["params"]["requestId"]] = said["params"]["request"]["url"]
            elif said["method"] == "Network.loadingFailed" and said["params"].get("blockedReason") == "csp":
                self.blocked.add(said["params"]["requestId"])
            elif said["method"] == "Network.webSocketFrameReceived" and said["params"]["response"]["opcode"] == 2:
                self.emulator.feed(base64.b64decode(said["params"]["response"]["payloadData"]))
            elif said["method"] == "Network.webSocketCreated":
                self._set_size(said["params"]["url"])

    def _set_size(self, address: str) -> None:
        values = dict(pair.split("=") for pair in address.partition("?")[2].split("&") if "=" in pair)
        self.emulator = Emulator(int(values.get("width", 80)), int(values.get("height", 24)))


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Callable[[], Any]]:
    """Run a browser; yields a coroutine function that opens a new tab."""
    assert CHROMIUM is not None
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    command = [CHROMIUM, *options, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
    env = {**os.environ, "HOME": str(folder)}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    tabs: list[Tab] = []
    try:
        port = await _port(folder / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:

            async def tab() -> Tab:
                async with session.put(f"http://127.0.0.1:{port}/json/new?about:blank") as answer:
                    address = (await answer.json())["webSocketDebuggerUrl"]
                tabs.append(Tab(await session.ws_connect(address, max_msg_size=0)))
                return tabs[-1]

            yield tab
            for one in tabs:
                await one.close()
    finally:
        process.terminate()
        process.wait()


async def _port(file: Path) -> int:
    for _ in range(600):
        if file.exists() and file.read_text().strip():
            return int(file.read_text().split()[0])
        await asyncio.sleep(0.05)
    raise AssertionError("the browser did not start")
