"""In virtual time everything that waits, waits on one clock, and nothing is left of it afterwards."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.clock.virtual import VirtualLoop
from tests.clock.virtually import borrowed, recorded_virtually, virtually

REAL_SLEEP = time.sleep


def test_a_thousand_sleeps_of_a_second_end_at_one_second() -> None:
    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(1000):
                group.start_soon(anyio.sleep, 1)

    assert virtually(main).time_s == 1.0


def test_timers_due_together_run_in_the_order_in_which_they_were_set() -> None:
    async def main() -> list[int]:
        order: list[int] = []

        async def one(number: int) -> None:
            await asyncio.sleep(1)
            order.append(number)

        await asyncio.gather(*(one(number) for number in range(12)))
        return order

    assert virtually(main).result == list(range(12))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=20))
def test_loop_timers_and_sleeping_threads_wake_in_order_of_moment_and_setting(sleeps: list[tuple[int, bool]]) -> None:
    async def main() -> list[int]:
        order: list[int] = []

        def in_thread(number: int, tenths: int) -> None:
            time.sleep(tenths / 10)
            order.append(number)

        async def on_loop(number: int, tenths: int) -> None:
            await asyncio.sleep(tenths / 10)
            order.append(number)

        async with asyncio.TaskGroup() as group:
            for number, (tenths, threaded) in enumerate(sleeps):
                work = asyncio.to_thread(in_thread, number, tenths) if threaded else on_loop(number, tenths)
                group.create_task(work)
        return order

    ran = virtually(main)
    tenths = [sleeps[number][0] for number in ran.result]
    assert sorted(ran.result) == list(range(len(sleeps)))
    assert tenths == sorted(tenths)
    assert ran.time_s == max(tenths) / 10
    for threaded in (False, True):  # among each kind, who began to sleep first wakes first
        same = [number for number in ran.result if sleeps[number][1] is threaded and sleeps[number][0]]
        assert same == sorted(same, key=lambda number: (sleeps[number][0], number))


def test_every_clock_tells_virtual_time() -> None:
    async def main() -> list[float]:
        clocks: list[Callable[[], float]] = [
            time.monotonic,
            time.perf_counter,
            time.time,
            asyncio.get_running_loop().time,
        ]
        before = [clock() for clock in clocks]
        in_ns = [time.monotonic_ns(), time.perf_counter_ns(), time.time_ns()]
        await asyncio.sleep(90)
        after = [clock() - start for clock, start in zip(clocks, before, strict=True)]
        now_in_ns = [time.monotonic_ns(), time.perf_counter_ns(), time.time_ns()]
        return after + [(now - start) / 1e9 for now, start in zip(now_in_ns, in_ns, strict=True)]

    assert virtually(main).result == [90.0] * 7


def test_a_name_imported_from_time_is_virtual_too() -> None:
    namespace = sys.modules[__name__]
    before = namespace.REAL_SLEEP

    async def main() -> None:
        await anyio.to_thread.run_sync(lambda: REAL_SLEEP(3600))

    assert virtually(main).time_s == 3600
    assert namespace.REAL_SLEEP is before


def test_timeouts_and_deadlines_fire_at_their_moment() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        at = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await asyncio.sleep(9)
        at.append(loop.time())
        with anyio.move_on_after(0.2):
            await anyio.sleep(9)
        at.append(loop.time())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.3)
        at.append(loop.time())
        with anyio.move_on_after(0.4):
            await anyio.to_thread.run_sync(time.sleep, 5, abandon_on_cancel=True)
        at.append(loop.time())
        with anyio.move_on_after(0.5):
            await anyio.sleep_forever()
        at.append(loop.time())
        return at

    assert virtually(main).result == pytest.approx([0.1, 0.3, 0.6, 1.0, 1.5], abs=2e-9)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_sleeps_one_after_another_add_up_to_the_nanosecond(durations_ns: list[int]) -> None:
    loop = VirtualLoop()

    async def main() -> int:
        for duration_ns in durations_ns:
            await asyncio.sleep(duration_ns / 1e9)
        return loop.now_ns()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(main()) == sum(durations_ns)


def test_all_is_given_back_when_the_last_virtual_loop_closes() -> None:
    before = borrowed()
    first, second = VirtualLoop(), VirtualLoop()
    assert borrowed() != before
    first.close()
    assert borrowed() != before
    second.close()
    assert borrowed() == before


def test_a_step_that_blocks_is_recorded_at_its_length_and_line() -> None:
    async def main() -> None:
        await asyncio.sleep(1)
        time.sleep(0.25)  # the line

    trace = recorded_virtually(main)
    (block,) = trace.blocks()
    assert (block.start_ns, block.duration_ns, block.held_ns) == (1_000_000_000, 250_000_000, 250_000_000)
    assert block.site is not None
    assert block.site.text == "time.sleep(0.25)  # the line"
    assert block.call == "time.sleep(0.25)"
    assert trace.clock == "virtual"


def test_hand_offs_have_their_moments_in_virtual_time() -> None:
    def slow() -> None:
        time.sleep(0.5)

    async def main() -> None:
        limiter = anyio.CapacityLimiter(1)
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(lambda: anyio.to_thread.run_sync(slow, limiter=limiter))

    calls = recorded_virtually(main).handoffs
    half = 500_000_000
    assert [(call.limiter_wait_ns, call.started_ns, call.ended_ns, call.woken_ns) for call in calls] == [
        (0, 0, half, half),
        (half, half, 2 * half, 2 * half),
    ]
    assert {call.cpu_ns for call in calls} == {0}
