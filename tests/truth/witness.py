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
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any, Literal, cast

from playground.trace import StepOutcome, TaskOutcome, WaitOn

__all__ = ["Call", "Gap", "Stretch", "TaskNote", "Witness"]


@dataclass(eq=False)
class Stretch:
    """One step as it was seen; its number is its place in the list.

    Attributes:
        task, callback: who ran; one of the two is `None`.
        by: the stretch in which a callback was given to the loop; `None` for a timer, or for another thread.
        gap: the await of the program's own in which the task stopped.
    """

    number: int
    task: "TaskNote | None"
    callback: Callable[..., object] | None
    by: int | None
    start_ns: int
    end_ns: int = -1
    outcome: StepOutcome = "callback"
    gap: "Gap | None" = None
    blocks: list["Blocked"] = field(default_factory=list)


@dataclass(eq=False)
class Blocked:
    """A line of the program's own that held the loop, and for how long at least."""

    line: int
    function: str
    asked_ns: int


@dataclass(eq=False)
class TaskNote:
    """A task as its maker knew it.

    Attributes:
        made_in: the stretch in which it was made.
        cancelled_in: the stretches in which the program cancelled it.
    """

    task: "asyncio.Task[Any]"
    coroutine: str
    parent: "TaskNote | None"
    made_in: int | None
    made_ns: int
    gap: "Gap | None" = None
    stretches: list[Stretch] = field(default_factory=list)
    gaps: list["Gap"] = field(default_factory=list)
    cancelled_in: list[int] = field(default_factory=list)

    @property
    def outcome(self) -> TaskOutcome:
        if not self.task.done():
            return "pending"
        if self.task.cancelled():
            return "cancelled"
        return "returned" if self.task.exception() is None else "raised"

    def ancestors(self) -> Iterator["TaskNote"]:
        """Itself, its parent, and so on."""
        note: TaskNote | None = self
        while note is not None:
            yield note
            note = note.parent


class Gap:
    """One await of the program's own: what for, where, from which stretch to which, and how it went on.

    `interrupted` says that it may be ended, or cancelled and begun anew, by what the program does not see: by its own
    timeout, or in a group that swallows it.
    """

    def __init__(
        self, witness: "Witness", frame: FrameType, lines: int, on: WaitOn, key: Hashable, children: tuple[Any, ...]
    ) -> None:
        self.on = on
        self.key = key
        self.children = children
        self.line = frame.f_lineno + lines
        self.function = frame.f_code.co_qualname
        self.first: int | None = None
        self.last: int | None = None
        self.start_ns = -1
        self.interrupted = False
        self.how: Literal["open", "returned", "raised", "cancelled"] = "open"
        self.task: TaskNote | None = None
        self.calls: list[Call] = []
        self._witness = witness

    @property
    def hands_over(self) -> bool:
        """Whether it is for a worker."""
        return self.on == "thread"

    def __enter__(self) -> "Gap":
        note = self._witness.current()
        self.first = self._witness.running
        self.start_ns = self._witness.now()
        self.task = note
        note.gap = self
        note.gaps.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.first is None or kind is GeneratorExit:
            return
        self._witness.current().gap = None
        self.last = self._witness.running
        cancelled = kind is not None and issubclass(kind, asyncio.CancelledError)
        self.how = "returned" if kind is None else "cancelled" if cancelled else "raised"


@dataclass(eq=False)
class Call:
    """What a worker did for one gap."""

    function: str
    thread: threading.Thread
    start_ns: int
    end_ns: int | None = None
    outcome: TaskOutcome = "pending"


class Watched:
    """Stands in for a task's context, and notes when the loop lets the task run."""

    def __init__(self, context: contextvars.Context, witness: "Witness") -> None:
        self.note: TaskNote | None = None
        self._context = context
        self._witness = witness

    def run(self, function: Callable[..., object], *args: object) -> object:
        with self._witness.stretch(self.note, None, None):
            return self._context.run(function, *args)


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
        context = Watched(kwargs.pop("context", None) or contextvars.copy_context(), self)
        made_ns = self.now()
        task = Task(coro, loop=loop, context=context, **kwargs)  # type: ignore[arg-type]
        parent = None if self.running is None else self.stretches[self.running].task
        context.note = TaskNote(task, coro.__qualname__, parent, self.running, made_ns)
        self.note_of[id(task)] = context.note
        self.tasks.append(context.note)
        return task

    @contextmanager
    def stretch(self, note: TaskNote | None, callback: Callable[..., object] | None, by: int | None) -> Iterator[None]:
        """Around one step."""
        seen = Stretch(len(self.stretches), note, callback, by, self.now())
        self.stretches.append(seen)
        self.running = seen.number
        try:
            yield
        finally:
            self.running = None
            seen.end_ns = self.now()
            if note is not None:
                seen.gap = note.gap
                note.stretches.append(seen)
                going_on: StepOutcome = "yields" if note.task._fut_waiter is None else "waits"  # type: ignore[attr-defined]
                seen.outcome = going_on if note.outcome == "pending" else note.outcome

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note the loop's tasks and callbacks while this is open."""
        init, run = asyncio.Handle.__init__, asyncio.Handle._run
        witness, loop = self, cast(Any, self.loop)

        def noted_init(handle: asyncio.Handle, *args: Any, **kwargs: Any) -> None:
            init(handle, *args, **kwargs)
            timer = isinstance(handle, asyncio.TimerHandle)
            here = threading.current_thread() is witness.thread and not timer
            witness._made[id(handle)] = handle, witness.running if here else None

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
