"""The kinds of span that views draw, with their numbers on the wire, their words and their colours.

Shape comes first and colour second: a kind must be told from every other without its colour. The colours
are those of the design's table; which span has which kind is decided in `lanes`. The words are the only list
of them: a page gets them in its packet.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from playground.trace import SegmentKind, WaitOn

__all__ = [
    "BLOCKED",
    "FRAME",
    "FUTURE",
    "GIL",
    "IO",
    "KINDS",
    "LOCK",
    "OFFLOAD",
    "OFF_CPU",
    "OTHER",
    "READY",
    "RUN",
    "SEGMENT_KIND",
    "THREAD",
    "TIMER",
    "WAIT_KIND",
    "Kind",
    "Shape",
    "kinds_of",
    "kinds_of_jobs",
    "kinds_of_tasks",
]

RUN: Final = 0
FRAME: Final = 1
OTHER: Final = 2
THREAD: Final = 3
READY: Final = 4
TIMER: Final = 5
IO: Final = 6
LOCK: Final = 7
OFFLOAD: Final = 8
BLOCKED: Final = 9
FUTURE: Final = 10
GIL: Final = 11
PREEMPT: Final = 12
OFF_CPU: Final = 13

Shape = Literal["full", "hatched", "half", "thin", "dashed"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind is drawn.

    Attributes:
        words: what the legend says.
        told: what is said of one span: `waiting for a timer`.
        shape: `full` or `hatched` bar, hatched `half` bar, `thin` or `dashed` line.
        light: its colour on a light background.
        mark: the character that stands for it in a text timeline.
        ink: what is written on a bar of it: black or white, whichever has 4.5:1 or more.
    """

    words: str
    told: str
    shape: Shape
    light: str
    mark: str
    ink: str = "#FFFFFF"


# Indexed by the numbers above. Where a recording has no spans, it is known of a step for which request it ran, and not
# whether the handler ran or something around it: the words of `RUN` claim no more; see `kinds_of`.
KINDS: Final = (
    Kind("runs for a request", "running for a request", "full", "#0447A3", "█"),
    Kind("middleware, routing", "running middleware or routing", "full", "#5895DE", "▓", "#000000"),
    Kind("other callback", "running another callback", "full", "#6E7582", "▒"),
    Kind("worker thread", "running in a worker thread", "full", "#DC5E02", "■", "#000000"),
    Kind("ready, queued", "ready, queued for the loop", "half", "#A47B23", "░"),
    Kind("waits: timer", "waiting for a timer", "thin", "#52626C", "─"),
    Kind("waits: I/O", "waiting for I/O", "thin", "#3F978D", "~"),
    Kind("waits: lock, queue", "waiting for a lock, queue or event", "thin", "#781099", "="),
    Kind("waits: thread", "waiting for a thread", "thin", "#B86215", "·"),
    Kind("blocks the loop", "blocking the loop", "hatched", "#A40E26", "X"),
    Kind("waits: task, future", "waiting for a task or future", "dashed", "#6E7582", "-"),
    Kind("wants the GIL", "waiting for the interpreter's lock (GIL), which another thread has", "half", "#781099", "G"),
    Kind("processor taken away", "ready to run, while the system runs something else", "half", "#6E7582", "P"),
    Kind("off the processor", "not running, and why this system does not tell", "half", "#5895DE", "?"),
)

_HANDLER: Final = replace(KINDS[RUN], words="handler, response", told="running the handler, or sending its response")

_TASK: Final = replace(KINDS[RUN], words="task runs", told="running")


def kinds_of(requests: int, told: int) -> tuple[Kind, ...]:
    """The kinds of a recording of so many requests, `told` of which have spans: if all, `RUN` is the handler."""
    return (_HANDLER, *KINDS[1:]) if told and told == requests else KINDS


_JOB: Final[dict[int, tuple[str, str]]] = {
    RUN: ("job runs", "running"),
    READY: ("ready again, not on yet", "ready to go on: its wait is over, and it has not gone on yet"),
    IO: ("waits: sleep, I/O", "waiting: asleep, or for I/O"),
    OFFLOAD: ("done, waits to be collected", "done; its result waits to be collected by who asked for it"),
    OFF_CPU: ("off the processor", "not running, and why is not known"),
    FUTURE: ("queued, not begun", "asked for, and nobody has begun it"),
}


def kinds_of_jobs() -> tuple[Kind, ...]:
    """The kinds of recordings in which the jobs of a workload have the lanes."""
    told = {at: replace(KINDS[at], words=words, told=of_one) for at, (words, of_one) in _JOB.items()}
    return tuple(told.get(at, kind) for at, kind in enumerate(KINDS))


def kinds_of_tasks() -> tuple[Kind, ...]:
    """The kinds of a recording in which tasks have the lanes, since it has no requests."""
    return (_TASK, *KINDS[1:])


WAIT_KIND: Final[dict[WaitOn, int]] = {
    "timer": TIMER,
    "io": IO,
    "lock": LOCK,
    "queue": LOCK,
    "event": LOCK,
    "thread": OFFLOAD,
    "task": FUTURE,
    "future": FUTURE,
}

SEGMENT_KIND: Final[dict[SegmentKind, int]] = {
    "queue": FUTURE,
    "run": RUN,
    "wait": IO,
    "ready": READY,
    "gil": GIL,
    "preempt": PREEMPT,
    "off_cpu": OFF_CPU,
    "handoff": OFFLOAD,
}
