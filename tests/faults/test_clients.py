"""Clients that leave in every phase of a request or a websocket: the app is ended there, and the lab goes on.

The transports are shown to leave nothing behind, thousands of times over, in `tests/transport/test_leaks.py`. Here it
is a lab's own ways of asking that are left: by a cancellation within a run, by one on another loop, by an interrupt of
the thread that waits, and by leaving the block of a stream or of a websocket.
"""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import pytest

from playground import Lab
from playground.asgi import Receive, Scope, Send
from playground.trace import Clock
from playground.transport import _crew
from tests.faults.apps import END, HOUSES, START, WELL, body, house_of
from tests.faults.test_apps import check_the_recording

AMID_UPLOAD: Final = "amid the upload"
BEHIND: Final = "after the end"
PHASES: Final = ("before it receives", AMID_UPLOAD, "before it starts", "after it started", "amid its body", BEHIND)
STREAMED: Final = PHASES[3:]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """These apps do not listen for word that their client has left, and would be given the whole grace time."""
    monkeypatch.setattr(_crew, "GRACE_S", 0.01)


class Visits:
    """Apps of which each goes as far as its phase, says so, and then does not end by itself."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.on_reaching: Callable[[], object] = self.reached.set
        self.ends: list[str] = []

    def app(self, house: str) -> Any:
        return house_of(house, {phase: self._handler(phase) for phase in PHASES})

    def _handler(self, phase: str) -> Callable[[Receive, Send], Awaitable[object]]:
        async def handler(receive: Receive, send: Send) -> None:
            async for at in self._goes_on(receive, send):
                if at == phase:
                    await self._stays()

        return handler

    async def _goes_on(self, receive: Receive, send: Send) -> AsyncIterator[str]:
        yield PHASES[0]
        message = await receive()
        yield AMID_UPLOAD
        while message.get("more_body"):
            message = await receive()
        yield PHASES[2]
        await send(START)
        yield PHASES[3]
        await send(body(b"x"))
        yield PHASES[4]
        await send(END)
        yield BEHIND

    async def _stays(self) -> None:
        self.on_reaching()
        try:
            while True:  # for ever, and yet no deadlock where time is virtual
                await asyncio.sleep(1)
        except BaseException as error:
            self.ends.append(type(error).__name__)
            raise


async def two_pieces() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


def leaves_within_a_run(lab: Lab, visits: Visits, path: str) -> None:
    async def leaves() -> None:
        reached = asyncio.Event()
        visits.on_reaching = reached.set
        asking = asyncio.create_task(lab.client.post(path, content=two_pieces(), timeout=None))
        await reached.wait()
        await let_go(asking)

    run = lab.run(leaves)
    check_the_recording(run)
    (request,) = run.trace.requests
    assert request.error in ("CancelledError", None)
    assert (request.error is None) == (request.end_ns is None) == (BEHIND.replace(" ", "-") in path)


def leaves_on_another_loop(lab: Lab, visits: Visits, path: str) -> None:
    async def leaves() -> None:
        asking = asyncio.create_task(lab.client.post(path, content=two_pieces(), timeout=None))
        await asyncio.to_thread(visits.reached.wait)
        await let_go(asking)

    visits.reached.clear()
    visits.on_reaching = visits.reached.set
    asyncio.run(leaves())


def is_interrupted(lab: Lab, visits: Visits, path: str) -> None:
    if BEHIND.replace(" ", "-") in path:
        visits.on_reaching = visits.reached.set
        lab.post(path)  # which has its answer then, and waits for nothing that could be interrupted
        return
    visits.on_reaching = lambda: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        lab.post(path, content=b"one", timeout=None)


async def let_go(asking: "asyncio.Task[Any]") -> None:
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize("leave", [leaves_within_a_run, leaves_on_another_loop, is_interrupted])
@pytest.mark.parametrize("clock", ["real", "virtual"])
@pytest.mark.parametrize("house", HOUSES)
def test_who_leaves_takes_the_app_along_wherever_it_is(
    house: str, clock: Clock, leave: Callable[[Lab, Visits, str], None], caplog: pytest.LogCaptureFixture, hurried: None
) -> None:
    visits = Visits()
    ended = []
    with Lab(visits.app(house), clock=clock) as lab:
        for phase in PHASES:
            leave(lab, visits, f"/{phase.replace(' ', '-')}/")
            ended.append(list(visits.ends))
            assert lab.get(WELL + "/").content == b"x"
    one_more_each = [["CancelledError"] * count for count in range(1, len(PHASES))]
    assert ended == [*one_more_each, one_more_each[-1]]  # what goes on after its answer ends with the lab
    assert visits.ends == ["CancelledError"] * len(PHASES)
    assert caplog.records == []


@pytest.mark.parametrize("clock", ["real", "virtual"])
@pytest.mark.parametrize("house", HOUSES)
def test_who_leaves_the_block_of_a_stream_takes_the_app_along(house: str, clock: Clock, hurried: None) -> None:
    visits = Visits()
    with Lab(visits.app(house), clock=clock) as lab:
        for phase in STREAMED:
            with lab.stream("POST", f"/{phase.replace(' ', '-')}/", content=b"one", timeout=None) as response:
                assert response.status_code == 200
            with pytest.raises(ZeroDivisionError), lab.stream("POST", f"/{phase.replace(' ', '-')}/", content=b"one"):
                raise ZeroDivisionError
            assert lab.get(WELL + "/").content == b"x"
        assert visits.ends == ["CancelledError"] * 4
    assert visits.ends == ["CancelledError"] * 2 * len(STREAMED)


# -- websockets -----------------------------------------------------------------------------------------------------

ACCEPT: Final = {"type": "websocket.accept"}
BEFORE_ACCEPT: Final = "before accept"
TALKS: Final = (BEFORE_ACCEPT, "after accept", "amid a message", "while it sends", "at its close")


class Talks:
    """Websockets of which each goes as far as its phase and stays there; `ends` tells how they ended."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        if scope["type"] == "http":
            await send(START)
            await send(END)
            return
        await receive()
        try:
            await self._talk(scope["path"].strip("/"), receive, send)
        except BaseException as error:
            self.ends.append(type(error).__name__)
            raise

    async def _talk(self, phase: str, receive: Receive, send: Send) -> None:
        if phase == BEFORE_ACCEPT:
            os.kill(os.getpid(), signal.SIGINT)  # who waits for it to accept has no other way to leave
            await forever()
        await send(ACCEPT)
        if phase == "amid a message":
            await receive()
            await send({"type": "websocket.send", "text": "first half"})
        if phase == "while it sends":
            while True:
                await send({"type": "websocket.send", "bytes": bytes(1 << 16)})
        if phase == "at its close":
            await send({"type": "websocket.close", "code": 1000})
        await forever()


async def forever() -> None:
    while True:
        await asyncio.sleep(1)


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_who_leaves_a_websocket_takes_the_app_along_wherever_it_is(
    clock: Clock, hurried: None, caplog: pytest.LogCaptureFixture
) -> None:
    talks = Talks()
    with Lab(talks, clock=clock) as lab:
        for phase in TALKS:
            reason = KeyboardInterrupt if phase == BEFORE_ACCEPT else ZeroDivisionError
            with pytest.raises(reason):
                talk_and_leave(lab, phase)
            assert lab.get("/").content == b"x"
    assert talks.ends == [*["CancelledError"] * 3, "ClientGone", "CancelledError"]
    assert caplog.records == []


def talk_and_leave(lab: Lab, phase: str) -> None:
    with lab.websocket(f"/{phase}") as session:
        if phase == "amid a message":
            session.send_text("and?")
            assert session.receive_text() == "first half"
        if phase == "while it sends":
            assert len(session.receive_bytes()) == 1 << 16
        raise ZeroDivisionError
