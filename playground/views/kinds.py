"""The kinds of span that views draw, with their numbers on the wire, their words and their colours.

Shape comes first and colour second: a kind must be told from every other without its colour. The colours
are those of the design's table; which span has which kind is decided in `lanes`. The words are the only list
of them: a page gets them in its packet.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from playground.trace import WaitOn

__all__ = [
    "BLOCKED",
    "FRAME",
    "FUTURE",
    "IO",
    "KINDS",
    "LOCK",
    "OFFLOAD",
    "OTHER",
    "READY",
    "RUN",
    "THREAD",
    "TIMER",
    "WAIT_KIND",
    "Kind",
    "Shape",
    "kinds_of",
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
)

_HANDLER: Final = replace(KINDS[RUN], words="handler, response", told="running the handler, or sending its response")

_TASK: Final = replace(KINDS[RUN], words="task runs", told="running")


def kinds_of(requests: int, told: int) -> tuple[Kind, ...]:
    """The kinds of a recording of so many requests, `told` of which have spans: if all, `RUN` is the handler."""
    return (_HANDLER, *KINDS[1:]) if told and told == requests else KINDS


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
