"""A lab that is used after it was closed, and what it has handed out: each says so in words, and is left in peace."""

import asyncio
import gc
import time
import urllib.error
import urllib.request
import weakref
from collections.abc import Callable
from operator import methodcaller

import pytest

from playground import Lab
from playground.errors import LabClosed, LabError
from playground.trace import Clock
from playground.widgets.live import LiveTimeline
from tests.faults.busy import CLOSED, House, clocks, read, read_awaited


async def nothing() -> None: ...


def enter(lab: Lab) -> None:
    with lab:
        pass


def listen_to(lab: Lab) -> None:
    with lab.websocket("/socket"):
        pass


def serve(lab: Lab) -> None:
    with lab.serve():
        pass


USES: dict[str, Callable[[Lab], object]] = {
    **{name: methodcaller(name, "/") for name in ("get", "post", "put", "patch", "delete", "head", "options")},
    "request": lambda lab: lab.request("GET", "/"),
    "stream": read,
    "websocket": listen_to,
    "burst": lambda lab: lab.burst("/", n=2),
    "load": lambda lab: lab.load("/", rate=10, duration=1),
    "run": lambda lab: lab.run(nothing),
    "serve": serve,
    "snapshot": lambda lab: lab.snapshot(),
    "timeline": lambda lab: lab.timeline(),
    "panel": lambda lab: lab.panel(),
    "follow": lambda lab: lab.follow(LiveTimeline()),
    "client": lambda lab: asyncio.run(lab.client.get("/")),
    "client's stream": lambda lab: asyncio.run(read_awaited(lab)),
    "with": enter,
}
NO_SOCKET = (
    "expected clock='real' to serve on a socket, got clock='virtual', where no real client can come: make another "
    "Lab(app)"
)


@clocks
@pytest.mark.parametrize("use", USES)
def test_a_closed_lab_refuses_to_be_used_in_words(clock: Clock, use: str) -> None:
    house = House(clock)
    house.lab.close()
    with pytest.raises(LabError) as refused:
        USES[use](house.lab)
    if (clock, use) == ("virtual", "serve"):
        assert str(refused.value) == NO_SOCKET
    else:
        assert type(refused.value) is LabClosed
        assert str(refused.value) == CLOSED


def test_every_public_method_of_a_lab_is_among_these() -> None:
    public = {name for name in vars(Lab) if not name.startswith("_")}
    assert public - USES.keys() == {"close", "stop"}  # which may come too late


@clocks
def test_of_a_closed_lab_the_rest_stays(clock: Clock) -> None:
    house = House(clock)
    run = house.lab.burst("/", n=2)
    house.lab.close()
    house.lab.stop()
    assert repr(house.lab) == "<Lab closed: 1 runs>"
    assert [request.status for request in run.trace.requests] == [200, 200]
    assert [response.text for response in run.responses] == ["here", "here"]
    asyncio.run(house.lab.client.aclose())


# -- what it has handed out ----------------------------------------------------------------------------------------


def says_closed(call: Callable[[], object]) -> None:
    with pytest.raises(LabClosed) as refused:
        call()
    assert str(refused.value) == CLOSED


@clocks
def test_the_stream_of_a_closed_lab_says_so_and_is_left_in_peace(clock: Clock) -> None:
    house = House(clock)
    with house.lab.stream("GET", "/stream") as response:
        pieces = response.iter_bytes()
        assert next(pieces) == b"first"
        house.lab.close()
        says_closed(lambda: next(pieces))


@clocks
def test_the_websocket_of_a_closed_lab_says_so_and_is_left_in_peace(clock: Clock) -> None:
    house = House(clock)
    with house.lab.websocket("/socket") as websocket:
        assert websocket.receive_text() == "first"
        house.lab.close()
        uses: list[Callable[[], object]] = [
            lambda: websocket.send({"type": "websocket.receive", "text": ""}),
            lambda: websocket.send_text(""),
            lambda: websocket.send_bytes(b""),
            lambda: websocket.send_json({}),
            websocket.receive,
            websocket.receive_text,
            websocket.receive_bytes,
            websocket.receive_json,
            lambda: next(iter(websocket)),
            websocket.close,
        ]
        for use in uses:
            says_closed(use)
        assert websocket.subprotocol is None


@clocks
def test_the_awaited_stream_of_a_closed_lab_says_so_and_is_left_in_peace(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(clock)
    kept = weakref.ref(house)

    async def main(house: House) -> None:
        async with house.lab.client.stream("GET", "/stream") as response:
            pieces = response.aiter_bytes()
            assert await anext(pieces) == b"first"
            house.lab.close()
            with pytest.raises(LabClosed) as refused:
                await anext(pieces)
            assert str(refused.value) == CLOSED

    asyncio.run(main(house))
    del house
    gc.collect()
    assert kept() is None
    # no future whose exception nobody has asked for
    assert [record for record in caplog.records if record.name == "asyncio"] == []


@clocks
def test_a_closed_lab_keeps_nothing_of_who_asks_it(clock: Clock) -> None:
    class Held: ...

    house = House(clock)
    house.lab.close()

    def ask() -> "weakref.ref[Held]":
        held = Held()
        with pytest.raises(LabClosed):
            house.lab.get("/")
        return weakref.ref(held)

    asked = ask()
    gc.collect()
    assert asked() is None


def test_the_server_of_a_closed_lab_refuses_connections() -> None:
    house = House("real")
    with house.lab.serve() as server:
        with urllib.request.urlopen(server.url, timeout=30) as response:
            assert response.read() == b"here"
        house.lab.close()
        # were it still listening with nobody there, this would wait for ever
        with pytest.raises(urllib.error.URLError) as refused:
            urllib.request.urlopen(server.url, timeout=30)
        assert isinstance(refused.value.reason, ConnectionRefusedError)
        assert repr(server) == f"<Server {server.url}>"


@clocks
def test_the_dashboard_of_a_closed_lab_says_so(clock: Clock) -> None:
    house = House(clock)
    panel = house.lab.panel()
    house.lab.close()
    panel._on_run()
    until = time.monotonic() + 30
    while panel._running is not None and time.monotonic() < until:
        time.sleep(0.001)
    assert panel.said == f"LabClosed: {CLOSED}"
    panel.close()


@clocks
def test_the_timeline_of_a_closed_lab_shows_the_last_run_on(clock: Clock) -> None:
    house = House(clock)
    timeline = house.lab.timeline()
    run = house.lab.burst("/", n=2)
    house.lab.close()
    until = time.monotonic() + 30
    while timeline._trace is not run.trace and time.monotonic() < until:
        time.sleep(0.001)
    assert timeline._trace is run.trace
    timeline.close()
