"""A storm of requests whose clients leave in every phase: nothing of it is there afterwards.

What is looked for: tasks, exchanges that the transport holds open, worker threads that do not come back, tokens of
their limiter, generators and iterables that nobody closed, and objects of ours that somebody still refers to.
"""

import gc
import logging
import sys
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from anyio import to_thread

from playground.asgi import Receive, Scope, Send
from playground.transport import ASGITransport, WSGITransport, _crew
from playground.transport._app_side import AppSide
from playground.transport._crew import Crew
from playground.transport._websocket_side import WebSocketSide
from playground.transport.inprocess import Body
from playground.transport.reply import Reply
from playground.transport.upload import Upload
from tests.transport.helpers import running_tasks, settle
from tests.transport.storm import Requested, Socketed, Threads, Visit, Wsgied

pytestmark = [pytest.mark.slow, pytest.mark.anyio, pytest.mark.usefixtures("short_grace", "long_patience")]

OURS = (AppSide, Body, Crew, Reply, Upload, WebSocketSide)


@pytest.fixture
def long_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine, no app is given up that only waits for its thread."""
    monkeypatch.setattr(_crew, "CANCEL_TRIES", 500)


def seeds(quick: int, slow: int) -> pytest.MarkDecorator:
    """So many seeds in every run, and so many more in the thorough one."""
    more = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(quick, quick + slow)]
    return pytest.mark.parametrize("seed", [*range(quick), *more])


@seeds(2, 0)
async def test_some_requests_that_are_left_in_any_phase_leave_nothing(seed: int) -> None:
    await storm_of_requests(seed, 250)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
async def test_2000_requests_that_are_left_in_any_phase_leave_nothing(seed: int) -> None:
    await storm_of_requests(seed, 2000)


async def storm_of_requests(seed: int, count: int) -> None:
    async with nothing_leaks() as threads:
        visits = [Requested(f"{seed}/{index}", threads) for index in range(count)]
        await over(ASGITransport(dispatch(visits)), visits)
    check(visits)


@seeds(1, 4)
async def test_wsgi_requests_that_are_left_in_any_phase_leave_nothing(seed: int) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        return visits[int(environ["PATH_INFO"][1:])].wsgi_app(environ, start_response)

    async with nothing_leaks() as threads:
        visits = [Wsgied(f"{seed}/{index}", threads) for index in range(200)]
        await over(WSGITransport(app), visits)
    check(visits)


async def over(transport: ASGITransport, visits: Sequence[Requested]) -> None:
    at_once = await all_at_once(visits, transport, lambda: len(transport._open))
    assert at_once > 0.9 * len(visits)
    await transport.aclose()  # who leaves an app in a thread does not wait for it
    assert transport._open == set()


@seeds(1, 4)
async def test_websockets_that_are_left_in_any_phase_leave_nothing(seed: int) -> None:
    async with nothing_leaks() as threads:
        visits = [Socketed(f"{seed}/{index}", threads) for index in range(300)]
        await all_at_once(visits, dispatch(visits), lambda: 0)
    check(visits)


@seeds(1, 2)
async def test_what_apps_still_do_after_their_responses_ends_with_the_transport(seed: int) -> None:
    begun = ended = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal begun, ended
        await dispatch(visits)(scope, receive, send)
        begun += 1
        try:
            await anyio.sleep_forever()
        finally:
            ended += 1

    async with nothing_leaks() as threads:
        visits = [Requested(f"{seed}/{index}", threads) for index in range(200)]
        transport = ASGITransport(app, wait_for_app=False)
        await all_at_once(visits, transport, lambda: 0)
        with anyio.fail_after(10):
            while len(transport._open) != begun - ended:  # some must come back from their threads first
                await anyio.sleep(0.001)
        assert begun - ended > 20
        await transport.aclose()
        assert transport._open == set()
        assert begun == ended


# What to look at.


@asynccontextmanager
async def nothing_leaks() -> AsyncIterator[Threads]:
    """Hold what is there after the block against what was there before it."""
    tasks, before, threads = running_tasks(), set(threading.enumerate()), Threads()
    limiter = to_thread.current_default_thread_limiter()
    gc.collect()
    # What was there before is not looked through again; it is not thawed either, or each later test's collections would
    # look through all that importing has made, for which `tests/conftest.py` has frozen it.
    gc.freeze()
    with dropped_generators() as dropped, no_log():
        yield threads
        await to_thread.run_sync(threads.wait_for_all)
        await settle()
        assert running_tasks() - tasks == set()
        assert (limiter.borrowed_tokens, limiter.statistics().tasks_waiting) == (0, 0)
        gc.collect()
    assert dropped == []
    assert Counter(type(one) for one in gc.get_objects() if issubclass(type(one), OURS)) == {}
    # A token is held until its thread is back. One thread more is of anyio's test runner.
    assert len(set(threading.enumerate()) - before) <= limiter.total_tokens + 1


@contextmanager
def dropped_generators() -> Iterator[list[str]]:
    """The asynchronous generators that were thrown away half-way, which asyncio would close without a word."""
    dropped: list[str] = []
    hooks = sys.get_asyncgen_hooks()

    def drop(generator: AsyncGenerator[Any, Any]) -> None:
        dropped.append(str(generator))
        if hooks.finalizer is not None:
            hooks.finalizer(generator)

    sys.set_asyncgen_hooks(finalizer=drop)
    try:
        yield dropped
    finally:
        sys.set_asyncgen_hooks(*hooks)


@contextmanager
def no_log() -> Iterator[None]:
    """Nobody keeps its records, which hold on to the frames of their exceptions."""
    logger = logging.getLogger("playground.transport")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


def dispatch(visits: Sequence[Requested | Socketed]) -> Callable[[Scope, Receive, Send], Any]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await visits[int(scope["path"][1:])].app(scope, receive, send)

    return app


async def all_at_once(visits: Sequence[Visit], far_end: Any, count: Callable[[], int]) -> int:
    """Make all visits at once; return the most of what `count` has said in the first turns."""
    most = 0
    async with anyio.create_task_group() as group:
        for index, visit in enumerate(visits):
            group.start_soon(visit.make, far_end, f"/{index}")
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
            most = max(most, count())
    return most


def check(visits: Sequence[Visit]) -> None:
    """Whether clients were cancelled in every phase there is, and all that was opened was closed."""
    assert {visit.left_in for visit in visits} >= set(visits[0].phases)
    assert [visit for visit in visits if visit.opened != visit.closed] == []
