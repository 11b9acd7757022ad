"""Who waits for what can never come, in virtual time, is told at his line, and leaves nothing behind."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from playground import App, Lab
from playground.clock import pool, virtual, watchdog
from playground.code import GIVEN_NAMES
from playground.errors import Deadlock, NotInVirtualTime, Runaway
from tests.clock.virtually import virtually
from tests.lines import line_of

pytestmark = pytest.mark.usefixtures("nothing_is_left")
HERE = __file__
MADE_BEFORE = threading.Lock()


async def waits_for_ever() -> None:
    await asyncio.Event().wait()


def test_a_deadlock_names_a_notebooks_cell_and_not_the_file_that_stands_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(GIVEN_NAMES, HERE, "cell 3")
    with pytest.raises(Deadlock) as caught:
        virtually(waits_for_ever)
    line = line_of(waits_for_ever, "Event().wait()")
    assert f" waits at cell 3, line {line} in waits_for_ever, in Event.wait" in str(caught.value)


def test_a_deadlock_names_each_task_and_each_worker() -> None:
    async def main() -> None:
        event = anyio.Event()

        def asks_the_loop() -> None:
            anyio.from_thread.run(event.wait)

        async with anyio.create_task_group() as group:
            group.start_soon(event.wait, name="by the event")
            await anyio.to_thread.run_sync(asks_the_loop)

    with pytest.raises(Deadlock) as stuck:
        virtually(main)
    wait = f"{asyncio.locks.__file__}:{line_of(asyncio.Event.wait, 'await fut')} in Event.wait"
    outer = main.__qualname__
    assert str(stuck.value) == (
        "expected somebody to go on, but nothing can run and no timer is set, at 0 s of virtual time. Let one of these "
        "be woken, or give its wait a timeout:\n"
        f"  task 'Task-1' waits at {HERE}:{line_of(main, 'to_thread')} in {outer}, in "
        "AsyncIOBackend.run_sync_in_worker_thread\n"
        f"  task 'by the event' waits at {wait}\n"
        f"  task 'Task-2' waits at {wait}\n"
        f"  the thread 'AnyIO worker thread' waits at {HERE}:{line_of(main, 'from_thread.run')} in "
        f"{outer}.<locals>.asks_the_loop"
    )


def test_a_loop_that_blocks_for_ever_is_told_at_its_line() -> None:
    async def main() -> None:
        threading.Event().wait()

    with pytest.raises(Deadlock) as stuck:
        virtually(main)
    line = line_of(main, "wait()")
    assert (HERE, line) in [(str(entry.path), entry.lineno + 1) for entry in stuck.traceback]
    assert str(stuck.value) == (
        "expected this call to return, but it blocks the event loop, and only the loop, or nobody, could end its wait, "
        "at 0 s of virtual time. Await instead of blocking. There are:\n"
        f"  task 'Task-1' waits at {HERE}:{line} in {main.__qualname__}"
    )


def test_two_locks_taken_in_two_orders_are_a_deadlock() -> None:
    async def main() -> None:
        one, two = threading.Lock(), threading.Lock()

        def takes(first: Any, second: Any) -> None:
            with first:
                time.sleep(0.1)
                with second:
                    pass

        await asyncio.gather(asyncio.to_thread(takes, one, two), asyncio.to_thread(takes, two, one))

    with pytest.raises(Deadlock) as stuck:
        virtually(main)
    place = f"{HERE}:{line_of(main, 'with second')} in {main.__qualname__}.<locals>.takes"
    assert str(stuck.value).split("\n")[-2:] == [
        f"  the thread 'asyncio_0' waits at {place}",
        f"  the thread 'asyncio_1' waits at {place}",
    ]


@pytest.mark.slow
def test_polling_without_sleeping_is_a_runaway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "_TURNS_AT_ONCE", 2_000)

    async def main() -> None:
        asyncio.get_running_loop().call_later(1, print)
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Runaway) as stuck:
        virtually(main)
    assert str(stuck.value) == (
        "expected time to pass, but something goes on for ever without letting it, at 0 s of virtual time. Code that "
        "polls has to sleep for longer than nothing. There are:\n"
        f"  task 'Task-1' waits at {HERE}:{line_of(main, 'sleep(0)')} in {main.__qualname__}, in sleep"
    )


def test_threads_that_poll_without_sleeping_are_a_runaway(monkeypatch: pytest.MonkeyPatch) -> None:
    from playground.clock import baton

    monkeypatch.setattr(baton, "_SPIN_LIMIT", 2_000)

    async def main() -> None:
        def poll() -> None:
            while True:
                time.sleep(0)

        await asyncio.to_thread(poll)

    with pytest.raises(Runaway):
        virtually(main)


@pytest.mark.slow
def test_a_lock_made_before_is_found_by_the_watchdog() -> None:
    def holds_it() -> None:
        with MADE_BEFORE:
            time.sleep(1)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(anyio.to_thread.run_sync, holds_it)

    with pytest.raises(BaseException) as refused:  # noqa: PT011 (looked at below: the loop's own error)
        virtually(main)
    assert isinstance(refused.value, NotInVirtualTime)
    assert str(refused.value) == (
        "expected waits of Python's own in virtual time, but the thread 'AnyIO worker thread' really waits, at "
        f"{HERE}:{line_of(holds_it, 'with MADE')} in {holds_it.__qualname__}. A lock made before the lab, or a wait "
        "in C, cannot be in virtual time: make locks, queues and pools after the lab, or make the lab with "
        "clock='real'."
    )


@pytest.mark.slow
@pytest.mark.parametrize("hand_over", [anyio.to_thread.run_sync, asyncio.to_thread])
def test_a_worker_that_really_waited_ends_when_it_returns_and_others_do_its_work(
    hand_over: Callable[[Callable[[], Any]], Coroutine[Any, Any, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_THREADS", 1)
    made = App()

    def takes() -> str:
        came.append(threading.current_thread())
        with MADE_BEFORE:
            return "taken"

    @made.get("/")
    async def index() -> Any:
        return await hand_over(takes)

    came: list[threading.Thread] = []
    with Lab(made, clock="virtual", threads=1) as lab:
        with MADE_BEFORE:
            with pytest.raises(NotInVirtualTime):
                lab.burst("/", 2)
            (lost,) = came
        lost.join(30)
        assert not lost.is_alive()
        for _ in range(2):
            assert lab.get("/").text == "taken"
    assert came[1:].count(lost) == 0
    assert len(came) == 3


@pytest.mark.slow
def test_what_a_failed_run_left_behind_does_not_fail_the_closing(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def takes(after_s: float) -> None:
        time.sleep(after_s)
        with MADE_BEFORE:
            pass

    @contextlib.asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[None]:
        yield
        await asyncio.sleep(1)
        done.append("shut down")

    made = App(lifespan=lifespan)

    @made.get("/")
    def index() -> None:
        threads = [threading.Thread(target=takes, args=[after_s], name=f"after {after_s} s") for after_s in (1, 1.5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    lab = Lab(made, clock="virtual")
    with MADE_BEFORE:
        with pytest.raises(NotInVirtualTime) as refused:
            lab.get("/")
        assert "but the thread 'after 1 s' really waits, at " in str(refused.value)
        with caplog.at_level(logging.WARNING):
            lab.close()
    assert done == ["shut down"]
    (record,) = caplog.records
    assert record.getMessage() == str(refused.value).replace("after 1 s", "after 1.5 s")


@pytest.mark.slow
def test_burning_cpu_is_no_error_and_is_told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_TOLD_AFTER_S", 0.5)

    async def main() -> None:
        until = time.thread_time() + 1.5
        while time.thread_time() < until:
            pass

    with caplog.at_level(logging.WARNING):
        virtually(main)
    (record,) = caplog.records
    text = record.getMessage()
    assert text.startswith(f"Burning CPU for 0.5 s now, at {HERE}:")
    assert text.endswith(
        f" in {main.__qualname__}: virtual time stands still meanwhile, for it counts "
        "waits, and work only where playground.work(seconds) says how much."
    )
