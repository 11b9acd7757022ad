"""Websockets to an app: who says what, who waits for whom, and how it ends."""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.errors import (
    ClientGone,
    ConnectionClosed,
    ConnectionDenied,
    NoAnswer,
    ProtocolError,
    UsageError,
    WrongFrame,
)
from playground.transport import Session, connect, websocket_scope
from playground.transport._app_side import BUFFER_BYTES
from playground.transport._dialogue import OVERHEAD_BYTES, WEBSOCKET, Dialogue
from tests.transport.helpers import running_tasks, settle

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]

ACCEPT: Message = {"type": "websocket.accept"}
GONE = "websocket.disconnect"


def text(data: str) -> Message:
    return {"type": "websocket.send", "text": data}


def app_of(handler: Callable[[Receive, Send], Awaitable[object]], *first: Message) -> ASGIApp:
    """An app that sends `first` as soon as it is asked, and goes on with `handler`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert await receive() == {"type": "websocket.connect"}
        for message in first:
            await send(message)
        await handler(receive, send)

    return app


async def nothing(receive: Receive, send: Send) -> None:
    pass


async def until_gone(receive: Receive, send: Send) -> Message:
    while (message := await receive())["type"] != GONE:
        pass
    return message


async def echo(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != GONE:
        await send({**message, "type": "websocket.send"})


async def fail(receive: Receive, send: Send) -> None:
    raise ValueError("broken")


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


# The end.


async def test_leaving_the_block_tells_the_app() -> None:
    told = []

    async def handler(receive: Receive, send: Send) -> None:
        told.append(await until_gone(receive, send))
        told.append(await receive())

    async with connect(app_of(handler, ACCEPT), "/"):
        pass
    assert told == [{"type": GONE, "code": 1000, "reason": ""}] * 2


async def test_the_client_may_close_with_a_code_and_a_reason() -> None:
    told = []

    async def handler(receive: Receive, send: Send) -> None:
        told.append(await until_gone(receive, send))

    async with connect(app_of(handler, ACCEPT), "/x") as ws:
        await ws.close(4000, "bye")
        await ws.close(1000)
        with pytest.raises(ConnectionClosed) as caught:
            await ws.send_text("late")
        assert (caught.value.code, caught.value.reason) == (4000, "bye")
        assert str(caught.value) == (
            "WS /x: expected an open connection, but the client has closed it with code 4000. "
            "Send and receive before closing it."
        )
    assert told == [{"type": GONE, "code": 4000, "reason": "bye"}]


async def test_what_the_app_sent_before_it_closed_can_still_be_read() -> None:
    app = app_of(nothing, ACCEPT, text("last"), {"type": "websocket.close", "code": 1011, "reason": "tired"})
    async with connect(app, "/x") as ws:
        assert await ws.receive_text() == "last"
        for _ in range(2):
            with pytest.raises(ConnectionClosed) as caught:
                await ws.receive_text()
            assert str(caught.value) == (
                "WS /x: expected a message, but the app has closed the connection with code 1011 (tired)."
            )


async def test_an_app_that_has_closed_is_told_of_its_own_code() -> None:
    told = []

    async def handler(receive: Receive, send: Send) -> None:
        told.append(await receive())

    async with connect(app_of(handler, ACCEPT, {"type": "websocket.close", "code": 4002}), "/"):
        pass
    assert told == [{"type": GONE, "code": 4002, "reason": ""}]


async def test_an_app_that_returns_closes_the_connection() -> None:
    async with connect(app_of(nothing, ACCEPT), "/x") as ws:
        with pytest.raises(ConnectionClosed) as caught:
            await ws.receive_text()
    assert caught.value.code == 1000
    assert str(caught.value) == ("WS /x: expected a message, but the app has returned, which closes the connection.")


async def test_an_app_that_sends_to_a_client_that_left_is_told_so() -> None:
    errors = []

    async def handler(receive: Receive, send: Send) -> None:
        await until_gone(receive, send)
        try:
            await send(text("late"))
        except OSError as error:
            errors.append(error)
            raise

    async with connect(app_of(handler, ACCEPT), "/x"):
        pass
    assert [type(error) for error in errors] == [ClientGone]
    assert str(errors[0]) == (
        "WS /x: expected an open connection to send to, but the client has closed it. Clean up and return."
    )


async def test_an_app_that_waits_to_send_is_freed_when_the_client_leaves() -> None:
    async def flood(receive: Receive, send: Send) -> None:
        while True:
            await send({"type": "websocket.send", "bytes": bytes(BUFFER_BYTES)})

    before = running_tasks()
    async with connect(app_of(flood, ACCEPT), "/"):
        await settle()
    assert running_tasks() == before


async def test_an_app_that_ignores_its_client_is_cancelled(short_grace: float) -> None:
    cancelled = []

    async def deaf(receive: Receive, send: Send) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append(True)

    async with connect(app_of(deaf, ACCEPT), "/"):
        pass
    assert cancelled == [True]


async def test_what_the_app_raises_instead_of_accepting_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match=r"^broken$"):
        await connect(app_of(fail), "/").__aenter__()


async def test_what_the_app_raises_reaches_the_caller_once() -> None:
    async with connect(app_of(fail, ACCEPT), "/") as ws:
        await settle()
        with pytest.raises(ValueError, match=r"^broken$"):
            await ws.receive_text()
        with pytest.raises(ConnectionClosed):
            await ws.receive_text()


async def test_what_the_app_raises_unheard_is_raised_at_the_end() -> None:
    with pytest.raises(ValueError, match=r"^broken$"):
        async with connect(app_of(fail, ACCEPT), "/"):
            await settle()


async def test_the_callers_own_error_goes_before_the_apps(caplog: pytest.LogCaptureFixture) -> None:
    async def caller() -> None:
        async with connect(app_of(fail, ACCEPT), "/x"):
            await settle()
            raise KeyError("the caller's")

    with pytest.raises(KeyError):
        await caller()
    (record,) = caplog.records
    assert (record.name, record.levelno, record.getMessage()) == (
        "playground.transport",
        logging.ERROR,
        "WS /x: the app raised this.",
    )


@pytest.mark.parametrize("moment", ["opening", "receiving"])
async def test_a_caller_that_is_cancelled_takes_the_app_with_it(moment: str) -> None:
    before = running_tasks()
    with anyio.move_on_after(0.01) as scope:
        async with connect(app_of(until_gone, *[ACCEPT] * (moment == "receiving")), "/") as ws:
            await ws.receive()
    assert scope.cancelled_caught
    assert running_tasks() == before


async def test_opening_and_closing_may_be_in_two_tasks() -> None:
    session = Session(app_of(echo, ACCEPT), websocket_scope(b"/"))
    for step in (session.open, session.aclose):
        async with anyio.create_task_group() as group:
            group.start_soon(step)


# What an app may say, matched whole.


def refusal(*messages: Any) -> str:
    dialogue = Dialogue("WS /x")
    for message in messages[:-1]:
        dialogue.take(message)
    with pytest.raises(ProtocolError) as caught:
        dialogue.take(messages[-1])
    return str(caught.value)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (
            [text("a")],
            (
                "expected `websocket.accept`, `websocket.close` or `websocket.http.response.start`, but the app sent "
                "`websocket.send`. Accept the connection, or refuse it, before anything else."
            ),
        ),
        (
            [ACCEPT, ACCEPT],
            (
                "expected `websocket.send` or `websocket.close`, but the app sent `websocket.accept`. "
                "A connection is accepted once; after that send, and close it at the end."
            ),
        ),
        (
            [{"type": "websocket.close"}, text("a")],
            (
                "expected nothing more, but the app sent `websocket.send`. "
                "The connection is closed; send nothing after that."
            ),
        ),
        (
            [{"type": "websocket.http.response.start", "status": 400}, ACCEPT],
            (
                "expected `websocket.http.response.body`, but the app sent `websocket.accept`. "
                "A response in place of a connection has a start and a body, and nothing else."
            ),
        ),
        (
            [ACCEPT, "hello"],
            (
                "expected `websocket.send` or `websocket.close`, but the app sent what is no message, a dict with a "
                "`type`. A connection is accepted once; after that send, and close it at the end."
            ),
        ),
        (
            [ACCEPT, {"type": "websocket.send", "text": "a", "bytes": b"b"}],
            (
                "expected `text` of str or `bytes` of bytes, and one of the two, but `websocket.send` holds "
                "a str and a bytes. Send text, or bytes."
            ),
        ),
        (
            [ACCEPT, {"type": "websocket.send"}],
            (
                "expected `text` of str or `bytes` of bytes, and one of the two, but `websocket.send` holds "
                "nothing and nothing. Send text, or bytes."
            ),
        ),
    ],
)
def test_a_message_out_of_turn_or_malformed_is_refused_in_words(messages: list[Any], words: str) -> None:
    assert refusal(*messages) == f"WS /x: {words}"


@given(st.lists(st.sampled_from(sorted({kind for stage in WEBSOCKET.values() for kind in stage.turns})), max_size=6))
def test_a_message_is_taken_exactly_if_the_specification_allows_it_there(kinds: list[str]) -> None:
    """Against the rule in other words: a regular language over the types."""
    legal = re.compile(r"((accept (send )*(close )?)|(close )|(http\.response\.start (http\.response\.body )?))?")
    dialogue, said = Dialogue("WS /"), ""
    for kind in kinds:
        message = {"type": kind, "text": "a"} if kind == "websocket.send" else {"type": kind, "status": 400}
        word = kind.removeprefix("websocket.") + " "
        if legal.fullmatch(said + word):
            dialogue.take(message)
            said += word
        else:
            with pytest.raises(ProtocolError):
                dialogue.take(message)


@given(st.lists(st.text(max_size=20) | st.binary(max_size=20)))
def test_messages_come_out_in_order_and_their_size_is_counted(pieces: list[str | bytes]) -> None:
    dialogue = Dialogue("WS /")
    dialogue.take(ACCEPT)
    for piece in pieces:
        dialogue.take({"type": "websocket.send", "text" if isinstance(piece, str) else "bytes": piece})
    assert dialogue.buffered == sum(len(piece) + OVERHEAD_BYTES for piece in pieces)
    out = [next(message[key] for key in ("text", "bytes") if key in message) for message in iter(dialogue.pop, None)]
    assert (out, dialogue.buffered) == (pieces, 0)
