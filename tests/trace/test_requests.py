"""Requests are recorded message by message, for any app, and only while something records."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.clock.loop import LabLoop
from playground.trace import Message as MessageRow
from playground.trace import Request
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording
from playground.trace.requests import recorded_app


def scope(**changes: Any) -> Scope:
    return {"type": "http", "method": "GET", "path": "/<b>", **changes}


async def call(app: ASGIApp, scope: Scope, incoming: list[Message]) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def recorded(app: ASGIApp, scope: Scope, incoming: list[Message]) -> tuple[list[Message], Request]:
    recorder = Recorder()
    sent = asyncio.run(call(recorded_app(app, lambda: recorder), scope, incoming))
    recorder.ended_ns = recorder.now()
    (request,) = build(recorder).requests
    return sent, request


def said(messages: tuple[MessageRow, ...]) -> list[tuple[str, str, str]]:
    return [(message.direction, message.type, message.detail) for message in messages]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = (await receive())["body"]
    scope["route"] = SimpleNamespace(path="/{name}")
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body"})


def test_a_request_and_its_messages_are_recorded_and_pass_through_unchanged() -> None:
    sent, request = recorded(echo, scope(method="PUT"), [{"type": "http.request", "body": b"x" * 1234}])
    assert sent == [
        {"type": "http.response.start", "status": 201, "headers": []},
        {"type": "http.response.body", "body": b"x" * 1234, "more_body": True},
        {"type": "http.response.body"},
    ]
    assert (request.number, request.method, request.path, request.route) == (0, "PUT", "/<b>", "/{name}")
    assert (request.status, request.error) == (201, None)
    assert said(request.messages) == [
        ("receive", "http.request", "1,234 bytes"),
        ("send", "http.response.start", "status 201"),
        ("send", "http.response.body", "1,234 bytes, more to come"),
        ("send", "http.response.body", ""),
    ]
    moments = [request.start_ns, *(message.at_ns for message in request.messages), request.end_ns]
    assert moments == sorted(moments)  # type: ignore[type-var]


def test_one_byte_is_told_in_the_singular() -> None:
    _, request = recorded(echo, scope(method="PUT"), [{"type": "http.request", "body": b"x"}])
    assert [detail for _, _, detail in said(request.messages)] == ["1 byte", "status 201", "1 byte, more to come", ""]


def test_a_websocket_is_a_request_too() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "chat"})
        await send({"type": "websocket.send", "text": "hé"})
        await send({"type": "websocket.close", "code": 1001})

    _, request = recorded(app, {"type": "websocket", "path": "/ws"}, [{"type": "websocket.connect"}])
    assert (request.method, request.status) == ("WEBSOCKET", None)
    assert said(request.messages) == [
        ("receive", "websocket.connect", ""),
        ("send", "websocket.accept", "subprotocol chat"),
        ("send", "websocket.send", "2 characters"),
        ("send", "websocket.close", "code 1001"),
    ]


@pytest.mark.parametrize(
    ("error", "text"), [(ValueError("no <b>luck</b>"), "ValueError: no <b>luck</b>"), (KeyError(), "KeyError")]
)
def test_an_exception_passes_through_and_is_named(error: Exception, text: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    recorder = Recorder()
    with pytest.raises(type(error)) as raised:
        asyncio.run(call(recorded_app(app, lambda: recorder), scope(), []))
    assert raised.value is error
    recorder.ended_ns = recorder.now()
    (request,) = build(recorder).requests
    assert (request.error, request.status, request.messages) == (text, None, ())
    assert request.end_ns is not None


def test_without_a_recorder_the_app_is_called_with_the_very_same_callables() -> None:
    seen: list[object] = []

    async def app(*arguments: Any) -> None:
        seen.extend(arguments)

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None: ...

    asyncio.run(recorded_app(app, lambda: None)(request := scope(), receive, send))  # type: ignore[arg-type]
    assert seen[0] is request
    assert seen[1] is receive
    assert seen[2] is send


def test_lifespan_is_no_request() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    recorder = Recorder()
    asyncio.run(call(recorded_app(app, lambda: recorder), {"type": "lifespan"}, []))
    assert not recorder.requests


def test_what_one_task_hands_over_belongs_to_the_request_that_it_was_making_then() -> None:
    async def offloads(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.to_thread(int)
        await echo(scope, receive, send)
        await asyncio.create_task(asyncio.to_thread(int))

    loop = LabLoop()

    async def client(recorder: Recorder) -> None:
        app = recorded_app(offloads, lambda: recorder)
        for number in range(3):
            if number == 2:
                await asyncio.to_thread(int)  # between two requests: nobody's
            await call(app, scope(), [{"type": "http.request", "body": b""}])

    async def main() -> Recorder:
        with recording(loop) as recorder:
            await asyncio.create_task(client(recorder))
        return recorder

    recorder = loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    trace = build(recorder)
    assert len({request.task for request in trace.requests}) == 1
    assert [request.handoffs for request in trace.requests] == [(0, 1), (2, 3), (5, 6)]
