"""From what the recorder gathered to the rows of a `Trace`.

Everything that the hot path left out is worked out here: absolute times, names, lines, waits, the moment at
which a hand-off's waiter woke. Nothing is guessed: what cannot be known becomes `None`.

A wait ends when what it waited for has happened. If the step that made a task ready was only a library's
callback (a timer's, or one that a worker thread posted), what it passes on happened when that callback itself
became ready; so a sleep that is over while the loop is blocked ends at its due time, and the rest is queueing.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from playground.trace.recorder import OUTCOMES, Recorder, TaskRecord
from playground.trace.requests import RequestRecord, detail_of
from playground.trace.rows import (
    Handoff,
    Message,
    Request,
    Sample,
    Site,
    Span,
    Step,
    Task,
    Wait,
)
from playground.trace.sites import WAITS, call_text
from playground.trace.threads import HandoffRecord
from playground.trace.trace import Trace, inherited

__all__ = ["build"]

_CALLBACK: Final = 0


def build(recorder: Recorder, title: str = "Run") -> Trace:
    """The trace of a recording that is over."""
    return _Builder(recorder).trace(title)


class _Builder:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._origin = recorder.started_ns
        self._events = list(recorder.log)
        self._dropped = recorder.log.dropped
        ended_ns = recorder.ended_ns
        self._duration_ns = (recorder.now() if ended_ns is None else ended_ns) - self._origin
        self._starts: list[int] = []
        self._ready: list[int] = []
        self._steps_of: dict[int, list[int]] = defaultdict(list)
        self._called: set[int] = set()  # tasks that have called the app
        self._own_waits: set[tuple[int, int]] = set()  # (task, start) of waits that stopped at the user's own line

    def trace(self, title: str) -> Trace:
        self._place_events()
        steps = self._build_steps()
        waits = self._build_waits()
        handoffs = self._build_handoffs(waits)
        return Trace(
            steps=steps,
            tasks=self._build_tasks(),
            waits=waits,
            handoffs=handoffs,
            requests=self._build_requests(handoffs),
            samples=self._build_samples(),
            spans=self._build_spans(),
            duration_ns=self._duration_ns,
            clock=self._recorder.clock,
            dropped=self._dropped,
            title=title,
        )

    def _place_events(self) -> None:
        """Absolute start and moment of readiness of each event, and which events each task has."""
        at = self._recorder.log.dropped_ns
        is_glue = self._recorder.sites.is_glue
        for index, (gap, duration, task, waker, ready, _, _, _, _, _) in enumerate(self._events):
            at += gap
            self._starts.append(at)
            ready_at = at - ready
            source = waker - 1 - self._dropped
            if 0 <= source < index and self._events[source][6] == _CALLBACK and is_glue(self._events[source][8]):
                ready_at = min(ready_at, self._ready[source])
            self._ready.append(max(0, ready_at))
            if task:
                self._steps_of[task].append(index)
            at += duration

    def _build_steps(self) -> tuple[Step, ...]:
        site = self._recorder.sites.site
        return tuple(
            Step(
                task=task - 1 if task else None,
                start_ns=start,
                duration_ns=duration,
                woken_by=self._step_index(waker),
                outcome=OUTCOMES[outcome],
                site=site(code, offset),
            )
            for start, (_, duration, task, waker, _, _, outcome, _, code, offset) in zip(
                self._starts, self._events, strict=True
            )
        )

    def _step_index(self, number: int) -> int | None:
        index = number - 1 - self._dropped
        return index if index >= 0 else None

    def _build_waits(self) -> tuple[Wait, ...]:
        waits = list(self._waits_at_begin())
        for task, indexes in self._steps_of.items():
            for index, following in zip(indexes, [*indexes[1:], None], strict=True):
                _, duration, _, _, _, _, outcome, kind, code, offset = self._events[index]
                if OUTCOMES[outcome] == "waits":
                    start = self._starts[index] + duration
                    waits.append(self._wait(task, start, following, (kind, code, offset)))
        waits.sort(key=lambda wait: (wait.start_ns, wait.task))
        return tuple(waits)

    def _waits_at_begin(self) -> Iterator[Wait]:
        """The waits in which tasks stood already when the recording began."""
        for number, record in enumerate(self._recorder.tasks, 1):
            if record.waits is not None and not self._dropped:
                following = next(iter(self._steps_of.get(number, ())), None)
                yield self._wait(number, max(0, record.created_ns - self._origin), following, record.waits)

    def _wait(self, task: int, start: int, following: int | None, where: tuple[int, int, int]) -> Wait:
        """A wait from `start` until the task was ready for its next step; for ever, if there was none."""
        kind, code, offset = where
        end = self._duration_ns if following is None else self._ready[following]
        if self._recorder.sites.is_own(code):
            self._own_waits.add((task - 1, start))
        return Wait(task - 1, start, max(start, end), WAITS[kind], self._recorder.sites.site(code, offset))

    def _build_tasks(self) -> tuple[Task, ...]:
        return tuple(self._build_task(number, record) for number, record in enumerate(self._recorder.tasks, 1))

    def _build_task(self, number: int, record: TaskRecord) -> Task:
        ended_ns = None if record.ended_ns is None else record.ended_ns - self._origin
        if (last := self._steps_of.get(number, [None])[-1]) is not None and ended_ns is not None:
            # noted a moment after its last step, unless that step is not kept or was part of another's (eager)
            ended_ns = min(ended_ns, self._starts[last] + self._events[last][1])
        return Task(
            name=record.name,
            coroutine=record.coroutine,
            parent=record.parent - 1 if record.parent else None,
            created_ns=max(0, record.created_ns - self._origin),
            ended_ns=ended_ns,
            outcome=record.outcome,
        )

    def _build_handoffs(self, waits: tuple[Wait, ...]) -> tuple[Handoff, ...]:
        records = [record for record in self._recorder.handoffs if record.submitted_ns is not None]
        records.sort(key=lambda record: record.submitted_ns or 0)
        started = sorted((record for record in records if record.started_ns is not None), key=_started)
        threads: dict[int, int] = {}
        for record in started:
            threads.setdefault(record.thread, len(threads))
        waits_of: dict[int, list[Wait]] = defaultdict(list)
        for wait in waits:
            waits_of[wait.task + 1].append(wait)
        return tuple(self._build_handoff(record, threads, waits_of.get(record.task, [])) for record in records)

    def _build_handoff(self, record: HandoffRecord, threads: dict[int, int], waits: list[Wait]) -> Handoff:
        origin = self._origin
        submitted_ns = (record.submitted_ns or 0) - origin
        wait = self._wait_for(record, waits)
        return Handoff(
            task=record.task - 1 if record.task else None,
            function=record.function,
            limiter_wait_ns=max(0, submitted_ns - (record.asked_ns - origin)) if self._queued(record, waits) else 0,
            submitted_ns=submitted_ns,
            started_ns=None if record.started_ns is None else record.started_ns - origin,
            ended_ns=None if record.ended_ns is None else record.ended_ns - origin,
            woken_ns=self._woken_ns(record, wait),
            thread=threads.get(record.thread) if record.started_ns is not None else None,
            cpu_ns=record.cpu_ns,
            outcome=record.outcome,
            site=self._handoff_site(record, wait),
        )

    def _wait_for(self, record: HandoffRecord, waits: list[Wait]) -> Wait | None:
        """The wait in which the task stood for this call: the first for a thread, or for a future that only the
        task knows, that followed the step that handed it over, or that began later but before the worker was done."""
        submitted_ns = (record.submitted_ns or 0) - self._origin
        ended_ns = self._duration_ns if record.ended_ns is None else record.ended_ns - self._origin
        at = bisect_left(waits, submitted_ns, key=lambda wait: wait.start_ns)
        for index in range(at, len(waits)):
            wait = waits[index]
            if index > at and wait.start_ns > ended_ns:
                break
            if wait.on in ("thread", "future"):
                return wait
        return None

    def _handoff_site(self, record: HandoffRecord, wait: Wait | None) -> Site | None:
        """The task's own line that waits for it; where a framework does the waiting, the function handed over."""
        if wait is not None and (wait.task, wait.start_ns) in self._own_waits:
            return wait.site
        return self._recorder.sites.site(record.code, 0)

    def _queued(self, record: HandoffRecord, waits: list[Wait]) -> bool:
        """Whether the task waited at all between asking for a thread and getting one."""
        asked_ns = record.asked_ns - self._origin
        submitted_ns = (record.submitted_ns or 0) - self._origin
        at = bisect_left(waits, asked_ns, key=lambda wait: wait.start_ns)
        return at < len(waits) and waits[at].end_ns <= submitted_ns

    def _woken_ns(self, record: HandoffRecord, wait: Wait | None) -> int | None:
        """The start of the step with which the task went on after this call; `None` if it did not wait for it to
        the end, as when it was cancelled meanwhile."""
        if record.ended_ns is None or wait is None or not record.task:
            return None
        ended_ns = record.ended_ns - self._origin
        indexes = self._steps_of.get(record.task, [])
        at = bisect_left(indexes, wait.end_ns, key=self._starts.__getitem__)
        if at == len(indexes) or self._starts[indexes[at]] < ended_ns:
            return None
        return self._starts[indexes[at]]

    def _build_requests(self, handoffs: tuple[Handoff, ...]) -> tuple[Request, ...]:
        records = self._recorder.requests
        own = {record.task - 1: number for number, record in enumerate(records) if record.task}
        # a task without a parent has parent 0, and no task has index -1
        owner = inherited(own, (task.parent - 1 for task in self._recorder.tasks))
        handoffs_of: dict[int, list[int]] = defaultdict(list)
        for index, handoff in enumerate(handoffs):
            if handoff.task is not None and handoff.task in owner:
                handoffs_of[owner[handoff.task]].append(index)
        return tuple(
            self._build_request(number, record, tuple(handoffs_of.get(number, ())))
            for number, record in enumerate(records)
        )

    def _build_request(self, number: int, record: RequestRecord, handoffs: tuple[int, ...]) -> Request:
        return Request(
            number=number,
            method=record.method,
            path=record.path,
            route=record.route,
            status=record.status,
            start_ns=self._came_in_ns(record),
            end_ns=None if record.end_ns is None else record.end_ns - self._origin,
            task=record.task - 1 if record.task else None,
            handoffs=handoffs,
            messages=tuple(
                Message(noted[0], str(noted[1]), noted[2] - self._origin, detail_of(noted)) for noted in record.messages
            ),
            error=record.error,
        )

    def _came_in_ns(self, record: RequestRecord) -> int:
        """When a request came in: its task was made for it then, if the app was called in the task's first step."""
        called_ns = record.start_ns - self._origin
        first = next(iter(self._steps_of.get(record.task, ())), None)
        if record.task in self._called:
            return called_ns  # not the first request of its task
        self._called.add(record.task)
        if first is None or called_ns > self._starts[first] + self._events[first][1]:
            return called_ns
        return min(called_ns, max(0, self._recorder.tasks[record.task - 1].created_ns - self._origin))

    def _build_samples(self) -> tuple[Sample, ...]:
        sites = self._recorder.sites
        samples = []
        for step, at_ns, delay_ns, code, offset in self._recorder.looks:
            index = self._step_index(step)
            if index is None or index >= len(self._events):
                continue
            site, call = None, ""
            if code is not None:
                site, call = sites.site(sites.number(code), offset), call_text(code, offset)
                if not self._starts[index] <= at_ns - self._origin <= self._starts[index] + self._events[index][1]:
                    continue  # the step had ended while the thread that looked was kept waiting
            samples.append(Sample(index, at_ns - self._origin, delay_ns, site, call))
        samples.sort(key=lambda sample: sample.at_ns)
        return tuple(samples)

    def _build_spans(self) -> tuple[Span, ...]:
        # playground.trace.spans gives the recorder its list; until a recorder has one, there are none
        records: list[Any] = getattr(self._recorder, "spans", [])
        return tuple(
            Span(
                request=record.request,
                kind=record.kind,
                name=record.name,
                start_ns=record.start_ns - self._origin,
                end_ns=None if record.end_ns is None else record.end_ns - self._origin,
                parent=record.parent,
                task=record.task - 1 if record.task else None,
                site=self._recorder.sites.site(record.code, 0),
            )
            for record in records
        )


def _started(record: HandoffRecord) -> int:
    return record.started_ns or 0
