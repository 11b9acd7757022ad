"""The app that a lab's tests ask, and what else a lab's loop is busy with."""

import asyncio
import threading
import time
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread

from playground import App
from playground.web.requests import Request
from playground.web.responses import StreamingResponse
from playground.web.websockets import WebSocket

app = App()


@app.get("/hello/{name}")
async def hello(name: str) -> dict[str, str]:
    await anyio.sleep(0.001)
    return {"hello": name}


@app.get("/blocks")
async def blocks() -> str:
    time.sleep(0.1)
    return "blocked"


@app.get("/report")
def report() -> str:
    time.sleep(0.02)
    return "done"


@app.post("/echo")
async def echo(request: Request) -> bytes:
    return await request.body()


@app.get("/broken")
async def broken() -> None:
    raise ValueError("on purpose")


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def chunks() -> Any:
        for index in range(3):
            yield f"{index}".encode()
            await anyio.lowlevel.checkpoint()

    return StreamingResponse(chunks())


left = threading.Event()


@app.get("/endless")
async def endless() -> StreamingResponse:
    async def chunks() -> Any:
        try:
            while True:
                yield b"tick"
                await anyio.sleep(0.001)
        finally:
            left.set()

    return StreamingResponse(chunks())


@app.websocket("/talk")
async def talk(socket: WebSocket) -> None:
    await socket.accept(subprotocol=socket.scope["subprotocols"][0])
    await socket.send_json(
        {
            "name": socket.query_params["name"],
            "mood": socket.headers["x-mood"],
            "offered": socket.scope["subprotocols"],
        }
    )
    async for text in socket.iter_text():
        await socket.send_text(text)


@app.get("/hang")
async def hang() -> None:
    await anyio.sleep(60)


async def other_tasks() -> set[str]:
    for _ in range(5):  # what was cancelled needs a few turns to unwind
        await asyncio.sleep(0)
    own = asyncio.current_task()
    return {task.get_name() for task in asyncio.all_tasks() if task is not own} - {"lab", "lifespan", outermost()}


def outermost() -> str:
    """The task that awaits the recorded function."""
    return next(task.get_name() for task in asyncio.all_tasks() if "_record" in repr(task.get_coro()))
