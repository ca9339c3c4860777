"""The web server of `inferdeck serve`: textual-serve with access control.

A page that controls a terminal needs protection. The address carries a key; the browser keeps it in a cookie
that no other site's request brings along, and a request that another page sent is refused.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from hashlib import sha256
from ipaddress import ip_address
from socket import getfqdn, gethostname

from aiohttp import web
from textual_serve.server import Server

from engine.text import to_bytes
from tui.serving import LOOPBACK, Serving

_INLINE = re.compile(r"<script>(.*?)</script>|onclick=\"([^\"]*)\"", re.DOTALL | re.IGNORECASE)
"""The scripts that stand in textual-serve's page itself."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def run(serving: Serving, announce: Callable[[], None]) -> None:
    """Serve until interrupted; call `announce` when the page can be opened. Raises OSError where the address can't be
    taken."""
    page = Page(serving)
    web.run_app(page.application(), host=serving.host, port=serving.port, print=lambda *_: announce(), access_log=None)


class Page(Server):
    """One application, a process for each tab."""

    def __init__(self, serving: Serving) -> None:
        super().__init__(serving.command, host=serving.host, port=serving.port, title="inferdeck")
        self._key = serving.key
        self._cookie = f"inferdeck-key-{serving.port}"
        """Browsers send cookies to every port of a host: two servers must not take each other's."""
        self._names = {*LOOPBACK, serving.host, *(() if serving.host in LOOPBACK else (gethostname(), getfqdn()))}

    async def application(self) -> web.Application:
        """Return the application with access control."""
        made = await self._make_app()
        assert isinstance(made, web.Application)
        made.middlewares.append(self._lock)
        return made

    async def on_startup(self, app: web.Application) -> None:
        """Print nothing: tui/serve.py prints what a user needs."""

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """Return the page, whose links go to the place that the browser asked: a tunnel may have another port."""
        self.public_url = f"{request.scheme}://{request.host}"
        answer = await super().handle_index(request)
        assert isinstance(answer, web.Response)
        answer.headers["Content-Security-Policy"] = _policy(answer.text or "", request.host)
        return answer

    @web.middleware
    async def _lock(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._is_ours(request.url.host or ""):
            raise web.HTTPForbidden(text="the host name of the request is not this machine's")
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.host:
            raise web.HTTPForbidden(text="the request came from another page")
        if self._fits(request.query.get("key")):
            answer = web.Response(status=302, headers={"Location": request.path})
            answer.set_cookie(self._cookie, self._key, httponly=True, samesite="Strict")
            return answer
        if not self._fits(request.cookies.get(self._cookie)):
            raise web.HTTPForbidden(text="open the whole address that inferdeck serve printed, including its key")
        return await handler(request)

    def _is_ours(self, host: str) -> bool:
        """Say whether a page of this host can be ours. A name that its owner lets point here (DNS rebinding) is not."""
        try:
            ip_address(host)
        except ValueError:
            return host in self._names
        return True

    def _fits(self, key: str | None) -> bool:
        return key is not None and hmac.compare_digest(to_bytes(key), self._key.encode())


def _policy(page: str, host: str) -> str:
    """Return what the page may do: nothing comes from elsewhere (textual-serve would fetch a font), no other page shows
    this one, and of scripts within it only its own run. Its terminal makes style sheets of its own."""
    scripts = " ".join(f"'sha256-{_sha256(one[1] or one[2])}'" for one in _INLINE.finditer(page))
    return "; ".join(
        (
            "default-src 'self' data: blob:",
            f"script-src 'self' 'unsafe-hashes' {scripts}",
            "style-src 'self' 'unsafe-inline'",
            f"connect-src 'self' ws://{host} wss://{host}",
            "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        )
    )


def _sha256(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
