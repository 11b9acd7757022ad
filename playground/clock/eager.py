"""Tasks that start eagerly (Python 3.12 and later): their first step runs within the step that makes them.

Steps of a loop do not overlap, so the step that makes such a task is told of in parts: the part before, which ends as
`yields`; the new task's first step, woken by that part; and the part after, woken by the new task's step. None of them
was ever in the ready queue, and the parts of one step follow each other without a gap. Nesting needs no further rule.

A factory says only afterwards whether it started the task; until then it is taken to do so. A task made by
`asyncio.Task(..., eager_start=True)` passes no loop by: its first step is part of its maker's.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from playground.clock.recorder import LONG_STEP_NS, Outcome, Recorder

if TYPE_CHECKING:
    from playground.clock.turns import Turns

__all__ = ["create", "may_start_eagerly"]

_CAN_BE: Final = hasattr(asyncio, "eager_task_factory")


def may_start_eagerly(loop: "Turns", coro: object, options: dict[str, Any]) -> bool:
    """Whether a task that is made now may run at once: some factory decides, or the caller has asked for it."""
    if not _CAN_BE or loop.tally.recorder is None or not asyncio.iscoroutine(coro):
        return False
    return loop.get_task_factory() is not None or bool(options.get("eager_start"))


def create(loop: "Turns", make: Callable[..., Any], coro: Any, options: dict[str, Any]) -> Any:
    """Make a task that may start eagerly, and tell of it if it did."""
    tally = loop.tally
    recorder = tally.recorder
    assert recorder is not None
    creator = asyncio.current_task() if loop.is_running() else None
    number = recorder.expect(coro, creator or tally.sender)
    cuts = tally.step > 0  # else it is made outside any step, or in one that began before the recording did
    waiting = len(loop._ready)
    if cuts:
        _begin(loop, recorder, recorder.number_of(creator))
    task = None
    try:
        task = make(coro, **options)
    finally:
        end_ns = recorder.now()
        started = _started(coro)
        recorder.arrived(number, task, started=started)
        if cuts and tally.recorder is recorder:  # else the task has ended this recording
            if started:
                state = (Outcome.RAISED, 0, 0, 0) if task is None else _state(recorder, task, number, coro)
                _end_part(loop, recorder, (end_ns, number, *state))
            else:
                _take_back(loop, waiting)
    return task


def _begin(loop: "Turns", recorder: Recorder, number: int) -> None:
    """End the part of the step that has run so far."""
    code, offset = recorder.here()
    outcome = Outcome.YIELDS if number else Outcome.CALLBACK
    _end_part(loop, recorder, (recorder.now(), number, outcome, 0, code, offset))


def _end_part(loop: "Turns", recorder: Recorder, piece: tuple[int, int, int, int, int, int]) -> None:
    tally = loop.tally
    before_ns = tally.pieces[-1][0] if tally.pieces else tally.last_ns
    tally.pieces.append(piece)
    if piece[0] - before_ns > LONG_STEP_NS:  # for the first part, this takes in what else ran in this turn
        recorder.long_step(tally.step)
    tally.step += 1


def _take_back(loop: "Turns", waiting: int) -> None:
    """The task was not started: the step goes on as if it had not been cut, and what it woke it has woken itself."""
    tally = loop.tally
    tally.pieces.pop()
    tally.step -= 1
    ready = loop._ready
    with tally.order:
        for index in range(waiting, len(ready)):
            entry = ready[index]
            if type(entry) is tuple and entry[3] == tally.step + 1:
                ready[index] = (*entry[:3], tally.step, entry[4])
            elif getattr(entry, "by", 0) == tally.step + 1:
                entry.by = tally.step


def _started(coro: Any) -> bool:
    """Whether a coroutine has begun to run."""
    for prefix in ("cr", "gi", "ag"):
        if hasattr(coro, prefix + "_suspended"):
            return getattr(coro, prefix + "_suspended") or getattr(coro, prefix + "_frame") is None
    return False


def _state(recorder: Recorder, task: Any, number: int, coro: Any) -> tuple[int, int, int, int]:
    """Where its first step has left a task: outcome, kind, code, offset."""
    if task.done():  # CPython 3.12.1 crashes when such a task is asked for its coroutine
        return recorder.ended(task, number), 0, 0, 0
    kind, code, place = recorder.search(coro)
    offset = place.cr_frame.f_lasti if code else 0
    if task._fut_waiter is None:
        return Outcome.YIELDS, kind, code, offset
    return Outcome.WAITS, kind or recorder.waiter(task._fut_waiter), code, offset
