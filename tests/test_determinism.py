"""Two runs in virtual time are the same to the byte, whatever the memory, the collector and the machine do."""

import asyncio
import gc
import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from playground import Lab
from playground.trace import store
from playground.web.applications import Starlette
from playground.web.background import BackgroundTask
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response, StreamingResponse
from playground.web.routing import Route

RUNS = 50
REQUESTS = 60


def busy_app(seed: int) -> Any:
    """An app in which everything happens that could differ: threads, locks, timeouts, cancellations, garbage."""
    rng = random.Random(seed)
    lock: list[Any] = []  # made by the first request: a lock made before the lab cannot be in virtual time

    def threaded(request: Request) -> Response:
        time.sleep(rng.expovariate(20))
        return PlainTextResponse("ok")

    def locked(request: Request) -> Response:
        if not lock:
            lock.append(threading.Lock())
        with lock[0]:
            time.sleep(0.01)
        return PlainTextResponse("ok")

    async def waits(request: Request) -> Response:
        await anyio.sleep(rng.expovariate(20))
        return PlainTextResponse("ok", background=BackgroundTask(time.sleep, 0.02))

    async def streams(request: Request) -> Response:
        def chunks() -> Any:
            for _ in range(5):
                time.sleep(rng.random() / 50)
                yield b"x"

        return StreamingResponse(chunks())

    async def cancels(request: Request) -> Response:
        circle: list[Any] = [request]
        circle.append(circle)
        with anyio.move_on_after(0.01):
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(anyio.sleep, 1)
        try:
            async with asyncio.timeout(0.003):
                await asyncio.gather(*(asyncio.sleep(1) for _ in range(5)))
        except TimeoutError:
            pass
        done, pending = await asyncio.wait(
            [asyncio.ensure_future(asyncio.sleep(number / 1000)) for number in range(6)],
            timeout=0.0025,
        )
        for task in pending:
            task.cancel()
        return PlainTextResponse(f"{len(done)}")

    handlers = {"/t": threaded, "/l": locked, "/w": waits, "/s": streams, "/c": cancels}
    return Starlette(routes=[Route(path, handler) for path, handler in handlers.items()])


def digest(**settings: Any) -> str:
    paths = ("/t", "/l", "/w", "/s", "/c")
    with Lab(busy_app(3), clock="virtual", seed=5, threads=8, **settings) as lab:
        run = lab.load(lambda index: paths[index % len(paths)], rate=200, duration=REQUESTS / 200)
        assert {response.status_code for response in run.responses} == {200}
        assert len(run.trace.handoffs) > REQUESTS / 2
        return hashlib.sha256(store.dump(run.trace)).hexdigest()


def disturb(number: int) -> list[Any]:
    """Move everything in memory, and leave garbage about."""
    rng = random.Random(number)
    kept = [object() for _ in range(rng.randrange(5_000))]
    for _ in range(rng.randrange(200)):
        circle: list[Any] = []
        circle.append(circle)
    return kept


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["fifo", "random"])
def test_fifty_runs_are_one(schedule: str) -> None:
    before = gc.get_threshold()
    kept = []
    try:
        found = set()
        for number in range(RUNS):
            gc.set_threshold(random.Random(number).choice([5, 50, 700]))
            kept.append(disturb(number))
            found.add(digest(schedule=schedule))
    finally:
        gc.set_threshold(*before)
    assert len(found) == 1
    assert gc.isenabled()


@pytest.mark.slow
def test_another_process_with_other_hashes_has_the_same_run() -> None:
    code = "from tests.test_determinism import digest; print(digest())"
    root = Path(__file__).parent.parent
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1


@pytest.mark.slow
def test_a_random_schedule_depends_on_its_seed_alone() -> None:
    def order(seed: int) -> list[int]:
        found: list[int] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                return
            await asyncio.to_thread(lambda: found.append(int(scope["path"][1:])))
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

        with Lab(app, clock="virtual", schedule="random", seed=seed) as lab:
            lab.burst(lambda index: f"/{index}", 8)
        return found

    orders = [order(seed) for seed in range(6)]
    assert orders == [order(seed) for seed in range(6)]
    assert len({tuple(one) for one in orders}) > 1
    assert all(sorted(one) == list(range(8)) for one in orders)
