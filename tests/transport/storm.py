"""Requests whose clients leave in every phase, in every way: what `test_leaks.py` sends, and the apps it sends them to.

A visit is one request, or one websocket, with a plan drawn from a seed: in which phase of its app the client leaves,
how, and what the app makes of it. The app says which phase it enters, and the client leaves when it hears of the
planned one; so each phase is met on purpose, and nothing depends on how fast a machine is. Only who waits for an app
that stays silent goes by a clock, and there any outcome is right.
"""

import random
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, ClassVar, Final

import anyio
import anyio.lowlevel
import httpx
from anyio import from_thread, to_thread

from playground.asgi import Receive, Scope, Send
from playground.errors import ClientGone, ConnectionClosed, NoAnswer
from playground.transport import ASGITransport, connect
from tests.transport.helpers import START, body

__all__ = ["Requested", "Socketed", "Threads", "Visit", "Wsgied"]

BEGINNING: Final = "not called"
PIECE: Final = bytes(30_000)
PIECES: Final = 6  # more than fits between an app and its client, so that one must wait for the other
SILENCE_S: Final = 0.02  # how long a client waits that means to give up
WAYS: Final = ("stay", "cancel", "close", "fail", "time out")


class Broken(Exception):
    """What an app, or a client's own code, raises here."""


class Threads:
    """How many worker threads are at work for the apps of a storm."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at_work = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        with self._changed:
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def wait_for_all(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: not self._at_work, 10)


class Visit:
    """A plan, and how far it has come."""

    phases: ClassVar[tuple[str, ...]]

    def __init__(self, number: str, threads: Threads) -> None:
        self.threads = threads
        self.choose = choose = random.Random(number)
        self.way = choose.choice(WAYS)
        self.leave_in = choose.choice(self.phases)
        self.breaks_in = choose.choice(self.phases) if choose.random() < 0.15 else None
        self.threaded = self.leave_in == "in a thread" or choose.random() < 0.1
        self.stubborn = choose.random() < 0.05  # the app stays although its client is gone
        self.phase = BEGINNING
        self.left_in: str | None = None  # the phase in which the client was cancelled
        self.reached = anyio.Event()
        self.left = threading.Event()
        self.opened = self.closed = 0  # generators, and what a server must close

    def enter(self, phase: str) -> None:
        self.phase = phase
        if phase == self.leave_in:
            self.reached.set()
        if phase == self.breaks_in:
            raise Broken(phase)

    def enter_from_thread(self, phase: str) -> None:
        """The same from a worker thread; if the client leaves here, it does so while the thread is here."""
        from_thread.run_sync(self.enter, phase)
        if self.way == "cancel" and phase == self.leave_in:
            assert self.left.wait(10)

    def work(self) -> None:
        with self.threads.one():
            self.enter_from_thread("in a thread")

    async def make(self, far_end: Any, path: str) -> None:
        """Send the request, and leave as planned."""
        async with anyio.create_task_group() as group:
            if self.way == "cancel":
                if self.leave_in == BEGINNING:
                    self.leave(group.cancel_scope)
                group.start_soon(self._cancel_when_reached, group.cancel_scope)
            await self.ask(far_end, path)
            group.cancel_scope.cancel()

    async def ask(self, far_end: Any, path: str) -> None:
        raise NotImplementedError

    async def _cancel_when_reached(self, scope: anyio.CancelScope) -> None:
        await self.reached.wait()
        for _ in range(self.choose.randrange(3)):
            await anyio.lowlevel.checkpoint()
        self.leave(scope)

    def leave(self, scope: anyio.CancelScope) -> None:
        self.left_in = self.phase
        scope.cancel()
        self.left.set()

    async def turns(self) -> None:
        """Give up the loop for so long that a client that leaves here may do so now, or a little later."""
        here = self.way == "cancel" and self.phase == self.leave_in
        for _ in range(self.choose.randrange(5 if here else 2)):
            await anyio.lowlevel.checkpoint()

    async def generator(self, count: int, piece: bytes, *, breaks: bool = False) -> AsyncIterator[bytes]:
        """Pieces of a body, from a generator that counts its beginning and its end."""
        self.opened += 1
        try:
            for index in range(count):
                await self.turns()
                if breaks and index:
                    raise Broken("upload")
                yield piece
        finally:
            self.closed += 1


class Requested(Visit):
    """A request, uploaded and answered in pieces."""

    phases: ClassVar[tuple[str, ...]] = (
        BEGINNING,
        "called",
        "uploading",
        "thinking",
        "in a thread",
        "sending",
        "after the end",
    )

    def __init__(self, number: str, threads: Threads) -> None:
        super().__init__(number, threads)
        self.answers_first = self.choose.random() < 0.3

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.enter("called")
        await self.turns()
        if self.answers_first:
            await send(START)
        more = True
        while more:
            self.enter("uploading")
            more = (await receive()).get("more_body", False)
            await self.turns()
        self.enter("thinking")
        if self.way == "time out" and self.leave_in == "thinking":
            await anyio.sleep_forever()
        if self.threaded:
            await to_thread.run_sync(self.work)
        if not self.answers_first:
            await send(START)
        await self._answer(send)
        self.enter("after the end")
        await self.turns()

    async def _answer(self, send: Send) -> None:
        async with aclosing(self.generator(PIECES, PIECE)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                self.enter("sending")
                try:
                    await send(body(piece, more=True))
                except ClientGone:
                    if self.stubborn:
                        await anyio.sleep_forever()
                    raise
        await send(body())

    async def ask(self, far_end: ASGITransport, path: str) -> None:
        # No client's layers, and an upload as a stream of its own: the generators that httpx puts around either kind of
        # body drop what they iterate over, and are not ours to close.
        timeout = {"read": SILENCE_S if self.way == "time out" else None}
        headers = {"transfer-encoding": "chunked"}
        url = f"http://lab{path}"
        request = httpx.Request("POST", url, headers=headers, stream=Stream(self), extensions={"timeout": timeout})
        try:
            response = await far_end.handle_async_request(request)
            try:
                got = await self._read(response.stream)
            finally:
                await response.aclose()
            assert got == PIECES * len(PIECE) or self.way == "close"
        except (Broken, httpx.ReadTimeout):
            pass  # as planned

    async def _read(self, stream: Any) -> int:
        got = 0
        async for piece in stream:
            got += len(piece)
            if self.way == "close" and (self.reached.is_set() or self.choose.random() < 0.2):
                break
        return got


class Stream(httpx.AsyncByteStream):
    """The body of a visit's request."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._visit.generator(3, b"abc", breaks=self._visit.way == "fail")


class Wsgied(Requested):
    """The same from a WSGI app, all of which is in a thread."""

    phases = (BEGINNING, "called", "uploading", "sending")

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        """The app, as a generator, which its server must close: then and there it leaves its thread."""
        with self.threads.one():
            self.opened += 1
            try:
                self.enter_from_thread("called")
                while environ["wsgi.input"].read(3):
                    self.enter_from_thread("uploading")
                start_response("200 OK", [])
                for _ in range(PIECES):
                    self.enter_from_thread("sending")
                    yield PIECE
            finally:
                self.closed += 1


class Socketed(Visit):
    """A websocket on which three messages go each way."""

    phases = (BEGINNING, "called", "in a thread", "talking", "after the end")

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.enter("called")
        await receive()
        if self.way == "time out":
            await anyio.sleep_forever()
        if self.threaded:
            await to_thread.run_sync(self.work)
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            self.enter("talking")
            await self.turns()
            try:
                await send({"type": "websocket.send", "text": message["text"]})
            except ClientGone:
                if self.stubborn:
                    await anyio.sleep_forever()
                raise
        self.enter("after the end")
        await self.turns()

    async def ask(self, far_end: Any, path: str) -> None:
        try:
            async with connect(far_end, path, timeout=SILENCE_S if self.way == "time out" else None) as session:
                for number in range(3):
                    await session.send_text(str(number))
                    if number == 1 and self.way == "close":
                        await session.close(3000)
                    if number == 1 and self.way == "fail":
                        raise Broken("client")
                    assert await session.receive_text() == str(number)
        except (Broken, NoAnswer, ConnectionClosed):
            assert self.way != "stay" or self.breaks_in  # as planned
