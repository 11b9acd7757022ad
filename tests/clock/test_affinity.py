"""Threads in virtual time share one processor, and nothing is left of it afterwards."""

import asyncio
import os
import threading

import pytest

from playground import App, Lab
from tests.clock.virtually import virtually

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux lets a thread choose")


def test_workers_stay_on_one_processor_while_the_loop_runs_and_no_longer() -> None:
    before = os.sched_getaffinity(0)

    async def main() -> list[set[int]]:
        calls = (asyncio.to_thread(os.sched_getaffinity, 0) for _ in range(3))
        return [*(await asyncio.gather(*calls)), os.sched_getaffinity(0)]

    found = virtually(main).result
    assert all(len(allowed) == 1 for allowed in found)
    assert len({tuple(allowed) for allowed in found}) == 1
    assert os.sched_getaffinity(0) == before


def test_a_loop_without_workers_goes_where_it_likes() -> None:
    before = os.sched_getaffinity(0)

    async def main() -> set[int]:
        return os.sched_getaffinity(0)

    assert virtually(main).result == before


def test_threads_outside_are_left_alone() -> None:
    app = App()

    @app.get("/")
    def index() -> str:
        return str(len(os.sched_getaffinity(0)))

    before = os.sched_getaffinity(0)
    with Lab(app, clock="virtual") as lab:
        assert lab.get("/").text == "1"
        found: list[set[int]] = []
        thread = threading.Thread(target=lambda: found.append(os.sched_getaffinity(0)))
        thread.start()
        thread.join()
        assert [os.sched_getaffinity(0), *found] == [before, before]
