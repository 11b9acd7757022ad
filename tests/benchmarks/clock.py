"""What a recording costs, beside the stock loop, what else tells of a program, and no recorder at all.

Each way of running has a process of its own for each workload (a tracer leaves marks on the code that it has seen, and
two kinds of loop in one process spoil each other's caches); the processes take their turns in one run, so that only
ratios count. A time is processor time of the whole process, workers and sampler included, at its best round. All
figures of ours are with packing, for events are packed as they are written.
"""

import argparse
import asyncio
import cProfile
import gc
import importlib.util
import logging
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import anyio.lowlevel
import anyio.to_thread
import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from playground.clock.loop import LabLoop
from playground.trace.recorder import Recorder, recording
from tests.benchmarks.harness import verdict

__all__ = ["main"]

now_ns: Final = time.process_time_ns

# -- what is done: each gives the time that it took -----------------------------------------------------------------


async def sleeps(count: int, tasks: int) -> int:
    async def one() -> None:
        sleep = asyncio.sleep
        for _ in range(count // tasks):
            await sleep(0)

    begin = now_ns()
    await asyncio.gather(*(one() for _ in range(tasks)))
    return now_ns() - begin


async def one_task(count: int) -> int:
    return await sleeps(count, 1)


async def thousand_tasks(count: int) -> int:
    return await sleeps(count, 1000)


async def ping_pong(count: int) -> int:
    async def one(mine: "asyncio.Queue[int]", other: "asyncio.Queue[int]") -> None:
        for _ in range(count // 100):
            await mine.get()
            other.put_nowait(1)

    players = []
    begin = now_ns()
    for _ in range(50):
        a: asyncio.Queue[int] = asyncio.Queue()
        b: asyncio.Queue[int] = asyncio.Queue()
        a.put_nowait(1)
        players += [one(a, b), one(b, a)]
    await asyncio.gather(*players)
    return now_ns() - begin


async def requests(count: int) -> int:
    async def hello(request: Request) -> JSONResponse:
        await anyio.lowlevel.checkpoint()
        return JSONResponse({"hello": "world"})

    app = Starlette(routes=[Route("/", hello)], middleware=[Middleware(CORSMiddleware)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lab") as client:
        await client.get("/")
        begin = now_ns()
        for _ in range(count):
            await client.get("/")
        return now_ns() - begin


async def handoffs(count: int) -> int:
    await anyio.to_thread.run_sync(int)
    begin = now_ns()
    for _ in range(count):
        await anyio.to_thread.run_sync(int)
    return now_ns() - begin


Work = Callable[[int], Awaitable[int]]


@dataclass(frozen=True)
class Workload:
    """What is done, how often in one sample, and how much of the stock loop's time ours may take."""

    name: str
    work: Work
    count: int
    target: float
    of_rounds: Callable[[Sequence[float]], float] = min


# the counts make samples of 10 to 40 ms; the targets are those of the clock's issue
WORKLOADS: Final = (
    Workload("sleep(0)", one_task, 10_000, 1.0),
    Workload("1,000 tasks", thousand_tasks, 40_000, 1.0),
    Workload("ping-pong", ping_pong, 10_000, 1.15),
    Workload("Starlette", requests, 200, 1.03),
    Workload("hand-off", handoffs, 300, 1.15, statistics.median),
)
WITH_PACKING: Final = 1.25
BYTES_AN_EVENT: Final = 28.0

# -- ways to run it: each makes a loop, and what runs a workload on it ------------------------------------------------

Runner = Callable[[Work, int], int]


def plain(loop: asyncio.AbstractEventLoop) -> Runner:
    return lambda work, count: loop.run_until_complete(_awaited(work, count))


async def _awaited(work: Work, count: int) -> int:
    return await work(count)


def stock() -> Runner:
    return plain(asyncio.SelectorEventLoop())


def off() -> Runner:
    return plain(LabLoop())


def recorded() -> Runner:
    loop = LabLoop()

    async def run(work: Work, count: int) -> int:
        with recording(loop):
            took_ns: int = await loop.create_task(_awaited(work, count))
        return took_ns

    return lambda work, count: loop.run_until_complete(run(work, count))


def debug() -> Runner:
    logging.disable()
    loop = asyncio.SelectorEventLoop()
    loop.set_debug(True)
    return plain(loop)


def profiled() -> Runner:
    run = plain(asyncio.SelectorEventLoop())

    def profiled_run(work: Work, count: int) -> int:
        with cProfile.Profile():
            return run(work, count)

    return profiled_run


def viztraced() -> Runner:
    from viztracer import VizTracer  # type: ignore[import-untyped]

    run = plain(asyncio.SelectorEventLoop())

    def traced_run(work: Work, count: int) -> int:
        tracer = VizTracer(tracer_entries=5_000_000, verbose=0, log_async=True)
        tracer.start()
        try:
            return run(work, count)
        finally:
            tracer.stop()
            tracer.clear()

    return traced_run


def async_flow() -> Runner:
    from wigglystuff import AsyncFlow  # type: ignore[import-not-found, unused-ignore]

    loop = asyncio.SelectorEventLoop()
    return lambda work, count: loop.run_until_complete(AsyncFlow().run(_awaited(work, count), poll_ms=1000))


def async_viz() -> Runner:
    import asyncviz  # type: ignore[import-not-found, unused-ignore]  # no dependency of ours: measured where it is there

    logging.disable()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    asyncviz.start(port=port, open_browser=False)  # with a server of its own in a thread, until the process ends
    return plain(asyncio.SelectorEventLoop())


@dataclass(frozen=True)
class Way:
    """A way to run a workload, and the package that it needs."""

    name: str
    make: Callable[[], Runner]
    needs: str = "asyncio"

    @property
    def can_be(self) -> bool:
        return importlib.util.find_spec(self.needs) is not None


WAYS: Final = (
    Way("stock loop", stock),
    Way("LabLoop, recorder off", off),
    Way("LabLoop, recorded", recorded),
    Way("loop.set_debug(True)", debug),
    Way("cProfile", profiled),
    Way("viztracer", viztraced, "viztracer"),
    Way("wigglystuff AsyncFlow", async_flow, "wigglystuff"),
    Way("AsyncViz", async_viz, "asyncviz"),
)

# -- measuring --------------------------------------------------------------------------------------------------------


class Worker:
    """A process that runs one workload one way each time it is asked to."""

    def __init__(self, way: Way, workload: Workload) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.clock", way.name, workload.name]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def sample_ns(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def serve(way: Way, workload: Workload) -> None:
    """What a worker does until its input ends."""
    run = way.make()
    answers = sys.stdout
    sys.stdout = sys.stderr  # what tracers have to say is no answer
    for _ in sys.stdin:
        gc.collect()
        gc.disable()
        print(run(workload.work, workload.count), file=answers, flush=True)
        gc.enable()


def measured(workload: Workload, ways: Sequence[Way], rounds: int) -> dict[str, float]:
    """The time of each way, in nanoseconds for one of what the workload does: see `Workload.of_rounds`."""
    workers = {way.name: Worker(way, workload) for way in ways}
    times: dict[str, list[float]] = {name: [] for name in workers}
    try:
        for number in range(rounds):
            for name in list(workers) if number % 2 else reversed(list(workers)):
                times[name].append(workers[name].sample_ns() / workload.count)
    finally:
        for worker in workers.values():
            worker.close()
    return {name: workload.of_rounds(each) for name, each in times.items()}


def bytes_an_event() -> float:
    """How many bytes an event of sleeping tasks takes when it is in its chunk."""
    loop = LabLoop()

    async def main() -> Recorder:
        with recording(loop) as recorder:
            await thousand_tasks(50_000)
        return recorder

    log = loop.run_until_complete(main()).log
    loop.close()
    log.pack()
    packed = sum(len(events) + 8 * len(odd) for events, odd in log._chunks)
    return packed / (len(log) - len(log.pending))


def table(times: dict[str, dict[str, float]], workloads: Sequence[Workload]) -> str:
    """Times the stock loop's, a way a line."""
    width = max(len(way.name) for way in WAYS)
    lines = [f"{'':{width}}" + "".join(f"{workload.name:>14}" for workload in workloads)]
    for way in WAYS:
        cells = "  not on this Python"
        if way.can_be:
            cells = "".join(_cell(times[workload.name], way) for workload in workloads)
        lines.append(f"{way.name:{width}}{cells}")
    return "\n".join(lines)


def _cell(best: dict[str, float], way: Way) -> str:
    stock_ns = best[WAYS[0].name]
    return f"{stock_ns / 1000:11.2f} µs" if way is WAYS[0] else f"{best[way.name] / stock_ns:14.2f}"


def missed(times: dict[str, dict[str, float]], workloads: Sequence[Workload], event_bytes: float) -> list[str]:
    """The targets that these figures miss, in words."""
    words = []
    for workload in workloads:
        best = times[workload.name]
        ratio = best[WAYS[2].name] / best[WAYS[0].name]
        if ratio > workload.target:
            words.append(f"{workload.name}: {ratio:.2f}, not {workload.target:.2f}")
        if workload.target == 1.0 and ratio > WITH_PACKING:
            words.append(f"{workload.name}, with packing: {ratio:.2f}, not {WITH_PACKING:.2f}")
    if event_bytes > BYTES_AN_EVENT:
        words.append(f"bytes an event: {event_bytes:.1f}, not {BYTES_AN_EVENT:.0f}")
    return words


def main(rounds: int, only: str) -> int:
    """Print the table; 1 if a target was missed."""
    workloads = [workload for workload in WORKLOADS if only in workload.name]
    times = {}
    for workload in workloads:
        # the slow ones apart, or each round would take ten times as long
        ours, others = WAYS[:3], [way for way in WAYS[3:] if way.can_be]
        times[workload.name] = measured(workload, others, max(2, rounds // 5)) | measured(workload, ours, rounds)
        print(f"{workload.name}: measured", file=sys.stderr)
    event_bytes = bytes_an_event()
    print(table(times, workloads))
    print(f"\n{event_bytes:.1f} bytes an event, packed")
    return verdict(missed(times, workloads, event_bytes))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="One worker of this benchmark; see python -m tests.benchmarks clock.")
    parser.add_argument("way", choices=[way.name for way in WAYS])
    parser.add_argument("workload", choices=[workload.name for workload in WORKLOADS])
    options = parser.parse_args()
    serve(
        next(way for way in WAYS if way.name == options.way),
        next(workload for workload in WORKLOADS if workload.name == options.workload),
    )
