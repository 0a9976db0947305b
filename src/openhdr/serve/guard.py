"""Who may ask: only the page that this server has sent, opened by whoever can read the terminal.

A page of another site must not reach the server by its address, by a name that it lets point here (DNS rebinding), or
by a form or an image. So: the Host header has to name this server; a request that a browser marks as another site's is
refused; and everything but the page's own files needs the token of this start, which travels in a header that no form
can set.
"""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_HEADER = "x-openhdr-token"

POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob:", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    )
)  # fmt: skip

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """ASGI middleware. hosts: names that the Host header may have, without port; empty = any. token: of this start."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], token: str) -> None:
        self.app, self.hosts, self.token = app, hosts, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self.refused(scope, Headers(scope=scope))
        answer = self.app if refused is None else refused
        await answer(scope, receive, send_with_headers)

    def refused(self, scope: MutableMapping[str, Any], headers: Headers) -> PlainTextResponse | None:
        """The answer to a request that is none of ours; None = it is."""
        host = headers.get("host", "")
        if self.hosts and host.rpartition(":")[0] not in self.hosts and host not in self.hosts:
            return PlainTextResponse("unknown host", 400)
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return PlainTextResponse("another site's request", 403)
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return PlainTextResponse("another site's request", 403)
        if scope["path"].startswith("/api/"):
            given = headers.get(TOKEN_HEADER, "")
            if not secrets.compare_digest(given.encode(), self.token.encode()):
                return PlainTextResponse("open the address that openhdr serve has printed", 403)
        return None
