"""Which other sites' pages may call an app, said in the headers of the Fetch standard.

It decides what a browser is told: it answers the question that comes ahead of a request (a preflight) by
itself, and adds headers to every other response. Enforcing them is the browser's affair, so a request that
is not allowed still reaches the app.
"""

import re
from collections.abc import Awaitable, Collection
from functools import partial
from typing import Final

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.web.datastructures import Headers, MutableHeaders
from playground.web.responses import PlainTextResponse, Response

from ._start import with_own_headers
from .errors import ERROR_SEND_KEY

__all__ = ["ALL_METHODS", "SAFELISTED_HEADERS", "CORSMiddleware"]

ALL_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")
# Fetch, "CORS-safelisted request-header": a page may always set these.
SAFELISTED_HEADERS: Final = {"Accept", "Accept-Language", "Content-Language", "Content-Type"}

# Everything in a request that the answer to a preflight depends on.
_PREFLIGHT_VARY: Final = (
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network"
)


class CORSMiddleware:
    """Allow pages of other origins to use an app.

    The headers are on a 500 too, if the app's own error layer makes it.

    Args:
        app: the app inside.
        allow_origins: origins such as `https://example.org`, or `["*"]` for any.
        allow_methods: methods, or `["*"]` for all that are in common use.
        allow_headers: request headers beside those that are always allowed, or `["*"]` for any.
        allow_credentials: whether cookies and other credentials may come along.
        allow_origin_regex: a pattern that matches the whole of an allowed origin.
        allow_private_network: whether pages of public networks may call an app in a private one.
        expose_headers: response headers that pages may read.
        max_age: for how many seconds a browser may remember the answer to a preflight.
    """

    def __init__(
        self,
        app: ASGIApp,
        allow_origins: Collection[str] = (),
        allow_methods: Collection[str] = ("GET",),
        allow_headers: Collection[str] = (),
        allow_credentials: bool = False,
        allow_origin_regex: str | None = None,
        allow_private_network: bool = False,
        expose_headers: Collection[str] = (),
        max_age: int = 600,
    ) -> None:
        self.app = app
        self.allow_origins = allow_origins
        self.allow_all_origins = "*" in allow_origins
        self.allow_origin_regex = None if allow_origin_regex is None else re.compile(allow_origin_regex)
        self.allow_methods = ALL_METHODS if "*" in allow_methods else allow_methods
        self.allow_all_headers = "*" in allow_headers
        names = sorted(SAFELISTED_HEADERS | set(allow_headers))
        self.allow_headers = [name.lower() for name in names]
        self.allow_credentials = allow_credentials
        self.allow_private_network = allow_private_network
        # A browser takes "*" for an answer only if no credentials are in play.
        self.preflight_explicit_allow_origin = not self.allow_all_origins or allow_credentials
        self.simple_headers = self._simple_headers(expose_headers)
        self.preflight_headers = self._preflight_headers(names, max_age)

    def _simple_headers(self, expose_headers: Collection[str]) -> dict[str, str]:
        headers = {}
        if self.allow_all_origins:
            headers["Access-Control-Allow-Origin"] = "*"
        if self.allow_credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
        if expose_headers:
            headers["Access-Control-Expose-Headers"] = ", ".join(expose_headers)
        return headers

    def _preflight_headers(self, names: list[str], max_age: int) -> dict[str, str]:
        headers = {"Vary": _PREFLIGHT_VARY}
        if not self.preflight_explicit_allow_origin:
            headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Allow-Methods"] = ", ".join(self.allow_methods)
        headers["Access-Control-Max-Age"] = str(max_age)
        if not self.allow_all_headers:
            headers["Access-Control-Allow-Headers"] = ", ".join(names)
        if self.allow_credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
        return headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(raw=scope["headers"])
        if scope["method"] == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers:
            await self.preflight_response(headers)(scope, receive, send)
            return
        await self.simple_response(scope, receive, send, headers)

    def is_allowed_origin(self, origin: str) -> bool:
        if self.allow_all_origins or origin in self.allow_origins:
            return True
        pattern = self.allow_origin_regex
        return pattern is not None and pattern.fullmatch(origin) is not None

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a preflight: 200 if all that it asks for is allowed, else 400 with what is not."""
        origin = request_headers["origin"]
        asked = request_headers.get("access-control-request-headers")
        headers = dict(self.preflight_headers)
        failures = []
        if not self.is_allowed_origin(origin):
            failures.append("origin")
        elif self.preflight_explicit_allow_origin:
            headers["Access-Control-Allow-Origin"] = origin
        if request_headers["access-control-request-method"] not in self.allow_methods:
            failures.append("method")
        if asked is not None and self.allow_all_headers:
            headers["Access-Control-Allow-Headers"] = asked
        elif asked is not None and not all(name.strip().lower() in self.allow_headers for name in asked.split(",")):
            failures.append("headers")
        if "access-control-request-private-network" in request_headers:
            if self.allow_private_network:
                headers["Access-Control-Allow-Private-Network"] = "true"
            else:
                failures.append("private-network")
        if failures:
            return PlainTextResponse(f"Disallowed CORS {', '.join(failures)}", status_code=400, headers=headers)
        return PlainTextResponse("OK", status_code=200, headers=headers)

    async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Headers) -> None:
        """Have the app answer, and add headers to its response."""
        origin = request_headers.get("origin")
        try:
            await self.app(scope, receive, partial(self._send, send, origin))
        except Exception:
            scope[ERROR_SEND_KEY] = lambda outer: partial(self._send, outer, origin)
            raise

    def send(self, message: Message, send: Send, request_headers: Headers) -> Awaitable[None]:
        """Send a message on, with our headers if it starts the response."""
        return self._send(send, request_headers.get("origin"), message)

    def _send(self, send: Send, origin: str | None, message: Message) -> Awaitable[None]:
        # No coroutine function, for all but one message only pass through.
        if message["type"] == "http.response.start":
            message, headers = with_own_headers(message)
            self._add_headers(headers, origin)
        return send(message)

    def _add_headers(self, headers: MutableHeaders, origin: str | None) -> None:
        if origin is not None:
            headers.update(self.simple_headers)
            if self.preflight_explicit_allow_origin and self.is_allowed_origin(origin):
                headers["Access-Control-Allow-Origin"] = origin
        # On every response, or a cache might give one page's answer to another.
        headers.add_vary_header("Origin")

    @staticmethod
    def allow_explicit_origin(headers: MutableHeaders, origin: str) -> None:
        """Allow this origin, and tell caches that the answer depends on it."""
        headers["Access-Control-Allow-Origin"] = origin
        headers.add_vary_header("Origin")
