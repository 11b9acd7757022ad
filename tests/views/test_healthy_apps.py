"""Healthy apps of seven frameworks have no findings: one request, a handful, a burst of hundreds, as many as threads.

In virtual time that is so to the nanosecond. On the real clock a machine that has other things to do may keep any app
waiting; what the system tells of that is left out, and what it does not tell may take several runs.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from playground import App, Lab, watch
from playground.trace import Clock
from playground.views.diagnosis import diagnose
from playground.views.findings import Findings
from tests.conformance.test_traced_frameworks import FRAMEWORKS, Framework

CLOCKS = pytest.mark.parametrize("clock", ["real", "virtual"])
_RUNS = 5
"""Runs on the real clock of which one must be without findings."""


@contextmanager
def lab_of(framework: Framework, clock: Clock) -> Iterator[Lab]:
    with framework.around(), Lab(framework.make(), clock=clock) as lab:
        yield lab


def findings(run: Callable[[], Findings], clock: Clock) -> Findings:
    """What is found in a run; on the real clock, in the quietest of several."""
    found = run()
    for _ in range(_RUNS - 1 if clock == "real" else 0):
        if not found:
            break
        found = run()
    return found


BY_THREAD = {"Flask", "Django by WSGI"}


@pytest.mark.slow
@CLOCKS
@pytest.mark.parametrize("name", FRAMEWORKS)
@pytest.mark.parametrize("count", [1, 20, 200])
def test_saying_hello_is_healthy(name: str, count: int, clock: Clock) -> None:
    if name == "Django by WSGI" and clock == "virtual":
        pytest.skip("Django's WSGI handler needs a second event loop for its database, which virtual time refuses")
    if name in BY_THREAD and count > 40:
        pytest.skip("more requests than threads queue for these, and are told so")
    with lab_of(FRAMEWORKS[name], clock) as lab:
        lab.get("/items/7")  # what is imported and begun for the first
        assert findings(lambda: lab.burst("/items/7", count).diagnosis, clock) == []


@pytest.mark.slow
@CLOCKS
@pytest.mark.parametrize("name", ["playground", "Starlette", "FastAPI"])
def test_as_many_plain_handlers_as_threads_are_healthy(name: str, clock: Clock) -> None:
    with lab_of(FRAMEWORKS[name], clock) as lab:
        lab.burst("/plain", 40)  # the threads come up
        assert findings(lambda: lab.burst("/plain", 40).diagnosis, clock) == []


async def naps(request: Request) -> PlainTextResponse:
    for _ in range(3):
        await asyncio.sleep(0.05)
    return PlainTextResponse("rested")


async def asks_two_at_once(request: Request) -> PlainTextResponse:
    await asyncio.gather(asyncio.sleep(0.1), asyncio.sleep(0.1))
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0.1)
        group.start_soon(anyio.sleep, 0.1)
    return PlainTextResponse("both")


async def takes_a_lock(request: Request) -> PlainTextResponse:
    async with request.app.state.lock:
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    return PlainTextResponse("done")


async def has_a_deadline(request: Request) -> PlainTextResponse:
    async with asyncio.timeout(10):
        await asyncio.sleep(0.01)
    with anyio.move_on_after(0.05):
        await anyio.sleep(10)
    return PlainTextResponse("in time")


async def asks_for_what_failed(request: Request) -> PlainTextResponse:
    async def fails() -> None:
        raise KeyError("handled")

    failing = asyncio.create_task(fails())
    try:
        await failing
    except KeyError:
        return PlainTextResponse("handled")
    raise AssertionError("it fails")


HEALTHY = [naps, asks_two_at_once, takes_a_lock, has_a_deadline, asks_for_what_failed]


@pytest.mark.slow
@CLOCKS
@pytest.mark.parametrize("handler", HEALTHY)
def test_a_burst_of_two_hundred_that_wait_is_healthy(handler: Callable[..., Any], clock: Clock) -> None:
    app = Starlette(routes=[Route("/", handler)])
    app.state.lock = asyncio.Lock()
    with Lab(app, clock=clock) as lab:
        lab.get("/")
        assert findings(lambda: lab.burst("/", 200).diagnosis, clock) == []


def test_a_program_that_keeps_time_is_healthy() -> None:
    async def ticks() -> None:
        async def worker(jobs: "asyncio.Queue[int]") -> None:
            while True:
                await jobs.get()
                await asyncio.sleep(0.001)
                jobs.task_done()

        jobs: asyncio.Queue[int] = asyncio.Queue(2)
        workers = [asyncio.create_task(worker(jobs)) for _ in range(3)]
        for number in range(4):
            await asyncio.sleep(0.05)
            await jobs.put(number)
        await jobs.join()
        for each in workers:
            each.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    assert findings(lambda: diagnose(watch(ticks)), "real") == []


@pytest.mark.slow
def test_an_app_that_is_sick_is_not_found_healthy_by_chance() -> None:
    app = App()

    @app.get("/")
    async def holds() -> str:
        time.sleep(0.08)
        return "held"

    with Lab(app) as lab:
        assert findings(lambda: lab.burst("/", 3).diagnosis, "real") != []
