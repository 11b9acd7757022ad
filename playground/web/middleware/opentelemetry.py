"""A span of OpenTelemetry for every HTTP request (experimental, as in Starlette).

It decides which requests are traced and what a span is called and holds, by OpenTelemetry's conventions
for HTTP servers. Where spans go is decided by the app, which configures a provider; without one, nothing
is done here.
"""

import re
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final

try:
    from opentelemetry import metrics, propagate, trace
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode
except ImportError as error:
    raise ImportError(
        "OpenTelemetryMiddleware needs the package opentelemetry-api. Run `pip install opentelemetry-api`."
    ) from error

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.web.datastructures import URL, Headers

__all__ = ["OpenTelemetryMiddleware"]

# Says in a scope that another of us, further out, has decided about this request.
_DECIDED_KEY: Final = "playground.opentelemetry"

# Semantic conventions for HTTP, `http.request.method`: what is none of these is `_OTHER`, so that clients
# cannot fill a store with names of their own.
_METHODS: Final = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"))


class OpenTelemetryMiddleware:
    """Trace requests; several on one request's way make one span.

    Args:
        app: the app inside.
        excluded_urls: patterns, as a sequence or with commas between them; a request whose URL one of them
            is found in is not traced.
        tracer_provider: who makes spans; if not given, the global provider at the time of the request.
        meter_provider: taken for the sake of those that give one; no metrics are recorded yet.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        excluded_urls: str | Sequence[str] = (),
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        patterns = excluded_urls.split(",") if isinstance(excluded_urls, str) else excluded_urls
        self.app = app
        self.tracer_provider = tracer_provider
        self.meter_provider = meter_provider
        self._excluded = [re.compile(pattern.strip()) for pattern in patterns if pattern.strip()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        provider = self.tracer_provider or trace.get_tracer_provider()
        if scope["type"] != "http" or _DECIDED_KEY in scope or isinstance(provider, trace.NoOpTracerProvider):
            await self.app(scope, receive, send)
            return
        scope[_DECIDED_KEY] = True
        try:
            if self._excluded and self._is_excluded(str(URL(scope=scope))):
                await self.app(scope, receive, send)
            else:
                await self._trace(provider.get_tracer("playground.web"), scope, receive, send)
        finally:
            del scope[_DECIDED_KEY]

    def _is_excluded(self, url: str) -> bool:
        return any(pattern.search(url) for pattern in self._excluded)

    async def _trace(self, tracer: trace.Tracer, scope: Scope, receive: Receive, send: Send) -> None:
        attributes = _request_attributes(scope)
        method = attributes["http.request.method"]
        name = "HTTP" if method == "_OTHER" else str(method)
        parent = propagate.extract(dict(Headers(raw=list(scope["headers"])).items()))
        span = tracer.start_span(name, context=parent, kind=SpanKind.SERVER, attributes=attributes)
        root_path = scope.get("root_path", "")
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                await self.app(scope, receive, _Watch(span, send))
        except Exception as error:
            span.record_exception(error)
            _set_error(span, type(error).__qualname__)
            raise
        finally:
            route = _route(scope, root_path)
            if route:
                span.update_name(f"{name} {route}")
                span.set_attribute("http.route", route)
            span.end()


class _Watch:
    """A `send` that tells the span the status."""

    __slots__ = ("_send", "_span")

    def __init__(self, span: Span, send: Send) -> None:
        self._span = span
        self._send = send

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            status = message["status"]
            self._span.set_attribute("http.response.status_code", status)
            if status >= 500:
                _set_error(self._span, str(status))
        return self._send(message)


def _set_error(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))


def _request_attributes(scope: Scope) -> Mapping[str, Any]:
    """What is known of a request before it is answered."""
    method = scope["method"].upper()
    known = method in _METHODS
    url = URL(scope=scope)
    client = scope.get("client")
    attributes = {
        "http.request.method": method if known else "_OTHER",
        "http.request.method_original": None if known and method == scope["method"] else scope["method"],
        "url.path": scope["path"],
        "url.scheme": scope.get("scheme", "http"),
        "url.query": scope["query_string"].decode("latin-1") or None,
        "network.protocol.version": scope.get("http_version"),
        "client.address": client[0] if client else None,
        "user_agent.original": Headers(raw=list(scope["headers"])).get("user-agent"),
        "server.address": url.hostname,
        "server.port": url.port or {"http": 80, "https": 443}.get(url.scheme) if url.hostname else None,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _route(scope: Scope, root_path: str) -> str:
    """The pattern of the route that answered, below those that it is mounted in; empty if there is none."""
    route = scope.get("route")
    pattern = getattr(route, "path_format", None) if hasattr(route, "methods") else ""
    mounted: str = scope.get("root_path", "").removeprefix(root_path)
    return mounted + (pattern or "") if route is not None else ""
