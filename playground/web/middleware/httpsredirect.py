"""Plain HTTP is sent to HTTPS, and `ws` to `wss`.

It decides where to: the same URL under the secure scheme, without a port that is the default of either.
"""

from typing import Final

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.web.datastructures import URL
from playground.web.responses import PlainTextResponse, RedirectResponse, Response

__all__ = ["HTTPSRedirectMiddleware"]

_SECURE: Final = {"http": "https", "ws": "wss"}


class HTTPSRedirectMiddleware:
    """Answer what came over a plain connection with a redirect."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["scheme"] not in _SECURE:
            await self.app(scope, receive, send)
            return
        await _redirect(scope)(scope, receive, send)


def _redirect(scope: Scope) -> Response:
    url = URL(scope=scope)
    if not url.netloc:
        return PlainTextResponse("Invalid host header", status_code=400)
    url = url.replace(scheme=_SECURE[scope["scheme"]])
    if url.port in (80, 443) and url.hostname is not None:
        url = url.replace(hostname=url.hostname, port=None)
    return RedirectResponse(url, status_code=307)
