"""Simulated conditions: what is decided, and what it means in time."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from playground.asgi import Receive, Scope, Send
from playground.errors import UsageError
from playground.transport import Network
from tests.transport.helpers import START, app_of, body, client, echo, hello, running_tasks

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]

seconds = st.floats(0, 1e3)


@pytest.fixture
def anyio_backend() -> Any:
    """A clock that jumps, so times are exact and no test waits."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def took(action: Any) -> float:
    start_s = anyio.current_time()
    await action
    return anyio.current_time() - start_s


# What is decided.


@given(st.integers(), st.integers(0, 1000), seconds, seconds, st.floats(0, 1))
def test_a_fate_depends_on_the_seed_and_the_number_alone(
    seed: int, number: int, latency_s: float, jitter_s: float, loss: float
) -> None:
    network = Network(latency_s, jitter_s, None, loss, seed)
    fate = network.fate(number)
    assert fate == Network(latency_s, jitter_s, None, loss, seed).fate(number)
    for delay_s in (fate.out_s, fate.back_s):
        assert latency_s <= delay_s <= latency_s + jitter_s


def test_a_fate_stays_the_same_from_release_to_release() -> None:
    """Lessons and graded exercises name these numbers: a change here changes them."""
    fates = [Network(0.1, 0.1, None, 0.5, seed=7).fate(number) for number in range(4)]
    assert [(round(fate.out_s, 4), round(fate.back_s, 4), fate.lost, fate.lost_at_piece) for fate in fates] == [
        (0.1706, 0.1617, "body", 1),
        (0.1055, 0.116, "response", 3),
        (0.1663, 0.1478, "body", 3),
        (0.1043, 0.1418, None, 3),
    ]


def test_as_many_are_lost_as_asked_for_in_each_of_three_places() -> None:
    losses = Counter(Network(loss=0.3, seed=1).fate(number).lost for number in range(10_000))
    assert set(losses) == {None, "connect", "response", "body"}
    assert losses[None] == pytest.approx(7000, rel=0.05)
    for place in ("connect", "response", "body"):
        assert losses[place] == pytest.approx(1000, rel=0.1)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 10_000)), min_size=1), st.floats(1, 1e9))
def test_data_arrives_in_order_and_no_faster_than_the_bandwidth(sent: list[tuple[float, int]], bps: float) -> None:
    network, free_s = Network(bandwidth_bps=bps), 0.0
    for sent_s, size in sorted(sent):
        arrival_s = network.arrival_s(sent_s, free_s, 1.0, size)
        assert arrival_s >= max(sent_s + 1.0, free_s)
        assert arrival_s - free_s >= size * 8 / bps - 1e-6
        free_s = arrival_s


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"latency_s": -1}, "`latency_s` to be a number of seconds, 0 or more, but it is -1"),
        ({"jitter_s": float("inf")}, "`jitter_s` to be a number of seconds, 0 or more, but it is inf"),
        ({"bandwidth_bps": 0}, "`bandwidth_bps` to be more than 0, or None, but it is 0"),
        ({"loss": 1.5}, "`loss` to be a share from 0 to 1, but it is 1.5"),
    ],
)
def test_conditions_that_cannot_be_are_refused_in_words(options: dict[str, float], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        Network(**options)  # type: ignore[arg-type]
    assert str(caught.value) == f"Network: expected {words}."


# What it means in time.


async def test_latency_is_met_on_the_way_out_and_on_the_way_back() -> None:
    met: list[float] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        met.append(anyio.current_time())
        await hello(scope, receive, send)

    async with client(app, network=Network(latency_s=0.25)) as http:
        start_s = anyio.current_time()
        assert await took(http.get("/")) == pytest.approx(0.5)
    assert met == [pytest.approx(start_s + 0.25)]


async def test_every_piece_of_a_stream_is_as_late_as_the_first() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        for _ in range(3):
            await send(body(b"x", more=True))
            await anyio.sleep(1)
        await send(body())

    async with client(app_of(handler), network=Network(latency_s=0.25)) as http:
        start_s = anyio.current_time()
        async with http.stream("GET", "/") as response:
            arrived = [anyio.current_time() - start_s async for _ in response.aiter_raw()]
    assert arrived == pytest.approx([0.5, 1.5, 2.5])


async def test_bandwidth_slows_both_directions() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield bytes(1000)

    async with client(echo, network=Network(bandwidth_bps=8000)) as http:  # a thousand bytes a second
        for name in list(http.headers):
            del http.headers[name]
        head_s = len("POST / HTTP/1.1|Host: lab|Content-Length: 2000||".replace("|", "\r\n")) / 1000
        back_s = len("HTTP/1.1 200 OK|x-a: 1||".replace("|", "\r\n")) / 1000
        assert await took(http.post("/", content=bytes(2000))) == pytest.approx(head_s + 2 + back_s + 2)
        # In pieces, the way back overlaps the way out.
        head_s = len("POST / HTTP/1.1|Host: lab|Transfer-Encoding: chunked||".replace("|", "\r\n")) / 1000
        assert await took(http.post("/", content=pieces())) == pytest.approx(head_s + 4 + 1)


async def test_a_timeout_that_the_network_causes_says_so() -> None:
    before = running_tasks()
    async with client(hello, network=Network(latency_s=3)) as http:
        with pytest.raises(httpx.ReadTimeout) as caught:
            await http.get("/a", timeout=2)
    assert running_tasks() == before
    assert str(caught.value) == (
        "GET /a: expected data over the simulated network within 2 s, but it needs 3 s. "
        "Give the client a longer timeout, or the network less to do."
    )


async def test_an_app_that_fails_is_answered_for_over_the_network_too() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("broken")

    async with client(broken, raise_app_exceptions=False, network=Network(latency_s=1)) as http:
        start_s = anyio.current_time()
        assert (await http.get("/")).status_code == 500
        assert anyio.current_time() - start_s == pytest.approx(2)


def number_of(network: Network, lost: str, at_piece: int = 0) -> int:
    numbers = range(10_000)
    fates = map(network.fate, numbers)
    return next(
        n for n, fate in zip(numbers, fates, strict=True) if (fate.lost, fate.lost_at_piece) == (lost, at_piece)
    )


@pytest.mark.parametrize(
    ("lost", "at_piece", "kind", "when"),
    [
        ("connect", 0, httpx.ConnectError, "before the request had arrived"),
        ("response", 0, httpx.ReadError, "before the response had arrived"),
        ("body", 0, httpx.ReadError, "after 0 pieces of the body"),
        ("body", 2, httpx.ReadError, "after 2 pieces of the body"),
        ("body", 3, httpx.ReadError, "after 3 pieces of the body"),
    ],
)
async def test_a_lost_request_is_a_reset_connection(lost: str, at_piece: int, kind: Any, when: str) -> None:
    network = Network(loss=1)
    number = number_of(network, lost, at_piece)
    called = []

    async def handler(receive: Receive, send: Send) -> None:
        called.append(True)
        await send(START)
        for _ in range(3):
            await send(body(b"x", more=True))
        await send(body())

    async with client(app_of(handler), network=network) as http:
        transport: Any = http._transport
        transport._numbers = iter([number])
        with pytest.raises(kind) as caught:
            await http.get("/a")
    assert called == [True] * (lost != "connect")
    assert str(caught.value) == (
        f"GET /a: the simulated network reset the connection {when}, as `loss` asks for. "
        "Catch this and try again, as over a real one."
    )


async def test_two_clients_with_one_seed_meet_the_same() -> None:
    async def outcomes() -> list[Any]:
        found: list[Any] = []
        async with client(hello, network=Network(0.1, 0.1, None, 0.3, seed=3)) as http:
            for _ in range(30):
                start_s = anyio.current_time()
                try:
                    await http.get("/")
                except httpx.TransportError as error:
                    found.append(type(error))
                found.append(round(anyio.current_time() - start_s, 9))
        return found

    assert await outcomes() == await outcomes()


async def test_a_request_that_is_cancelled_on_its_way_back_takes_the_app_with_it() -> None:
    before = running_tasks()
    async with client(app_of(lambda receive, send: send(START)), network=Network(latency_s=1)) as http:
        with anyio.move_on_after(1.5) as scope:
            await http.get("/")
    assert scope.cancelled_caught
    assert running_tasks() == before


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_it_works_by_asyncios_clock_too() -> None:
    async with client(echo, network=Network(latency_s=0.01, bandwidth_bps=1e6)) as http:
        start_s = anyio.current_time()
        response = await http.post("/", content=bytes(1000))
        assert anyio.current_time() - start_s >= 0.036
    assert response.content == bytes(1000)
