"""From the records of tasks, requests and spans to columns that grow: each record is encoded once when it is over.

What goes on is read again each time, so that a picture of a recording that goes on costs what is new in it and what
is not over. Names, times and pointers are worked out here; which steps there were is `steps`' business.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

from playground.errors import TraceError
from playground.trace.kept import Kept
from playground.trace.recorder import TaskRecord
from playground.trace.requests import NotedMessage, RequestRecord, detail_of
from playground.trace.spans import SpanRecord
from playground.trace.steps import Places, Steps
from playground.trace.table import Names
from playground.trace.tables import NO_INT, WORDS, columns_of

__all__ = ["Overrun", "Requests", "Rows", "Spans", "Tasks"]

T = TypeVar("T")

_TASK_OUTCOME: Final = {word: number for number, word in enumerate(WORDS["TaskOutcome"])}
_SPAN_KIND: Final = {word: number for number, word in enumerate(WORDS["SpanKind"])}
_DIRECTION: Final = {word: number for number, word in enumerate(WORDS["Direction"])}


_LARGEST: Final = (1 << 63) - 1


class Overrun(TraceError):
    """Records were forgotten between two readings: everything must be read anew."""


class Rows(Generic[T]):
    """Records of a kind as rows: which number has which row, and the rows' columns.

    Args:
        table: the table's name.
        origin_ns: the recorder's clock at the recording's start.

    Attributes:
        columns: the table's columns.
        count: how many rows there are.
    """

    def __init__(self, table: str, origin_ns: int) -> None:
        self.columns = {name: array(code) for name, code in columns_of(table).items()}
        self.count = 0
        self.origin_ns = origin_ns
        self._old: dict[int, int] | None = None  # pointers of what was there at the first reading, if not all was
        self._next: int | None = None  # number of the first record that was not read yet
        self._shift = 0  # the pointer to what came later is the number less this
        self._least = 1  # and is no less than this
        self._open: dict[int, tuple[int, T]] = {}  # by the pointer, number and record of what was not over
        self._new: list[T] = []
        self._numbers: Iterable[int] = ()

    def take(self, kept: "Kept[T]") -> None:
        """Read what is new, and what was not over; before anything asks for a `pointer` to it.

        Raises:
            Overrun: some of it was forgotten before it was read.
        """
        self._open = {row: (number, kept.get(number, record)) for row, (number, record) in self._open.items()}
        if self._next is None:
            self._begin(kept, self.readable(kept.copy()))  # in one go: the recorder's thread may be adding to it
        else:
            after = kept.first + kept.added
            self._numbers = range(self._next, after)
            new = [kept.get(number) for number in self._numbers]
            self._new = [record for record in new if record is not None]
            self._next = after
            if len(self._new) < len(new):
                raise Overrun("expected to read all that is new, found some of it forgotten: read everything anew")
        self.count += len(self._new)

    def readable(self, there: dict[int, T]) -> dict[int, T]:
        """Those records of a first reading that make sense in it: all."""
        return there

    def _begin(self, kept: "Kept[T]", there: dict[int, T]) -> None:
        self._numbers, self._new = list(there), list(there.values())
        self._next = next(reversed(self._numbers), kept.first + kept.added - 1) + 1
        self._shift = self._next - len(there) - 1
        if self._shift > kept.first - 1:
            self._old = {number: row for row, number in enumerate(there, 1)}
            self._least = len(there) + 1

    def pointer(self, number: int) -> int:
        """The pointer to the row of the record with that number; 0 if there is none."""
        pointer = number - self._shift
        if self._old is not None and pointer < self._least:
            return self._old.get(number, 0)
        return pointer if 0 < pointer <= self.count else 0

    def pointers(self, numbers: Sequence[int]) -> "array[int]":
        """The same for many numbers of records that are there, or 0."""
        if self._old is None and self._shift == 0:
            return array("I", numbers)
        return array("I", map(self.pointer, numbers))

    def encode(self, over: Callable[[T], bool], values: "Callable[[int, T], Iterable[int]]") -> None:
        """Write the rows of what was read; what is over is not read again.

        Args:
            values: gives a row's numbers, in the order of its columns, from the record and its number.
        """
        columns = list(self.columns.values())
        for row, (number, record) in list(self._open.items()):
            is_over = over(record)  # asked before the record is read: what is over does not change
            for column, value in zip(columns, values(number, record), strict=True):
                column[row - 1] = value
            if is_over:
                del self._open[row]
        row = self.count - len(self._new)
        for number, record in zip(self._numbers, self._new, strict=True):
            row += 1
            is_over = over(record)
            for column, value in zip(columns, values(number, record), strict=True):
                column.append(value)
            if not is_over:
                self._open[row] = number, record
        self._numbers, self._new = (), []

    def moment(self, at_ns: int | None) -> int:
        """A moment of the recorder's clock, in nanoseconds since the run began; `NO_INT` for none."""
        return NO_INT if at_ns is None else at_ns - self.origin_ns


class Tasks(Rows[TaskRecord]):
    """Tasks as rows."""

    def update(self, steps: Steps, names: Names) -> None:
        """Write what was taken. To be called when the steps are up to date."""
        string, pointer, ended = names.string, self.pointer, steps.ended_ns

        def values(number: int, record: TaskRecord) -> tuple[int, ...]:
            outcome = _TASK_OUTCOME[record.outcome]
            ended_ns = self.moment(record.ended_ns)
            if ended_ns != NO_INT and (step_ended_ns := ended[pointer(number)]) != NO_INT:
                ended_ns = min(ended_ns, step_ended_ns)  # it was noted a moment after its last step
            return (
                string(record.name),
                string(record.coroutine),
                pointer(record.parent),
                max(0, record.created_ns - self.origin_ns),
                ended_ns,
                outcome,
            )

        self.encode(lambda record: record.outcome != "pending", values)


class Requests(Rows[RequestRecord]):
    """Requests as rows, and their messages."""

    def __init__(self, origin_ns: int) -> None:
        super().__init__("requests", origin_ns)
        self.messages = {name: array(code) for name, code in columns_of("messages").items()}
        self._came_in: dict[int, int] = {}  # for each task that called the app, the number of its first request
        self._details: dict[tuple[int | None, str, bool], int] = {}

    def update(self, tasks: Tasks, steps: Steps, names: Names, dropped: bool) -> None:
        """Write what was taken, but for what was handed over. To be called when tasks and steps are up to date."""

        def over(record: RequestRecord) -> bool:
            return record.end_ns is not None and bool(steps.first[tasks.pointer(record.task)])

        def values(number: int, record: RequestRecord) -> tuple[int, ...]:
            task = tasks.pointer(record.task)
            self._came_in.setdefault(record.task, number)
            first = steps.first[task]
            start_ns = record.start_ns - self.origin_ns
            if self._came_in[record.task] == number and task and _in_first_step(steps, first, start_ns, dropped):
                start_ns = min(start_ns, tasks.columns["created_ns"][task - 1])
            start = len(self.messages["type"])
            if over(record):
                self._add_messages(self.messages, record.messages, names)
            return (
                number,
                names.string(record.method),
                names.string(record.path),
                names.string(record.route),
                _number(record.status),
                start_ns,
                self.moment(record.end_ns),
                task,
                0,
                0,
                start,
                len(self.messages["type"]),
                names.string(record.error),
            )

        self.encode(over, values)

    def add_open(self, columns: "dict[str, array[int]]", messages: "dict[str, array[int]]", names: Names) -> None:
        """Add the messages so far of requests that are not over.

        Args:
            columns, messages: the columns of this and of `messages`, or copies of them.
        """
        for row, (_, record) in self._open.items():
            columns["messages_from"][row - 1] = len(messages["type"])
            self._add_messages(messages, list(record.messages), names)
            columns["messages_until"][row - 1] = len(messages["type"])

    def _add_messages(self, columns: "dict[str, array[int]]", messages: list[NotedMessage], names: Names) -> None:
        for noted in messages:
            direction, kind, at_ns, size, unit, codes, more = noted
            said = size, unit, more
            detail = None if codes else self._details.get(said)  # a code may be an object of the app's, not to be asked
            if detail is None:
                detail = names.string(detail_of(noted))
                if not codes:
                    self._details[said] = detail
            columns["direction"].append(_DIRECTION[direction])
            columns["type"].append(
                names.string(str.__str__(kind) if isinstance(kind, str) else type(kind).__qualname__)
            )
            columns["at_ns"].append(at_ns - self.origin_ns)
            columns["detail"].append(detail)


def _number(status: object) -> int:
    """A status as a number; what an app sent in its place is nobody's status."""
    return status if isinstance(status, int) and int.__abs__(status) <= _LARGEST else NO_INT


def _in_first_step(steps: Steps, first: int, called_ns: int, dropped: bool) -> bool:
    """Whether a task called the app in its first step, and so was made for that call."""
    if not first:
        return not dropped  # that step is not over
    return called_ns <= steps.columns["start_ns"][first - 1] + steps.columns["duration_ns"][first - 1]


class Spans(Rows[SpanRecord]):
    """Spans as rows."""

    def __init__(self, requests: Requests) -> None:
        super().__init__("spans", requests.origin_ns)
        self._requests = requests

    def readable(self, there: dict[int, SpanRecord]) -> dict[int, SpanRecord]:
        """Those whose request was not forgotten before them."""
        return {number: record for number, record in there.items() if self._requests.pointer(record.request)}

    def update(self, tasks: Tasks, places: Places, names: Names) -> None:
        """Write what was taken. To be called when requests and tasks are up to date."""
        requests = self._requests
        ends = requests.columns["end_ns"]

        def over(record: SpanRecord) -> bool:  # until its request is over, a span may yet be named better
            request = requests.pointer(record.request)
            return record.end_ns is not None and (not request or ends[request - 1] != NO_INT)

        def values(number: int, record: SpanRecord) -> tuple[int, ...]:
            return (
                requests.pointer(record.request),
                _SPAN_KIND[record.kind],
                names.string(record.name),
                record.start_ns - self.origin_ns,
                self.moment(record.end_ns),
                0 if record.parent is None else self.pointer(record.parent),
                tasks.pointer(record.task),
                places[record.code],
            )

        self.encode(over, values)
