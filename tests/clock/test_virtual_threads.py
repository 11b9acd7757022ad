"""Threads in virtual time: they wait for sleeps, locks, queues and one another on the loop's clock."""

import asyncio
import concurrent.futures
import itertools
import queue
import threading
import time
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from playground.clock.virtual import VirtualLoop
from tests.clock.virtually import virtually


def test_two_hundred_blocking_calls_on_forty_threads_take_five_rounds() -> None:
    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(200):
                group.start_soon(anyio.to_thread.run_sync, lambda: time.sleep(0.1))

    assert virtually(main).time_s == 0.5


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
