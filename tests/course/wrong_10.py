"""Plausible wrong answers to lesson 10's exercises."""

import asyncio
import time
from typing import Any

from playground import App
from playground.asgi import Receive, Scope, Send
from tests.course.answers import Wrong


def app_of(wait: Any, file: Any, add: Any) -> App:
    app = App()
    app.get("/wait", name="wait")(wait)
    app.get("/file", name="file")(file)
    app.get("/sum", name="add")(add)
    return app


async def waits() -> str:
    await asyncio.sleep(0.1)
    return "waited"


async def blocks() -> str:
    time.sleep(0.1)
    return "read"


def sleeps() -> str:
    time.sleep(0.1)
    return "slept"


async def adds() -> str:
    return "2"


def adds_in_a_thread() -> str:
    return "2"


START: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}


async def only_the_body(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.body", "body": b"hello"})


async def forgets_to_await(scope: Scope, receive: Receive, send: Send) -> None:
    send(START)
    send({"type": "http.response.body", "body": b"hello"})


async def headers_of_text(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [("content-type", "text/plain")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def body_of_text(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await send({"type": "http.response.body", "body": "hello"})


async def only_the_start(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)


async def returns_it(scope: Scope, receive: Receive, send: Send) -> bytes:
    return b"hello"


async def first_piece(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    await send(START)
    await send({"type": "http.response.body", "body": message["body"]})


TEXT = (
    "ASGI knows no text: names and values of headers and the body are bytes, as they go over the wire. "
    '`b"hello"`, or `"hello".encode()`.'
)
WRONG = [
    Wrong(
        "10.1",
        "all-plain",
        lambda: (app_of(sleeps, sleeps, adds_in_a_thread),),
        4,
        "It works, but 8 calls went to a worker thread and back without need. A plain `def` handler is always handed "
        "over: what only awaits, or is done at once, is cheaper as `async def`, on the loop.",
    ),
    Wrong(
        "10.1",
        "blocking",
        lambda: (app_of(waits, blocks, adds),),
        3,
        "In `async def`, `time.sleep(0.1)` (at time.sleep(0.1)) runs on the event loop's own thread and keeps it for "
        "100 ms. `async` does not make it wait politely: only an `await` lets others run, so meanwhile nobody else "
        "does.",
    ),
    Wrong(
        "10.2",
        "no-start",
        lambda: (only_the_body,),
        0,
        "The first message was the body. A response begins with `http.response.start`, which holds the status and the "
        "headers: they go over the wire before the body does.",
    ),
    Wrong(
        "10.2",
        "forgotten-await",
        lambda: (forgets_to_await,),
        0,
        "`send` (at send(START)) was called, and what that made was never awaited. "
        "Calling an async function runs nothing of it: it only makes a coroutine, which runs when it is awaited, or "
        "made a task.",
    ),
    Wrong("10.2", "text-for-bytes", lambda: (headers_of_text,), 0, TEXT),
    Wrong("10.2", "text-for-bytes", lambda: (body_of_text,), 0, TEXT),
    Wrong(
        "10.2",
        "no-end",
        lambda: (only_the_start,),
        0,
        "Only the beginning was sent. `http.response.body` ends a response, and it has to be sent even where the body "
        "is empty: the client is waiting for it.",
    ),
    Wrong(
        "10.2",
        "returned",
        lambda: (returns_it,),
        0,
        "Nothing was sent. An ASGI app answers by what it sends; what it returns is looked at by nobody.",
    ),
    Wrong(
        "10.3",
        "one-piece",
        lambda: (first_piece,),
        1,
        "It received one message. A body comes in as many as the network brings, and each but the last says "
        '`"more_body": True`; what you have not received, you do not have.',
    ),
]
