"""Who stood where at each step of the event loop: running, in the ready queue, waiting, in a worker thread, done.

A place in the play is a step: place `k` shows the loop as step `k` ends and still runs, the last place what stood when
the recording was over. So each stay is a stretch of places and not of time, for in virtual time many steps share one
moment. Whoever was made ready by a step is in the queue from that step on; by a timer, I/O or a thread, from the first
step that ended no sooner. The queue's order is that in which its callbacks came to run, for asyncio's queue is first
in, first out. What the recording does not tell is left out or marked as unknown. It knows no words and no pictures.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from playground.trace import Step, Trace, Wait
from playground.views.players import Actors

__all__ = ["NOBODY", "UNKNOWN_NS", "Stage", "Stay", "stage"]

NOBODY: Final = -1
UNKNOWN_NS: Final = -1


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody at one kind of place from place `enters` up to, not including, `leaves`.

    Attributes:
        actor: who.
        row: the wait's or hand-off's index; `None` for a wait that was not recorded.
    """

    enters: int
    leaves: int
    actor: int
    row: int | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A task, or a request, that has ended at place `at` and after: the other of the two is `None`."""

    at: int
    actor: int
    task: int | None
    request: int | None


@dataclass(slots=True)
class Stage:
    """Where everybody was. Columns have an entry for each step; there is one place more than there are steps.

    Attributes:
        steps: how many steps there are.
        ends_ns: the moment of each place: when its step ended; of the last one, when the recording was over.
        actors: who they are; `actor` says who runs each step.
        queued_from: the place from which a step's callback was seen in the ready queue; the step itself if at none.
        queued_ns: how long it had been ready when its step began; `UNKNOWN_NS` where that is not known.
        carries: for a callback that stood in the queue in order to wake a task, that task's step, else `NOBODY`.
        wakes, woken: the first step that each made ready, or `NOBODY`, and how many it made ready.
        waited: the wait that begins as a step ends, an index into the trace's, or `NOBODY`.
        open: those waits that no later step of their task has ended.
        before: the step of the same task before it, or `NOBODY`.
        waits, calls: who waited, some of them at no place at all, and the calls in worker threads.
        asked: the places from which calls were queued for a thread and at which they had one, each in order.
        ended: what had ended, in order.
    """

    steps: int
    ends_ns: list[int]
    actors: Actors
    actor: "array[int]"
    queued_from: "array[int]"
    queued_ns: "array[int]"
    carries: "array[int]"
    wakes: "array[int]"
    woken: "array[int]"
    waited: "array[int]"
    before: "array[int]"
    open: set[int] = field(default_factory=set)
    waits: list[Stay] = field(default_factory=list)
    calls: list[Stay] = field(default_factory=list)
    asked: tuple[list[int], list[int]] = ([], [])
    ended: list[Ended] = field(default_factory=list)

    def at(self, moment_ns: int, least: int = 0) -> int:
        """The first place, from `least` on, whose moment is no sooner than `moment_ns`."""
        return bisect_left(self.ends_ns, moment_ns, lo=min(least, len(self.ends_ns)))


def stage(trace: Trace, most_steps: int) -> Stage:
    """Find where everybody was at each of the first `most_steps` steps."""
    rows = list(trace.steps[:most_steps])
    count = len(rows)
    last_ns = trace.duration_ns if count == len(trace.steps) else rows[-1].end_ns
    ends_ns = list(accumulate([*(step.end_ns for step in rows), last_ns], max))
    actors = Actors(trace)
    made = Stage(
        steps=count,
        ends_ns=ends_ns,
        actors=actors,
        actor=array("q", [actors.of_step(step) for step in rows]),
        queued_from=array("q", range(count)),
        queued_ns=_filled(UNKNOWN_NS, count),
        carries=_filled(NOBODY, count),
        wakes=_filled(NOBODY, count),
        woken=_filled(0, count),
        waited=_filled(NOBODY, count),
        before=_filled(NOBODY, count),
    )
    _callbacks(made, rows)
    _Tasks(trace, rows, made).walk()
    _before_others(made, rows)
    made.waits.sort(key=lambda stay: (stay.enters, stay.leaves))
    _calls(trace, made)
    made.ended = sorted(_ended(trace, made), key=lambda ended: ended.at)
    return made


def _filled(value: int, count: int) -> "array[int]":
    return array("q", [value]) * count


def _callbacks(made: Stage, rows: Sequence[Step]) -> None:
    """Who made whom ready; a callback that a step has put into the queue stood there from that step on."""
    last: dict[int, int] = {}
    for index, step in enumerate(rows):
        before = NOBODY
        if step.task is not None:
            before = made.before[index] = last.get(step.task, NOBODY)
            last[step.task] = index
        waker = step.woken_by
        if waker is None or waker >= index:
            continue
        if step.task is None:
            made.queued_from[index] = waker
        if waker != before:  # a task that lets others run puts itself into the queue
            made.woken[waker] += 1
            if made.wakes[waker] == NOBODY:
                made.wakes[waker] = index


def _before_others(made: Stage, rows: Sequence[Step]) -> None:
    """A callback from outside that ran before one that stood in the queue had stood there before it."""
    least = made.steps
    for index in range(made.steps - 1, -1, -1):
        if rows[index].task is None and made.carries[index] == NOBODY:
            made.queued_from[index] = min(made.queued_from[index], least)
        least = min(least, made.queued_from[index])


class _Tasks:
    """Follows each task from step to step."""

    def __init__(self, trace: Trace, rows: Sequence[Step], made: Stage) -> None:
        self._trace = trace
        self._rows = rows
        self._made = made

    def walk(self) -> None:
        """As `Trace.ready_spans` does: waits are matched by position, not by time alone."""
        waits_of = self._trace.waits_of
        for task, indexes in self._trace.steps_of.items():
            steps = [index for index in indexes if index < len(self._rows)]
            if steps:
                self._follow(task, steps, waits_of.get(task, []))
        for task in waits_of.keys() - self._trace.steps_of.keys():  # it stood in a wait all the time
            for wait in waits_of[task]:
                self._made.open.add(wait)
                self._wait(wait, 0, len(self._rows) + 1)

    def _follow(self, task: int, steps: list[int], waits: list[int]) -> None:
        trace, rows = self._trace, self._rows
        at, enters = 0, 0
        ready_ns: int | None = self._created_ns(task)
        wait: int | None = None
        if waits and _stood(trace.waits[waits[0]], rows[steps[0]]):
            wait, ready_ns, at = waits[0], trace.waits[waits[0]].end_ns, 1
        known = wait is not None or ready_ns is not None
        for index in steps:
            leaves = self._queue(index, ready_ns, enters) if known else index
            if wait is not None or (not known and enters):
                self._wait(wait, enters, leaves, task)
            step, enters = rows[index], index + 1
            wait, known, ready_ns = None, True, step.end_ns
            if step.outcome == "waits":
                while at < len(waits) and trace.waits[waits[at]].start_ns < step.end_ns:
                    at += 1
                known = at < len(waits) and trace.waits[waits[at]].start_ns == step.end_ns
                if known:
                    wait = self._made.waited[index] = waits[at]
                    ready_ns, at = trace.waits[wait].end_ns, at + 1
        self._end(task, steps[-1], wait)

    def _created_ns(self, task: int) -> int | None:
        created_ns = self._trace.tasks[task].created_ns
        steps = self._rows
        return None if self._trace.dropped and created_ns < steps[0].start_ns else created_ns

    def _end(self, task: int, last: int, wait: int | None) -> None:
        """What became of a task after the last of its steps that are shown."""
        over = len(self._rows) + 1
        if wait is not None:
            self._made.open.add(wait)
            self._wait(wait, last + 1, over)
        elif self._rows[last].outcome == "waits":
            self._wait(None, last + 1, over, task)

    def _wait(self, wait: int | None, enters: int, leaves: int, task: int | None = None) -> None:
        if wait is not None:
            row = self._trace.waits[wait]
            actor = self._made.actors.of_task(row.task, row.start_ns, row.end_ns)
        else:
            assert task is not None
            moment_ns = self._made.ends_ns[enters - 1]
            actor = self._made.actors.of_task(task, moment_ns, moment_ns)
        self._made.waits.append(Stay(enters, leaves, actor, wait))

    def _queue(self, index: int, ready_ns: int | None, least: int) -> int:
        """Put a task's step into the ready queue; gives the place at which the task is there, itself or by proxy."""
        made, rows = self._made, self._rows
        assert ready_ns is not None
        made.queued_ns[index] = max(0, rows[index].start_ns - ready_ns)
        waker = rows[index].woken_by
        if waker is None or not least - 1 <= waker < index:
            made.queued_from[index] = min(index, made.at(ready_ns, least))
            return made.queued_from[index]
        made.queued_from[index] = max(least, waker)
        proxy = self._proxy(waker, index, ready_ns)
        if proxy == NOBODY:
            return made.queued_from[index]
        made.queued_from[proxy] = min(made.queued_from[proxy], made.at(ready_ns, least))
        made.queued_ns[proxy] = max(0, rows[proxy].start_ns - ready_ns)
        return made.queued_from[proxy]

    def _proxy(self, waker: int, index: int, ready_ns: int) -> int:
        """The library's callback that stood in the queue for a task before the task itself did; `NOBODY` if none did.

        What a task waited for was over before its waker began: so that one, or the one that put it into the queue, only
        passed on what had happened.
        """
        made, rows = self._made, self._rows
        chain: list[int] = []
        step: int | None = waker
        while step is not None and rows[step].task is None and ready_ns < rows[step].start_ns:
            if made.carries[step] != NOBODY:
                return NOBODY  # it stands there for somebody else
            chain.append(step)
            before = rows[step].woken_by
            step = before if before is not None and before < step else None
        for each in chain:
            made.carries[each] = index
        return chain[-1] if chain else NOBODY


def _stood(wait: Wait, first: Step) -> bool:
    """Whether a task's first wait was before its first step, so that it stood there when the recording began."""
    after = first.outcome == "waits" and wait.start_ns == first.end_ns  # all may have one moment
    return wait.end_ns <= first.start_ns and not after


def _calls(trace: Trace, made: Stage) -> None:
    """Calls in worker threads, and those that were queued for one."""
    over = made.steps + 1
    steps_of = trace.steps_of
    entered, left = [], []
    for row, call in enumerate(trace.handoffs):
        least = 0
        if call.task is not None:  # in virtual time, steps before the one that made the call may share its moment
            steps = steps_of.get(call.task, [])
            at = bisect_right(steps, call.submitted_ns, key=lambda step: trace.steps[step].start_ns)
            least = steps[at - 1] if at else 0
        asked = made.at(call.submitted_ns - call.limiter_wait_ns, 0 if call.limiter_wait_ns else least)
        began = over if call.started_ns is None else made.at(call.started_ns, least)
        done = over if call.ended_ns is None else max(began, made.at(call.ended_ns, least))
        if asked < began:
            entered.append(asked)
            left.append(began)
        if call.thread is not None and began < done and began < over:
            actor = made.actors.of_callback("")
            if call.task is not None:
                actor = made.actors.of_task(call.task, call.submitted_ns, call.submitted_ns)
            made.calls.append(Stay(began, min(done, over), actor, row))
    made.calls.sort(key=lambda stay: (stay.enters, stay.leaves))
    made.asked = sorted(entered), sorted(left)


def _ended(trace: Trace, made: Stage) -> list[Ended]:
    """Requests, and tasks that are not a request's own, from the place after the step in which they ended."""
    own: dict[int, int] = defaultdict(int)
    ended = []
    last_step = {task: steps[-1] for task, steps in trace.steps_of.items()}
    for request in trace.requests:
        if request.task is not None:
            own[request.task] += 1
    for index, request in enumerate(trace.requests):
        if request.end_ns is None:
            continue
        at = made.at(request.end_ns) + 1
        if request.task is not None:
            at = _step_of(trace, request.task, request.end_ns, alone=own[request.task] == 1, last=last_step) or at
        ended.append(Ended(at, made.actors.of_request(index), None, index))
    for index, task in enumerate(trace.tasks):
        if task.ended_ns is not None and not own.get(index):
            at = last_step[index] + 1 if index in last_step else made.at(task.ended_ns)
            ended.append(Ended(at, made.actors.of_task(index, task.created_ns, task.ended_ns), index, None))
    return [each for each in ended if each.at <= made.steps]


def _step_of(trace: Trace, task: int, end_ns: int, *, alone: bool, last: dict[int, int]) -> int | None:
    """The place after the step of a task in which a request of its ended; its last one, if it made no other."""
    if alone and trace.tasks[task].ended_ns is not None and task in last:
        return last[task] + 1
    steps = trace.steps_of.get(task, [])
    at = bisect_left(steps, end_ns, key=lambda step: trace.steps[step].end_ns)
    return steps[at] + 1 if at < len(steps) else None
