"""Websockets over a simulated network, by a clock that jumps."""

from typing import Any

import anyio
import pytest
from trio.testing import MockClock

from playground.asgi import Receive, Scope, Send
from playground.errors import ClientGone, ConnectionClosed, ProtocolError
from playground.transport import Network, connect

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]


@pytest.fixture
def anyio_backend() -> Any:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


def number_of(network: Network, lost: str | None, at_piece: int = 0) -> int:
    fates = ((number, network.fate(number)) for number in range(10_000))
    return next(number for number, fate in fates if (fate.lost, fate.lost_at_piece) == (lost, at_piece))


async def test_the_handshake_and_every_message_take_their_time_both_ways() -> None:
    start_s = anyio.current_time()
    async with connect(echo, "/", network=Network(latency_s=0.25)) as session:
        times_s = [anyio.current_time() - start_s]
        for text in ("a", "b"):  # one after the other, without waiting
            await session.send_text(text)
        for text in ("a", "b"):
            assert await session.receive_text() == text
            times_s.append(anyio.current_time() - start_s)
    assert times_s == pytest.approx([0.5, 1.0, 1.0])


async def test_bandwidth_counts_the_handshake_and_the_frames() -> None:
    network = Network(bandwidth_bps=8000)  # a thousand bytes a second
    async with connect(echo, "/", network=network) as session:
        start_s = anyio.current_time()
        assert start_s > 0.2  # the two heads
        await session.send_text("x" * 1000)
        assert await session.receive_text() == "x" * 1000
        assert anyio.current_time() - start_s == pytest.approx((2 + 4 + 2 + 1000 + 2 + 2 + 1000) / 1000)


async def test_a_message_is_not_lost_on_an_app_that_gives_up_waiting() -> None:
    async def impatient(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        message = None
        while message is None:
            with anyio.move_on_after(0.01):
                message = await receive()
        await send({"type": "websocket.send", "text": message["text"]})
        await receive()

    async with connect(impatient, "/", network=Network(latency_s=0.25)) as session:
        await session.send_text("a")
        assert await session.receive_text() == "a"


@pytest.mark.parametrize(
    ("lost", "when"),
    [
        (
            "connect",
            "before the handshake had arrived",
        ),
        (
            "response",
            "before any message came",
        ),
    ],
)
async def test_a_handshake_may_be_lost(lost: str, when: str) -> None:
    called: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        called.append("called")
        await echo(scope, receive, send)

    network = Network(loss=1)
    with pytest.raises(ConnectionClosed) as caught:
        async with connect(app, "/", network=network, number=number_of(network, lost)):
            pytest.fail("it was not lost")
    assert str(caught.value) == (
        "WS /: expected the app to accept the connection, but it closed it with code 1006 (the simulated network reset "
        f"the connection {when}, as `loss` asks for)."
    )
    assert caught.value.code == 1006
    assert called == ["called"] * (lost != "connect")


async def test_a_connection_may_be_lost_between_messages_and_both_sides_hear_of_it() -> None:
    network, heard = Network(loss=1), []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        heard.append(message["code"])
        with pytest.raises(ClientGone):
            await send({"type": "websocket.send", "text": "too late"})

    async with connect(app, "/", network=network, number=number_of(network, "body", 2)) as session:
        for text in ("a", "b"):
            await session.send_text(text)
            assert await session.receive_text() == text
        await session.send_text("c")
        with pytest.raises(ConnectionClosed) as caught:
            await session.receive_text()
    assert (caught.value.code, heard) == (1006, [1006])
    assert str(caught.value) == (
        "WS /: expected a message, but the app has closed the connection with code 1006 (the simulated network reset "
        "the connection after 2 messages of the app, as `loss` asks for)."
    )


async def test_what_an_app_raises_or_says_wrongly_comes_as_it_is() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("broken")

    async def rude(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.send", "text": "hello"})
        await anyio.sleep_forever()

    with pytest.raises(ValueError, match=r"^broken$"):
        async with connect(broken, "/", network=Network(latency_s=1)):
            pytest.fail("it raised nothing")
    with pytest.raises(ProtocolError, match=r"^WS /: expected `websocket\.accept`"):
        async with connect(rude, "/", network=Network(latency_s=1)):
            pytest.fail("it raised nothing")


async def test_a_number_meets_the_same_each_time() -> None:
    async def meet(number: int) -> list[Any]:
        start_s, found = anyio.current_time(), []
        try:
            async with connect(echo, "/", network=Network(0.1, 0.1, None, 0.5, seed=3), number=number) as session:
                for text in ("a", "b", "c"):
                    await session.send_text(text)
                    found.append(await session.receive_text())
        except ConnectionClosed as end:
            found.append(end.reason)
        return [*found, round(anyio.current_time() - start_s, 9)]

    first = [await meet(number) for number in range(10)]
    assert first == [await meet(number) for number in range(10)]
    assert len({str(one) for one in first}) == 10


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_it_works_by_asyncios_clock_too() -> None:
    start_s = anyio.current_time()
    async with connect(echo, "/", network=Network(latency_s=0.01)) as session:
        await session.send_text("a")
        assert await session.receive_text() == "a"
    assert anyio.current_time() - start_s >= 0.04
