"""From what the recorder gathered to a `Trace`: once when the recording is over, or again and again while it goes on.

Everything that the hot path left out is worked out here and in the modules that this one puts together: absolute
times, names, lines, waits (`steps`), tasks, requests and spans (`records`), hand-offs (`calls`). Nothing is guessed:
what cannot be known becomes `None`.
"""

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from types import CodeType
from typing import Any, Final

from playground.trace.calls import Calls
from playground.trace.groups import during
from playground.trace.lockout import STARTS, Lockouts
from playground.trace.looks import STARTING
from playground.trace.recorder import Recorder
from playground.trace.records import Overrun, Requests, Spans, Tasks
from playground.trace.sampler import BEFORE, Look, Pause
from playground.trace.source import call_text, package_of
from playground.trace.steps import Places, Steps
from playground.trace.table import Names, Table
from playground.trace.tables import NO_INT, columns_of
from playground.trace.texts import LONGEST
from playground.trace.trace import Trace

__all__ = ["Live", "Reading", "build"]

Columns = dict[str, "array[int]"]
_Paused = tuple[int, int, int | None, Pause]
"""A step, when a collection began in it, what was read of the thread's delay then, and how it ended."""

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
        self._looked_at: dict[tuple[int, int], tuple[int, int]] = {}

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
        """The looks that fall into the steps that they were taken of, in order of time; not those into the first steps.

        Args:
            since: how many steps are left out.
        """
        steps = self.steps
        assert steps is not None
        columns = {name: array(code) for name, code in columns_of("samples").items()}
        starts, durations = steps.columns["start_ns"], steps.columns["duration_ns"]
        origin_ns = self.origin_ns
        nothing = self.names.string("")
        rows: list[tuple[int, ...]] = []
        before = self.dropped + since
        taken = (look for look in self.recorder.looks.copy() if look[0] > before or isinstance(look[5], Pause))
        looks = sorted(taken, key=lambda look: look[1])
        pauses = [found for look in looks if (found := self._pause(look)) is not None]
        lockouts = Lockouts({step: delay_ns for step, _, delay_ns, _ in reversed(pauses) if delay_ns is not None})
        for look in looks:
            number, looked_ns, delay_ns, code, offset, known, called = look
            step, at_ns = number - self.dropped, looked_ns - origin_ns
            if isinstance(known, Pause) or step > len(steps):
                continue
            start_ns, end_ns = starts[step - 1], starts[step - 1] + durations[step - 1]
            lock_ns = lockouts.at(step, min(at_ns, end_ns), start_ns, known, delay_ns)
            delay_ns = lockouts.delay_ns(step, at_ns, start_ns, end_ns, delay_ns)
            if offset == BEFORE:
                at_ns = max(at_ns, start_ns)
            site = 0
            if code is not None:
                if not start_ns <= at_ns <= end_ns:
                    continue  # the step had ended while the thread that looked was kept waiting
                site, call = self.seen(code, offset)
            else:
                call = nothing
            waits = (NO_INT if value is None else value for value in (delay_ns, lock_ns))
            library = self.names.string(STARTING if called is STARTS else package_of(called))
            rows.append((step, at_ns, next(waits), site, call, next(waits), library, NO_INT))
        rows += self._pauses([pause for pause in pauses if since < pause[0]], lockouts)
        rows.sort(key=lambda row: row[1])  # what was known before a step was read in an earlier one
        for row in rows:
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
        return columns

    def _pauses(self, pauses: list[_Paused], lockouts: Lockouts) -> Iterator[tuple[int, ...]]:
        """The rows of collections: one as each began, and one as it ended."""
        assert self.steps is not None
        starts, durations = self.steps.columns["start_ns"], self.steps.columns["duration_ns"]
        collected: dict[int, int] = defaultdict(int)
        nothing = self.names.string("")
        for step, began_ns, before_ns, pause in pauses:
            start_ns, end_ns = starts[step - 1], starts[step - 1] + durations[step - 1]
            began, ended = (began_ns, before_ns, 0), (pause.ended_ns, pause.delay_ns, pause.used_ns)
            for looked_ns, told_ns, used_ns in (began, ended):
                collected[step] += used_ns
                at_ns = looked_ns - self.origin_ns
                delay_ns = lockouts.delay_ns(step, at_ns, start_ns, end_ns, told_ns)
                delay_ns = NO_INT if delay_ns is None else delay_ns
                yield step, max(start_ns, min(at_ns, end_ns)), delay_ns, 0, nothing, NO_INT, nothing, collected[step]

    def _pause(self, look: Look) -> _Paused | None:
        """Into which step a collection fell, when it began, what was read then, and how it ended."""
        _, began_ns, delay_ns, _, _, known, _ = look
        if not isinstance(known, Pause) or self.steps is None:
            return None
        columns = self.steps.columns
        middle_ns = (began_ns + known.ended_ns) // 2 - self.origin_ns
        step = bisect_right(columns["start_ns"], middle_ns)
        if not step or columns["start_ns"][step - 1] + columns["duration_ns"][step - 1] < middle_ns:
            return None
        return step, began_ns, delay_ns, known

    def seen(self, code: CodeType, offset: int) -> tuple[int, int]:
        """Pointers to a place and to the call at it."""
        sites = self.recorder.sites
        number = sites.number(code)
        if (number, offset) not in self._looked_at:
            call = call_text(code, offset, sites.met_s)
            self._looked_at[number, offset] = self.names.site(sites.site(number, offset)), self.names.string(call)
        return self._looked_at[number, offset]

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
