"""What a program saw of itself while it ran: the independent witness.

It hangs in three places, none of which the recorder uses. Each task runs in a `Context` of the witness's, which
notes when the loop enters and leaves it: that is every step, those inside a library too. Each callback that is no
task's is noted where asyncio makes and runs its `Handle`. All else (what is awaited, at which line, who resolved
it, what a worker did) the program says itself, around its own awaits. The witness decides nothing.
"""

import asyncio
import contextvars
import sys
import threading
from _asyncio import Task  # by its own name: nest_asyncio replaces asyncio.Task
from collections import defaultdict
from collections.abc import Callable, Generator, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from playground.trace import StepOutcome, WaitOn
from tests.truth.notes import Blocked, Gap, Stretch, TaskNote

__all__ = ["Witness"]


class Watched:
    """Stands in for a task's context, and notes when the loop lets the task run."""

    def __init__(self, context: contextvars.Context, witness: "Witness", note: TaskNote) -> None:
        self._context = context
        self._witness = witness
        self._note = note

    def run(self, function: Callable[..., object], *args: object) -> object:
        with self._witness.stretch(self._note, None, None):
            return self._context.run(function, *args)


class Driven:
    """Stands between an eager task and its coroutine, and notes when the one lets the other run: asyncio takes no
    context but its own for a task that it starts at once."""

    def __init__(self, coro: Any, witness: "Witness", note: TaskNote) -> None:
        self._coro = coro
        self._witness = witness
        self._note = note

    def __await__(self) -> Generator[Any, Any, Any]:
        go_on, value = self._coro.send, None
        while True:
            with self._witness.stretch(self._note, None, None) as seen:
                try:
                    awaited = go_on(value)
                except StopIteration as stop:
                    seen.outcome = "returned"
                    return stop.value
                except BaseException as error:
                    seen.outcome = "cancelled" if isinstance(error, asyncio.CancelledError) else "raised"
                    raise
                seen.outcome = "yields" if awaited is None else "waits"
            try:
                go_on, value = self._coro.send, (yield awaited)
            except BaseException as error:  # noqa: BLE001 (it is the coroutine's)
                go_on, value = self._coro.throw, error


class Witness:
    """Notes of one run.

    Args:
        loop: the loop that runs it.
        now: the recorder's clock, in nanoseconds.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, now: Callable[[], int]) -> None:
        self.loop = loop
        self.now = now
        self.stretches: list[Stretch] = []
        self.tasks: list[TaskNote] = []
        self.note_of: dict[int, TaskNote] = {}
        self.woken: dict[Hashable, list[int]] = defaultdict(list)
        self.running: int | None = None
        self.thread = threading.current_thread()
        self._made: dict[int, tuple[asyncio.Handle, int | None]] = {}  # the handle is kept, or its id might return

    # -- what the program says ------------------------------------------------------------------------------

    def waits(self, on: WaitOn, key: Hashable = None, children: tuple[Any, ...] = (), lines: int = 1) -> Gap:
        """To be entered around an await that stands `lines` below this call."""
        return Gap(self, sys._getframe(1), lines, on, key, children)

    def blocks(self, delay_ms: int) -> None:
        """The next line will hold the loop for that long."""
        frame = sys._getframe(1)
        if self.running is not None:
            held = Blocked(frame.f_lineno + 1, frame.f_code.co_qualname, delay_ms * 1_000_000)
            self.stretches[self.running].blocks.append(held)

    @property
    def limited(self) -> list[Gap]:
        """The gaps in which a worker's place was limited."""
        return [gap for note in self.tasks for gap in note.gaps if gap.hands_over and gap.key is not None]

    def wakes(self, key: Hashable) -> None:
        """What is running now may let go on whoever waits for `key`."""
        if self.running is not None:
            self.woken[key].append(self.running)

    def cancels(self, task: "asyncio.Task[Any]") -> None:
        """What is running now is about to cancel `task`."""
        if self.running is not None:
            self.note_of[id(task)].cancelled_in.append(self.running)

    def current(self) -> TaskNote:
        """The task that says so."""
        return self.note_of[id(asyncio.current_task())]

    # -- what the witness sees for itself -------------------------------------------------------------------

    def make_task(self, loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> Any:
        """A task factory."""
        return self.construct(coro, loop=loop, **kwargs)

    def start_eagerly(self) -> None:
        """Make tasks that run at once (Python 3.12 and later), but for those that anyio makes."""
        loop: Any = self.loop
        loop.set_task_factory(asyncio.create_eager_task_factory(self.construct))  # type: ignore[attr-defined, unused-ignore]

    def construct(self, coro: Any, *, eager_start: bool = False, context: Any = None, **kwargs: Any) -> Any:
        parent = None if self.running is None else self.stretches[self.running].task
        note = TaskNote(None, coro.__qualname__, parent, self.running, hidden=eager_start)
        self.tasks.append(note)
        if eager_start:
            kwargs["eager_start"] = True
            task = Task(_drive(Driven(coro, self, note)), context=context, **kwargs)
        else:
            watched: Any = Watched(context or contextvars.copy_context(), self, note)
            task = Task(coro, context=watched, **kwargs)
        self._meet(note, task)
        return task

    def _meet(self, note: TaskNote, task: "asyncio.Task[Any]") -> None:
        note.task = task
        self.note_of[id(task)] = note

    @contextmanager
    def stretch(
        self, note: TaskNote | None, callback: Callable[..., object] | None, by: int | None
    ) -> Iterator[Stretch]:
        """Around one step; one that begins within another cuts that in two."""
        outer = None if self.running is None else self.stretches[self.running]
        if outer is not None:
            outer.cut = True
            outer.outcome = "callback" if outer.task is None else "yields"
            self._close(outer)
        if note is not None and note.task is None:
            self._meet(note, asyncio.current_task())  # type: ignore[arg-type]
        first = self._open(note, callback, by)
        try:
            yield first
        finally:
            last = self.stretches[cast(int, self.running)]
            last.outcome = first.outcome
            if note is not None and not note.hidden:
                going_on: StepOutcome = "yields" if note.task._fut_waiter is None else "waits"  # type: ignore[union-attr]
                last.outcome = going_on if note.outcome == "pending" else note.outcome
            if first is not last:
                first.outcome = "callback" if note is None else "yields"
            self._close(last)
            if outer is not None:
                self._open(outer.task, outer.callback, last.number).goes_on = True

    def _by(self) -> int | None:
        """What runs now. Behind a driven coroutine's back asyncio still does what follows from how it stopped."""
        if self.running is None and self.stretches:
            task = self.stretches[-1].task
            return len(self.stretches) - 1 if task is not None and task.hidden else None
        return self.running

    def _open(self, note: TaskNote | None, callback: Callable[..., object] | None, by: int | None) -> Stretch:
        seen = Stretch(len(self.stretches), note, callback, by, self.now())
        self.stretches.append(seen)
        self.running = seen.number
        return seen

    def _close(self, seen: Stretch) -> None:
        self.running = None
        seen.end_ns = self.now()
        if seen.task is not None:
            seen.task.stretches.append(seen)
            if not seen.cut:
                seen.gap = seen.task.gap

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note the loop's tasks and callbacks while this is open."""
        init, run = asyncio.Handle.__init__, asyncio.Handle._run
        witness, loop = self, cast(Any, self.loop)

        def noted_init(handle: asyncio.Handle, *args: Any, **kwargs: Any) -> None:
            init(handle, *args, **kwargs)
            timer = isinstance(handle, asyncio.TimerHandle)
            here = threading.current_thread() is witness.thread and not timer
            witness._made[id(handle)] = handle, witness._by() if here else None

        def noted_run(handle: Any) -> None:
            if handle._loop is not witness.loop:
                return run(handle)
            _, by = witness._made.pop(id(handle), (None, None))
            with witness.stretch(None, handle._callback, by):
                return run(handle)

        loop.set_task_factory(self.make_task)
        handles: Any = asyncio.Handle
        handles.__init__, handles._run = noted_init, noted_run
        try:
            yield
        finally:
            handles.__init__, handles._run = init, run
            loop.set_task_factory(None)


async def _drive(driven: Driven) -> Any:
    return await driven
