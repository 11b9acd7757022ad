"""What an app does wrong, and what it does not do in time, is raised where its client waits for it."""

import asyncio
import traceback
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from trio.testing import MockClock

from playground.asgi import Receive, Send
from playground.errors import NoAnswer, ProtocolError
from playground.transport import Exchange
from tests.transport.helpers import START, body, exchange, hello, pieces_of, read, settle, start_and_read

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]


# What goes wrong in the app.


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
async def test_an_exception_reaches_the_caller_once_and_in_its_place(sent: int) -> None:
    messages = [START, body(b"a", more=True), body(b"b")]

    async def handler(receive: Receive, send: Send) -> None:
        for message in messages[:sent]:
            await send(message)
        raise ValueError("broken")

    one = exchange(handler)
    seen: list[Any] = []
    try:
        await one.start()
        seen.append("start")
        while (piece := await one.chunk()) is not None:
            seen.append(piece)
        seen.append("end")
    except ValueError as error:
        seen.append(error)
    await one.aclose()
    late = one.untold()
    seen += [late] if late is not None else []
    assert seen[:-1] == ["start", b"a", b"b", "end"][: sent + (sent == 3)]
    assert isinstance(seen[-1], ValueError)
    assert one.failure is seen[-1]
    assert one.untold() is None
    assert "handler" in [frame.name for frame in traceback.extract_tb(seen[-1].__traceback__)]


async def test_an_exception_before_the_client_left_is_kept_for_it() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        raise ValueError("broken")

    one = exchange(handler)
    await one.start()
    await settle()
    await one.aclose()
    assert str(one.untold()) == "broken"
    assert one.untold() is None


async def test_an_app_that_returns_without_a_word_is_told_what_is_missing() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await receive()

    with pytest.raises(ProtocolError) as caught:
        await exchange(handler).start()
    assert str(caught.value) == (
        "GET /x: expected `http.response.start`, but the app returned without sending one. "
        "Send a response in every branch of the app."
    )


async def test_an_app_that_returns_in_the_middle_is_told_what_is_missing() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"abc", more=True))

    one = exchange(handler)
    await one.start()
    assert await one.chunk() == b"abc"
    with pytest.raises(ProtocolError) as caught:
        await one.chunk()
    assert str(caught.value) == (
        "GET /x: expected `http.response.body` with `more_body=False`, but the app returned after 3 bytes of body. "
        "Send a last body message, one without `more_body=True`."
    )
    await one.aclose()
    assert one.untold() is None


async def test_a_message_out_of_order_is_raised_where_it_was_sent_and_in_the_caller() -> None:
    lines = []

    async def handler(receive: Receive, send: Send) -> None:
        try:
            await send(body(b"abc"))
        except ProtocolError as error:
            lines.append(error)
            raise

    with pytest.raises(ProtocolError) as caught:
        await exchange(handler).start()
    assert lines == [caught.value]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_app_that_is_cancelled_by_somebody_else_does_not_cancel_the_caller() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    with pytest.raises(ProtocolError) as caught:
        await exchange(handler).start()
    assert str(caught.value) == (
        "GET /x: expected `http.response.start`, but the app was cancelled, and not by its client. "
        "Look for what cancels its task or lets a `CancelledError` out."
    )


# Time.


async def silence(one: Exchange) -> str:
    with pytest.raises(NoAnswer) as caught:
        await start_and_read(one, 0.01)
    return str(caught.value)


async def test_a_silent_app_is_told_what_is_missing() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await receive()
        await anyio.sleep_forever()

    assert await silence(exchange(handler)) == (
        "GET /x: expected `http.response.start` from the app within 0.01 s, but nothing came. "
        "Send it sooner, or give the client a longer timeout."
    )


async def test_an_app_that_falls_silent_is_told_what_is_missing() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"abc", more=True))
        await anyio.sleep_forever()

    assert await silence(exchange(handler)) == (
        "GET /x: expected `http.response.body` from the app within 0.01 s, but nothing came. "
        "Send it sooner, or give the client a longer timeout."
    )


async def test_an_app_that_waits_for_a_message_too_many_is_told_so() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await receive()
        await receive()

    assert await silence(exchange(handler)) == (
        "GET /x: expected `http.response.start` from the app within 0.01 s, but it waits in `receive()` for a message "
        "that is not due. The request's body was at its end; after that there is only `http.disconnect`."
    )


async def test_an_app_that_does_not_read_the_body_is_told_so() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await anyio.sleep_forever()

    assert await silence(exchange(handler, pieces_of(b"abc"))) == (
        "GET /x: expected `http.response.start` from the app within 0.01 s, but nothing came, and it has not read the "
        "request's body. Send it sooner, or give the client a longer timeout."
    )


@pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})])
async def test_the_time_that_the_client_takes_to_send_is_not_the_apps() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            await anyio.sleep(100)
            yield b"a"

    async def handler(receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        await anyio.sleep(9)
        await hello({}, receive, send)

    one = exchange(handler, pieces())
    await one.start(10)
    assert await read(one) == [b"hello"]
    await one.aclose()
