"""What a witness writes down: stretches of running, tasks, awaits, blocking lines, workers' calls. Facts only."""

import asyncio
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Literal

from playground.trace import StepOutcome, TaskOutcome, WaitOn

if TYPE_CHECKING:
    from tests.truth.witness import Witness

__all__ = ["Call", "Gap", "Stretch", "TaskNote"]


@dataclass(eq=False)
class Stretch:
    """One step as it was seen; its number is its place in the list.

    Attributes:
        task, callback: who ran; one of the two is `None`.
        by: the stretch in which a callback was given to the loop; `None` for a timer, or for another thread. For one
            that goes on after another began within it, the last of that other.
        gap: the await of the program's own in which the task stopped.
        cut: it ended only because another began within it (an eager task), and goes on in a stretch of its own.
        goes_on: it is such a stretch.
    """

    number: int
    task: "TaskNote | None"
    callback: Callable[..., object] | None
    by: int | None
    start_ns: int
    end_ns: int = -1
    outcome: StepOutcome = "callback"
    gap: "Gap | None" = None
    cut: bool = False
    goes_on: bool = False
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
        task: itself, from its first stretch on at the latest.
        made_in: the stretch in which it was made.
        hidden: its awaits go through a witness's, so that where it stops cannot be seen from outside.
        cancelled_in: the stretches in which the program cancelled it.
    """

    task: "asyncio.Task[Any] | None"
    coroutine: str
    parent: "TaskNote | None"
    made_in: int | None
    hidden: bool = False
    gap: "Gap | None" = None
    stretches: list[Stretch] = field(default_factory=list)
    gaps: list["Gap"] = field(default_factory=list)
    cancelled_in: list[int] = field(default_factory=list)

    @property
    def outcome(self) -> TaskOutcome:
        if self.task is None or not self.task.done():
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
