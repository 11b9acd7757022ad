"""What a recorder keeps besides its events: records by number, of which the old may be forgotten.

A recording that goes on for an hour makes tasks, calls and requests without end, while its ring of events holds the
last stretch of it only. A record is of no use once it is over and the last event that can speak of it was dropped.
So each chunk of events that is dropped takes with it the tasks that ended in it, and has a look at a few thousand of
the other records, in turn, for those that were over before the oldest event kept. That is a fixed cost a chunk, and
what is kept stays in proportion to the ring. A record's number is never given to another; how many of a kind were
forgotten is `added` less what is there.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from playground.trace.events import Fields

__all__ = ["FIRST_ENDING", "Kept", "Records", "forget"]

T = TypeVar("T")

FIRST_ENDING: Final = 3
"""Outcomes of events from this number on say that the task has ended (see `recorder.OUTCOMES`)."""

_IN_TURN: Final = 4096
"""Records of a kind looked at for each chunk of 2,048 events dropped: twice as many as one event each could have
made, so that the turn comes round; 0.3 ms."""
_AT_NS: Final = 2
"""Where a noted message has its time."""


class Kept(dict[int, T]):
    """Records by the number under which each was added, in that order.

    Attributes:
        added: how many were ever added.
    """

    def __init__(self, first: int = 0) -> None:
        super().__init__()
        self.first = first
        self.added = 0
        self._turn: list[int] = []

    def append(self, record: T) -> int:
        """Keep one more; gives its number: `first`, and then one more each time."""
        number = self.first + self.added  # as `next` says it: a call less is felt
        self[number] = record
        self.added += 1
        return number

    @property
    def next(self) -> int:
        """The number that the next one will have."""
        return self.first + self.added

    @property
    def forgotten(self) -> int:
        """How many were added that are not there any more."""
        return self.added - len(self)

    def mapped(self, change: Callable[[T], T]) -> "Kept[T]":
        """The same numbers, with other records."""
        other: Kept[T] = Kept(self.first)
        other.added = self.added
        other.update((number, change(record)) for number, record in self.items())
        return other

    def sweep(self, over: Callable[[T], bool]) -> None:
        """Look at the next few thousand records, and forget those that are over."""
        if not self._turn:
            self._turn = list(self)
            self._turn.reverse()  # taken from its end, the oldest first
        batch = self._turn[-_IN_TURN:]
        del self._turn[-_IN_TURN:]
        for number in batch:
            record = self.get(number)
            if record is not None and over(record):
                del self[number]


class Records(Protocol):
    """What a recorder keeps besides its events."""

    started_ns: int
    tasks: "Kept[Any]"
    handoffs: "Kept[Any]"
    requests: "Kept[Any]"
    looks: list[Any]
    forgotten: dict[str, int]
    """What was forgotten of the kinds that have no number of their own: `samples` and `messages`."""

    @property
    def spans(self) -> "Kept[Any]": ...


def forget(records: Records, dropped: Fields, before_ns: int, step: int) -> None:
    """Forget what only dropped events spoke of. To be called on the loop's thread.

    Args:
        dropped: the events just dropped.
        before_ns: when the last of them ended, in nanoseconds since the recording began.
        step: its number.
    """
    before_ns += records.started_ns
    for task, outcome in zip(dropped.task, dropped.outcome, strict=True):
        if outcome >= FIRST_ENDING:
            records.tasks.pop(task, None)
    for kind in (records.tasks, records.handoffs):
        kind.sweep(lambda record: record.ended_ns is not None and record.ended_ns < before_ns)
    records.spans.sweep(lambda span: span.end_ns is not None and span.end_ns < before_ns)

    def over(request: Any) -> bool:
        if request.end_ns is None:
            records.forgotten["messages"] += _forget_messages(request.messages, before_ns)
        return request.end_ns is not None and request.end_ns < before_ns

    records.requests.sweep(over)
    _forget_looks(records, step)


def _forget_looks(records: Records, step: int) -> None:
    looks = records.looks
    old = 0
    while old < len(looks) and looks[old][0] <= step:
        old += 1
    del looks[:old]  # at once, for the sampler's thread appends
    records.forgotten["samples"] += old


def _forget_messages(messages: list[Any], before_ns: int) -> int:
    """Forget the old messages of a request that goes on and on, such as a stream's; gives how many."""
    old = 0
    while old < len(messages) and messages[old][_AT_NS] < before_ns:
        old += 1
    del messages[:old]
    return old
