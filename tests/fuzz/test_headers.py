"""Headers, between a client and an app: over the virtual transport they travel as by h11 and uvicorn, or not at all."""

from functools import partial
from typing import Any

import h11
import httpx
from hypothesis import strategies as st

from playground.asgi import Receive, Scope, Send
from playground.errors import ProtocolError, UsageError
from playground.transport import ASGITransport, Exchange, http_scope
from playground.transport.websocket import handshake_scope
from playground.web.datastructures import Headers, MutableHeaders
from tests.clock.virtually import virtually
from tests.fuzz.kit import attempt, fuzzed
from tests.fuzz.served import Connection

_signs = st.sampled_from(b'aZ09-_ \t\r\n\0:,;="\\/()\x01\x0b\x0c\x1f\x7f\x80\xe9\xff')
_bytes = st.lists(_signs, max_size=5).map(bytes)
_names = st.sampled_from([b"x-a", b"X-A", b"host", b"Host", b"accept", b"cookie", b"x-b", b"etag"]) | _bytes
_values = st.sampled_from([b"", b"1", b"a b", b"a\tb", b" a", b"a ", b"a, b", b'"\xe9"', b'W/"1"']) | _bytes
_fields = st.lists(st.tuples(_names, _values), max_size=4)

_paths = st.text("/a%2fé?#;=&+\\ :@[]{}|^\"<>`'~.", max_size=12)


@fuzzed(st.sampled_from(["GET", "get", "BREW", "GE T", "G\n", "é", ""]), _paths, _fields, examples=40)
def test_a_request_reaches_the_app_as_it_would_over_a_socket(
    method: str, path: str, fields: list[tuple[bytes, bytes]]
) -> None:
    try:
        request = httpx.Request(method, "http://testserver/" + path, headers=fields)
    except (httpx.InvalidURL, UnicodeEncodeError):
        return
    if "content-length" in request.headers:
        return
    sender = h11.Connection(h11.CLIENT)
    try:
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        data = sender.send(head)
        assert data is not None
        data += sender.send(h11.EndOfMessage()) or b""
    except (h11.LocalProtocolError, UnicodeEncodeError):
        assert _in_process(request) is None
        return
    over_the_socket = virtually(lambda: _over_a_socket(data)).result
    if over_the_socket is not None:  # else a server refuses what this client sends
        scope = _in_process(request)
        assert scope is not None
        assert {**scope, "headers": _host_first(scope["headers"])} == over_the_socket


def _host_first(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """In the order in which h11 writes them."""
    return sorted(fields, key=lambda pair: pair[0] != b"host")


_KEYS = ("type", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers")
_KEYS_TOO = ("client", "server")


async def _over_a_socket(data: bytes) -> dict[str, Any] | None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await _answer(send, [])

    connection = Connection(app)
    connection.say(data)
    await connection.finish()
    return {key: seen[0][key] for key in (*_KEYS, *_KEYS_TOO)} if seen else None


def _in_process(request: httpx.Request) -> dict[str, Any] | None:
    """The scope of a request, or `None` if the client is told that it cannot be sent."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await _answer(send, [])

    async def main() -> None:
        async with ASGITransport(app) as transport:
            response = await transport.handle_async_request(request)
            await response.aclose()

    _, refused = attempt(lambda: virtually(main), httpx.LocalProtocolError)
    if refused:
        assert ": expected " in refused
        assert refused.isprintable()
        return None
    return {key: seen[0][key] for key in (*_KEYS, *_KEYS_TOO)}


async def _answer(send: Send, fields: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body"})


@fuzzed(_fields, examples=40)
def test_an_answer_reaches_the_client_as_it_would_over_a_socket(fields: list[tuple[bytes, bytes]]) -> None:
    over_the_socket = virtually(lambda: _answered_over_a_socket(fields)).result
    exchange = Exchange(_sends(fields), http_scope("GET", b"/"))
    ran, refused = attempt(lambda: virtually(exchange.complete), ProtocolError)
    if refused:
        assert refused.startswith("GET /: expected header ")
        assert over_the_socket is None  # we are no stricter than uvicorn by h11 ...
        return
    if over_the_socket is not None:
        lower = [(name.lower(), value) for name, value in ran.result.headers]
        assert _host_first(lower) == [pair for pair in over_the_socket if pair[0] != b"transfer-encoding"]
        return
    for name, value in fields:  # ... and no laxer than all: httptools takes what follows, and hands it on
        assert name
        assert not any(byte <= 32 or byte == 127 or byte in b'()<>@,;:\\[]={}"' for byte in name)
        assert not set(value) & set(b"\0\r\n\v\f")


def _sends(fields: list[tuple[bytes, bytes]]) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await _answer(send, fields)

    return app


async def _answered_over_a_socket(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]] | None:
    client = h11.Connection(h11.CLIENT)
    request = client.send(h11.Request(method="GET", target="/", headers=[("host", "testserver")]))
    assert request is not None
    client.send(h11.EndOfMessage())
    connection = Connection(_sends(fields))
    connection.say(request)
    await connection.finish()
    if not connection.said:
        return None  # uvicorn closes the line where it has begun an answer
    client.receive_data(connection.said)
    head = client.next_event()
    return list(head.headers) if isinstance(head, h11.Response) and head.status_code == 200 else None


_texts = st.text(st.characters(max_codepoint=300), max_size=4) | st.sampled_from(
    ["x-a", "a\r\nb: c", "é", "ł", "host", "HOST"]
)


@fuzzed(st.lists(st.tuples(_texts, _texts), max_size=4), _texts, _texts)
def test_headers_hold_what_was_put_in_or_refuse_it(pairs: list[tuple[str, str]], name: str, value: str) -> None:
    """Whatever text is set, nothing of it ends a field, and what can be read again is what was written."""
    headers = MutableHeaders()
    expected: dict[str, str] = {}
    for key, text in [*pairs, (name, value)]:
        try:
            headers[key] = text
        except ValueError:
            assert any(sign in key + text for sign in "\r\n\0") or not _is_latin(key.lower() + text)
            continue
        assert _is_latin(key.lower() + text)
        expected[key.lower()] = text
    assert not any(set(part) & set(b"\r\n\0") for pair in headers.raw for part in pair)
    assert dict(headers.items()) == expected
    assert all(headers[key] == text == headers[key.upper().lower()] for key, text in expected.items() if key.isascii())
    assert Headers(raw=headers.raw) == headers == Headers(expected)


def _is_latin(text: str) -> bool:
    return all(ord(sign) < 256 for sign in text)


@fuzzed(st.lists(st.tuples(_texts, _texts), max_size=3), st.lists(_texts, max_size=2), _paths)
def test_a_handshake_is_made_whole_or_refused_in_words(
    pairs: list[tuple[str, str]], subprotocols: list[str], path: str
) -> None:
    make = partial(handshake_scope, "/" + path, headers=pairs, subprotocols=subprotocols)
    scope, refused = attempt(make, UsageError)
    if refused:
        assert refused.startswith(f"WS {'/' + path!r}: expected ")
        return
    own = [value for name, value in pairs if name.lower() == "host"]
    fields: list[tuple[bytes, bytes]] = scope["headers"]
    h11.Request(method="GET", target=scope["raw_path"] or b"?", headers=fields)  # is one, by h11's rules
    assert all(
        pair in fields
        for pair in ((b"host", own[0].encode("latin-1") if own else b"testserver"), (b"upgrade", b"websocket"))
    )
    offered = [value for name, value in fields if name == b"sec-websocket-protocol"]
    if subprotocols and not any(name.lower() == "sec-websocket-protocol" for name, _ in pairs):
        assert [one.strip().decode() for one in offered[0].split(b",")] == subprotocols
