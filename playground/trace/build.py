"""From what the recorder gathered to a `Trace`: once when the recording is over, or again and again while it goes on.

Everything that the hot path left out is worked out here and in the modules that this one puts together: absolute
times, names, lines, waits (`steps`), tasks, requests and spans (`records`), hand-offs (`calls`), looks (`samples`).
Nothing is guessed: what cannot be known becomes `None`.
"""

from array import array
from collections import defaultdict
from types import CodeType
from typing import Any, Final

from playground.trace.calls import Calls
from playground.trace.groups import during
from playground.trace.recorder import Recorder
from playground.trace.records import Overrun, Requests, Spans, Tasks
from playground.trace.samples import Samples
from playground.trace.steps import Places, Steps
from playground.trace.table import Names, Table
from playground.trace.texts import LONGEST
from playground.trace.trace import Trace

__all__ = ["Live", "Reading", "build"]

Columns = dict[str, "array[int]"]

_MOST_BEHIND: Final = 2
"""A live recording holds what the recorder has dropped since, up to this many times what the recorder holds."""


def build(recorder: Recorder, title: str = "Run") -> Trace:
    """The trace of a recording that is over."""
    reading = Reading(recorder, keep=False)
    reading.advance()
    return reading.trace(title)


class Live:
    """A recording that goes on, as often as one wants to look at it.

    Each look costs what has happened since the last one, and a copy of the columns: 54 bytes a step. It may be taken
    from any thread; the loop is not stopped. What the recorder's ring drops meanwhile stays in the next trace, until
    that would hold twice as much as the ring; then everything is read anew, once.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._reading: Reading | None = None

    def trace(self, title: str = "Run") -> Trace:
        """What happened so far."""
        return self.read().trace(title)

    def read(self) -> "Reading":
        """The same as columns that grow, for who looks often and takes only what is new: to be left as they are, and
        read by one thread. It is another object when everything was read anew."""
        if self._reading is not None and not self._reading.behind():
            try:
                self._reading.advance()
                return self._reading
            except Overrun:
                self._reading = None
        self._reading = Reading(self._recorder, keep=True)
        self._reading.advance()
        return self._reading


class Reading:
    """What was read of a recording.

    Args:
        keep: whether there will be another look, so that what this one gives away must be a copy.

    Attributes:
        steps, tasks, requests, names: as far as they were read.
        places: the pointers to sites.
        dropped: how many events came before the first that is kept.
        origin_ns: the recorder's clock at the recording's start.
    """

    def __init__(self, recorder: Recorder, *, keep: bool) -> None:
        self.recorder = recorder
        self._keep = keep
        self.origin_ns = recorder.started_ns
        self.names = Names(LONGEST)
        self.places = Places(recorder.sites, self.names)
        self.tasks = Tasks("tasks", self.origin_ns)
        self.requests = Requests(self.origin_ns)
        self._spans = Spans(self.requests)
        self.steps: Steps | None = None
        self._calls: Calls | None = None
        self.dropped = 0
        self._samples = Samples(recorder, self.names)

    def behind(self) -> bool:
        """Whether the recorder has dropped so much since that it is better to begin anew."""
        return self.steps is not None and len(self.steps) > _MOST_BEHIND * max(len(self.recorder.log), 1)

    def advance(self) -> None:
        """Read what is new."""
        steps = self._read()
        self.tasks.update(steps, self.names)
        self.requests.update(self.tasks, steps, self.names, bool(self.dropped))
        self._spans.update(self.tasks, self.places, self.names)

    def lasts_ns(self) -> int:
        """How long the recording has gone on, or did."""
        ended_ns = self.recorder.ended_ns
        return (self.recorder.now() if ended_ns is None else ended_ns) - self.origin_ns

    def trace(self, title: str) -> Trace:
        """What was read, as far as it was read."""
        recorder, steps = self.recorder, self.steps
        assert steps is not None
        assert self._calls is not None
        handoffs = self._calls.columns(recorder.handoffs)
        requests = self._requests_table(handoffs)  # with the messages so far
        duration_ns = self.lasts_ns()  # asked last, so that nothing that was read is later
        waits = self._given(steps.waits)
        steps.close(waits["end_ns"], duration_ns)
        return Trace(
            steps=self._table("steps", self._given(steps.columns)),
            tasks=self._table("tasks", self._given(self.tasks.columns)),
            waits=self._table("waits", waits),
            handoffs=self._table("handoffs", handoffs),
            requests=requests,
            samples=self._table("samples", self.samples()),
            spans=self._table("spans", self._given(self._spans.columns)),
            losses=self._table(
                "losses", recorder.losses.columns(self.origin_ns, self.tasks.pointer, self.names, self.places)
            ),
            duration_ns=duration_ns,
            clock=recorder.clock,
            dropped=self.dropped,
            forgotten=self._forgotten(),
            title=title,
        )

    def _read(self) -> Steps:
        """Read what is new. The events first: what they point to was there before them."""
        recorder, tasks = self.recorder, self.tasks
        seen = 0 if self.steps is None else self.dropped + len(self.steps)
        first, at_ns, events = recorder.log.read(seen)
        if self.steps is not None and first > seen:
            raise Overrun("expected to read all events that are new, found some dropped: read everything anew")
        tasks.take(recorder.tasks)
        self.requests.take(recorder.requests)
        self._spans.take(recorder.spans)
        if self.steps is None:
            self.dropped = first
            self.steps = Steps(recorder.sites, self.places, first, at_ns)
            self._calls = Calls(self.places, self.names, self.steps, tasks, keep=self._keep)
            self.steps.grow(tasks.count)
            self._stand(self.steps)
        self.steps.grow(tasks.count)
        for piece in events:
            self.steps.add(piece, tasks.pointers(piece.task))
        return self.steps

    def _stand(self, steps: Steps) -> None:
        """Enter the waits in which tasks stood already when the recording began."""
        if not self.dropped:
            for number, record in self.recorder.tasks.copy().items():
                if record.waits is not None:
                    steps.stands(self.tasks.pointer(number), max(0, record.created_ns - self.origin_ns), record.waits)

    def _given(self, columns: Columns) -> Columns:
        """Columns to give away: themselves if nobody will change them, else copies."""
        return {name: column[:] for name, column in columns.items()} if self._keep else columns

    def _table(self, name: str, columns: Columns) -> "Table[Any]":
        return Table(name, columns, self.names)

    def _requests_table(self, handoffs: Columns) -> "Table[Any]":
        columns, messages = self._given(self.requests.columns), self._given(self.requests.messages)
        self.requests.add_open(columns, messages, self.names)
        made = self._made(columns, handoffs)
        parts = {"made": self._table("made", {"handoff": made}), "messages": self._table("messages", messages)}
        return Table("requests", columns, self.names, parts)

    def _made(self, requests: Columns, handoffs: Columns) -> "array[int]":
        """Which hand-offs were made for each request: pointers, one request after the other."""
        own: dict[int, list[int]] = defaultdict(list)
        for request, task in enumerate(requests["task"] if handoffs["task"] else ()):
            if task:
                own[task].append(request)
        starts, ends = requests["start_ns"], requests["end_ns"]
        parents, created_ns = self.tasks.columns["parent"], self.tasks.columns["created_ns"]
        made_for: dict[int, list[int]] = defaultdict(list)
        for handoff, task in enumerate(handoffs["task"], 1):
            made_ns = handoffs["submitted_ns"][handoff - 1] - handoffs["limiter_wait_ns"][handoff - 1]
            while task and task not in own:
                made_ns = created_ns[task - 1]
                task = parents[task - 1]  # noqa: PLW2901 (up to the task that has called the app)
            if not task:
                continue
            called = own[task]
            made_in = called[0] if len(called) == 1 else during(called, starts, ends, made_ns, made_ns)
            if made_in is not None:
                made_for[made_in].append(handoff)
        made = array("I")
        for request, pointers in made_for.items():
            requests["handoffs_from"][request] = len(made)
            made.extend(pointers)
            requests["handoffs_until"][request] = len(made)
        return made

    def samples(self, since: int = 0) -> Columns:
        """The looks into all steps but the first `since`, see `Samples`."""
        assert self.steps is not None
        return self._samples.columns(self.steps, self.dropped, since)

    def seen(self, code: CodeType, offset: int) -> tuple[int, int]:
        """Pointers to a place and to the call at it."""
        return self._samples.seen(code, offset)

    def _forgotten(self) -> dict[str, int]:
        recorder = self.recorder
        return {
            "tasks": recorder.tasks.added - self.tasks.count,
            "handoffs": recorder.handoffs.added - (self._calls.count if self._calls else 0),
            "requests": recorder.requests.added - self.requests.count,
            "spans": recorder.spans.added - self._spans.count,
            "losses": recorder.losses.forgotten,
            **recorder.forgotten,
        }
