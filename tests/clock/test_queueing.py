"""A queue simulated in virtual time is the queue of the textbook: each wait exactly, their mean by Erlang's formula.

Requests come at random to c servers and are served in order. Who knows all arrivals and services can say each wait
without simulating (Lindley's recursion, for c servers): the next to come waits for the first of the servers to be free.
"""

import asyncio
import heapq
import math
import random
import statistics
import time
from typing import Any

import anyio
import anyio.to_thread
import pytest

from tests.clock.virtually import virtually

SERVERS = 4
SERVICES_A_S = 10.0
ARRIVALS_A_S = 32.0
REQUESTS = 20_000


def exact_waits(seed: int, count: int) -> list[float]:
    arrivals, services = random.Random(seed), random.Random(seed + 1)
    now, waits = 0.0, []
    free_at = [0.0] * SERVERS
    for _ in range(count):
        now += arrivals.expovariate(ARRIVALS_A_S)
        start = max(now, heapq.heappop(free_at))
        waits.append(start - now)
        heapq.heappush(free_at, start + services.expovariate(SERVICES_A_S))
    return waits


def erlang_c_mean_wait() -> float:
    load = ARRIVALS_A_S / SERVICES_A_S
    busy = load**SERVERS / math.factorial(SERVERS) / (1 - load / SERVERS)
    waits = busy / (sum(load**k / math.factorial(k) for k in range(SERVERS)) + busy)
    return waits / (SERVERS * SERVICES_A_S - ARRIVALS_A_S)


def simulated_waits(threaded: bool, seed: int, count: int) -> list[float]:
    waits: list[float] = [0.0] * count

    async def main() -> None:
        arrivals, services = random.Random(seed), random.Random(seed + 1)
        loop = asyncio.get_running_loop()
        servers = anyio.CapacityLimiter(SERVERS)

        def serve(number: int, came_s: float, service_s: float) -> None:
            waits[number] = loop.time() - came_s
            time.sleep(service_s)

        async def request(number: int, service_s: float) -> None:
            came_s = loop.time()
            if threaded:
                await anyio.to_thread.run_sync(serve, number, came_s, service_s, limiter=servers)
                return
            async with servers:
                waits[number] = loop.time() - came_s
                await anyio.sleep(service_s)

        async with asyncio.TaskGroup() as group:
            for number in range(count):
                await asyncio.sleep(arrivals.expovariate(ARRIVALS_A_S))
                group.create_task(request(number, services.expovariate(SERVICES_A_S)))

    virtually(main)
    return waits


@pytest.mark.slow
@pytest.mark.parametrize("threaded", [False, True], ids=["async", "threaded"])
def test_each_of_twenty_thousand_waits_is_exact(threaded: bool) -> None:
    found, exact = simulated_waits(threaded, 3, REQUESTS), exact_waits(3, REQUESTS)
    assert max(abs(one - other) for one, other in zip(found, exact, strict=True)) < 1e-6


@pytest.mark.slow
def test_the_mean_wait_is_erlangs() -> None:
    # waits of one run depend on one another, so the error of a mean is told by the means of independent runs
    means = [statistics.fmean(simulated_waits(False, seed, 4_000)[500:]) for seed in range(10, 22)]
    error = statistics.stdev(means) / math.sqrt(len(means))
    assert abs(statistics.fmean(means) - erlang_c_mean_wait()) < 3 * error


def framework_apps() -> dict[str, Any]:
    def starlette(package: str) -> Any:
        from importlib import import_module

        applications, routing = import_module(f"{package}.applications"), import_module(f"{package}.routing")
        text = import_module(f"{package}.responses").PlainTextResponse

        def slow(request: Any) -> Any:
            time.sleep(0.1)
            return text("done")

        return applications.Starlette(routes=[routing.Route("/", slow)])

    def fastapi() -> Any:
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/")
        def slow() -> str:
            time.sleep(0.1)
            return "done"

        return app

    return {
        "playground.web": lambda: starlette("playground.web"),
        "starlette": lambda: starlette("starlette"),
        "fastapi": fastapi,
    }


@pytest.mark.parametrize("name", ["playground.web", "starlette", "fastapi"])
def test_two_hundred_blocking_requests_on_forty_threads_take_five_rounds(name: str) -> None:
    from playground import Lab

    with Lab(framework_apps()[name](), clock="virtual", threads=40) as lab:
        trace = lab.burst("/", 200).trace
    assert trace.duration_ns == 500_000_000
    assert sorted({call.ended_ns or 0 for call in trace.handoffs}) == [100_000_000 * (turn + 1) for turn in range(5)]
    assert len({call.thread for call in trace.handoffs}) == 40
