"""Apps in a line or two, and a look at what is running."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio.lowlevel
import httpx
import pytest

from playground.asgi import Message, Receive, Scope, Send
from playground.transport import ASGITransport, Exchange, http_scope
from playground.transport.upload import Body

START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]}

# httpx drops its own generators when a caller stops reading, and trio minds.
dropped_by_httpx = pytest.mark.filterwarnings("ignore:Async generator 'httpx:ResourceWarning")

Handler = Callable[[Receive, Send], Awaitable[object]]


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def app_of(handler: Handler) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An app that is only interested in its messages."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await handler(receive, send)

    return app


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await send(body(b"hello"))


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends each piece back as it comes."""
    await send(START)
    more = True
    while more:
        message = await receive()
        more = message["more_body"]
        await send(body(message["body"], more=more))


def exchange(handler: Handler, content: Body = b"", *, method: str = "GET") -> Exchange:
    return Exchange(app_of(handler), http_scope(method, b"/x"), content)


def client(app: Any, **options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=ASGITransport(app, **options), base_url="http://lab")


def running_tasks() -> set[Any]:
    """All tasks of the running loop; on trio those of the system nursery too."""
    trio = sys.modules.get("trio")
    if trio is None or not trio.lowlevel.in_trio_task():
        tasks = asyncio.all_tasks()
        return {task for task in tasks if "TestRunner" not in str(task.get_coro())}  # pytest's own
    found: set[Any] = set()
    to_see = [trio.lowlevel.current_root_task()]
    while to_see:
        task = to_see.pop()
        if not task.name.startswith("close asyncgen httpx"):  # trio closing what httpx dropped
            found.add(task)
        to_see += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return found


async def settle() -> None:
    """Give every task that can run the turns to do so."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


async def read(one: Exchange, timeout_s: float | None = None) -> list[bytes]:
    pieces = []
    while (piece := await one.chunk(timeout_s)) is not None:
        pieces.append(piece)
    return pieces


async def start_and_read(one: Exchange, timeout_s: float | None = None) -> list[bytes]:
    await one.start(timeout_s)
    return await read(one, timeout_s)


async def pieces_of(*pieces: Any) -> AsyncIterator[bytes]:
    for piece in pieces:
        await anyio.lowlevel.checkpoint()
        yield piece
