"""What is large streams through and is not kept, and what is small arrives at once.

Each piece is a new object, copied from one buffer: were the buffer itself sent each time, a transport that kept all
would hold one buffer and many references to it, and no measure would tell. `tracemalloc` is the witness, since it
counts what lives at one moment in this process alone, whatever the allocator or an earlier test has kept.
"""

import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import pytest

from playground.asgi import Receive, Scope, Send
from playground.transport import WSGITransport
from playground.web.responses import StreamingResponse
from tests.transport.helpers import START, app_of, body, client, echo

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]

PIECE_BYTES = 256 * 1024
GIB = 1024**3
MOST_BYTES = 32 * 1024**2
EVENTS = 3


class Pieces:
    """A stream of numbered pieces, `total_bytes` long."""

    def __init__(self, total_bytes: int) -> None:
        self._buffer = bytearray(PIECE_BYTES)
        self._left = total_bytes // PIECE_BYTES
        self._next = 0

    def __aiter__(self) -> "Pieces":
        return self

    async def __anext__(self) -> bytes:
        if self._next == self._left:
            raise StopAsyncIteration
        self._buffer[:8] = self._next.to_bytes(8, "big")
        self._next += 1
        return bytes(self._buffer)


class Count:
    """What has come of such a stream, each piece in its turn."""

    def __init__(self) -> None:
        self.size = 0
        self._next = 0

    def take(self, piece: bytes) -> None:
        if piece:
            assert (len(piece), int.from_bytes(piece[:8], "big")) == (PIECE_BYTES, self._next)
            self._next += 1
            self.size += len(piece)


@contextmanager
def at_most(most_bytes: int) -> Iterator[None]:
    """Less than this is held at any moment within the block, above what was held before."""
    tracemalloc.start()
    try:
        yield
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < most_bytes


async def test_the_witness_sees_what_is_kept() -> None:
    async def keep() -> None:
        with at_most(4 * PIECE_BYTES):
            assert len([piece async for piece in Pieces(8 * PIECE_BYTES)]) == 8

    with pytest.raises(AssertionError):
        await keep()


@pytest.mark.slow
async def test_a_gibibyte_goes_up_and_is_not_kept() -> None:
    count = Count()

    async def handler(receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            count.take(message["body"])
            more = message["more_body"]
        await send(START)
        await send(body(b"done"))

    with at_most(MOST_BYTES):
        async with client(app_of(handler)) as http:
            assert (await http.post("/", content=Pieces(GIB))).text == "done"
    assert count.size == GIB


@pytest.mark.slow
async def test_a_gibibyte_comes_down_and_is_not_kept() -> None:
    count = Count()

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        async for piece in Pieces(GIB):
            await send(body(piece, more=True))
        await send(body())

    with at_most(MOST_BYTES):
        async with client(app_of(handler)) as http, http.stream("GET", "/") as response:
            async for piece in response.aiter_raw():
                count.take(piece)
    assert count.size == GIB


@pytest.mark.slow
async def test_a_gibibyte_goes_both_ways_at_once_and_is_not_kept() -> None:
    count = Count()

    with at_most(MOST_BYTES):
        async with client(echo) as http, http.stream("POST", "/", content=Pieces(GIB)) as response:
            async for piece in response.aiter_raw():
                count.take(piece)
    assert count.size == GIB


# Server-sent events. Neither of these would end if the first event came with the last.


async def test_the_first_event_is_there_while_the_app_still_sends() -> None:
    seen = anyio.Event()
    ended = anyio.Event()

    async def events() -> AsyncIterator[str]:
        for number in range(EVENTS):
            yield f"data: {number}\n\n"
            await seen.wait()
        ended.set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(events(), media_type="text/event-stream")(scope, receive, send)

    async with client(app) as http, http.stream("GET", "/") as response:
        lines = response.aiter_lines()
        assert await anext(lines) == "data: 0"
        assert not ended.is_set()
        seen.set()
        assert [line async for line in lines if line] == ["data: 1", "data: 2"]
    assert ended.is_set()


async def test_the_first_event_of_a_wsgi_app_is_there_while_its_thread_still_works() -> None:
    seen = threading.Event()
    ended = threading.Event()

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("content-type", "text/event-stream")])
        for number in range(EVENTS):
            yield b"data: %d\n\n" % number
            assert seen.wait(10)
        ended.set()

    http = httpx.AsyncClient(transport=WSGITransport(app), base_url="http://lab")
    async with http, http.stream("GET", "/") as response:
        lines = response.aiter_lines()
        assert await anext(lines) == "data: 0"
        assert not ended.is_set()
        seen.set()
        assert [line async for line in lines if line] == ["data: 1", "data: 2"]
    assert ended.is_set()
