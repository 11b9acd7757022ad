"""Only requests for hosts that are ours.

It decides by the `Host` header, before anything is made of it: links in answers, and mails with such
links, are built from what it says. What a host is, and how it is written, `_hosts` knows.
"""

from collections.abc import Sequence
from typing import Final

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import UsageError
from playground.web._hosts import parse_host_header
from playground.web.datastructures import URL
from playground.web.responses import PlainTextResponse, RedirectResponse, Response

__all__ = ["ENFORCE_DOMAIN_WILDCARD", "TrustedHostMiddleware"]

ENFORCE_DOMAIN_WILDCARD: Final = "Domain wildcard patterns must be like '*.example.com'."

# How many spellings of allowed hosts are remembered; an app has few, but clients choose case and port.
_REMEMBERED: Final = 64


class TrustedHostMiddleware:
    """Answer 400 to requests for hosts that are not allowed.

    Args:
        app: the app inside.
        allowed_hosts: names; `*.example.com` for all names under one; IPv6 addresses in brackets; `*`
            for all. Case does not matter.
        www_redirect: whether to redirect a host that is allowed only with `www.` before it.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Sequence[str] | None = None, www_redirect: bool = True) -> None:
        hosts = ["*"] if allowed_hosts is None else [host.lower() for host in allowed_hosts]
        for host in hosts:
            if "*" in host[1:] or (host.startswith("*") and host != "*" and not host.startswith("*.")):
                raise UsageError(ENFORCE_DOMAIN_WILDCARD)
        self.app = app
        self.allowed_hosts = hosts
        self.allow_any = "*" in hosts
        self.www_redirect = www_redirect
        self._names = frozenset(hosts)
        self._endings = tuple(host[1:] for host in hosts if host.startswith("*."))
        self._remembered: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.allow_any or scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        header = next((value for name, value in scope["headers"] if name == b"host"), b"")
        if header in self._remembered:
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(header, scope)
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, header: bytes, scope: Scope) -> Response | None:
        """What to answer a request for another host; `None` if the host is ours."""
        parsed = parse_host_header(header.decode("latin-1"))
        if parsed is not None:
            host = parsed.host.lower()
            if self._is_allowed(host):
                if len(self._remembered) < _REMEMBERED:
                    self._remembered.add(header)
                return None
            if self.www_redirect and f"www.{host}" in self._names:
                url = URL(scope=scope)
                return RedirectResponse(url.replace(netloc=f"www.{url.netloc}"))
        return PlainTextResponse("Invalid host header", status_code=400)

    def _is_allowed(self, host: str) -> bool:
        return host in self._names or host.endswith(self._endings)
