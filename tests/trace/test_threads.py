"""Hand-offs: whom a worker works for, what it has the loop do, and what is no hand-off at all."""

import asyncio
import concurrent.futures
import gc
import pickle
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from playground.clock.loop import LabLoop
from playground.clock.virtual import VirtualLoop
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording
from playground.trace.sampler import Sampler
from playground.trace.threads import HandoffRecord, sender
from tests.trace.programs import recorded

CLOCKS = pytest.mark.parametrize("make", [LabLoop, VirtualLoop], ids=["real", "virtual"])


def record(function: Callable[[], Coroutine[Any, Any, Any]], make: Callable[[], Any] = LabLoop) -> Trace:
    """Run a coroutine function on a recorded loop, in a task named `main`."""
    loop = make()
    try:
        recorder = loop.run_until_complete(recorded(loop, function))
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    return build(recorder)


async def child() -> None:
    await asyncio.sleep(0)


# -- whose a worker's tasks are ---------------------------------------------------------------------------------------


@CLOCKS
def test_a_task_that_a_worker_makes_is_the_child_of_the_task_that_it_works_for(make: Callable[[], Any]) -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        await anyio.to_thread.run_sync(anyio.from_thread.run, child)
        await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(child(), loop).result())

    trace = record(program, make)
    made = [task for task in trace.tasks if task.coroutine.endswith(("task_wrapper", "child"))]
    assert [trace.tasks[task.parent].name for task in made if task.parent is not None] == ["main", "main"]


@CLOCKS
def test_a_portals_tasks_are_the_children_of_the_task_whose_worker_called_it(make: Callable[[], Any]) -> None:
    async def calls(portal: anyio.from_thread.BlockingPortal) -> None:
        await anyio.to_thread.run_sync(portal.call, child)

    def starts(portal: anyio.from_thread.BlockingPortal) -> None:
        portal.start_task_soon(child).result()

    async def program() -> None:
        async with anyio.from_thread.BlockingPortal() as portal:
            await asyncio.create_task(calls(portal), name="calls")
            await asyncio.create_task(anyio.to_thread.run_sync(starts, portal), name="starts")

    trace = record(program, make)
    (main,) = (index for index, task in enumerate(trace.tasks) if task.name == "main")
    makers = [trace.tasks[task.parent].name for task in trace.tasks if task.parent is not None and task.parent > main]
    assert makers == ["calls", "starts"]


def test_a_thread_that_works_for_no_task_makes_tasks_without_a_parent() -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        made = concurrent.futures.Future[None]()

        def post() -> None:
            asyncio.run_coroutine_threadsafe(child(), loop).add_done_callback(lambda _: made.set_result(None))

        thread = threading.Thread(target=post)
        thread.start()
        await asyncio.wrap_future(made)
        thread.join()

    assert [task.parent for task in record(program).tasks if task.coroutine == "child"] == [None]


def test_a_worker_that_is_done_works_for_nobody() -> None:
    seen: list[str | None] = []
    pool = concurrent.futures.ThreadPoolExecutor(1)

    def look() -> None:
        task = sender()
        seen.append(None if task is None else task.get_name())

    def fail() -> None:
        raise ValueError

    async def program() -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(pool, look)
        with pytest.raises(ValueError, match=r"^$"):
            await loop.run_in_executor(pool, fail)
        await asyncio.wrap_future(pool.submit(look))

    with pool:
        record(program)
    assert seen == ["main", None]


# -- what is no hand-off, and what never began ------------------------------------------------------------------------


class ElsewherePool(concurrent.futures.Executor):
    """Sends calls away, as a pool of processes does, and so needs them pickled."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        future = concurrent.futures.Future[Any]()
        future.set_result(pickle.loads(pickle.dumps(fn))(*args, **kwargs))
        return future


def test_a_call_that_is_sent_to_another_process_arrives_bare_and_is_no_handoff() -> None:
    async def program() -> None:
        assert await asyncio.get_running_loop().run_in_executor(ElsewherePool(), abs, -7) == 7

    assert list(record(program).handoffs) == []


@CLOCKS
def test_a_call_that_was_cancelled_before_a_worker_began_it_says_so(make: Callable[[], Any]) -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        free = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            first = loop.run_in_executor(pool, free.wait)
            second = loop.run_in_executor(pool, int)
            await asyncio.sleep(0.001)
            second.cancel()
            await asyncio.sleep(0)  # asyncio takes it back from the pool in a callback
            free.set()
            await first

    trace = record(program, make)
    assert [(call.outcome, call.started_ns is None) for call in trace.handoffs] == [
        ("returned", False),
        ("cancelled", True),
    ]


def test_the_recorder_does_not_keep_what_a_worker_gives_back() -> None:
    class Answer:
        pass

    gone: list[weakref.ref[Answer]] = []

    async def program() -> None:
        answer = await asyncio.to_thread(Answer)
        gone.append(weakref.ref(answer))
        del answer
        await asyncio.sleep(0)
        gc.collect()
        assert gone[0]() is None

    trace = record(program)
    assert [call.function for call in trace.handoffs] == [
        "test_the_recorder_does_not_keep_what_a_worker_gives_back.<locals>.Answer"
    ]


@CLOCKS
def test_waiting_for_an_executors_call_is_waiting_for_a_thread(make: Callable[[], Any]) -> None:
    async def program() -> None:
        await asyncio.get_running_loop().run_in_executor(None, threading.Event().wait, 0.005)

    trace = record(program, make)
    assert [wait.on for wait in trace.waits if wait.site is not None and "run_in_executor" in wait.site.text] == [
        "thread"
    ]


@pytest.mark.parametrize(
    ("started_ns", "ended_ns", "told"),
    [
        (20, 30, (20, 30, 3, 7, "returned")),
        (20, 50, (20, 50, 3, 7, "returned")),
        (20, 51, (20, None, 3, 0, "pending")),
        (51, 52, (None, None, 0, 0, "pending")),
        (51, None, (None, None, 0, 0, "pending")),
    ],
)
def test_what_a_worker_notes_while_a_recording_is_closed_is_not_in_it(
    started_ns: int, ended_ns: int | None, told: tuple[object, ...]
) -> None:
    record = HandoffRecord("render_pdf", 0, 1, 10, 0)
    record.submitted_ns, record.started_ns, record.ended_ns, record.thread = 10, started_ns, ended_ns, 3
    if ended_ns is not None:
        record.cpu_ns, record.outcome = 7, "returned"
    kept = record.frozen(50)
    assert (kept.started_ns, kept.ended_ns, kept.thread, kept.cpu_ns, kept.outcome) == told
    assert record.started_ns == started_ns


@CLOCKS
def test_a_worker_that_waits_for_its_next_call_does_not_keep_the_recording(make: Callable[[], Any]) -> None:
    loop = make()
    recorders: list[weakref.ref[Recorder]] = []

    async def main() -> None:
        with recording(loop) as recorder:
            recorders.append(weakref.ref(recorder))
            await asyncio.to_thread(int)

    loop.run_until_complete(main())
    gc.collect()
    assert recorders[0]() is None  # while its executor's thread is still there
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def test_where_no_thread_is_to_be_had_the_garbage_collector_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loop:
        step = 0

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    before = list(gc.callbacks)
    with pytest.raises(RuntimeError, match=r"^can't start new thread$"):
        Sampler(Loop(), time.perf_counter_ns, [])
    assert gc.callbacks == before
