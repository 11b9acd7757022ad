"""Apps that wait for a worker thread, which cannot be cancelled: its token is held, and its function is named."""

import functools
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from anyio import to_thread

from playground import App
from playground.asgi import Receive, Scope, Send
from playground.errors import ProtocolError
from playground.transport import ASGITransport, Exchange, WSGITransport, connect, http_scope
from playground.transport._in_thread import function_in_thread
from playground.web.middleware.base import BaseHTTPMiddleware
from tests.transport.helpers import START, app_of, body, exchange, settle

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("short_grace")]

TOKENS = 3


class Work:
    """What blocks a thread until it is released, and counts the threads that it blocks."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.at_once = self.most = self.calls = 0
        self._changed = threading.Condition()

    def block(self) -> str:
        with self._changed:
            self.calls += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            self._changed.notify_all()
        try:
            assert self.release.wait(10)
        finally:
            with self._changed:
                self.at_once -= 1
                self._changed.notify_all()
        return "done"

    def wait_until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, 10)


@pytest.fixture
def work() -> Iterator[Work]:
    one = Work()
    yield one
    one.release.set()


@asynccontextmanager
async def few_tokens() -> AsyncIterator[anyio.CapacityLimiter]:
    """anyio's own limiter, made small for a while."""
    limiter = to_thread.current_default_thread_limiter()
    before, limiter.total_tokens = limiter.total_tokens, TOKENS
    try:
        yield limiter
    finally:
        limiter.total_tokens = before


async def busy(work: Work, threads: int) -> None:
    """Wait until so many threads are blocked, with a thread and a token of our own."""
    own = anyio.CapacityLimiter(1)
    await to_thread.run_sync(work.wait_until, lambda: work.at_once == threads, limiter=own)


# Tokens.


def plain(work: Work) -> ASGITransport:
    app = App()
    app.get("/")(work.block)
    return ASGITransport(app)


def below_a_task_group(work: Work) -> ASGITransport:
    async def passed_on(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    app = App()
    app.get("/")(work.block)
    return ASGITransport(BaseHTTPMiddleware(app, dispatch=passed_on))


def wsgi(work: Work) -> ASGITransport:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        text = work.block()
        start_response("200 OK", [])
        return [text.encode()]

    return WSGITransport(app)


@pytest.mark.parametrize("make", [plain, below_a_task_group, wsgi])
async def test_however_many_clients_leave_no_more_threads_work_than_there_are_tokens(
    work: Work, make: Callable[[Work], ASGITransport]
) -> None:
    transport = make(work)
    async with few_tokens() as limiter, httpx.AsyncClient(transport=transport, base_url="http://lab") as client:
        for _ in range(4):  # waves of clients, all of which leave while the first of them are in their threads
            async with anyio.create_task_group() as group:
                for _ in range(3 * TOKENS):
                    group.start_soon(client.get, "/")
                await busy(work, TOKENS)
                await settle()
                group.cancel_scope.cancel()
            assert limiter.borrowed_tokens == work.at_once == TOKENS
        work.release.set()
        await transport.aclose()
        assert (limiter.borrowed_tokens, limiter.statistics().tasks_waiting) == (0, 0)
    assert (work.most, work.calls) == (TOKENS, TOKENS)


# Cancelling.


async def test_a_client_does_not_wait_for_a_thread_when_its_time_is_over(work: Work) -> None:
    transport = plain(work)
    async with httpx.AsyncClient(transport=transport, base_url="http://lab") as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/", timeout=0.01)
        assert work.at_once == 1
        assert len(transport._open) == 1
        work.release.set()
    assert transport._open == set()


async def test_an_app_that_was_left_in_a_thread_is_cancelled_when_it_comes_back(work: Work) -> None:
    ends: list[str] = []

    async def handler(receive: Receive, send: Send) -> None:
        try:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(work.block)
                await anyio.lowlevel.checkpoint()
                ends.append("shielded")
            await anyio.sleep(10)
            ends.append("slept")
        except anyio.get_cancelled_exc_class():
            ends.append("cancelled")
            raise

    one = exchange(handler)
    with anyio.move_on_after(0.01) as limit:
        await one.start()
    assert limit.cancelled_caught
    await busy(work, 1)
    assert ends == []
    work.release.set()
    await one.aclose()
    assert ends == ["shielded", "cancelled"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_it_is_cancelled_once_however_often_that_was_asked_for(work: Work) -> None:
    requests: list[int] = []

    async def handler(receive: Receive, send: Send) -> None:
        task: Any = anyio.get_current_task()
        try:
            await to_thread.run_sync(work.block)
            await anyio.sleep(10)
        except anyio.get_cancelled_exc_class():
            requests.append(task._task().cancelling())
            raise

    one = exchange(handler)
    with anyio.move_on_after(0.01):
        await one.start()
    with pytest.raises(ProtocolError, match="worker thread"):
        await one.aclose()
    work.release.set()
    await one.aclose()
    assert requests == [1]


# Words.


async def test_an_app_in_a_thread_is_not_said_to_swallow_anything(work: Work) -> None:
    def report() -> None:
        work.block()

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await to_thread.run_sync(report)

    one = exchange(handler)
    await one.start()
    await busy(work, 1)
    with pytest.raises(ProtocolError) as caught:
        await one.aclose()
    assert str(caught.value) == (
        "GET /x: expected the app to end when it is cancelled, but it still runs in a worker thread, which cannot be "
        "cancelled: `report`. Let that function end sooner, or give what it waits for a timeout."
    )
    work.release.set()
    await one.aclose()


async def test_a_wsgi_app_in_its_thread_is_called_by_its_name(work: Work) -> None:
    def shop(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"first"
        work.block()

    transport = WSGITransport(shop)
    response = await transport.handle_async_request(httpx.Request("GET", "http://lab/"))
    stream: Any = response.stream
    assert await anext(stream) == b"first"
    await busy(work, 1)
    with pytest.raises(ProtocolError) as caught:
        await response.aclose()
    assert str(caught.value) == (
        "GET /: expected the app to end when it is cancelled, but it still runs in a worker thread, which cannot be "
        "cancelled: `shop`. Let that function end sooner, or give what it waits for a timeout."
    )
    work.release.set()
    await transport.aclose()


async def test_a_websocket_in_a_thread_is_named_too(work: Work) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await to_thread.run_sync(work.block)

    with pytest.raises(ProtocolError) as caught:
        async with connect(app, "/x"):
            await busy(work, 1)
    assert str(caught.value) == (
        "WS /x: expected the app to end when it is cancelled, but it still runs in a worker thread, which cannot be "
        "cancelled: `Work.block`. Let that function end sooner, or give what it waits for a timeout."
    )
    work.release.set()
    await settle()


async def test_leaving_an_app_in_a_thread_is_nothing_for_the_log(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    one = Exchange(app_of(lambda receive, send: to_thread.run_sync(work.block)), http_scope("GET", b"/x"))
    with anyio.move_on_after(0.01):
        await one.start()
    work.release.set()
    await one.aclose()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


class Secretive:
    def __call__(self) -> None:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("a user's code was run")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: functools.partial(functools.partial(print)), "print"),
        (lambda: Work().block, "Work.block"),
        (Secretive, "Secretive"),  # pytest itself would ask it for attributes
        (lambda: lambda: None, "<lambda>"),
    ],
)
async def test_a_function_is_named_without_running_code_of_its_owner(make: Any, name: str) -> None:
    waiting = to_thread.run_sync(make())
    waiting.send(None)  # to the checkpoint before the thread
    try:
        assert function_in_thread(waiting) == name
    finally:
        waiting.close()


async def test_a_function_is_found_behind_asynchronous_generators(work: Work) -> None:
    async def pieces() -> AsyncIterator[str]:
        yield await to_thread.run_sync(work.block)

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        async for piece in pieces():
            await send(body(piece.encode()))

    one = exchange(handler)
    await one.start()
    await busy(work, 1)
    assert one._with_crew().in_thread() == "Work.block"
    work.release.set()
    assert await one.chunk() == b"done"
    await one.aclose()
    assert one._with_crew().in_thread() is None
