"""A lab that is closed while it is busy, by whomever, that is closed twice, or that is used after it was closed."""

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import weakref
from collections.abc import AsyncIterator, Callable
from operator import methodcaller
from typing import Any

import anyio
import pytest

from playground import App, Lab
from playground.errors import LabClosed, LabError
from playground.trace import Clock
from playground.web.responses import StreamingResponse
from playground.web.websockets import WebSocket
from playground.widgets.live import LiveTimeline

CLOSED = "expected an open lab, got one that was closed: make a new Lab(app)"
CUT_OFF = "expected the lab to stay open during a call, got it closed meanwhile: close it when the call is over"
TOLD = {CLOSED, CUT_OFF}
"""What a caller is told who is at it when the lab is closed: it depends on which of the two is quicker."""

clocks = pytest.mark.parametrize("clock", ["real", "virtual"])
needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="there are no such signals here")


class House:
    """An app that tells when it is at it, and whether it was shut down; and its lab.

    Attributes:
        at_it: set when a handler has begun.
        heard: what its lifespan has seen.
        also: what its handlers call when they are asked to.
    """

    def __init__(self, clock: Clock) -> None:
        self.at_it = threading.Event()
        self.heard: list[str] = []
        self.also: Callable[[], object] = lambda: None
        self.lab = Lab(self._app(), clock=clock)

    def _app(self) -> App:
        @contextlib.asynccontextmanager
        async def lifespan(app: object) -> AsyncIterator[None]:
            self.heard.append("up")
            yield
            self.heard.append("down")

        app = App(lifespan=lifespan)

        async def busy() -> None:
            self.at_it.set()
            while True:  # in virtual time, waiting for nothing that comes would be an error
                await anyio.sleep(1)

        async def body() -> AsyncIterator[bytes]:
            yield b"first"
            await busy()

        @app.get("/")
        async def index() -> str:
            return "here"

        app.get("/busy")(busy)

        @app.get("/stream")
        async def stream() -> StreamingResponse:
            return StreamingResponse(body())

        @app.websocket("/socket")
        async def socket(websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.send_text("first")
            await busy()

        @app.get("/task")
        async def in_a_task() -> str:
            self.also()
            return "done"

        @app.get("/worker")
        def in_a_worker() -> str:
            self.also()
            return "done"

        @app.get("/pool")
        async def in_a_pool() -> str:
            await asyncio.to_thread(self.also)
            return "done"

        return app


# -- closed while busy ---------------------------------------------------------------------------------------------


def read(lab: Lab) -> None:
    with lab.stream("GET", "/stream", timeout=None) as response:
        response.read()


def listen(lab: Lab) -> None:
    with lab.websocket("/socket") as websocket:
        websocket.receive_text()
        websocket.receive_text()


async def read_awaited(lab: Lab) -> None:
    async with lab.client.stream("GET", "/stream", timeout=None) as response:
        await response.aread()


WAITS: dict[str, Callable[[Lab], object]] = {
    "get": lambda lab: lab.get("/busy", timeout=None),
    "burst": lambda lab: lab.burst("/busy", n=3),
    "load": lambda lab: lab.load("/busy", rate=1000, duration=0.01),
    "run": lambda lab: lab.run(lambda: lab.client.get("/busy", timeout=None)),
    "stream": read,
    "websocket": listen,
    "client": lambda lab: asyncio.run(lab.client.get("/busy", timeout=None)),
    "client's stream": lambda lab: asyncio.run(read_awaited(lab)),
}


def in_a_thread(call: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    """Begin a call on a thread of its own; gives what it raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 (it is what the test looks at)
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


@clocks
@pytest.mark.parametrize("how", WAITS)
def test_whoever_waits_for_a_lab_that_another_thread_closes_is_told(clock: Clock, how: str) -> None:
    house = House(clock)
    thread, raised = in_a_thread(lambda: WAITS[how](house.lab))
    assert house.at_it.wait(30)
    house.lab.close()
    thread.join(30)
    (error,) = raised
    assert type(error) is LabClosed, error
    assert str(error) in TOLD
    assert house.heard == ["up", "down"]


@clocks
@pytest.mark.parametrize("path", ["/task", "/worker", "/pool"])
@pytest.mark.parametrize("how", ["get", "burst", "client"])
def test_a_handler_that_closes_its_own_lab_is_answered_and_its_app_shut_down(
    clock: Clock, path: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(clock)
    lab = house.lab
    house.also = lab.close
    if how == "get":
        said = [lab.get(path).text]
    elif how == "burst":
        said = [response.text for response in lab.burst(path, n=3).responses]
    else:
        said = [asyncio.run(lab.client.get(path)).text]
    assert set(said) == {"done"}
    assert house.heard == ["up", "down"]
    assert repr(lab).startswith("<Lab closed")
    assert [record for record in caplog.records if record.levelname != "INFO"] == []


@clocks
def test_an_app_that_fails_to_shut_down_for_its_own_handler_is_told_of(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    @contextlib.asynccontextmanager
    async def fails(app: object) -> AsyncIterator[None]:
        yield
        raise ValueError("the drain is blocked")

    app = App(lifespan=fails)
    lab = Lab(app, clock=clock)

    @app.get("/")
    async def index() -> str:
        lab.close()
        return "done"

    assert lab.get("/").text == "done"
    (record,) = (record for record in caplog.records if record.name == "playground.lab")
    assert record.getMessage() == "A lab that was closed by a handler, or by nobody, has not shut down as it should."
    assert "the drain is blocked" in (record.exc_text or "")


@needs_signals
@clocks
def test_a_signal_handler_may_close_the_lab_that_its_thread_waits_for(clock: Clock) -> None:
    house = House(clock)

    def send() -> None:
        house.at_it.wait(30)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda number, frame: house.lab.close())
    sending = threading.Thread(target=send)
    sending.start()
    try:
        with pytest.raises(LabClosed) as told:
            house.lab.get("/busy", timeout=None)
    finally:
        sending.join()
        signal.signal(signal.SIGUSR1, before)
    assert str(told.value) in TOLD
    assert house.heard == ["up", "down"]


@needs_signals
@pytest.mark.parametrize("begun", [True, False])
def test_a_signal_handler_may_close_the_lab_whose_call_is_just_being_begun(
    begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread holds the lock of the lab's calls then: to wait for it would be to wait for itself."""
    house = House("real")
    loop = house.lab._thread.loop
    begin = loop.call_soon_threadsafe

    def interrupted(callback: Any, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(loop, "call_soon_threadsafe", begin)
        if begun:
            handle = begin(callback, *args, **kwargs)
            signal.raise_signal(signal.SIGUSR1)
            return handle
        signal.raise_signal(signal.SIGUSR1)
        return begin(callback, *args, **kwargs)

    before = signal.signal(signal.SIGUSR1, lambda number, frame: house.lab.close())
    monkeypatch.setattr(loop, "call_soon_threadsafe", interrupted)
    try:
        with pytest.raises(LabClosed) as told:
            house.lab.get("/busy", timeout=None)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert str(told.value) in TOLD


@clocks
def test_a_lab_that_nobody_holds_but_through_its_client_is_closed_for_who_waits_there(clock: Clock) -> None:
    house = House(clock)
    client = house.lab.client
    thread, raised = in_a_thread(lambda: asyncio.run(client.get("/busy", timeout=None)))
    assert house.at_it.wait(30)
    del house.lab
    gc.collect()
    thread.join(30)
    (error,) = raised
    assert type(error) is LabClosed
    assert str(error) in TOLD
    assert house.heard == ["up", "down"]


AT_EXIT = """
import asyncio, contextlib, sys, threading, time
from playground import App, Lab

@contextlib.asynccontextmanager
async def lifespan(app):
    yield
    print("down", flush=True)

app = App(lifespan=lifespan)
at_it = threading.Event()

async def busy():
    at_it.set()
    while True:
        await asyncio.sleep(1)

app.get("/task")(busy)

@app.get("/worker")
def worker():
    at_it.set()
    while True:
        time.sleep(1)

def ask():
    try:
        lab.get(sys.argv[2], timeout=None)
    except Exception as error:
        print(type(error).__name__, flush=True)

lab = Lab(app, clock=sys.argv[1])
threading.Thread(target=ask, daemon=True).start()
at_it.wait()
"""


@pytest.mark.slow
@clocks
@pytest.mark.parametrize("path", ["/task", "/worker"])
def test_a_process_that_ends_while_its_lab_is_busy_ends_and_shuts_the_app_down(clock: Clock, path: str) -> None:
    command = [sys.executable, "-X", "dev", "-c", AT_EXIT, clock, path]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[0] == "down"
    assert set(ended.stdout.splitlines()[1:]) <= {"LabClosed"}  # as far as its thread still comes
    named = "these worker threads of the lab go on to the end of what they do" in ended.stderr
    assert named == ((clock, path) == ("real", "/worker"))  # in virtual time, what waits is ended
    assert "Traceback" not in ended.stderr


# -- closed twice --------------------------------------------------------------------------------------------------


@clocks
def test_a_lab_may_be_closed_twice_one_after_the_other_and_at_once(clock: Clock) -> None:
    house = House(clock)
    with house.lab as lab:
        closings = [in_a_thread(lab.close) for _ in range(4)]
        for thread, raised in closings:
            thread.join(30)
            assert raised == []
        lab.close()
    assert house.heard == ["up", "down"]


# -- used after closing --------------------------------------------------------------------------------------------


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
