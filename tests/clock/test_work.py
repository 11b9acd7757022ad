"""Computing takes time: simulated, measured, or real."""

import asyncio
import time

import anyio.to_thread
import pytest

from playground import App, Lab, LabError, work
from tests.clock.virtually import recorded_virtually, virtually

app = App()


@app.get("/compute")
def compute() -> str:
    work(0.1)
    return "done"


@app.get("/sleep")
def sleep() -> str:
    time.sleep(0.1)
    return "done"


@pytest.mark.slow
def test_threads_share_one_interpreter_lock_for_computing_and_none_for_sleeping() -> None:
    with Lab(app, clock="virtual") as lab:
        computing, sleeping = lab.burst("/compute", 4).trace, lab.burst("/sleep", 4).trace
    assert computing.duration_ns == 400_000_000
    assert sleeping.duration_ns == 100_000_000
    assert [call.cpu_ns for call in computing.handoffs] == [100_000_000] * 4
    assert [call.cpu_ns for call in sleeping.handoffs] == [0] * 4
    # they take turns of 5 ms, so all end within the last four turns
    assert sorted(call.ended_ns or 0 for call in computing.handoffs) == [
        385_000_000 + 5_000_000 * turn for turn in range(4)
    ]


def test_the_loop_computes_under_the_same_lock() -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        thread = asyncio.create_task(anyio.to_thread.run_sync(work, 0.05))
        await asyncio.sleep(0.001)
        work(0.05)
        blocked_until = loop.time()
        await thread
        return blocked_until, loop.time()

    assert virtually(main).result == (0.1, 0.1)


def test_computing_on_the_loop_is_a_block_at_its_line() -> None:
    async def main() -> None:
        await asyncio.sleep(0)
        work(0.06)  # the line

    (block,) = recorded_virtually(main).blocks()
    assert block.duration_ns == 60_000_000
    assert block.site is not None
    assert block.site.text == "work(0.06)  # the line"


def test_outside_virtual_time_computing_is_real() -> None:
    before = time.thread_time()
    work(0.02)
    assert time.thread_time() - before >= 0.02


def test_charged_computing_takes_what_it_took() -> None:
    async def main() -> float:
        before = time.thread_time()
        sum(range(300_000))
        return time.thread_time() - before

    ran = virtually(main, charge_cpu=True)
    assert ran.time_s >= ran.result > 0
    assert virtually(main).time_s == 0


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "1"])
def test_no_other_amount_of_work_makes_sense(seconds: float) -> None:
    with pytest.raises(LabError) as refused:
        work(seconds)
    assert str(refused.value) == (f"expected a number of seconds, 0 or more, got {seconds!r}: say how long to compute")
