"""From the records of hand-offs to their rows: which of its steps a task was in, what it waited for, when it went on.

A record says when a call was asked for, submitted, begun and done; which wait stood for it, and whether the task
queued for a place before, follows from the task's own steps. A call that is over and whose task has gone on is
worked out once.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

from playground.trace.kept import Kept
from playground.trace.records import Tasks
from playground.trace.steps import WAITING, Places, Steps
from playground.trace.table import Names
from playground.trace.tables import NO_INT, WORDS, columns_of
from playground.trace.threads import HandoffRecord

__all__ = ["Calls"]

_TASK_OUTCOME: Final = {word: number for number, word in enumerate(WORDS["TaskOutcome"])}
_FOR_A_THREAD: Final = frozenset(WORDS["WaitOn"].index(on) for on in ("thread", "future"))
_NEVER: Final = 1 << 63
"""Later than any moment."""


_AT_ONCE: Final = 4096
"""Rows that are turned into columns at a time: few enough to take no memory."""


class _Waited(NamedTuple):
    """The wait in which a task stood for a call, and the step with which it went on; 0 for none."""

    wait: int
    step: int


class Calls:
    """Hand-offs as rows, in the order in which they were submitted.

    Args:
        places: pointers to sites.
        steps, tasks: as far as they are recorded; to be up to date when `columns` is called.
        keep: whether to remember what is over, for another time.
    """

    def __init__(self, places: Places, names: Names, steps: Steps, tasks: Tasks, *, keep: bool) -> None:
        self._places = places
        self._names = names
        self._steps = steps
        self._tasks = tasks
        self._done: dict[int, tuple[int, ...]] | None = {} if keep else None
        self._known: dict[int, HandoffRecord] = {}
        self.count = 0

    def columns(self, kept: "Kept[HandoffRecord]") -> "dict[str, array[int]]":
        """The columns of the table of hand-offs."""
        there = kept.copy()
        if self._done is not None:  # what was forgotten since is not forgotten here
            there = self._known = {**self._known, **there}
        submitted = sorted(
            (at, record.step, number) for number, record in there.items() if (at := record.submitted_ns) is not None
        )
        self.count = len(there)
        columns = {name: array(code) for name, code in columns_of("handoffs").items()}
        for at in range(0, len(submitted), _AT_ONCE):
            batch = submitted[at : at + _AT_ONCE]
            rows = [self._row(number, there[number].frozen(), at_ns) for at_ns, _, number in batch]
            for column, values in zip(columns.values(), zip(*rows, strict=True), strict=True):
                column.extend(values)
        threads = self._threads(there)
        columns["thread"] = array("q", (threads.get(thread, NO_INT) for thread in columns["thread"]))
        return columns

    def _threads(self, there: dict[int, HandoffRecord]) -> dict[int, int]:
        """Numbers for the threads, in the order in which they were first used."""
        used = {record.thread for record in there.values() if record.started_ns is not None}
        return {thread: number for number, thread in enumerate(sorted(used))}

    def _row(self, number: int, record: HandoffRecord, submitted_ns: int) -> tuple[int, ...]:
        if self._done is not None and number in self._done:
            return self._done[number]
        outcome = _TASK_OUTCOME[record.outcome]  # read first: what is over does not change
        moment = self._tasks.moment
        submitted_ns -= self._tasks.origin_ns
        ended_ns = moment(record.ended_ns)
        task = self._tasks.pointer(record.task)
        given = self._steps.pointer(record.step)
        waited = self._waited(task, given, _NEVER if ended_ns == NO_INT else ended_ns)
        queued = self._queued(task, self._steps.pointer(record.asked_step), given)
        went_on_ns = self._steps.columns["start_ns"][waited.step - 1] if waited.step else NO_INT
        row = (
            task,
            self._names.string(record.function),
            max(0, submitted_ns - record.asked_ns + self._tasks.origin_ns) if queued else 0,
            submitted_ns,
            moment(record.started_ns),
            ended_ns,
            NO_INT if ended_ns == NO_INT or went_on_ns < ended_ns else went_on_ns,
            NO_INT if record.started_ns is None else record.thread,  # as the recorder counts them
            record.cpu_ns,
            outcome,
            self._site(record, waited.wait),
        )
        if self._done is not None and waited.step and ended_ns != NO_INT:
            self._done[number] = row
        return row

    # by the number of a step, and not by its time: in virtual time many steps share one moment

    def _queued(self, task: int, asked: int, given: int) -> bool:
        """Whether the task waited between the step in which it asked for a thread and the one in which it got it."""
        if not asked or self._steps.columns["task"][asked - 1] != task:
            return False
        while asked and asked < given:
            if self._steps.columns["outcome"][asked - 1] == WAITING:
                return True
            asked = self._steps.following[asked - 1]
        return False

    def _waited(self, task: int, step: int, ended_ns: int) -> _Waited:
        """The first wait for a thread, or for a future that only the task knows, that followed the step that handed
        the call over, or that began later but before the worker was done."""
        if not step:
            return _Waited(0, 0)
        if self._steps.columns["task"][step - 1] != task:  # as an eager task does: that wait is not known
            first = self._steps.first[task]
            return _Waited(0, first if first > step else 0)
        for place, wait in enumerate(self._waits_from(step)):
            if place and self._steps.waits["start_ns"][wait - 1] > ended_ns:
                break
            if self._steps.waits["on"][wait - 1] in _FOR_A_THREAD:
                return _Waited(wait, self._steps.following[self._steps.wait_of[wait - 1] - 1])
        return _Waited(0, 0)

    def _waits_from(self, step: int) -> Iterator[int]:
        """The waits after a step of a task and after its later ones."""
        while step:
            if self._steps.columns["outcome"][step - 1] == WAITING:
                yield bisect_left(self._steps.wait_of, step) + 1
            step = self._steps.following[step - 1]

    def _site(self, record: HandoffRecord, wait: int) -> int:
        """The task's own line that waits for it; where a framework does the waiting, the function handed over."""
        site = self._steps.waits["site"][wait - 1] if wait else 0
        return site if site in self._places.own else self._places[record.code]
