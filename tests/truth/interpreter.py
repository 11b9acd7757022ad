"""Runs a program on a loop, and tells the witness around every await what it is for.

Each action is a small coroutine function, so that the line at which it waits is its own. The interpreter knows what
asyncio and anyio promise; it refuses to know that anything is recorded. Its main task cancels what has not ended
after `PATIENCE_S`, so that every program ends.
"""

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import anyio
import anyio.lowlevel

from tests.truth import program as p
from tests.truth.witness import Witness
from tests.truth.workers import Boom, Workers

__all__ = ["Interpreter"]

PATIENCE_S: Final = 0.03
"""Longer than ten of the longest sleeps: most programs end by themselves."""


class Interpreter(Workers):
    """One run of one program, told to `witness`; with eager tasks, if it is to be so."""

    def __init__(self, witness: Witness, *, eager: bool = False) -> None:
        super().__init__(witness)
        self.eager = eager
        self.virtual = getattr(self.loop, "clock", "real") == "virtual"
        self.events: list[Any] = [asyncio.Event(), asyncio.Event(), anyio.Event()]
        self.locks: list[Any] = [asyncio.Lock(), asyncio.Semaphore(2), anyio.Lock()]
        self.queues: list[Any] = [asyncio.Queue(), asyncio.Queue(1)]
        self.sender, self.receiver = anyio.create_memory_object_stream[int](1)
        self.futures: list[list[asyncio.Future[None]]] = [[] for _ in range(p.FUTURES)]
        self.made = 0

    # -- the whole ---------------------------------------------------------------------------------------------

    async def main(self, program: p.Program) -> None:
        """Run a program to its end."""
        if self.eager:
            self.w.start_eagerly()
        tasks = [self.task(body) for body in program]
        with contextlib.closing(self.sender), contextlib.closing(self.receiver):
            with self.w.waits("task", children=tuple(tasks), lines=2) as gap:
                gap.interrupted = True
                await asyncio.wait(tasks, timeout=PATIENCE_S)
            while unfinished := self.unfinished():
                for task in unfinished:
                    self.cancel(task)
                with self.w.waits("task", children=tuple(unfinished), lines=2) as gap:
                    gap.interrupted = True
                    await asyncio.wait(unfinished, timeout=PATIENCE_S / 10)
            while self.at_work or self.given_up:
                self.given_up = False  # its worker may be about to begin or, for the recorder, to end
                with self.w.waits("timer"):
                    await asyncio.sleep(0.005)

    def close(self) -> None:
        """End the workers of the pool; the loop's own are the loop's."""
        self.pool.shutdown()

    def unfinished(self) -> list["asyncio.Task[Any]"]:
        main = asyncio.current_task()
        return [note.task for note in self.w.tasks if note.task not in (main, None) and note.outcome == "pending"]

    def cancel(self, task: "asyncio.Task[Any] | None") -> None:
        if task is None:
            return
        note = self.w.note_of[id(task)]
        # not before it has begun where a worker has made it, for it has not said for whom; nor where anyio has, for
        # the coroutine inside its own would never be awaited
        if note.stretches or note.coroutine == Interpreter.run.__qualname__:
            self.w.cancels(task)
            task.cancel()

    def task(self, body: p.Body) -> "asyncio.Task[None]":
        return self.loop.create_task(self.run(body), name=self.name())

    def name(self) -> str:
        self.made += 1
        return f"task {self.made}"

    async def run(self, body: p.Body) -> None:
        for action in body:
            await self.act(action)

    async def act(self, action: p.Action) -> None:
        match action:
            case p.Work(units):
                sum(range(units * 100))  # a count and not a time, for where time is virtual it stands still meanwhile
            case p.Block(way, delay_ms):
                getattr(self, f"blocks_by_{way}")(delay_ms)
            case p.Yield(library):
                await (self.yields() if library == "asyncio" else self.checkpoint())
            case p.Sleep(delay_ms, library):
                await (self.sleeps(delay_ms) if library == "asyncio" else self.sleeps_with_anyio(delay_ms))
            case p.SetEvent(index):
                self.ring(index)
            case p.WaitEvent(index):
                await self.waits_for_event(index)
            case p.Hold(index, body):
                await self.holds(index, body)
            case p.Put(index):
                await (self.puts(index) if index < 2 else self.sends())
            case p.Get(index):
                await (self.gets(index) if index < 2 else self.receives())
            case p.Resolve(index):
                self.resolve(index)
            case p.AwaitFuture(index):
                await self.awaits_future(index)
            case _:
                await self.act_with_others(action)

    async def act_with_others(self, action: p.Action) -> None:
        match action:
            case p.Thread(way, errands):
                await self.in_thread(way, errands)
            case p.Callback(way, index):
                self.call_back(way, index)
            case p.Within(way, limit_ms, body):
                with contextlib.suppress(TimeoutError):
                    await self.within(way, limit_ms / 1000, body)
            case p.Shield(body):
                with anyio.CancelScope(shield=True):
                    await self.run(body)
            case p.Cancel(victim):
                tasks = self.w.tasks[1:]  # not the main task
                self.cancel(tasks[victim % len(tasks)].task)  # itself, perhaps
            case p.Fail():
                raise Boom
            case p.Spawn(body, awaited):
                await self.spawns(body, awaited)
            case p.Together(way, bodies, body):
                try:
                    await self.together(way, bodies, body)
                except* Boom:
                    pass

    # -- holding the loop --------------------------------------------------------------------------------------

    def blocks_by_sleep(self, delay_ms: int) -> None:
        self.w.blocks(delay_ms)
        time.sleep(delay_ms / 1000)

    def blocks_by_event(self, delay_ms: int) -> None:
        never = threading.Event()
        self.w.blocks(delay_ms)
        never.wait(delay_ms / 1000)

    def blocks_by_work(self, delay_ms: int) -> None:
        if not self.virtual:  # there, work costs no time unless it is charged
            # by the processor's time, for a busy machine may make it last longer; in Python, so that others may look
            until_ns = time.thread_time_ns() + delay_ms * 1_000_000
            self.w.blocks(delay_ms)
            all(time.thread_time_ns() < until_ns for _ in itertools.repeat(None))

    # -- waiting -----------------------------------------------------------------------------------------------

    async def yields(self) -> None:
        with self.w.waits("timer"):
            await asyncio.sleep(0)

    async def checkpoint(self) -> None:
        with self.w.waits("timer"):
            await anyio.lowlevel.checkpoint()

    async def sleeps(self, delay_ms: int) -> None:
        with self.w.waits("timer", ("delay", delay_ms)):
            await asyncio.sleep(delay_ms / 1000)

    async def sleeps_with_anyio(self, delay_ms: int) -> None:
        with self.w.waits("timer", ("delay", delay_ms)):
            await anyio.sleep(delay_ms / 1000)

    def ring(self, index: int) -> None:
        self.w.wakes(("event", index))
        self.events[index].set()

    async def waits_for_event(self, index: int) -> None:
        with self.w.waits("event", ("event", index)):
            await self.events[index].wait()

    async def awaits_future(self, index: int) -> None:
        future = self.loop.create_future()
        self.futures[index].append(future)
        with self.w.waits("future", ("future", index)):
            await future

    def resolve(self, index: int) -> None:
        self.w.wakes(("future", index))
        for future in self.futures[index]:
            if not future.done():
                future.set_result(None)

    # -- locks and queues: whoever gives up may wake another --------------------------------------------------

    async def holds(self, index: int, body: p.Body) -> None:
        key = ("lock", index)
        with self.at_both_ends(key), self.w.waits("lock", key):
            await self.locks[index].acquire()
        try:
            await self.run(body)
        finally:
            self.w.wakes(key)
            self.locks[index].release()

    async def puts(self, index: int) -> None:
        with self.at_both_ends(("got", index), ("room", index)), self.w.waits("queue", ("room", index)):
            await self.queues[index].put(1)

    async def gets(self, index: int) -> None:
        with self.at_both_ends(("got", index), ("room", index)), self.w.waits("queue", ("got", index)):
            await self.queues[index].get()

    async def sends(self) -> None:
        with self.at_both_ends(("got", 2), ("room", 2)), self.w.waits("queue", ("room", 2)):
            await self.sender.send(1)

    async def receives(self) -> None:
        with self.at_both_ends(("got", 2), ("room", 2)), self.w.waits("queue", ("got", 2)):
            await self.receiver.receive()

    # -- callbacks, scopes and other tasks ------------------------------------------------------------------

    def call_back(self, way: str, index: int) -> None:
        if way == "later":
            self.loop.call_later(0.001, self.ring, index)
        elif way == "soon":
            self.loop.call_soon(self.ring, index)
        else:
            self.loop.call_soon_threadsafe(self.ring, index)

    async def within(self, way: str, limit_s: float, body: p.Body) -> None:
        if way == "timeout":
            async with asyncio.timeout(limit_s):
                await self.run(body)
        elif way == "fail_after":
            with anyio.fail_after(limit_s):
                await self.run(body)
        else:
            with anyio.move_on_after(limit_s):
                await self.run(body)

    async def spawns(self, body: p.Body, awaited: bool) -> None:
        child = self.task(body)
        if awaited:
            with contextlib.suppress(Boom), self.w.waits("task", children=(child,)):
                await child

    async def together(self, way: str, bodies: tuple[p.Body, ...], body: p.Body) -> None:
        if way == "group":
            await self.group(bodies, body)
        elif way == "anyio":
            await self.anyio_group(bodies, body)
        elif bodies:
            tasks = tuple(self.task(each) for each in bodies)
            await self.run(body)
            await (self.gathers(tasks) if way == "gather" else self.waits_for_tasks(tasks, way))

    async def gathers(self, tasks: tuple[Any, ...]) -> None:
        with self.w.waits("task", children=tasks):
            await asyncio.gather(*tasks, return_exceptions=True)

    async def waits_for_tasks(self, tasks: tuple[Any, ...], way: str) -> None:
        when = asyncio.FIRST_COMPLETED if way == "first" else asyncio.ALL_COMPLETED
        with self.w.waits("task", children=tasks):
            await asyncio.wait(tasks, return_when=when)

    async def group(self, bodies: tuple[p.Body, ...], body: p.Body) -> None:
        leaving = self.w.waits("task", lines=4)
        leaving.interrupted = True
        with contextlib.ExitStack() as after:
            after.push(leaving)
            async with asyncio.TaskGroup() as group:
                with _on_exit(leaving.__enter__):
                    # Python 3.12 names an eager task that is over already, and no recorder could see that
                    names = [None if self.eager else self.name() for _ in bodies]
                    made = [
                        group.create_task(self.run(each), name=name) for each, name in zip(bodies, names, strict=True)
                    ]
                    leaving.children = tuple(made)
                    await self.run(body)

    async def anyio_group(self, bodies: tuple[p.Body, ...], body: p.Body) -> None:
        leaving = self.w.waits("task", lines=4)
        leaving.interrupted = True
        with contextlib.ExitStack() as after:
            after.push(leaving)
            async with anyio.create_task_group() as group:
                with _on_exit(leaving.__enter__):
                    before = len(self.w.tasks)
                    for each in bodies:
                        group.start_soon(self.run, each, name=self.name())
                    leaving.children = tuple(note.task for note in self.w.tasks[before:])
                    await self.run(body)


@contextlib.contextmanager
def _on_exit(function: Callable[[], object]) -> Iterator[None]:
    try:
        yield
    finally:
        function()
