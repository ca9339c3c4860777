"""The web server behind `inferdeck serve`: textual-serve with a lock on its door.

A page that steers a terminal must not be steered by others. The address carries a key; the browser keeps it in a cookie
that no other site's request brings along, and a request that another page sent is refused.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web
from textual_serve.server import Server

from tui.serve import Serving

COOKIE = "inferdeck-key"

_POLICY = "default-src 'self' 'unsafe-inline' data: blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
"""Nothing comes from elsewhere (textual-serve would fetch a font), and no other page shows this one."""

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

    async def application(self) -> web.Application:
        """Return the application, locked."""
        made = await self._make_app()
        assert isinstance(made, web.Application)
        made.middlewares.append(self._lock)
        return made

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: what a person must know is said by tui/serve.py."""

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """Return the page, whose links go to the place that the browser asked: a tunnel may have another port."""
        self.public_url = f"{request.scheme}://{request.host}"
        answer = await super().handle_index(request)
        assert isinstance(answer, web.StreamResponse)
        answer.headers["Content-Security-Policy"] = _POLICY
        return answer

    @web.middleware
    async def _lock(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.host:
            raise web.HTTPForbidden(text="asked by another page")
        if self._fits(request.query.get("key")):
            answer = web.Response(status=302, headers={"Location": request.path})
            answer.set_cookie(COOKIE, self._key, httponly=True, samesite="Strict")
            return answer
        if not self._fits(request.cookies.get(COOKIE)):
            raise web.HTTPForbidden(text="open the whole address that inferdeck serve printed, with its key")
        return await handler(request)

    def _fits(self, key: str | None) -> bool:
        return key is not None and hmac.compare_digest(key.encode(), self._key.encode())
