"""How fast virtual time simulates a queue, beside simpy doing the same queue with the same random numbers.

20,000 requests come at random to four servers. What counts is processor time, for simpy waits for nobody, and the
best of several rounds, each of which times all ways in turn. simpy's processes are generators that do nothing but
wait; ours are requests to an ASGI app, on tasks and threads that any Python code could run in.
"""

import asyncio
import gc
import random
import time
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from typing import Any, Final

import anyio
import anyio.to_thread
import simpy

from playground import App, Lab
from playground.clock.virtual import VirtualLoop
from playground.trace.recorder import recording
from tests.benchmarks.harness import verdict

__all__ = ["main"]

REQUESTS: Final = 5_000
SERVERS: Final = 4
SERVICES_A_S: Final = 10.0
ARRIVALS_A_S: Final = 32.0
TARGETS: Final = {"async handlers": 0.3, "threaded handlers": 0.15}
"""Of simpy's requests a second: from the issue."""

Serve = Callable[[float], Coroutine[Any, Any, None]]


def _numbers() -> tuple[random.Random, random.Random]:
    return random.Random(1), random.Random(2)


def by_simpy() -> None:
    """The queue, simulated by simpy."""
    world = simpy.Environment()
    servers = simpy.Resource(world, SERVERS)
    arrivals, services = _numbers()

    def request(service_s: float) -> Any:
        with servers.request() as turn:
            yield turn
            yield world.timeout(service_s)

    def come() -> Any:
        for _ in range(REQUESTS):
            yield world.timeout(arrivals.expovariate(ARRIVALS_A_S))
            world.process(request(services.expovariate(SERVICES_A_S)))

    world.process(come())
    world.run()


def _asgi(serve: Serve) -> Callable[[float], Coroutine[Any, Any, None]]:
    """One request to an ASGI app whose handler is `serve`."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await serve(scope["state"]["service_s"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def request(service_s: float) -> None:
        messages: list[Any] = []

        async def send(message: Any) -> None:
            messages.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "state": {"service_s": service_s}}
        await app(scope, receive, send)

    return request


def on_asyncio() -> Serve:
    """An async handler with asyncio's semaphore and sleep."""
    servers = asyncio.Semaphore(SERVERS)

    async def serve(service_s: float) -> None:
        async with servers:
            await asyncio.sleep(service_s)

    return serve


def on_anyio() -> Serve:
    """The same with anyio's limiter and sleep."""
    servers = anyio.CapacityLimiter(SERVERS)

    async def serve(service_s: float) -> None:
        async with servers:
            await anyio.sleep(service_s)

    return serve


def in_asyncio_threads() -> Serve:
    """A plain function in a thread of asyncio's pool."""
    servers = asyncio.Semaphore(SERVERS)
    loop = asyncio.get_running_loop()

    async def serve(service_s: float) -> None:
        async with servers:
            await loop.run_in_executor(None, time.sleep, service_s)

    return serve


def in_anyio_threads() -> Serve:
    """A plain function in one of anyio's threads, as Starlette and FastAPI run it."""
    servers = anyio.CapacityLimiter(SERVERS)

    async def serve(service_s: float) -> None:
        await anyio.to_thread.run_sync(time.sleep, service_s, limiter=servers)

    return serve


def _simulated(make: Callable[[], Serve], recorded: bool) -> Callable[[], None]:
    def simulate() -> None:
        loop = VirtualLoop()

        async def main() -> None:
            arrivals, services = _numbers()
            request = _asgi(make())
            with recording(loop) if recorded else nullcontext():
                async with asyncio.TaskGroup() as group:
                    for _ in range(REQUESTS):
                        await asyncio.sleep(arrivals.expovariate(ARRIVALS_A_S))
                        group.create_task(request(services.expovariate(SERVICES_A_S)))

        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(main())

    return simulate


def by_load() -> None:
    """`lab.load` on an `App` whose handler sleeps: routing, responses, spans and the recording included."""
    app = App()
    _, services = _numbers()

    @app.get("/")
    async def index() -> str:
        await anyio.sleep(services.expovariate(SERVICES_A_S))
        return "ok"

    with Lab(app, clock="virtual", seed=1) as lab:
        lab.load("/", rate=ARRIVALS_A_S, duration=REQUESTS / ARRIVALS_A_S)


WAYS: Final[dict[str, Callable[[], None]]] = {
    "simpy": by_simpy,
    "async handlers": _simulated(on_asyncio, False),
    "async handlers, recorded": _simulated(on_asyncio, True),
    "async handlers, anyio": _simulated(on_anyio, False),
    "threaded handlers": _simulated(in_asyncio_threads, False),
    "threaded handlers, recorded": _simulated(in_asyncio_threads, True),
    "threaded handlers, anyio": _simulated(in_anyio_threads, False),
    "lab.load on an App, recorded": by_load,
}


def run(rounds: int, only: str = "") -> dict[str, float]:
    """Microseconds of processor time a request, for each way; simpy's is always there."""
    best = {name: float("inf") for name in WAYS if name == "simpy" or only in name}
    for _ in range(rounds):
        for name in best:
            gc.collect()
            begin = time.process_time()
            WAYS[name]()
            best[name] = min(best[name], (time.process_time() - begin) / REQUESTS * 1e6)
    return best


def table(took_us: dict[str, float]) -> str:
    """The figures as text: time a request, and requests a second as a share of simpy's."""
    lines = [f"{'a request':40}{'time':>12}{'of simpy':>10}{'target':>8}"]
    for name, took in took_us.items():
        target = f"{TARGETS[name]:.2f}" if name in TARGETS else ""
        lines.append(f"{name:40}{took:9.1f} µs{took_us['simpy'] / took:10.2f}{target:>8}")
    return "\n".join(lines)


def missed(took_us: dict[str, float]) -> list[str]:
    """The targets that these figures miss, in words."""
    shares = {name: took_us["simpy"] / took_us[name] for name in TARGETS if name in took_us}
    return [
        f"{name}: {share:.2f} of simpy, not {TARGETS[name]:.2f}"
        for name, share in shares.items()
        if share < TARGETS[name]
    ]


def main(rounds: int, only: str = "") -> int:
    """Time, print the table and what it misses; the number of a process's end."""
    took_us = run(rounds, only)
    print(table(took_us))
    return verdict(missed(took_us))
