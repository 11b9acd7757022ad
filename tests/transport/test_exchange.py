"""What an app sends to its client: when it arrives, who waits for whom, and in which task and context."""

import asyncio
import contextvars
import gc
from typing import Any

import anyio
import pytest

from playground.asgi import Receive, Send
from playground.transport.exchange import BUFFER_BYTES
from tests.transport.helpers import START, body, echo, exchange, hello, read, settle

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]

VAR: contextvars.ContextVar[str] = contextvars.ContextVar("VAR", default="unset")


async def test_the_answer_begins_with_the_start_message_and_not_with_the_end() -> None:
    go_on = anyio.Event()

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await go_on.wait()
        await send(body(b"late"))

    one = exchange(handler)
    await one.start()
    assert (one.reply.status, one.reply.headers) == (200, [(b"x-a", b"1")])
    go_on.set()
    assert await read(one) == [b"late"]
    await one.aclose()


async def test_a_piece_arrives_while_the_app_is_still_sending() -> None:
    seen = anyio.Event()

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"first", more=True))
        await seen.wait()  # would never end if the client got the pieces only at the end
        await send(body(b"second"))

    one = exchange(handler)
    await one.start()
    assert await one.chunk() == b"first"
    seen.set()
    assert await read(one) == [b"second"]
    await one.aclose()


async def test_an_app_that_sends_without_end_waits_for_its_client() -> None:
    sent = 0
    piece = bytes(1000)

    async def handler(receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(START)
        while True:
            await send(body(piece, more=True))
            sent += 1

    one = exchange(handler)
    await one.start()
    await settle()
    assert sent * len(piece) == one.reply.buffered
    assert BUFFER_BYTES <= one.reply.buffered < BUFFER_BYTES + len(piece)
    full = sent
    for _ in range(100):
        assert await one.chunk() == piece
        assert one.reply.buffered < BUFFER_BYTES + len(piece)
    await settle()
    assert sent == full + 100
    await one.aclose()


async def test_pieces_of_nothing_do_not_hold_the_loop() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        while True:
            await send(body(b"", more=True))

    one = exchange(handler)
    await one.start()
    await one.aclose()


async def test_the_answer_to_head_ends_with_its_headers_but_the_app_may_finish(short_grace: float) -> None:
    done = []

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
            await send(body(b"unseen", more=True))
        await send(body())
        done.append(True)

    one = exchange(handler, method="HEAD")
    await one.start()
    assert await one.chunk() is None
    await one.aclose()
    assert done == [True]


async def test_the_caller_may_start_read_and_close_in_three_tasks() -> None:
    one = exchange(lambda receive, send: echo({}, receive, send), b"abc")
    got: list[bytes] = []

    async def reading() -> None:
        got.extend(await read(one))

    for step in (one.start, reading, one.aclose):
        async with anyio.create_task_group() as group:
            group.start_soon(step)
    assert got == [b"abc"]


async def test_the_context_of_the_caller_is_the_apps_and_not_the_other_way_round() -> None:
    seen = []

    async def handler(receive: Receive, send: Send) -> None:
        seen.append(VAR.get())
        VAR.set("the app's")
        await hello({}, receive, send)

    VAR.set("the caller's")
    one = exchange(handler)
    await one.start()
    await one.aclose()
    assert (seen, VAR.get()) == (["the caller's"], "the caller's")


async def test_the_app_runs_in_a_task_named_after_the_request(anyio_backend: str) -> None:
    names = []

    async def handler(receive: Receive, send: Send) -> None:
        names.append(anyio.get_current_task().name)
        await hello({}, receive, send)

    one = exchange(handler)
    await one.start()
    await one.aclose()
    assert names == ["GET /x"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_task_ends_as_the_app_did() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def handler(receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        raise ValueError("broken")

    with pytest.raises(ValueError, match=r"^broken$"):
        await exchange(handler).start()
    await settle()
    assert isinstance(tasks[0].exception(), ValueError)


@pytest.mark.slow
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_exchange_leaves_no_cycle_for_the_garbage_collector() -> None:
    async def once() -> None:
        one = exchange(lambda receive, send: hello({}, receive, send))
        await one.start(5.0)
        assert await read(one) == [b"hello"]
        await one.aclose()

    await once()
    gc.collect()
    gc.disable()
    try:
        await once()
        await settle()
        assert gc.collect() == 0
    finally:
        gc.enable()
