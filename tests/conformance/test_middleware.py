"""The layers that judge by headers say what Starlette's say, message for message.

What they are asked is drawn from the words that matter to them and from words that nearly do.
"""

from typing import Any

import pytest
import starlette.middleware.body_limit
import starlette.middleware.cors
import starlette.middleware.gzip
import starlette.middleware.httpsredirect
import starlette.middleware.trustedhost
import starlette.responses
from hypothesis import given
from hypothesis import strategies as st

import playground.web.middleware.body_limit
import playground.web.middleware.cors
import playground.web.middleware.gzip
import playground.web.middleware.httpsredirect
import playground.web.middleware.trustedhost
import playground.web.responses
from playground.asgi import Message
from tests.web.exchange import call, request_message

Headers = dict[str, str]


def raw(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def sent(layer: Any, responses: Any, headers: Headers, response: Headers, body: str, **scope: Any) -> list[Message]:
    """What is sent by a layer around an app that answers with this response; headers in one order."""
    app = responses.PlainTextResponse(body, headers=response)
    messages = call(layer(app), headers=raw(headers), **scope).sent
    return [{**message, "headers": sorted(message.get("headers", ()))} for message in messages]


def subsets(*words: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), unique=True, max_size=3)


def some(**values: st.SearchStrategy[str]) -> st.SearchStrategy[Headers]:
    """Headers that may be there."""
    return st.fixed_dictionaries({}, optional={name.replace("_", "-"): value for name, value in values.items()})


ORIGINS = ("https://a.org", "https://b.org", "https://A.org", "null", "https://a.org.evil.org", "")
HEADER_LISTS = ("X-One", "x-one, X-Two", "Content-Type", "accept ,x-one", "", ",", "X-Three")


@given(
    options=st.fixed_dictionaries(
        {},
        optional={
            "allow_origins": subsets("*", "https://a.org", "https://b.org"),
            "allow_methods": subsets("*", "GET", "PUT"),
            "allow_headers": subsets("*", "X-One", "x-two"),
            "expose_headers": subsets("X-One", "b"),
            "allow_credentials": st.booleans(),
            "allow_private_network": st.booleans(),
            "allow_origin_regex": st.sampled_from([r"https://.*\.org", "null", ""]),
            "max_age": st.integers(0, 9),
        },
    ),
    method=st.sampled_from(["OPTIONS", "GET", "PUT"]),
    headers=some(
        origin=st.sampled_from(ORIGINS),
        access_control_request_method=st.sampled_from(["GET", "PUT", "CUSTOM", "get"]),
        access_control_request_headers=st.sampled_from(HEADER_LISTS),
        access_control_request_private_network=st.sampled_from(["true", "false"]),
        cookie=st.just("a=b"),
    ),
    response=some(vary=st.sampled_from(["Accept", "a, b"]), access_control_allow_origin=st.just("x")),
)
def test_cors(options: dict[str, Any], method: str, headers: Headers, response: Headers) -> None:
    ours = sent(
        lambda app: playground.web.middleware.cors.CORSMiddleware(app, **options),
        playground.web.responses,
        headers,
        response,
        "body",
        method=method,
    )
    theirs = sent(
        lambda app: starlette.middleware.cors.CORSMiddleware(app, **options),
        starlette.responses,
        headers,
        response,
        "body",
        method=method,
    )
    assert ours == theirs


HOSTS = (
    "a.org", "A.ORG:80", "www.a.org", "x.b.org", "x.y.b.org", "b.org", ".b.org", "evilb.org", "", "a.org.", "a b",
    "[::1]", "[::1]:99", "[:::]", "[::1", "a.org:", "a.org:x", "a.org:65536", "a.org:99999999999",
    "user@a.org", "a.org/x",
)  # fmt: skip


@given(
    allowed=st.lists(st.sampled_from(["a.org", "A.org", "www.a.org", "*.b.org", "[::1]"]), max_size=3),
    redirect=st.booleans(),
    host=st.sampled_from(HOSTS),
    kind=st.sampled_from(["http", "websocket"]),
)
def test_trusted_hosts(allowed: list[str], redirect: bool, host: str, kind: str) -> None:
    arguments: Any = (allowed, redirect)
    ours = sent(
        lambda app: playground.web.middleware.trustedhost.TrustedHostMiddleware(app, *arguments),
        playground.web.responses,
        {"host": host},
        {},
        "body",
        type=kind,
    )
    theirs = sent(
        lambda app: starlette.middleware.trustedhost.TrustedHostMiddleware(app, *arguments),
        starlette.responses,
        {"host": host},
        {},
        "body",
        type=kind,
    )
    assert ours == theirs


@given(
    scheme=st.sampled_from(["http", "https", "ws", "wss"]),
    host=st.sampled_from(HOSTS),
    server=st.sampled_from([None, ("a.org", 80), ("::1", 8000), ("a.org", 443)]),
    path=st.sampled_from(["/", "/a b", "/%C3", "//x", "/a?b"]),
)
def test_https_redirects(scheme: str, host: str, server: Any, path: str) -> None:
    more = {"scheme": scheme, "server": server, "path": path, "type": "http" if "http" in scheme else "websocket"}
    ours = sent(
        playground.web.middleware.httpsredirect.HTTPSRedirectMiddleware,
        playground.web.responses,
        {"host": host},
        {},
        "body",
        **more,
    )
    theirs = sent(
        starlette.middleware.httpsredirect.HTTPSRedirectMiddleware,
        starlette.responses,
        {"host": host},
        {},
        "body",
        **more,
    )
    assert ours == theirs


@pytest.mark.slow
@given(
    minimum_size=st.integers(0, 30),
    accepts=some(accept_encoding=st.sampled_from(["gzip", "br, gzip", "identity", "deflate, gzip;q=0.5"])),
    response=some(
        vary=st.just("Origin"),
        content_encoding=st.just("br"),
        content_type=st.sampled_from(
            ["image/png", "image/svg+xml", "Text/Event-Stream; x=y", "application/grpc+a", "x"]
        ),
    ),
    size=st.integers(0, 40),
)
def test_gzip(minimum_size: int, accepts: Headers, response: Headers, size: int) -> None:
    ours = sent(
        lambda app: playground.web.middleware.gzip.GZipMiddleware(app, minimum_size),
        playground.web.responses,
        accepts,
        response,
        "x" * size,
    )
    theirs = sent(
        lambda app: starlette.middleware.gzip.GZipMiddleware(app, minimum_size),
        starlette.responses,
        accepts,
        response,
        "x" * size,
    )
    assert ours == theirs


@given(
    limit=st.integers(0, 12),
    pieces=st.lists(st.integers(0, 6), min_size=1, max_size=3),
    headers=some(content_length=st.sampled_from(["0", "5", "12", "13", "nine", "-1", "007"])),
)
def test_body_limits(limit: int, pieces: list[int], headers: Headers) -> None:
    def outcome(layer: Any) -> tuple[list[Message], int, str]:
        read = 0

        async def app(scope: Any, receive: Any, send: Any) -> None:
            nonlocal read
            while True:
                message = await receive()
                read += len(message["body"])
                if not message["more_body"]:
                    break
            await playground.web.responses.PlainTextResponse("read")(scope, receive, send)

        messages = [request_message(b"x" * size, more_body=n < len(pieces)) for n, size in enumerate(pieces, 1)]
        exchange = call(layer(app, max_body_size=limit), headers=raw(headers), method="POST", messages=messages)
        return exchange.sent, read, repr(exchange.error)

    assert outcome(playground.web.middleware.body_limit.RequestBodyLimitMiddleware) == outcome(
        starlette.middleware.body_limit.RequestBodyLimitMiddleware
    )
