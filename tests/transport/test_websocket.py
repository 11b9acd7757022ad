"""Websockets to an app: the handshake, and who waits for whom."""

from typing import Any

import anyio
import pytest

from playground.asgi import Receive, Scope, Send
from playground.errors import ConnectionClosed, ConnectionDenied, NoAnswer, ProtocolError, UsageError, WrongFrame
from playground.transport import connect
from playground.transport._app_side import BUFFER_BYTES
from playground.transport._dialogue import OVERHEAD_BYTES
from tests.transport.helpers import running_tasks, settle
from tests.transport.sockets import ACCEPT, app_of, echo, nothing, text, until_gone

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]


# The handshake.


async def test_the_app_is_told_what_the_client_asks_for() -> None:
    scopes = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await send({**ACCEPT, "subprotocol": "b", "headers": [(b"x-b", b"2")]})

    asked: dict[str, Any] = {"subprotocols": ["a", "b"], "headers": {"X-A": "1"}, "scheme": "wss", "host": "lab"}
    async with connect(app, "/a%20b?q=1", **asked, root_path="/sub", state={"db": 1}) as ws:
        assert (ws.subprotocol, ws.headers) == ("b", [(b"x-b", b"2")])
    assert scopes == [
        {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.5"},
            "http_version": "1.1",
            "scheme": "wss",
            "path": "/a b",
            "raw_path": b"/a%20b",
            "query_string": b"q=1",
            "root_path": "/sub",
            "headers": [
                (b"host", b"lab"),
                (b"x-a", b"1"),
                (b"connection", b"upgrade"),
                (b"upgrade", b"websocket"),
                (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
                (b"sec-websocket-version", b"13"),
                (b"sec-websocket-protocol", b"a, b"),
            ],
            "client": ("127.0.0.1", 123),
            "server": ("lab", 443),
            "subprotocols": ["a", "b"],
            "extensions": {"websocket.http.response": {}},
            "state": {"db": 1},
        }
    ]


async def test_a_websocket_that_is_closed_before_it_is_accepted_was_refused() -> None:
    app = app_of(nothing, {"type": "websocket.close", "code": 4001, "reason": "not you"})
    with pytest.raises(ConnectionClosed) as caught:
        async with connect(app, "/x"):
            pytest.fail("it was never open")
    assert (caught.value.code, caught.value.reason) == (4001, "not you")
    assert str(caught.value) == (
        "WS /x: expected the app to accept the connection, but it closed it with code 4001 (not you)."
    )


async def test_a_refusal_may_be_an_http_response() -> None:
    app = app_of(
        nothing,
        {"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-a", b"1")]},
        {"type": "websocket.http.response.body", "body": b"no", "more_body": True},
        {"type": "websocket.http.response.body", "body": b"pe"},
    )
    with pytest.raises(ConnectionDenied) as caught:
        async with connect(app, "/x"):
            pytest.fail("it was never open")
    denied = caught.value
    assert (denied.status, denied.headers, denied.body, denied.code) == (401, [(b"x-a", b"1")], b"nope", 1006)
    assert str(denied) == "WS /x: expected the app to accept the connection, but it answered 401."


async def test_an_app_that_does_not_accept_in_time_is_cancelled() -> None:
    before = running_tasks()
    with pytest.raises(NoAnswer) as caught:
        async with connect(app_of(until_gone), "/x", timeout=0.01):
            pytest.fail("it was never open")
    assert running_tasks() == before
    assert str(caught.value) == (
        "WS /x: expected `websocket.accept`, `websocket.close` or `websocket.http.response.start` from the app "
        "within 0.01 s, but nothing came. Send it sooner, or give the client a longer timeout."
    )


async def test_an_app_that_returns_without_accepting_is_told_so() -> None:
    with pytest.raises(ProtocolError) as caught:
        async with connect(app_of(nothing), "/x"):
            pytest.fail("it was never open")
    assert str(caught.value) == (
        "WS /x: expected `websocket.accept`, `websocket.close` or `websocket.http.response.start`, but the app "
        "returned without sending it. Accept the connection, or refuse it, before anything else."
    )


# Sending and receiving.


async def test_text_bytes_and_json_go_both_ways() -> None:
    async with connect(app_of(echo, ACCEPT), "/") as ws:
        await ws.send_text("é")
        assert await ws.receive_text() == "é"
        await ws.send_bytes(b"\0")
        assert await ws.receive_bytes() == b"\0"
        await ws.send_json({"a": "é"})
        assert await ws.receive() == {"type": "websocket.send", "text": '{"a":"é"}'}
        await ws.send_json([1], mode="binary")
        assert await ws.receive_json(mode="binary") == [1]


async def test_what_is_received_must_be_what_is_asked_for() -> None:
    async with connect(app_of(nothing, ACCEPT, text("a")), "/x") as ws:
        with pytest.raises(WrongFrame) as caught:
            await ws.receive_bytes()
        assert str(caught.value) == (
            "WS /x: expected bytes from the app, but it sent text. Receive it with `receive_text`."
        )
        mode: Any = "zip"
        with pytest.raises(UsageError) as misused:
            await ws.send_json([], mode=mode)
        assert str(misused.value) == 'The "mode" argument should be "text" or "binary", but it is \'zip\'.'


@pytest.mark.parametrize(("code", "ends"), [(1000, True), (1001, True), (4000, False)])
async def test_iteration_ends_when_the_app_closes_normally(code: int, ends: bool) -> None:
    close = {"type": "websocket.close", "code": code}
    app = app_of(nothing, ACCEPT, text("a"), {"type": "websocket.send", "bytes": b"b"}, close)
    async with connect(app, "/") as ws:
        pieces = aiter(ws)
        assert [await anext(pieces), await anext(pieces)] == ["a", b"b"]
        with pytest.raises(StopAsyncIteration if ends else ConnectionClosed):
            await anext(pieces)


async def test_both_sides_may_speak_at_once() -> None:
    async def chat(receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(echo, receive, send)
            for number in range(50):
                await send(text(f"own {number}"))
                await anyio.lowlevel.checkpoint()

    got: list[str] = []
    async with connect(app_of(chat, ACCEPT), "/") as ws, anyio.create_task_group() as group:

        async def say() -> None:
            for number in range(50):
                await ws.send_text(f"echoed {number}")

        group.start_soon(say)
        while len(got) < 100:
            got.append(await ws.receive_text())
    for kind in ("own", "echoed"):
        assert [one for one in got if one.startswith(kind)] == [f"{kind} {number}" for number in range(50)]


async def test_a_deadline_that_passes_leaves_the_websocket_open() -> None:
    async with connect(app_of(echo, ACCEPT), "/x") as ws:
        with pytest.raises(NoAnswer) as caught:
            await ws.receive_text(timeout=0.01)
        assert str(caught.value) == (
            "WS /x: expected `websocket.send` from the app within 0.01 s, but nothing came. "
            "Send it sooner, or wait longer."
        )
        await ws.send_text("still here")
        assert await ws.receive_text(timeout=5) == "still here"


async def test_an_app_that_sends_without_end_waits_for_its_client() -> None:
    sent = 0

    async def flood(receive: Receive, send: Send) -> None:
        nonlocal sent
        while True:
            await send(text(""))
            sent += 1

    async with connect(app_of(flood, ACCEPT), "/") as ws:
        await settle()
        full = sent
        assert full * OVERHEAD_BYTES == BUFFER_BYTES
        for _ in range(10):
            await ws.receive()
        await settle()
        assert sent == full + 10


async def test_a_client_that_sends_without_end_waits_for_the_app() -> None:
    go_on = anyio.Event()
    sent = 0

    async def slow(receive: Receive, send: Send) -> None:
        await go_on.wait()
        await until_gone(receive, send)

    async with connect(app_of(slow, ACCEPT), "/") as ws, anyio.create_task_group() as group:

        async def flood() -> None:
            nonlocal sent
            for _ in range(5):
                await ws.send_bytes(bytes(BUFFER_BYTES))
                sent += 1

        group.start_soon(flood)
        await settle()
        assert sent == 1
        go_on.set()
    assert sent == 5
