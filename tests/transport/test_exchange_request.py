"""What an app is told of a body: all of it, in its pieces, and no sooner than it asks."""

import re
from collections.abc import AsyncIterator

import anyio
import pytest

from playground.asgi import Message, Receive, Send
from playground.errors import ClientGone
from playground.transport.exchange import BUFFER_BYTES
from tests.transport.helpers import (
    START,
    body,
    echo,
    exchange,
    hello,
    pieces_of,
    read,
    running_tasks,
    settle,
    start_and_read,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]


async def test_a_body_of_bytes_is_one_message_and_then_the_app_waits() -> None:
    messages: list[Message] = []

    async def handler(receive: Receive, send: Send) -> None:
        messages.append(await receive())
        await send(START)
        messages.append(await receive())

    one = exchange(handler, b"abc")
    await one.start()
    await settle()
    assert messages == [{"type": "http.request", "body": b"abc", "more_body": False}]
    await one.aclose()
    assert messages[1:] == [{"type": "http.disconnect"}]


@pytest.mark.parametrize("kind", ["asynchronous", "plain"])
async def test_a_body_in_pieces_arrives_in_those_pieces(kind: str) -> None:
    pieces = [b"ab", b"", b"c"]
    one = exchange(
        lambda receive, send: echo({}, receive, send), pieces_of(*pieces) if kind == "asynchronous" else iter(pieces)
    )
    await one.start()
    assert await read(one) == [b"ab", b"c"]
    await one.aclose()


async def test_a_body_is_pulled_one_piece_ahead_of_the_app() -> None:
    pulled = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(9):
            pulled.append(number)
            yield b"x"

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await receive()
        await anyio.sleep_forever()

    one = exchange(handler, pieces())
    await one.start()
    await settle()
    assert pulled == [0, 1]
    one.hang_up()
    with anyio.move_on_after(0):
        await one.aclose()


async def test_the_answer_may_begin_while_the_client_still_sends() -> None:
    begun = anyio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await begun.wait()  # would never end if the answer waited for the end of the body
        yield b"second"

    one = exchange(lambda receive, send: echo({}, receive, send), pieces())
    await one.start()
    assert await one.chunk() == b"first"
    begun.set()
    assert await read(one) == [b"second"]
    await one.aclose()


async def test_an_app_that_gives_up_a_receive_loses_nothing() -> None:
    ready = anyio.Event()
    got = []

    async def pieces() -> AsyncIterator[bytes]:
        await ready.wait()
        yield b"kept"

    async def handler(receive: Receive, send: Send) -> None:
        with anyio.move_on_after(0):
            await receive()
        ready.set()
        got.append(await receive())
        await hello({}, receive, send)

    one = exchange(handler, pieces())
    await one.start()
    await one.aclose()
    assert got == [{"type": "http.request", "body": b"kept", "more_body": True}]


async def test_what_the_body_raises_reaches_the_caller_and_the_app_is_disconnected() -> None:
    messages = []
    closed = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            raise ValueError("the client's own")
        finally:
            closed.append(True)

    async def handler(receive: Receive, send: Send) -> None:
        messages.append((await receive())["type"])
        messages.append((await receive())["type"])

    one = exchange(handler, pieces())
    with pytest.raises(ValueError, match=r"^the client's own$"):
        await one.start()
    assert (messages, closed) == (["http.request", "http.disconnect"], [True])
    assert one.failure is None


async def test_a_body_that_is_not_read_to_its_end_is_closed() -> None:
    closed = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append(True)

    one = exchange(lambda receive, send: hello({}, receive, send), pieces())
    await one.start()
    await one.aclose()
    assert closed == [True]


async def test_a_body_that_fails_frees_an_app_that_waits_to_send() -> None:
    errors = []
    fail = anyio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await fail.wait()
        raise ValueError("the client's own")

    async def handler(receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        try:
            while True:
                await send(body(bytes(BUFFER_BYTES), more=True))
        except OSError as error:
            errors.append(error)

    one = exchange(handler, pieces())
    await one.start()
    fail.set()
    await settle()
    assert [type(error) for error in errors] == [ClientGone]
    assert str(one.untold()) == "the client's own"


@pytest.mark.parametrize("fails", [False, True])
async def test_a_body_is_not_sent_on_when_its_app_has_ended(fails: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        await anyio.sleep_forever()
        yield b""

    async def handler(receive: Receive, send: Send) -> None:
        if fails:
            raise ValueError("broken")
        await hello({}, receive, send)

    before = running_tasks()
    one = exchange(handler, pieces())
    try:
        await one.start()
    except ValueError:
        assert fails
    else:
        await settle()  # nobody closes this one
    assert running_tasks() == before


async def test_a_body_of_text_is_refused_in_words() -> None:
    one = exchange(lambda receive, send: echo({}, receive, send), pieces_of("text"))
    message = "expected a request body that yields bytes, but it yielded a str. Encode text before sending it."
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        await start_and_read(one)
