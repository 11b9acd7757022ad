"""What a recording says, row by row: steps, tasks, waits, hand-offs, requests and what they passed through.

The rows are facts: frozen, small, and free of any knowledge of how they were recorded, stored or drawn. Those of a
workload's jobs are in `job_rows`.
All times are integer nanoseconds since the start of the run. A row points at another row by that row's
index in its own table (`step.task` is an index into `trace.tasks`); `None` says that there is none.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from playground.trace.placed import Placed, place_of

if TYPE_CHECKING:
    from playground.widgets import Waterfall

__all__ = [
    "Block",
    "Handoff",
    "Loss",
    "LossKind",
    "Message",
    "Request",
    "Sample",
    "Site",
    "Span",
    "SpanKind",
    "Step",
    "StepOutcome",
    "Task",
    "TaskOutcome",
    "Wait",
    "WaitOn",
]

StepOutcome = Literal["waits", "yields", "returned", "raised", "cancelled", "callback"]
TaskOutcome = Literal["pending", "returned", "raised", "cancelled"]
SpanKind = Literal["middleware", "routing", "handler", "dependency", "response"]
LossKind = Literal["coroutine", "exception"]
WaitOn = Literal["timer", "io", "lock", "queue", "event", "thread", "task", "future"]


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the source.

    Attributes:
        file: the path, or `cell 3` for the third cell that a notebook ran.
        line: the line's number, from 1.
        function: the qualified name of the function that holds the line.
        text: the line itself, stripped, as it stood when it was recorded; empty if it was not to be had.
    """

    file: str
    line: int
    function: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of the event loop's hand: a callback that ran from its start to its return.

    Attributes:
        task: the task that ran, or `None` for a callback that is no task.
        start_ns, duration_ns: when it began and for how long it held the loop.
        woken_by: the step that made it ready; `None` for a timer, I/O, a thread or the outside.
        outcome: `waits` (for something), `yields` (let others run), `returned`, `raised` or `cancelled`
            (the task ended so), or `callback` (it was no task).
        site: where the task stopped, or the callback's definition; `None` where neither is known.
    """

    task: int | None
    start_ns: int
    duration_ns: int
    woken_by: int | None
    outcome: StepOutcome
    site: Site | None

    @property
    def end_ns(self) -> int:
        """When it gave the loop back, in nanoseconds since the start of the run."""
        return self.start_ns + self.duration_ns


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the loop's thread, taken from outside while a step was holding it.

    Attributes:
        step: the step that was running, an index into `trace.steps`.
        at_ns: when the look was taken.
        delay_ns: how long, since the thread began, the system had let it queue for a processor instead of
            running it; `None` where the system does not tell. Differences within a step are what counts.
        site: the line of the user's own code at which the thread stood; `None` in the readings at a long step's
            start and end, with which nobody looked at the line.
        call: the expression that was being evaluated there, such as `time.sleep(0.2)`; may be empty.
        lock_ns: how long, since the step began, it had waited for the interpreter's lock while other threads computed
            (in virtual time, for the simulated one); `None` where that is not known.
        library: the package of the library that this line had called, where the thread was seen within one: a call
            that is written in C, such as `time.sleep`, cannot be seen into. While it waits for a new thread to come up,
            `threading.Thread.start`.
        collected_ns: how long, since the step began, the garbage collector had used the processor within it; told as it
            began and as it ended, in readings with which nobody looked at the line.
    """

    step: int
    at_ns: int
    delay_ns: int | None
    site: Site | None
    call: str = ""
    lock_ns: int | None = None
    library: str = ""
    collected_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Block(Step):
    """A step that held the event loop for too long.

    `duration_ns` is the time in which the step ran or slept: its wall time less `delayed_ns`, `lock_ns` and
    `collected_ns`.
    `site` is the line at which the loop was seen standing for the longest time.

    Attributes:
        step: index of the step in `trace.steps`.
        delayed_ns: time within the step in which the system did not run the thread (0 where unknown).
        samples: how often the loop's thread was looked at during the step.
        call: the expression seen there for the longest time, such as `time.sleep(0.2)`; empty if that is not known.
        held_ns: how much of `duration_ns` was spent at that line; 0 if nobody looked.
        lock_ns: time within the step in which the thread waited for the interpreter while other threads computed
            (0 where unknown).
        collected_ns: time within the step that the garbage collector took, which comes over whatever line runs then.
    """

    step: int
    delayed_ns: int
    samples: int
    call: str = ""
    held_ns: int = 0
    lock_ns: int = 0
    collected_ns: int = 0

    @property
    def end_ns(self) -> int:
        """When the step ended on the run's clock, all that does not count for its duration included."""
        return self.start_ns + self.duration_ns + self.delayed_ns + self.lock_ns + self.collected_ns


@dataclass(frozen=True, slots=True)
class Task:
    """A coroutine under the loop's care.

    Attributes:
        name: the task's name.
        coroutine: the qualified name of the coroutine that it runs.
        parent: the task that created it, or `None`.
        created_ns, ended_ns: when it was created and when it ended; `None` if it was still pending.
        outcome: how it ended.
    """

    name: str
    coroutine: str
    parent: int | None
    created_ns: int
    ended_ns: int | None
    outcome: TaskOutcome


@dataclass(frozen=True, slots=True)
class Wait:
    """A task that could not go on, from the end of one of its steps until it was made ready.

    The time from `end_ns` to the start of the task's next step is the time in which it was ready and
    queued.

    Attributes:
        task: the task that waited.
        start_ns, end_ns: when it stopped, and when it was made ready.
        on: what it waited for.
        site: the line of the task's own code at which it stopped; `None` where that is not known.
    """

    task: int
    start_ns: int
    end_ns: int
    on: WaitOn
    site: Site | None


@dataclass(frozen=True, slots=True)
class Handoff:
    """A call that the loop gave to a worker thread, with its four moments.

    Attributes:
        task: the task that waits for it, or `None`.
        function: qualified name of what the worker called.
        limiter_wait_ns: how long the task queued for a free place before the call was submitted.
        submitted_ns, started_ns, ended_ns: given to the thread, begun there, done there.
        woken_ns: when the loop next ran the task that waited; `None` if it never did.
        thread: number of the worker thread, from 0, in the order in which they were first used.
        cpu_ns: processor time that the worker spent in it.
        outcome: how the call ended; `pending` if it had not ended when the recording did.
        site: the line of the task's own code that waits for it; where a framework does the waiting, the
            definition of the function that was handed over.
    """

    task: int | None
    function: str
    limiter_wait_ns: int
    submitted_ns: int
    started_ns: int | None
    ended_ns: int | None
    woken_ns: int | None
    thread: int | None
    cpu_ns: int
    outcome: TaskOutcome
    site: Site | None


@dataclass(frozen=True, slots=True)
class Message:
    """One ASGI message of a request, or of a websocket.

    Attributes:
        direction: `receive`, the app got it; `send`, the app sent it.
        type: as ASGI calls it, such as `http.response.start`.
        at_ns: when it went through, in nanoseconds since the start of the run.
        detail: what it said, in short, such as its status or how many bytes; may be empty.
    """

    direction: Literal["receive", "send"]
    type: str
    at_ns: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Request(Placed):
    """One request (or websocket), from the moment it came in to the end of the app's call.

    Attributes:
        number: its number in the run, from 0, in the order in which the app was called.
        method, path: what was asked; of a websocket, `WEBSOCKET` stands for the method.
        route: the path template that answered it, such as `/items/{id}`; `None` if the app did not say.
        status: the response's status; `None` if none was sent.
        start_ns: when it came in. That is when the task was made that called the app in its first step, so that
            a request that had to queue for the loop shows it; else it is when the app was called.
        end_ns: when the app's call ended; `None` if it had not when the recording did.
        task: the task in which the app was called.
        handoffs: indexes into `trace.handoffs` of the calls made for it, in order.
        messages: what the app received and sent, in order.
        error: type and text of the exception that the app let out, or `None`.
    """

    number: int
    method: str
    path: str
    route: str | None
    status: int | None
    start_ns: int
    end_ns: int | None
    task: int | None
    handoffs: tuple[int, ...]
    messages: tuple[Message, ...]
    error: str | None

    def waterfall(self) -> "Waterfall":
        """Where its time went: the layers of the app that it passed through, and each message, as a widget.

        Raises:
            TraceError: it is of no recording, but was made or copied by hand.
        """
        place = place_of(self)
        return place.origin().waterfall(place.at)


@dataclass(frozen=True, slots=True)
class Span:
    """One layer of the app around a request: a middleware, the routing, FastAPI's dependencies, the handler, or its
    response: what became of the handler's result, its stream and background tasks included.

    Attributes:
        request: the request that passed through it, an index into `trace.requests`.
        kind: which of these it is.
        name: what the app calls it: a class or a function, by its qualified name.
        start_ns, end_ns: when it was called and when that call was over; `None` if it was not over when the
            recording was.
        parent: the span from within which it was called, an index into `trace.spans`; `None` for the outermost.
        task: the task in which it was called.
        site: where it is defined; `None` where that is not known.
    """

    request: int
    kind: SpanKind
    name: str
    start_ns: int
    end_ns: int | None
    parent: int | None
    task: int | None
    site: Site | None


@dataclass(frozen=True, slots=True)
class Loss:
    """What the app let go of: a coroutine that nobody awaited, or an exception that nobody asked for.

    Attributes:
        kind: `coroutine` or `exception`.
        task: the task that let go of the coroutine, or that ended with the exception; `None` for none.
        at_ns: when the coroutine was dropped, or the task ended.
        name: the coroutine's qualified name; the exception's type and text.
        site: the line that let go of the coroutine, if it names it; the user's line at which the exception was raised.
        defined: where the coroutine's function is written; `None` for an exception.
    """

    kind: LossKind
    task: int | None
    at_ns: int
    name: str
    site: Site | None
    defined: Site | None = None
