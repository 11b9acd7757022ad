"""Reference solutions of lesson 11, to be pasted into its notebook."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from playground import App
from playground.course.lesson_11 import Shelf
from playground.web.responses import StreamingResponse
from playground.web.websockets import WebSocket
from tests.course.answers import Given


async def fastest(fetch: Callable[[str], Coroutine[Any, Any, str]], mirrors: list[str]) -> str:
    tasks = [asyncio.create_task(fetch(mirror)) for mirror in mirrors]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return done.pop().result()


async def lend(shelf: Shelf, read: Callable[[], Awaitable[str]]) -> str:
    shelf.take()
    try:
        return await read()
    finally:
        shelf.put_back()


def counts() -> App:
    app = App()

    @app.get("/count")
    async def count() -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            yield "1\n"
            for number in range(2, 5):
                await asyncio.sleep(1)
                yield f"{number}\n"

        return StreamingResponse(lines())

    return app


def shouts() -> App:
    app = App()

    @app.websocket("/shout")
    async def shout(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text.upper())

    return app


SOLUTIONS: dict[str, Given] = {
    "11.1": lambda: (fastest,),
    "11.2": lambda: (lend,),
    "11.3": lambda: (counts(),),
    "11.4": lambda: (shouts(),),
}
