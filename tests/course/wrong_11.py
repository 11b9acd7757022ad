"""Plausible wrong answers to lesson 11's exercises."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from playground import App
from playground.course.lesson_11 import Shelf
from playground.web.responses import StreamingResponse
from playground.web.websockets import WebSocket
from tests.course.answers import Wrong

Fetch = Callable[[str], Coroutine[Any, Any, str]]
Read = Callable[[], Awaitable[str]]


async def takes_from_all(fetch: Fetch, mirrors: list[str]) -> str:
    return (await asyncio.gather(*(fetch(mirror) for mirror in mirrors)))[1]


async def lets_them_go_on(fetch: Fetch, mirrors: list[str]) -> str:
    tasks = [asyncio.create_task(fetch(mirror)) for mirror in mirrors]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return done.pop().result()


async def after_the_await(shelf: Shelf, read: Read) -> str:
    shelf.take()
    text = await read()
    shelf.put_back()
    return text


async def except_exception(shelf: Shelf, read: Read) -> str:
    shelf.take()
    try:
        text = await read()
    except Exception:
        shelf.put_back()
        raise
    shelf.put_back()
    return text


async def swallows(shelf: Shelf, read: Read) -> str | None:
    shelf.take()
    try:
        return await read()
    except asyncio.CancelledError:
        return None
    finally:
        shelf.put_back()


def counting(count: Any) -> App:
    app = App()
    app.get("/count", name="count")(count)
    return app


async def all_at_the_end() -> str:
    lines = ["1\n"]
    for number in range(2, 5):
        await asyncio.sleep(1)
        lines.append(f"{number}\n")
    return "".join(lines)


async def blocks() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        yield "1\n"
        for number in range(2, 5):
            time.sleep(1)
            yield f"{number}\n"

    return StreamingResponse(lines())


def shouting(shout: Any) -> App:
    app = App()
    app.websocket("/shout", name="shout")(shout)
    return app


async def never_accepts(websocket: WebSocket) -> None:
    await websocket.send_text((await websocket.receive_text()).upper())


async def once(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text((await websocket.receive_text()).upper())


async def for_ever(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        await websocket.send_text((await websocket.receive_text()).upper())


NOT_PUT_BACK = (
    "Cancelling raises `CancelledError` at the `await` where the task waits, so the lines after it are not run. And it "
    "is no `Exception`: `except Exception` does not see it. `finally` does."
)
WRONG = [
    Wrong(
        "11.2",
        "waited-for-all",
        lambda: (takes_from_all,),
        3,
        "It waits for all of them, 3 s, and then takes one. `gather` is over when the last is over; what is wanted "
        "here is over when the first is.",
    ),
    Wrong(
        "11.2",
        "not-cancelled",
        lambda: (lets_them_go_on,),
        2,
        "Nobody waits for the others any more, but nobody told them: a task goes on until it is over, or is cancelled. "
        "`cancel()` only asks for it; it has come to pass when the task was awaited once more.",
    ),
    Wrong("11.1", "not-put-back", lambda: (after_the_await,), 2, NOT_PUT_BACK),
    Wrong("11.1", "not-put-back", lambda: (except_exception,), 2, NOT_PUT_BACK),
    Wrong(
        "11.1",
        "cancellation-swallowed",
        lambda: (swallows,),
        3,
        "The `CancelledError` was caught and not raised again. Whoever cancelled, a timeout or a task group, is told "
        "that all is well and goes on as if nothing had been cancelled.",
    ),
    Wrong(
        "11.3",
        "all-at-the-end",
        lambda: (counting(all_at_the_end),),
        3,
        "The answer was put together for 3 s, and then sent in one piece: until then the client has seen nothing. A "
        "stream is a generator that yields each piece when it is there, and that the response takes them from.",
    ),
    Wrong(
        "11.3",
        "blocking",
        lambda: (counting(blocks),),
        4,
        "In `async def`, `time.sleep(1)` (at time.sleep(1)) runs on the event loop's own thread and keeps it for 3 s. "
        "`async` does not make it wait politely: only an `await` lets others run, so meanwhile nobody else does.",
    ),
    Wrong(
        "11.4",
        "not-accepted",
        lambda: (shouting(never_accepts),),
        0,
        "The websocket was never accepted. It begins as a request that the app may refuse, and nothing can be sent or "
        "received before `await websocket.accept()`.",
    ),
    Wrong(
        "11.4",
        "only-once",
        lambda: (shouting(once),),
        1,
        "The handler answers once and returns, and when it returns the websocket is closed. It lasts as long as its "
        "handler runs: go on until the client leaves.",
    ),
    Wrong(
        "11.4",
        "disconnect-not-caught",
        lambda: (shouting(for_ever),),
        3,
        "That the client leaves is no failure, but `receive_text` has no other way to say so than "
        "`WebSocketDisconnect`. Catch it, or go through `websocket.iter_text()`, which ends then.",
    ),
]
