"""In virtual time everything that waits, waits on one clock, and nothing is left of it afterwards."""

import asyncio
import concurrent.futures
import contextlib
import itertools
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.clock.virtual import VirtualLoop
from tests.clock.virtually import recorded_virtually, virtually

REAL_SLEEP = time.sleep


def borrowed() -> list[object]:
    """What virtual time borrows, as it stands now."""
    from anyio._backends import _asyncio

    names = ("sleep", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time", "time_ns")
    found: list[object] = [getattr(time, name) for name in names]
    found += [threading.Lock, threading.RLock, threading.Thread.start, threading.Thread.join, queue.SimpleQueue]
    found += [vars(_asyncio).get("set"), vars(_asyncio).get("Queue"), asyncio.BaseEventLoop.run_forever]
    found += [concurrent.futures.ThreadPoolExecutor.submit]
    return found


def test_a_thousand_sleeps_of_a_second_end_at_one_second() -> None:
    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(1000):
                group.start_soon(anyio.sleep, 1)

    assert virtually(main).time_s == 1.0


def test_two_hundred_blocking_calls_on_forty_threads_take_five_rounds() -> None:
    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(200):
                group.start_soon(anyio.to_thread.run_sync, lambda: time.sleep(0.1))

    assert virtually(main).time_s == 0.5


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


def test_locks_events_conditions_and_queues_wait_in_virtual_time() -> None:
    async def main() -> dict[str, float]:
        loop = asyncio.get_running_loop()
        at: dict[str, float] = {}
        event, lock, work = threading.Event(), threading.Lock(), queue.Queue[int]()
        condition, many = threading.Condition(), threading.Semaphore(2)

        def first() -> None:
            with lock:
                time.sleep(0.2)
            event.set()
            with condition:
                condition.notify_all()

        def second() -> None:
            time.sleep(0.05)
            with lock:
                at["lock"] = loop.time()
                time.sleep(0.3)
            work.put(5)

        def third() -> None:
            assert not event.wait(0.1)
            at["event, in vain"] = loop.time()
            event.wait()
            at["event"] = loop.time()
            assert work.get(timeout=9) == 5
            at["queue"] = loop.time()
            with pytest.raises(queue.Empty):
                work.get(timeout=1)
            at["queue, in vain"] = loop.time()

        def fourth() -> None:
            with condition:
                condition.wait()
            at["condition"] = loop.time()

        def counted() -> None:
            with many:
                time.sleep(1)
            at["semaphore"] = loop.time()

        async with anyio.create_task_group() as group:
            for function in (first, second, third, fourth, counted, counted, counted):
                group.start_soon(anyio.to_thread.run_sync, function)
        return at

    assert virtually(main).result == {
        "event, in vain": 0.1,
        "lock": 0.2,
        "event": 0.2,
        "condition": 0.2,
        "queue": 0.5,
        "queue, in vain": 1.5,
        "semaphore": 2.0,
    }


def test_a_reentrant_lock_is_one_threads_as_often_as_it_likes() -> None:
    async def main() -> list[tuple[str, float]]:
        lock = threading.RLock()
        seen: list[tuple[str, float]] = []

        def twice(name: str) -> None:
            with lock, lock:
                time.sleep(1)
                seen.append((name, time.monotonic()))

        await asyncio.gather(asyncio.to_thread(twice, "a"), asyncio.to_thread(twice, "b"))
        return seen

    assert virtually(main).result == [("a", 1.0), ("b", 2.0)]


def test_threads_started_by_hand_and_their_pools_are_in_it() -> None:
    async def main() -> list[float]:
        def in_a_thread() -> list[float]:
            at = []
            thread = threading.Thread(target=time.sleep, args=(2,))
            thread.start()
            thread.join(0.5)
            assert thread.is_alive()
            at.append(time.monotonic())
            thread.join()
            assert not thread.is_alive()
            at.append(time.monotonic())
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                futures = [pool.submit(time.sleep, 1) for _ in range(3)]
                with pytest.raises(TimeoutError):
                    futures[2].result(timeout=1.5)
                at.append(time.monotonic())
                futures[2].result()
            at.append(time.monotonic())
            return at

        return await anyio.to_thread.run_sync(in_a_thread)

    assert virtually(main).result == [0.5, 2.0, 3.5, 4.0]


def test_a_thread_may_call_the_loop_and_wait_for_its_answer() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()

        def in_a_thread() -> list[float]:
            anyio.from_thread.run(anyio.sleep, 0.25)
            at = [loop.time()]
            future = asyncio.run_coroutine_threadsafe(asyncio.sleep(1, "slept"), loop)
            assert future.result() == "slept"
            at.append(loop.time())
            at.append(anyio.from_thread.run_sync(loop.time))
            return at

        return await anyio.to_thread.run_sync(in_a_thread)

    assert virtually(main).result == [0.25, 1.25, 1.25]


def test_a_blocked_loop_stands_still_while_threads_go_on() -> None:
    async def main() -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []

        def worker() -> None:
            for _ in range(3):
                time.sleep(0.1)
                seen.append(("worker", time.monotonic()))

        task = asyncio.create_task(asyncio.to_thread(worker))
        await asyncio.sleep(0.05)
        time.sleep(1)
        seen.append(("loop", time.monotonic()))
        await task
        return seen

    assert virtually(main).result == [("worker", 0.1), ("worker", 0.2), ("worker", 0.3), ("loop", 1.05)]


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


def test_other_threads_keep_their_own_time() -> None:
    loop = VirtualLoop()
    try:
        began = time.monotonic()
        time.sleep(0.01)
        assert time.monotonic() - began >= 0.01
        lock = threading.Lock()
        assert lock.acquire()
        assert not lock.acquire(timeout=0.01)
        lock.release()
        done = threading.Event()
        thread = threading.Thread(target=done.set)
        thread.start()
        assert done.wait(10)
        thread.join()
    finally:
        loop.close()


def test_a_lock_that_a_thread_outside_holds_is_waited_for() -> None:
    loop = VirtualLoop()
    lock = threading.Lock()
    held, asked = threading.Event(), threading.Event()

    def outside() -> None:
        with lock:
            held.set()
            asked.wait(10)

    thread = threading.Thread(target=outside)
    thread.start()
    held.wait(10)

    async def main() -> str:
        def inside() -> str:
            asked.set()
            with lock:
                return "had it"

        return await asyncio.to_thread(inside)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(main()) == "had it"
    thread.join()


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


def test_threads_left_parked_end_with_the_loop() -> None:
    before = set(threading.enumerate())
    ended = []

    async def main() -> None:
        def for_ever() -> None:
            try:
                threading.Event().wait()
            finally:
                ended.append(True)

        threading.Thread(target=for_ever).start()
        await asyncio.sleep(1)

    virtually(main)
    assert ended == [True]
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize("schedule", ["fifo", "random"])
def test_who_could_run_runs_and_nobody_is_forgotten(schedule: str) -> None:
    async def main() -> int:
        counter = itertools.count()

        def tick() -> None:
            for _ in range(5):
                time.sleep(0.01)
                next(counter)

        await asyncio.gather(*(asyncio.to_thread(tick) for _ in range(10)))
        return next(counter)

    ran = virtually(main, schedule=schedule, seed=3)
    assert ran.result == 50
    assert ran.time_s == pytest.approx(0.05)


def test_a_random_schedule_loses_an_update_and_does_so_again() -> None:
    def final(seed: int, **settings: Any) -> int:
        async def main() -> int:
            total = 0

            def add() -> None:
                nonlocal total
                for _ in range(10):
                    total = total + 1

            await asyncio.gather(*(asyncio.to_thread(add) for _ in range(4)))
            return total

        result: int = virtually(main, seed=seed, **settings).result
        return result

    assert final(0) == 40
    found = [final(seed, schedule="random") for seed in range(5)]
    assert min(found) < 40
    assert found == [final(seed, schedule="random") for seed in range(5)]
