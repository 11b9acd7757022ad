"""The recording against the witness: the same steps in the same order, and of each the same facts.

The two accounts have no common key but order: the n-th recorded step must be the n-th that was seen. From there
on, everything is compared by these numbers, so that it also holds in virtual time, where a thousand steps share one
moment. What a program cannot know is bounded and not guessed; each bound says so where it stands:

* which of a library's callbacks it takes to pass something on (they are all witnessed, by asyncio's `Handle`, with
  what gave them to the loop; but the program does not know what for). A cause is looked for behind them.
* who cancelled, where a scope or a group did: it is then somebody of the task's family, or a deadline.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from types import FunctionType, MethodType

from playground.trace import Handoff, Step, Trace, Wait
from tests.truth.notes import Gap, Stretch, TaskNote
from tests.truth.witness import Witness

__all__ = ["check"]

_HERE = "tests/truth/"
_BLOCK_NS = 50_000_000
"""What a trace calls a block unless it is told otherwise."""
_CLOCKS_NS = 2_000
"""How far the loop's clock, in seconds as a float, and the recorder's may be apart."""
_AT_ONCE = (".by_to_thread", ".by_executor", ".by_own")
"""Where a call is given away in the step that asks for it."""


def check(trace: Trace, witness: Witness, origin_ns: int, *, exact: bool) -> None:
    """Hold a recording against what was seen; raises `AssertionError` where they differ.

    Args:
        origin_ns: the recorder's clock when the recording began.
        exact: whether the clock stands still while code runs, so that times are equal and not only nested.
    """
    _Comparison(trace, witness, origin_ns, exact).check()


class _Comparison:
    def __init__(self, trace: Trace, witness: Witness, origin_ns: int, exact: bool) -> None:
        self.trace = trace
        self.steps = trace.steps
        self.seen = witness.stretches
        self.witness = witness
        self.origin_ns = origin_ns
        self.exact = exact
        self.index_of = dict(self.found(trace, witness))

    @staticmethod
    def found(trace: Trace, witness: Witness) -> Iterator[tuple[int, int]]:
        """Each task's row, by its name; asyncio may take the name from eager ones: these are in order."""
        rows: dict[str, deque[int]] = defaultdict(deque)
        for index, task in enumerate(trace.tasks):
            rows[task.name].append(index)
        for note in witness.tasks:
            assert note.task is not None
            assert rows[note.task.get_name()]
            yield id(note), rows[note.task.get_name()].popleft()

    def check(self) -> None:
        assert len(self.steps) == len(self.seen)
        self.check_tasks()
        for step, seen in zip(self.steps, self.seen, strict=True):
            self.check_step(step, seen)
            if seen.task is None:
                self.check_callback(step, seen)
        for note in self.witness.tasks:
            self.check_wakers(note)
            self.check_waits(note)
            self.check_handoffs(note)
        self.check_threads()
        self.check_blocks()
        assert len(self.trace.waits) == sum(seen.outcome == "waits" for seen in self.seen)

    # -- tasks and steps ------------------------------------------------------------------------------------

    def check_tasks(self) -> None:
        """Only the task that recorded was there before; all others are the witness's."""
        assert len(self.trace.tasks) == len(self.witness.tasks) + 1
        for note in self.witness.tasks:
            row = self.trace.tasks[self.index_of[id(note)]]
            assert row.coroutine == note.coroutine
            assert row.outcome == note.outcome
            assert row.parent == (0 if note.parent is None else self.index_of[id(note.parent)])
            first, last = note.stretches[0], note.stretches[-1]
            assert row.ended_ns is not None
            assert last.end_ns - self.origin_ns <= row.ended_ns <= self.steps[last.number].end_ns
            made_in_ns = 0 if note.made_in is None else self.steps[note.made_in].start_ns
            assert made_in_ns <= row.created_ns <= first.start_ns - self.origin_ns
            assert row.ended_ns == self.steps[last.number].end_ns or note.hidden

    def check_step(self, step: Step, seen: Stretch) -> None:
        start_ns, end_ns = seen.start_ns - self.origin_ns, seen.end_ns - self.origin_ns
        if self.exact:
            assert (step.start_ns, step.end_ns) == (start_ns, end_ns)
        # where a task begins within a step, what asyncio does to make it is told as the new task's
        assert step.start_ns <= start_ns or seen.goes_on
        assert end_ns <= step.end_ns or seen.cut
        assert step.task == (None if seen.task is None else self.index_of[id(seen.task)])
        assert step.outcome == self.outcome(seen)
        if seen.outcome in ("waits", "yields") and not seen.cut and seen.task is not None:
            assert seen.gap is not None
            self.check_place(step, seen.gap, seen.task)

    @staticmethod
    def outcome(seen: Stretch) -> str:
        """How it ended. That a task returned which had cancelled itself, only asyncio knows to be a cancellation."""
        if seen.task is not None and seen.task.hidden and seen is seen.task.stretches[-1]:
            return seen.task.outcome
        return seen.outcome

    def check_place(self, row: Step | Wait | Handoff, gap: Gap, note: TaskNote) -> None:
        if note.hidden:
            return
        assert row.site is not None
        assert _HERE in row.site.file
        assert (row.site.line, row.site.function) == (gap.line, gap.function)

    def check_callback(self, step: Step, seen: Stretch) -> None:
        by = None if seen.by is None else self.seen[seen.by]
        # behind the back of an eager task asyncio still does what follows from how its first step stopped
        assert step.woken_by == seen.by or (by is not None and by.goes_on and step.woken_by == by.by)
        callback = seen.callback.__func__ if isinstance(seen.callback, MethodType) else seen.callback
        if isinstance(callback, FunctionType) and not seen.cut:
            assert step.site is not None
            assert step.site.function == callback.__code__.co_qualname

    # -- blocks ---------------------------------------------------------------------------------------------

    def check_blocks(self) -> None:
        """Who held the loop is named with its line. On the real clock nothing is said of others: a busy machine may
        hold any step, and a line that is held longer than the program asked for."""
        blocks = {block.step: block for block in self.trace.blocks(_BLOCK_NS / 1e9)}
        for seen in self.seen:
            held = sorted((each.asked_ns, each.line, each.function) for each in seen.blocks)
            asked_ns = sum(each[0] for each in held)
            block = blocks.pop(seen.number, None)
            if asked_ns < _BLOCK_NS:
                assert block is None or not self.exact
                continue
            assert block is not None
            assert block.duration_ns == asked_ns if self.exact else block.duration_ns >= asked_ns
            longest_ns, line, function = held[-1]
            if longest_ns > block.duration_ns * 2 // 3:  # else another may have been seen longer
                assert block.site is not None
                assert block.site.line == line
                assert block.site.function.startswith(function)  # a generator expression within it has its own
        assert not blocks

    # -- who woke whom --------------------------------------------------------------------------------------

    def check_wakers(self, note: TaskNote) -> None:
        before: Stretch | None = None
        for seen in note.stretches:
            woken_by = self.steps[seen.number].woken_by
            if before is None:
                assert woken_by == note.made_in
            elif before.cut:
                assert woken_by == seen.by
            elif before.outcome == "yields":
                assert woken_by == before.number
            else:
                assert woken_by is None or before.number <= woken_by < seen.number
                assert before.gap is not None
                cause = self.cause(seen.number)
                assert cause in self.causes(note, before.gap, before.number, seen.number), (cause, seen.number)
            before = seen

    def cause(self, number: int) -> int | None:
        """The step of a task, or the callback of the program's own, behind the callbacks that a library made of it."""
        cause = self.steps[number].woken_by
        while cause is not None and self.seen[cause].callback is not None and not self.is_own(cause):
            cause = self.steps[cause].woken_by
        return cause

    def is_own(self, number: int) -> bool:
        site = self.steps[number].site
        return site is not None and _HERE in site.file

    def causes(self, note: TaskNote, gap: Gap, first: int, last: int) -> set[int | None]:
        """What may have ended the suspension between the stretches `first` and `last`, as the program knows it."""
        causes: set[int | None] = {number for number in self.witness.woken[gap.key] if first < number < last}
        if gap.on == "timer":
            causes.add(None)
        elif gap.hands_over:  # a worker; or the step that gave it the call, if it was done before that step was
            causes |= {None, first}
        elif gap.on == "task":
            ends = {number for child in gap.children for number in self.end_of(child)}
            causes |= ends | {first for number in ends if number <= first}  # it was over when it was asked for
        if gap.how != "returned" or gap.interrupted:
            causes |= self.family(note, last)
        return causes

    def end_of(self, task: object) -> Iterator[int]:
        yield self.witness.note_of[id(task)].stretches[-1].number

    def family(self, note: TaskNote, before: int) -> set[int | None]:
        """What may have cancelled a task where a scope or a group did: a deadline; whoever cancelled it or one of its
        ancestors; an ancestor, or itself, as it left a scope; the end of a sibling or a child."""
        ancestors = list(note.ancestors())
        causes: set[int | None] = {None}
        for ancestor in ancestors:
            causes |= {number for number in ancestor.cancelled_in if number < before}
            causes |= {seen.number for seen in ancestor.stretches if seen.number < before}
        causes |= {
            other.stretches[-1].number for other in self.witness.tasks if other.stretches and other.parent in ancestors
        }
        return causes

    # -- waits ----------------------------------------------------------------------------------------------

    def check_waits(self, note: TaskNote) -> None:
        indexes = self.trace.waits_of.get(self.index_of[id(note)], [])
        waits = [self.trace.waits[index] for index in indexes]
        stops = [
            (seen, following)
            for seen, following in zip(note.stretches, note.stretches[1:], strict=False)
            if seen.outcome == "waits"
        ]
        assert len(waits) == len(stops)
        for wait, (seen, following) in zip(waits, stops, strict=True):
            assert seen.gap is not None
            assert wait.on == seen.gap.on or note.hidden
            self.check_place(wait, seen.gap, note)
            self.check_span(wait, self.steps[seen.number], self.steps[following.number])
            self.check_delay(wait, seen.gap)

    def check_span(self, wait: Wait, before: Step, after: Step) -> None:
        """It begins as its step ends, and is over when it was woken: within the step that did so, or before the
        callback that only passed it on."""
        assert before.end_ns == wait.start_ns <= wait.end_ns <= after.start_ns
        if after.woken_by is not None:
            waker = self.steps[after.woken_by]
            if waker.task is not None or self.is_own(after.woken_by):
                assert max(waker.start_ns, wait.start_ns) <= wait.end_ns <= max(waker.end_ns, wait.start_ns)
            else:
                assert wait.end_ns <= max(waker.start_ns, wait.start_ns)

    def check_delay(self, wait: Wait, gap: Gap) -> None:
        """A sleep is over when it was due, however late the loop came to it."""
        match gap.key:
            case ("delay", int(delay_ms)) if gap.how == "returned":
                set_ns = wait.end_ns - delay_ms * 1_000_000
                if self.exact:
                    assert set_ns == wait.start_ns
                assert gap.start_ns - self.origin_ns - _CLOCKS_NS <= set_ns <= wait.start_ns + _CLOCKS_NS

    # -- hand-offs ------------------------------------------------------------------------------------------

    def check_handoffs(self, note: TaskNote) -> None:
        """One to one with what the workers did; a call that no worker began was cancelled before."""
        rows = [row for row in self.trace.handoffs if row.task == self.index_of[id(note)]]
        gaps = [gap for gap in note.gaps if gap.hands_over]
        begun = [gap for gap in gaps if gap.calls]
        started = [row for row in rows if row.started_ns is not None]
        assert len(started) == len(begun) == sum(len(gap.calls) for gap in gaps)
        for row, gap in zip(started, begun, strict=True):
            self.check_handoff(row, gap, note)
        waiting = [row for row in rows if row.started_ns is None]
        # of anyio's calls, the program cannot see whether they had a thread yet when they were cancelled
        left = [gap for gap in gaps if not gap.calls]
        assert sum(gap.function.endswith(_AT_ONCE) for gap in left) <= len(waiting)
        assert len(waiting) <= len(left)
        assert all(gap.how == "cancelled" for gap in left)
        assert {row.outcome for row in waiting} <= {"cancelled"}

    def check_handoff(self, row: Handoff, gap: Gap, note: TaskNote) -> None:
        (call,) = gap.calls
        origin = self.origin_ns
        assert (row.function, row.outcome) == (call.function, call.outcome)
        self.check_place(row, gap, note)
        assert row.started_ns is not None
        assert row.ended_ns is not None
        assert call.end_ns is not None
        assert gap.start_ns - origin <= row.submitted_ns <= row.started_ns <= call.start_ns - origin
        assert call.end_ns - origin <= row.ended_ns
        if self.exact:
            assert (row.started_ns, row.ended_ns) == (call.start_ns - origin, call.end_ns - origin)
        assert gap.last is not None
        woken_ns = self.steps[gap.last].start_ns
        if gap.how != "cancelled" or row.woken_ns is not None:
            assert row.woken_ns == woken_ns >= row.ended_ns
        self.check_limiter(row, gap)

    def check_limiter(self, row: Handoff, gap: Gap) -> None:
        """Who waited for a free place waited while another had it, and got it after the other was done."""
        asked_ns = row.submitted_ns - row.limiter_wait_ns
        assert asked_ns >= gap.start_ns - self.origin_ns
        if gap.key is None:
            assert row.limiter_wait_ns == 0
            return
        others = [other for other in self.witness.limited if other is not gap]
        for other in [other for other in others if other.calls]:
            (call,), (own,) = other.calls, gap.calls
            assert call.end_ns is not None
            assert own.end_ns is not None
            # the place is one's own from the moment of being let in, not only while the worker is at it
            assert call.end_ns - self.origin_ns <= row.submitted_ns or own.end_ns <= call.start_ns
        if row.limiter_wait_ns:
            assert any(other.start_ns - self.origin_ns <= row.submitted_ns for other in others)

    def check_threads(self) -> None:
        """One number a thread, counted in the order in which they were first used."""
        calls = [gap.calls[0] for note in self.witness.tasks for gap in note.gaps if gap.calls]
        assert len([row for row in self.trace.handoffs if row.started_ns is not None]) == len(calls)
        number_of: dict[int, int | None] = {}
        for note in self.witness.tasks:
            rows = [
                row for row in self.trace.handoffs if row.task == self.index_of[id(note)] and row.thread is not None
            ]
            for row, gap in zip(rows, (gap for gap in note.gaps if gap.calls), strict=True):
                assert number_of.setdefault(id(gap.calls[0].thread), row.thread) == row.thread
        assert sorted(number_of.values()) == list(range(len(number_of)))  # type: ignore[type-var]
