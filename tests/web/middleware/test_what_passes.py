"""What a layer lets through as it is, and the rest of what CORS, trusted hosts, gzip and telemetry do."""

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.errors import UsageError
from playground.web.authentication import AuthenticationBackend
from playground.web.datastructures import Headers, MutableHeaders
from playground.web.middleware.authentication import AuthenticationMiddleware
from playground.web.middleware.body_limit import RequestBodyLimitMiddleware
from playground.web.middleware.cors import CORSMiddleware
from playground.web.middleware.gzip import GZipMiddleware
from playground.web.middleware.httpsredirect import HTTPSRedirectMiddleware
from playground.web.middleware.opentelemetry import OpenTelemetryMiddleware
from playground.web.middleware.sessions import SessionMiddleware
from playground.web.middleware.trustedhost import TrustedHostMiddleware
from playground.web.responses import PlainTextResponse
from tests.web.exchange import call, call_scope

SITE = PlainTextResponse("the site's " * 100)

LAYERS: dict[str, Callable[[ASGIApp], ASGIApp]] = {
    "authentication": lambda app: AuthenticationMiddleware(app, AuthenticationBackend()),
    "body limit": lambda app: RequestBodyLimitMiddleware(app, 1),
    "CORS": CORSMiddleware,
    "gzip": GZipMiddleware,
    "HTTPS": HTTPSRedirectMiddleware,
    "OpenTelemetry": OpenTelemetryMiddleware,
    "sessions": lambda app: SessionMiddleware(app, "secret"),
    "trusted hosts": lambda app: TrustedHostMiddleware(app, ["example.org"]),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_lifespan_goes_through_a_layer_untouched(name: str) -> None:
    met: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        met.append(dict(scope))
        await send({"type": "lifespan.startup.complete"})

    scope: dict[str, Any] = {"type": "lifespan", "state": {}}
    heard = call_scope(LAYERS[name](app), scope)
    assert heard.error is None
    assert (met, heard.sent) == ([{"type": "lifespan", "state": {}}], [{"type": "lifespan.startup.complete"}])


# -- trusted hosts --------------------------------------------------------------------------------------------


def asked_of(app: ASGIApp, host: str) -> tuple[int, str | None]:
    answer = call(app, "/a", headers=[(b"host", host.encode())])
    return answer.status, answer.headers.get("location")


def test_a_host_that_is_allowed_with_www_only_is_sent_there() -> None:
    app = TrustedHostMiddleware(SITE, ["www.example.org"])
    assert asked_of(app, "example.org:8000") == (307, "http://www.example.org:8000/a")
    assert asked_of(app, "example.com") == (400, None)
    kept = TrustedHostMiddleware(SITE, ["www.example.org"], www_redirect=False)
    assert asked_of(kept, "example.org") == (400, None)


def test_a_host_is_allowed_the_second_time_as_the_first() -> None:
    app = TrustedHostMiddleware(SITE, ["*.example.org"])
    assert [asked_of(app, host) for host in ("a.example.org", "a.example.org", "example.org")] == [
        (200, None),
        (200, None),
        (400, None),
    ]


@pytest.mark.parametrize("pattern", ["a.*.org", "*example.org", "example.*"])
def test_a_star_elsewhere_than_before_the_first_dot_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match=r"'\*\.example\.com'"):
        TrustedHostMiddleware(SITE, [pattern])


# -- CORS -----------------------------------------------------------------------------------------------------


def preflight(app: ASGIApp, *more: tuple[bytes, bytes]) -> tuple[int, dict[str, str], str]:
    headers = [(b"origin", b"https://page.org"), (b"access-control-request-method", b"GET"), *more]
    answer = call(app, "/", "OPTIONS", headers=headers)
    return answer.status, answer.headers, answer.text


def test_where_all_headers_are_allowed_those_asked_for_are_named() -> None:
    app = CORSMiddleware(SITE, allow_origins=["*"], allow_headers=["*"])
    status, headers, _ = preflight(app, (b"access-control-request-headers", b"X-One, X-Two"))
    assert (status, headers["access-control-allow-headers"]) == (200, "X-One, X-Two")


def test_a_private_network_is_opened_only_where_it_is_said() -> None:
    asked = (b"access-control-request-private-network", b"true")
    opened = preflight(CORSMiddleware(SITE, allow_origins=["*"], allow_private_network=True), asked)
    assert (opened[0], opened[1]["access-control-allow-private-network"]) == (200, "true")
    status, headers, text = preflight(CORSMiddleware(SITE, allow_origins=["*"]), asked)
    assert (status, text) == (400, "Disallowed CORS private-network")
    assert "access-control-allow-private-network" not in headers


def test_a_message_may_be_sent_through_cors_by_hand() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope: Scope, receive: Receive, outer: Send) -> None:
        start: Message = {"type": "http.response.start", "status": 200, "headers": []}
        await CORSMiddleware(SITE, allow_origins=["*"]).send(start, send, Headers({"origin": "https://page.org"}))

    assert call(app).error is None
    assert Headers(raw=sent[0]["headers"])["access-control-allow-origin"] == "*"
    headers = MutableHeaders()
    CORSMiddleware.allow_explicit_origin(headers, "https://page.org")
    assert (headers["access-control-allow-origin"], headers["vary"]) == ("https://page.org", "Origin")


# -- gzip and telemetry ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "coding"), [("text/plain", "gzip"), ("image/png", None), ("video/mp4", None)])
def test_what_is_compressed_already_is_not_compressed_again(kind: str, coding: str | None) -> None:
    answer = call(
        GZipMiddleware(PlainTextResponse("x" * 2000, media_type=kind)), headers=[(b"accept-encoding", b"gzip")]
    )
    assert answer.headers.get("content-encoding") == coding


def test_without_a_tracer_no_span_is_made() -> None:
    met: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        met.append(trace.get_current_span() is trace.INVALID_SPAN)
        await SITE(scope, receive, send)

    assert call(OpenTelemetryMiddleware(app, tracer_provider=trace.NoOpTracerProvider())).status == 200
    assert met == [True]
