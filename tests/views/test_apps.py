"""Whole apps on both clocks: nothing is found in the healthy ones, and of the sick ones the mistake, at its line.

On the real clock these run beside whatever else the machine does, which is no app's fault and must not be found
either.
"""

import asyncio
import contextlib
import inspect
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playground import App, Lab, Run, work
from playground.trace import Clock
from playground.transport import connect
from playground.views.findings import Finding
from playground.web.background import BackgroundTask
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response, StreamingResponse
from playground.web.websockets import WebSocket

CLOCKS = pytest.mark.parametrize("clock", ["real", "virtual"])
HERE = Path(__file__)


async def naps() -> str:
    for _ in range(5):
        await asyncio.sleep(0.01)
    return "rested"


def in_a_thread() -> str:
    time.sleep(0.03)
    return "rested"


async def streams() -> Response:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 100
            await asyncio.sleep(0.005)

    return StreamingResponse(body())


async def streams_from_a_thread() -> Response:
    def body() -> Iterator[bytes]:
        for _ in range(5):
            time.sleep(0.005)
            yield b"x" * 100

    return StreamingResponse(body())


async def goes_on_afterwards() -> Response:
    async def later() -> None:
        await asyncio.sleep(0.05)

    return PlainTextResponse("begun", background=BackgroundTask(later))


async def gives_up() -> str:
    try:
        async with asyncio.timeout(0.02):
            await asyncio.sleep(10)
    except TimeoutError:
        return "too late"
    return "in time"


async def raises_what_is_handled() -> str:
    raise KeyError("nobody")


async def computes_a_little() -> str:
    work(0.001)
    return "done"


HEALTHY: list[Callable[[], Any]] = [
    naps,
    in_a_thread,
    streams,
    streams_from_a_thread,
    goes_on_afterwards,
    gives_up,
    raises_what_is_handled,
    computes_a_little,
]


def handled(request: Request, error: Exception) -> Response:
    return PlainTextResponse("nobody there", status_code=409)


def app_of(handler: Callable[..., Any]) -> App:
    app = App()
    app.get("/")(handler)
    app.exception_handler(KeyError)(handled)
    return app


@pytest.mark.slow
@CLOCKS
@pytest.mark.parametrize("handler", HEALTHY)
def test_a_healthy_app_has_no_findings(handler: Callable[[], Any], clock: Clock) -> None:
    with Lab(app_of(handler), clock=clock) as lab:
        assert lab.burst("/", n=20).diagnosis == []
        assert lab.load("/", rate=100, duration=0.3).diagnosis == []


@CLOCKS
def test_clients_that_leave_are_no_fault_of_the_apps(clock: Clock) -> None:
    with Lab(app_of(streams), clock=clock) as lab:

        async def leaves() -> None:
            async with lab.client.stream("GET", "/") as response:
                async for _ in response.aiter_bytes():
                    break

        async def all_of_them() -> None:
            await asyncio.gather(*(leaves() for _ in range(5)))

        assert lab.run(all_of_them).diagnosis == []


@CLOCKS
def test_clients_that_give_up_are_noted_and_no_fault_of_the_apps(clock: Clock) -> None:
    async def waits_long() -> str:
        await asyncio.sleep(10)
        return "rested"

    with Lab(app_of(waits_long), clock=clock) as lab:

        async def gives_up() -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await lab.client.get("/")

        async def all_of_them() -> None:
            await asyncio.gather(*(gives_up() for _ in range(5)))

        (finding,) = lab.run(all_of_them).diagnosis
    assert (finding.rule, finding.severity) == ("deadline", "note")
    assert str(finding).startswith("All 5 requests were cut short by a deadline. `GET /` had waited ")
    assert "when it passed, and was cancelled." in str(finding)


@CLOCKS
def test_a_websocket_is_healthy(clock: Clock) -> None:
    app = App()

    @app.websocket("/ws")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await asyncio.sleep(0.001)
            await websocket.send_text(text)

    async def talk() -> None:
        async with connect(app, "/ws") as session:
            for _ in range(20):
                await session.send_text("hello")
                assert await session.receive_text() == "hello"

    async def all_of_them() -> None:
        await asyncio.gather(*(talk() for _ in range(5)))

    with Lab(app, clock=clock) as lab:
        assert lab.run(all_of_them).diagnosis == []


# -- sick apps ------------------------------------------------------------------------------------------------


async def sleeps_on_the_loop() -> str:
    time.sleep(0.08)  # the mistake
    return "rested"


async def sleeps_shortly() -> str:
    time.sleep(0.02)  # the mistake
    return "rested"


async def computes_on_the_loop() -> str:
    work(0.08)  # the mistake
    return "done"


async def iterates_on_the_loop() -> Response:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0.001)
            time.sleep(0.06)  # the mistake
            yield b"x"

    return StreamingResponse(body())


async def goes_on_on_the_loop() -> Response:
    async def later() -> None:
        time.sleep(0.08)  # the mistake

    return PlainTextResponse("begun", background=BackgroundTask(later))


async def reads_on_the_loop() -> str:
    def wait_for_the_database() -> None:
        time.sleep(0.002)  # the mistake

    for _ in range(30):
        wait_for_the_database()
    return "read"


SICK: list[Callable[[], Any]] = [
    sleeps_on_the_loop,
    sleeps_shortly,
    computes_on_the_loop,
    iterates_on_the_loop,
    goes_on_on_the_loop,
    reads_on_the_loop,
]


def computes_for_long() -> str:
    work(0.15)
    return "done"


async def naps_and_computes() -> str:
    await asyncio.sleep(0.001)
    work(0.012)
    return "done"


def line_of(function: Callable[..., Any]) -> str:
    """What a finding calls the line of the mistake."""
    lines, first = inspect.getsourcelines(function)
    (at,) = (number for number, line in enumerate(lines) if "# the mistake" in line)
    return f"{HERE.name}, line {first + at}"


def found(run: Run, rule: str) -> Finding:
    findings = [each for each in run.diagnosis if each.rule == rule]
    assert len(findings) == 1, run.diagnosis
    return findings[0]


@pytest.mark.slow
@CLOCKS
@pytest.mark.parametrize("handler", SICK)
def test_a_handler_that_holds_the_loop_is_found_at_its_line(handler: Callable[[], Any], clock: Clock) -> None:
    with Lab(app_of(handler), clock=clock) as lab:
        # a machine that is busy enough may let nobody look into a step of 20 ms, and so several runs may be needed
        for _ in range(1 if clock == "virtual" else 5):
            findings = lab.burst("/", n=6).diagnosis
            held = [finding for finding in findings if finding.rule == "loop-blocked"]
            seen = [finding for finding in held if line_of(handler) in str(finding)]
            if seen:
                break
    assert len(held) == 1 or clock == "real", findings
    assert seen, findings
    assert "`GET /` ran " in str(seen[0])
    assert seen[0].severity == "bad"


@CLOCKS
def test_a_middleware_that_holds_the_loop_is_found_at_its_line(clock: Clock) -> None:
    async def slows(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        time.sleep(0.08)  # the mistake
        return await call_next(request)

    app = app_of(naps)
    app.middleware("http")(slows)
    with Lab(app, clock=clock) as lab:
        findings = lab.burst("/", n=3).diagnosis
    assert any(finding.rule == "loop-blocked" and line_of(slows) in str(finding) for finding in findings), findings


@pytest.mark.slow
@CLOCKS
def test_a_handler_that_holds_the_loop_beside_threads_that_compute_is_found_at_its_line(clock: Clock) -> None:
    app = app_of(sleeps_on_the_loop)

    app.get("/cpu")(computes_for_long)
    with Lab(app, clock=clock) as lab:
        findings = lab.burst(lambda index: "/" if index % 3 else "/cpu", n=9).diagnosis
    blamed = [str(finding) for finding in findings if finding.rule == "loop-blocked"]
    assert any(line_of(sleeps_on_the_loop) in each for each in blamed), blamed
    assert len(blamed) == 1 or clock == "real", blamed  # what a busy machine adds is not known to the millisecond


@CLOCKS
def test_more_calls_than_threads_are_found(clock: Clock) -> None:
    with Lab(app_of(in_a_thread), threads=2, clock=clock) as lab:
        finding = found(lab.burst("/", n=10), "thread-queue")
    assert "8 of 10 calls queued for a worker thread" in str(finding)
    assert "no more than 2 calls ran at once" in str(finding)


@CLOCKS
def test_more_calls_than_a_pool_has_threads_are_found(clock: Clock) -> None:
    async def calls() -> str:
        await asyncio.to_thread(time.sleep, 0.03)
        return "rested"

    with Lab(app_of(calls), clock=clock) as lab:
        finding = found(lab.burst("/", n=40), "pool-full")  # of 32 threads at the most
    assert "What queued was `sleep`" in str(finding)
    assert "loop.set_default_executor" in finding.suggestion


@CLOCKS
def test_a_result_that_the_loop_takes_up_late_is_found(clock: Clock) -> None:
    held: list[threading.Event] = []

    async def hold() -> str:
        held[0].set()
        time.sleep(0.2)
        return "held"

    def ends_meanwhile() -> str:
        held[0].wait()
        return "done"

    app = app_of(ends_meanwhile)
    app.get("/hold")(hold)
    with Lab(app, clock=clock) as lab:
        held.append(threading.Event())  # in virtual time, of the lab's own

        async def both() -> None:
            waits = asyncio.ensure_future(lab.client.get("/"))
            await asyncio.sleep(0.05)
            await asyncio.gather(waits, lab.client.get("/hold"))

        finding = found(lab.run(both), "late-wake")
    assert "`test_a_result_that_the_loop_takes_up_late_is_found.<locals>.ends_meanwhile`" in str(finding)
    assert "was done in a worker thread, but the loop was held by `GET /hold`." in str(finding)


@pytest.mark.slow
@CLOCKS
def test_plain_handlers_that_compute_are_never_told_to_become_what_they_are(clock: Clock) -> None:
    with Lab(app_of(computes_for_long), clock=clock) as lab:
        lab.get("/")
        findings = lab.burst("/", n=8).diagnosis
    assert not any("a plain `def`" in str(finding) for finding in findings)
    assert {finding.rule for finding in findings} <= {"threads-compute", "late-wake", "loop-blocked"}


def test_computing_on_the_loop_beside_threads_is_told_to_the_nanosecond_in_virtual_time() -> None:
    app = app_of(naps_and_computes)
    app.get("/cpu")(computes_for_long)
    with Lab(app, clock="virtual") as lab:
        (finding,) = lab.burst(lambda index: "/cpu" if index < 8 else "/", n=9).diagnosis
    assert str(finding) == (
        "Worker threads computed and kept the interpreter from the event loop for 119 ms. What computed was "
        "`computes_for_long` (8 calls, 1.2 s of processor time). Python runs one thread at a time, so hand what "
        "computes to processes, `await anyio.to_process.run_sync(...)`, or make it shorter."
    )


@CLOCKS
def test_failures_are_found(clock: Clock) -> None:
    def fails() -> str:
        raise ValueError("on purpose")

    async def gives_503() -> Response:
        return PlainTextResponse("later", status_code=503)

    app = app_of(fails)
    app.get("/later")(gives_503)
    with Lab(app, clock=clock) as lab:
        assert "`GET /` raised `ValueError: on purpose`" in str(found(lab.burst("/", n=3), "app-error"))
        assert "All 3 requests were answered 503." in str(found(lab.burst("/later", n=3), "server-error"))
        assert "All 3 requests were answered 404." in str(found(lab.burst("/nowhere", n=3), "not-found"))
