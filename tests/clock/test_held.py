"""A step that holds a loop is ended from outside, and only that step."""

import asyncio
import contextvars
import linecache
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import anyio.to_thread
import pytest

from playground.clock.held import Interrupted, busy_workers, running_task, throw_into, value_in, where
from playground.clock.thread import LoopThread
from playground.trace.recorder import recording

Task = asyncio.Task[object]


def ident(thread: LoopThread) -> int:
    found: list[int] = []

    async def ask() -> None:
        found.append(threading.get_ident())

    thread.call(ask)
    return found[0]


async def _create(function: Callable[[], object]) -> Task:
    return asyncio.get_running_loop().create_task(function())  # type: ignore[arg-type]


def test_a_task_that_waits_is_not_hit(thread: LoopThread) -> None:
    async def wait() -> None:
        await asyncio.sleep(60)

    task = thread.call(_create, wait)
    thread.call(asyncio.sleep, 0)
    assert running_task(thread.loop) is None
    assert throw_into(task, ident(thread)) is False
    assert thread.call(asyncio.sleep, 0, "undisturbed") == "undisturbed"
    assert not task.done()


def test_a_step_that_spins_is_ended_where_it_stands(thread: LoopThread) -> None:
    begun = threading.Event()
    ended = threading.Event()

    async def spin() -> None:
        begun.set()
        try:
            while True:
                pass
        except Interrupted:
            ended.set()

    held_by = ident(thread)
    # not by a call, whose answer would come only after the spinning
    thread.loop.call_soon_threadsafe(lambda: asyncio.ensure_future(spin()))
    begun.wait(30)
    task = running_task(thread.loop)
    assert task is not None
    assert '", line ' in where(held_by)
    assert "in spin" in where(held_by)
    assert throw_into(task, held_by) is True
    assert ended.wait(30)


# Long, for it plays one game: its players are closures over one state, and each is a few lines.
@pytest.mark.slow
@pytest.mark.parametrize("recorded", [False, True])
def test_whenever_it_is_thrown_no_other_step_is_hit_and_none_is_lost(thread: LoopThread, recorded: bool) -> None:
    """Tasks take turns, with timers and callbacks between them; exceptions are thrown into one of them only.

    That one wakes another at each of its steps: of a wake-up that has begun, nothing may be lost.
    """
    hits: list[str] = []
    counts = {"other": 0, "timer": 0, "callback": 0, "woken": 0}
    over = threading.Event()
    bells: list[asyncio.Future[None]] = []

    async def victim() -> None:
        while True:
            for _ in range(3000):  # long enough to be looked at from outside
                pass
            for bell in bells:
                if not bell.done():
                    bell.set_result(None)
            await asyncio.sleep(0)

    async def sleeper() -> None:
        loop = asyncio.get_running_loop()
        while not over.is_set():
            bells[:] = [loop.create_future()]
            await bells[0]
            counts["woken"] += 1

    async def other() -> None:
        loop = asyncio.get_running_loop()
        try:
            while not over.is_set():
                counts["other"] += 1
                loop.call_soon(count, "callback")
                loop.call_later(0, count, "timer")
                await asyncio.sleep(0)
        except BaseException as error:
            hits.append(repr(error))
            raise

    def count(name: str) -> None:
        counts[name] += 1

    async def main() -> None:
        sleeping = asyncio.create_task(sleeper())
        if recorded:
            with recording(asyncio.get_running_loop()):
                await other()
        else:
            await other()
        await asyncio.sleep(0.01)  # for the last timer
        if not bells[0].done():
            bells[0].set_result(None)
        await sleeping  # for ever, if a bell has been rung and not heard

    held_by = ident(thread)
    caller = threading.Thread(target=thread.call, args=[main])
    caller.start()
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # many places at which one thread may come between the other's steps
    try:
        for _ in range(10):
            task = thread.call(_create, victim)
            while not task.done():
                throw_into(task, held_by)
            assert isinstance(task.exception(), Interrupted)
    finally:
        sys.setswitchinterval(interval_s)
        over.set()
        caller.join(30)
    assert not caller.is_alive()
    assert counts["woken"] > 0
    assert hits == []
    assert counts["callback"] == counts["timer"] == counts["other"] > 0
    assert thread.call(asyncio.sleep, 0, "usable") == "usable"


def test_a_context_variable_can_be_asked_for_from_outside(thread: LoopThread) -> None:
    variable: contextvars.ContextVar[object] = contextvars.ContextVar("variable")
    mark = object()

    async def wait() -> None:
        await asyncio.sleep(60)

    async def two() -> tuple[Task, Task]:
        without = await _create(wait)
        variable.set(mark)
        return without, await _create(wait)

    without, having = thread.call(two)
    thread.call(asyncio.sleep, 0)  # both wait, and have the contexts of callbacks about them too
    assert value_in(without, variable) is None
    assert value_in(having, variable) is mark


def test_workers_with_something_to_do_are_named_and_counted(thread: LoopThread) -> None:
    released = threading.Event()
    at_it = threading.Barrier(4)

    def work() -> None:
        at_it.wait(30)
        released.wait(30)

    async def many() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(anyio.to_thread.run_sync, work)
            await asyncio.to_thread(work)

    assert busy_workers(thread.loop) == ""
    caller = threading.Thread(target=thread.call, args=[many])
    caller.start()
    at_it.wait(30)
    deadline = time.monotonic() + 30
    while "(in 3 threads)" not in busy_workers(thread.loop) and time.monotonic() < deadline:
        time.sleep(0.001)  # until all three are past the barrier
    said = busy_workers(thread.loop)
    released.set()
    caller.join(30)
    assert said.count("File ") == 1
    assert said.endswith("  (in 3 threads)\n")
    while busy_workers(thread.loop) and time.monotonic() < deadline:
        time.sleep(0.001)  # until they are idle again
    assert busy_workers(thread.loop) == ""


def test_a_line_of_a_notebooks_cell_is_told_by_the_cells_number(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/tmp/ipykernel_1234/5678.py"
    shell = SimpleNamespace(compile=SimpleNamespace(_filename_map={path: 3}))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    source = "def hold(begun, released):\n    begun.set()\n    released.acquire()\n"
    monkeypatch.setitem(linecache.cache, path, (len(source), None, source.splitlines(keepends=True), path))
    cell: dict[str, Callable[..., object]] = {}
    exec(compile(source, path, "exec"), cell)
    begun, released = threading.Event(), threading.Lock()
    released.acquire()
    holder = threading.Thread(target=cell["hold"], args=[begun, released])
    holder.start()
    begun.wait(30)
    deadline = time.monotonic() + 30
    while "line 3" not in where(holder.ident or 0) and time.monotonic() < deadline:
        time.sleep(0.001)  # until it is past the event
    said = where(holder.ident or 0)
    released.release()
    holder.join(30)
    assert said == '  File "cell 3", line 3, in hold\n    released.acquire()\n'
