"""Headers that no client and no server puts on the wire went through the virtual transport as they were.

An app could send `x-a: 1\\r\\nset-cookie: b` to its client, and a client to its app: h11 and httptools refuse both, so
what worked in a notebook was a 500 on a server, and a response split in two looked like one.
"""

import asyncio

import httpx
import pytest

from playground.asgi import Receive, Scope, Send
from playground.errors import ProtocolError, UsageError
from playground.transport import ASGITransport, Exchange, http_scope
from playground.transport.websocket import handshake_scope
from tests.web.exchange import exactly


def _answer(*fields: tuple[bytes, bytes]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": fields})

    asyncio.run(Exchange(app, http_scope("GET", b"/")).complete())


def _request(method: str, fields: list[tuple[bytes, bytes]]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("never called")

    async def main() -> None:
        async with httpx.AsyncClient(transport=ASGITransport(app)) as client:
            await client.request(method, "http://h/x", headers=fields)

    asyncio.run(main())


def test_an_apps_value_with_a_line_break_is_refused() -> None:
    message = (
        "GET /: expected header values without line breaks, but `http.response.start` holds b'1\\r\\nb: c' as b'x-a'. "
        "Remove line breaks and other control characters from it, or encode them."
    )
    with pytest.raises(ProtocolError, match=exactly(message)):
        _answer((b"x-a", b"1\r\nb: c"))


def test_an_apps_name_that_is_no_token_is_refused() -> None:
    message = (
        "GET /: expected header names that are tokens, but `http.response.start` holds b'x a'. "
        "Write letters, digits and hyphens alone."
    )
    with pytest.raises(ProtocolError, match=exactly(message)):
        _answer((b"x a", b"1"))


def test_headers_that_are_no_list_are_refused() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": 7})

    message = (
        "GET /: expected `headers` of (name, value) pairs of bytes, but `http.response.start` holds 7. "
        'Write b"name", or encode the text as latin-1.'
    )
    with pytest.raises(ProtocolError, match=exactly(message)):
        asyncio.run(Exchange(app, http_scope("GET", b"/")).complete())


def test_a_clients_value_with_a_line_break_is_refused() -> None:
    message = (
        "GET /x: expected header values without line breaks, and without blanks around them, but b'a' has "
        "b'1\\nb: c'. Strip it. Remove line breaks and other control characters from it, or encode them."
    )
    with pytest.raises(httpx.LocalProtocolError, match=exactly(message)):
        _request("GET", [(b"a", b"1\nb: c")])


def test_a_clients_method_that_is_no_token_is_refused() -> None:
    message = "GE T /x: expected a method that is a token, but it is 'GE T'. Write letters alone."
    with pytest.raises(httpx.LocalProtocolError, match=exactly(message)):
        _request("GE T", [])


def test_a_clients_name_that_is_no_token_is_refused() -> None:
    message = (
        "GET /x: expected header names that are tokens, but one is b'a b'. Write letters, digits and hyphens alone."
    )
    with pytest.raises(httpx.LocalProtocolError, match=exactly(message)):
        _request("GET", [(b"a b", b"1")])


def test_a_handshake_that_no_client_could_send_is_refused() -> None:
    """They were `UnicodeEncodeError`, or went through as they were: two subprotocols for one, by a comma."""
    message = "WS '/': expected text that can be encoded, but 'ł' is not all of latin-1. Encode it."
    with pytest.raises(UsageError, match=exactly(message)):
        handshake_scope("/", headers=[("a", "ł")])
    message = (
        "WS '/': expected subprotocols that are tokens, but one is 'a, b'. Write letters, digits and hyphens alone."
    )
    with pytest.raises(UsageError, match=exactly(message)):
        handshake_scope("/", subprotocols=["a, b"])


def test_a_host_of_ones_own_stands_in_place_of_the_handshakes() -> None:
    """There were two, and apps read the first, which was not the one that was asked for."""
    scope = handshake_scope("/", headers={"Host": "ann.example"})
    assert [value for name, value in scope["headers"] if name == b"host"] == [b"ann.example"]
    message = "WS '/': expected one `host` header, but there are 2. Send the one that is meant."
    with pytest.raises(UsageError, match=exactly(message)):
        handshake_scope("/", headers=[("host", "a"), ("Host", "b")])


def test_a_path_of_a_handshake_is_quoted_where_it_must_be() -> None:
    scope = handshake_scope("/é a%20?q=ü")
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/é a ", b"/%C3%A9%20a%20", b"q=%C3%BC")
