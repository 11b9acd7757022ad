"""An app that is busy in many ways, its lab, and those who wait for it: what tests of labs that are closed share."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable

import anyio
import pytest

from playground import App, Lab
from playground.trace import Clock
from playground.web.responses import StreamingResponse
from playground.web.websockets import WebSocket

CLOSED = "expected an open lab, got one that was closed: make a new Lab(app)"
CUT_OFF = "expected the lab to stay open during a call, got it closed meanwhile: close it when the call is over"
TOLD = {CLOSED, CUT_OFF}
"""What a caller is told who is at it when the lab is closed: it depends on which of the two is quicker."""

clocks = pytest.mark.parametrize("clock", ["real", "virtual"])


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
