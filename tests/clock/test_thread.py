"""A loop in a thread of its own: calling in, being interrupted, ending."""

import asyncio
import concurrent.futures
import contextvars
import gc
import os
import signal
import threading
import time

import anyio
import anyio.to_thread
import pytest

from playground.clock.loop import LabLoop
from playground.clock.thread import LoopThread
from playground.errors import LabClosed, LabError


def _interrupt_after(delay_s: float) -> threading.Timer:
    timer = threading.Timer(delay_s, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    return timer


async def _tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()} - {asyncio.current_task().get_name()}  # type: ignore[union-attr]


def test_a_call_returns_what_the_coroutine_returns(thread: LoopThread) -> None:
    async def add(a: int, b: int) -> int:
        await asyncio.sleep(0)
        return a + b

    assert thread.call(add, 40, 2) == 42


def test_a_loop_that_is_given_is_run_and_closed() -> None:
    loop = LabLoop()
    thread = LoopThread("lab with a loop of its own", loop=loop)

    async def running() -> bool:
        return asyncio.get_running_loop() is loop

    try:
        assert thread.loop is loop
        assert thread.call(running)
    finally:
        thread.close()
    assert loop.is_closed()


def test_a_call_raises_what_the_coroutine_raises(thread: LoopThread) -> None:
    async def fail() -> None:
        raise ValueError("from the loop")

    with pytest.raises(ValueError, match=r"^from the loop$"):
        thread.call(fail)


def test_a_call_raises_what_the_function_raises_before_there_is_a_coroutine(thread: LoopThread) -> None:
    async def needs_one(argument: int) -> None: ...

    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        thread.call(needs_one)


def test_a_call_sees_the_callers_context(thread: LoopThread) -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set by the caller")

    async def read() -> str:
        return variable.get()

    assert thread.call(read) == "set by the caller"


def test_a_call_from_the_loop_itself_is_refused(thread: LoopThread) -> None:
    async def inner() -> None: ...

    async def outer() -> None:
        thread.call(inner)

    with pytest.raises(LabError) as refused:
        thread.call(outer)
    assert str(refused.value) == (
        "expected a call from outside the lab's loop, got one from within it, which would wait for itself for ever: "
        "inside a handler or lab.run(), await lab.client instead"
    )


def test_closing_from_the_loop_itself_lets_the_call_end(thread: LoopThread) -> None:
    async def close() -> str:
        thread.close()
        return "closed from within"

    assert thread.call(close) == "closed from within"
    assert thread.closed


def test_another_loop_can_await_a_call(thread: LoopThread) -> None:
    async def where() -> int:
        await asyncio.sleep(0)
        return threading.get_ident()

    async def main() -> int:
        return await thread.call_async(where)

    assert asyncio.run(main()) not in (threading.get_ident(), None)


def test_an_awaited_call_raises_what_the_coroutine_raises(thread: LoopThread) -> None:
    async def fail() -> None:
        raise ValueError("from the other loop")

    with pytest.raises(ValueError, match=r"^from the other loop$"):
        asyncio.run(thread.call_async(fail))


def test_cancelling_an_awaited_call_cancels_it_on_the_lab_s_loop(thread: LoopThread) -> None:
    cancelled = threading.Event()

    async def hang() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(thread.call_async(hang), 0.05)

    asyncio.run(main())
    assert cancelled.wait(5)


def test_an_interrupt_cancels_the_call_and_leaves_the_loop_usable(thread: LoopThread) -> None:
    seen: list[str] = []

    async def hang() -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep, 60)
        except BaseException as error:
            seen.append(type(error).__name__)
            raise

    for _ in range(5):
        timer = _interrupt_after(0.05)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            thread.call(hang)
        assert time.monotonic() - began < 30  # the hang would take 60
        timer.join()
    assert seen == ["CancelledError"] * 5
    assert thread.call(_tasks) == {"lab"}


def test_an_interrupt_ends_a_runaway_loop_in_a_handler(thread: LoopThread) -> None:
    async def spin() -> None:
        while True:
            pass

    timer = _interrupt_after(0.05)
    with pytest.raises(KeyboardInterrupt):
        thread.call(spin)
    timer.join()
    assert thread.call(asyncio.sleep, 0, "usable") == "usable"


@pytest.mark.slow
def test_what_an_interrupted_call_has_left_to_others_goes_on(thread: LoopThread) -> None:
    begun: list[asyncio.Task[str]] = []

    async def computes(after: asyncio.Event) -> str:
        await after.wait()
        await asyncio.sleep(0)  # its caller's call is over before this goes on
        until_s = time.monotonic() + 0.1
        while time.monotonic() < until_s:
            pass
        return "to its end"

    async def spin() -> None:
        over = asyncio.Event()
        begun.append(asyncio.create_task(computes(over)))
        await asyncio.sleep(0)
        try:
            while True:
                pass
        finally:
            over.set()

    async def result() -> str:
        return await begun[-1]

    for _ in range(5):
        timer = _interrupt_after(0.05)
        with pytest.raises(KeyboardInterrupt):
            thread.call(spin)
        timer.join()
        assert thread.call(result) == "to its end"


def test_an_interrupted_step_is_not_reported_as_an_exception_that_nobody_retrieved(
    thread: LoopThread, caplog: pytest.LogCaptureFixture
) -> None:
    async def spin() -> None:
        while True:
            pass

    async def outer() -> None:
        await asyncio.gather(asyncio.create_task(spin()), asyncio.create_task(asyncio.sleep(60)))

    timer = _interrupt_after(0.05)
    with pytest.raises(KeyboardInterrupt):
        thread.call(outer)
    timer.join()
    gc.collect()
    thread.call(asyncio.sleep, 0)
    assert caplog.records == []


def test_an_interrupt_of_a_blocking_call_says_where_the_loop_is_held(thread: LoopThread) -> None:
    released = threading.Event()

    async def hold() -> None:
        released.wait(30)

    timer = _interrupt_after(0.05)
    with pytest.raises(KeyboardInterrupt) as interrupted:
        thread.call(hold)
    timer.join()
    released.set()
    (note,) = interrupted.value.__notes__
    assert note.startswith(
        "The call is cancelled, but its code still holds the event loop and cannot be stopped from outside; "
        "the lab goes on when it returns. It stands at:\n"
    )
    assert thread.call(asyncio.sleep, 0, "usable") == "usable"


def test_sys_exit_in_a_task_does_not_end_the_loop(thread: LoopThread) -> None:
    async def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        thread.call(leave)
    assert thread.call(asyncio.sleep, 0, "usable") == "usable"


def test_an_app_that_stops_the_loop_does_not_end_it(thread: LoopThread) -> None:
    async def stop() -> None:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)

    thread.call(stop)
    assert thread.call(asyncio.sleep, 0, "usable") == "usable"


def test_any_exception_of_the_waiting_thread_cancels_the_call(thread: LoopThread) -> None:
    class Alarm(Exception):
        pass

    def ring(*_: object) -> None:
        raise Alarm

    cancelled: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append("hang")
            raise

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(Alarm):
            thread.call(hang)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert cancelled == ["hang"]


def test_a_call_during_which_the_lab_is_closed_says_so() -> None:
    thread = LoopThread("lab to be closed")
    started = threading.Event()

    async def hang() -> None:
        started.set()
        await asyncio.sleep(60)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        blocking = pool.submit(thread.call, hang)
        started.wait(10)
        started.clear()
        awaiting = pool.submit(lambda: asyncio.run(thread.call_async(hang)))
        started.wait(10)
        thread.close()
        for waiting in (blocking, awaiting):
            with pytest.raises(LabClosed) as told:
                waiting.result(10)
            assert str(told.value) == (
                "expected the lab to stay open during a call, got it closed meanwhile: close it when the call is over"
            )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_is_told_that_it_has_no_loop(thread: LoopThread) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            thread.call(asyncio.sleep, 0)
        except LabError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    said = os.read(reading, 1000).decode()
    os.close(reading)
    os.close(writing)
    assert said == (
        f"expected a call from process {os.getpid()}, which made the lab, got one from process {child}, "
        "which was forked from it and has no loop: make a lab of its own there"
    )


def test_worker_threads_are_used_again_by_the_next_call(thread: LoopThread) -> None:
    def ident() -> int:
        return threading.get_ident()

    assert thread.call(anyio.to_thread.run_sync, ident) == thread.call(anyio.to_thread.run_sync, ident)


def test_closing_cancels_what_runs_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    ended: list[str] = []

    async def background() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("background")

    async def start() -> None:
        asyncio.get_running_loop().create_task(background())
        await asyncio.sleep(0)
        await anyio.to_thread.run_sync(time.sleep, 0)
        await asyncio.to_thread(time.sleep, 0)

    thread = LoopThread("lab to be closed")
    thread.call(start)
    thread.close()
    thread.close()
    assert ended == ["background"]
    assert set(threading.enumerate()) == before


def test_a_closed_loop_refuses_calls() -> None:
    thread = LoopThread("lab to be closed")
    thread.close()
    with pytest.raises(LabClosed) as refused:
        thread.call(asyncio.sleep, 0)
    assert str(refused.value) == "expected an open lab, got one that was closed: make a new Lab(app)"


def test_a_failing_start_is_told_to_the_caller_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())

    def fail() -> None:
        raise ValueError("cannot start")

    with pytest.raises(ValueError, match=r"^cannot start$"):
        LoopThread("lab that fails", fail)
    for left in set(threading.enumerate()) - before:
        left.join(5)
    assert set(threading.enumerate()) == before
