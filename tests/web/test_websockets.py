"""A websocket lives by its two tables, and says in words what is not in them."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.errors import ProtocolError, UsageError, WrongFrame
from playground.web._websocket_states import RECEIVE, SEND
from playground.web.responses import PlainTextResponse
from playground.web.websockets import (
    WebSocket,
    WebSocketClose,
    WebSocketDisconnect,
    WebSocketDisconnected,
    WebSocketState,
)

from .exchange import Backend, exactly, http_scope, run
from .websocket_script import ACCEPT, CONNECT, LEAVE, close, converse, data, sent_text, text, websocket_scope

BACKENDS: list[Backend] = ["asyncio", "trio"]
Session = Callable[[WebSocket[Any]], Awaitable[Any]]

SEND_AFTER_END = (
    'Cannot call "send" once a close message has been sent. The websocket is closed, refused or lost; leave the '
    "endpoint."
)
RECEIVE_AFTER_END = (
    'Cannot call "receive" once a disconnect message has been received. The client has left; end the endpoint, or '
    "leave the loop that receives."
)
NOT_ACCEPTED = (
    'WebSocket is not connected. Need to call "accept" first. Write `await websocket.accept()` before anything is '
    "received."
)


def app_of(session: Session) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await session(WebSocket(scope, receive, send))

    return app


def accepted(session: Session) -> ASGIApp:
    async def accept_first(websocket: WebSocket[Any]) -> None:
        await websocket.accept()
        await session(websocket)

    return app_of(accept_first)


@pytest.mark.parametrize("backend", BACKENDS)
def test_texts_bytes_and_json_go_both_ways(backend: Backend) -> None:
    async def echo(websocket: WebSocket[Any]) -> None:
        await websocket.send_text(await websocket.receive_text())
        await websocket.send_bytes(await websocket.receive_bytes())
        await websocket.send_json(await websocket.receive_json())
        await websocket.send_json(await websocket.receive_json(mode="binary"), mode="binary")
        await websocket.close(1001, "done")

    incoming = [text("é"), data(b"\xff"), text('{"a": 1}'), data('["é"]'.encode())]
    exchange = converse(accepted(echo), *incoming, backend=backend)
    assert exchange.error is None
    assert exchange.sent == [
        ACCEPT,
        sent_text("é"),
        {"type": "websocket.send", "bytes": b"\xff"},
        sent_text('{"a":1}'),
        {"type": "websocket.send", "bytes": '["é"]'.encode()},
        close(1001, "done"),
    ]


def test_accepting_takes_the_connection_and_sends_subprotocol_and_headers() -> None:
    async def session(websocket: WebSocket[Any]) -> None:
        assert (websocket.client_state, websocket.application_state) == (
            WebSocketState.CONNECTING,
            WebSocketState.CONNECTING,
        )
        await websocket.accept("soap", headers=iter([(b"x-a", b"1")]))
        assert (websocket.client_state, websocket.application_state) == (
            WebSocketState.CONNECTED,
            WebSocketState.CONNECTED,
        )

    exchange = converse(app_of(session))
    assert exchange.sent == [{"type": "websocket.accept", "subprotocol": "soap", "headers": [(b"x-a", b"1")]}]
    assert exchange.error is None


@pytest.mark.parametrize(
    ("iterator", "incoming", "got"),
    [
        ("iter_text", [text("a"), text("")], ["a", ""]),
        ("iter_bytes", [data(b"a"), data(b"")], [b"a", b""]),
        ("iter_json", [text("1"), text("[]")], [1, []]),
    ],
)
def test_iterators_end_when_the_client_leaves(iterator: str, incoming: list[Message], got: list[Any]) -> None:
    seen: list[Any] = []

    async def session(websocket: WebSocket[Any]) -> None:
        seen.extend([item async for item in getattr(websocket, iterator)()])
        assert websocket.client_state is WebSocketState.DISCONNECTED

    assert converse(accepted(session), *incoming).error is None
    assert seen == got


@pytest.mark.parametrize(
    ("leave", "code", "reason"),
    [
        (LEAVE, 1001, "bye"),
        ({"type": "websocket.disconnect", "code": 1006, "reason": None}, 1006, ""),
        ({"type": "websocket.disconnect"}, 1005, ""),
    ],
)
def test_the_clients_leaving_is_an_exception_with_its_code_and_reason(leave: Message, code: int, reason: str) -> None:
    error = converse(accepted(WebSocket.receive_text), leave).error
    assert isinstance(error, WebSocketDisconnect)
    assert (error.code, error.reason) == (code, reason)


def test_a_server_that_tells_of_the_clients_leaving_by_an_error_is_understood() -> None:
    async def send(message: Message) -> None:
        if message["type"] == "websocket.send":
            raise ConnectionError("gone")

    async def receive() -> Message:
        return CONNECT

    async def main() -> None:
        websocket: WebSocket[Any] = WebSocket(websocket_scope(), receive, send)
        await websocket.accept()
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.send_text("a")
        assert caught.value.code == 1006
        with pytest.raises(WebSocketDisconnected, match=exactly(SEND_AFTER_END)):
            await websocket.send_text("b")

    run(main)


async def _close_twice(websocket: WebSocket[Any]) -> None:
    await websocket.close()
    await websocket.close()


async def _receive_after_the_end(websocket: WebSocket[Any]) -> None:
    await websocket.receive()
    await websocket.receive()


async def _receive_after_closing(websocket: WebSocket[Any]) -> None:
    await websocket.close()
    await websocket.receive_text()


async def _close_while_refusing(websocket: WebSocket[Any]) -> None:
    await websocket.send({"type": "websocket.http.response.start", "status": 403, "headers": []})
    await websocket.close()


@pytest.mark.parametrize(
    ("app", "kind", "message"),
    [
        (
            app_of(lambda websocket: websocket.send_text("early")),
            ProtocolError,
            (
                'Expected ASGI message "websocket.accept", "websocket.close" or "websocket.http.response.start", but '
                "got 'websocket.send'. Write `await websocket.accept()` before anything is sent."
            ),
        ),
        (app_of(WebSocket.receive_text), WebSocketDisconnected, NOT_ACCEPTED),
        (app_of(WebSocket.receive_bytes), WebSocketDisconnected, NOT_ACCEPTED),
        (app_of(WebSocket.receive_json), WebSocketDisconnected, NOT_ACCEPTED),
        (
            accepted(WebSocket.accept),
            ProtocolError,
            (
                'Expected ASGI message "websocket.send" or "websocket.close", but got \'websocket.accept\'. A '
                "websocket is accepted once; then send data, and close it at the end."
            ),
        ),
        (
            app_of(_close_while_refusing),
            ProtocolError,
            (
                "Expected ASGI message \"websocket.http.response.body\", but got 'websocket.close'. The websocket "
                "is being refused by a response; send the rest of its body."
            ),
        ),
        (accepted(_close_twice), WebSocketDisconnected, SEND_AFTER_END),
        (accepted(_receive_after_the_end), WebSocketDisconnected, RECEIVE_AFTER_END),
        (
            accepted(_receive_after_closing),
            WebSocketDisconnected,
            "WebSocket is not connected. The websocket is closed, refused or lost; leave the endpoint.",
        ),
        (
            accepted(lambda websocket: websocket.receive_json(mode="x")),
            RuntimeError,
            'The "mode" argument should be "text" or "binary". It is \'x\'.',
        ),
        (
            accepted(lambda websocket: websocket.send_json({}, mode="x")),
            RuntimeError,
            'The "mode" argument should be "text" or "binary". It is \'x\'.',
        ),
    ],
)
def test_what_may_not_come_now_is_refused_in_words(app: ASGIApp, kind: type[Exception], message: str) -> None:
    error = converse(app).error
    assert type(error) is kind
    assert isinstance(error, RuntimeError)
    assert str(error) == message


@pytest.mark.parametrize(
    ("receive", "incoming", "message"),
    [
        (
            WebSocket.receive_text,
            {"type": "websocket.receive", "text": None, "bytes": b"a"},
            (
                "Expected a websocket message of text, got bytes. Call `await websocket.receive_bytes()`, or have the "
                "client send text."
            ),
        ),
        (
            WebSocket.receive_bytes,
            text("a"),
            (
                "Expected a websocket message of bytes, got text. Call `await websocket.receive_text()`, or have the "
                "client send bytes."
            ),
        ),
    ],
)
def test_a_message_of_the_other_kind_is_refused_in_words(receive: Session, incoming: Message, message: str) -> None:
    error = converse(accepted(receive), incoming).error
    assert isinstance(error, WrongFrame)
    assert isinstance(error, KeyError)
    assert str(error) == message


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        (
            [text("a")],
            (
                "Expected ASGI message \"websocket.connect\", but got 'websocket.receive'. It is the first "
                "message of every websocket, and the server's to send."
            ),
        ),
        (
            [CONNECT, CONNECT],
            (
                'Expected ASGI message "websocket.receive" or "websocket.disconnect", but got \'websocket.connect\'. '
                "After the first message a server sends only data, and at the end word of the client's leaving."
            ),
        ),
    ],
)
def test_a_server_that_breaks_the_order_is_told_so(messages: list[Message], message: str) -> None:
    async def main() -> None:
        script = iter(messages)

        async def receive() -> Message:
            return next(script)

        async def send(message: Message) -> None: ...

        websocket: WebSocket[Any] = WebSocket(websocket_scope(), receive, send)
        for _ in messages[1:]:
            await websocket.receive()
        with pytest.raises(ProtocolError, match=exactly(message)):
            await websocket.receive()

    run(main)


def test_the_tables_lead_only_to_states_that_they_have() -> None:
    for table in (RECEIVE, SEND):
        for stage in table.values():
            for turn in stage.turns.values():
                assert {WebSocketState[turn.set], WebSocketState[turn.unset]} <= table.keys()
    assert set(SEND) == set(WebSocketState)
    assert not SEND[WebSocketState.DISCONNECTED].turns
    assert not RECEIVE[WebSocketState.DISCONNECTED].turns


def test_a_websocket_is_refused_by_a_response() -> None:
    async def refuse(websocket: WebSocket[Any]) -> None:
        await websocket.send_denial_response(PlainTextResponse("no", status_code=403))

    exchange = converse(app_of(refuse))
    assert (exchange.sent[0]["type"], exchange.status, exchange.text) == ("websocket.http.response.start", 403, "no")
    message = "The server doesn't support the Websocket Denial Response extension."
    error = converse(app_of(refuse), can_refuse=False).error
    assert isinstance(error, RuntimeError)
    assert str(error) == message


def test_an_app_may_do_nothing_but_close() -> None:
    assert converse(WebSocketClose(1008, "no")).sent == [close(1008, "no")]
    assert converse(WebSocketClose()).sent == [close()]


def test_a_websocket_wants_a_scope_of_its_type() -> None:
    async def never() -> Message:
        raise AssertionError

    async def nowhere(message: Message) -> None:
        raise AssertionError

    with pytest.raises(UsageError, match=exactly("Expected a scope of type 'websocket', got 'http'.")):
        WebSocket(http_scope(), never, nowhere)


def test_json_goes_out_compact_and_in_unicode() -> None:
    sent = converse(accepted(lambda websocket: websocket.send_json({"é": [1, 2]}))).sent
    assert json.loads(sent[1]["text"]) == {"é": [1, 2]}
    assert sent[1]["text"] == '{"é":[1,2]}'
