"""trio, recorded by an instrument of its own kind: it tells of tasks and steps, and the recorder keeps them.

trio calls an instrument when a task is spawned, scheduled, stepped and over, and that is nearly all that asyncio's
recording knows. What it does not tell is read from where a task's coroutine stands, from its deadline, and from its
nursery's list of exceptions. What none of these knows stays unknown: who woke a task from outside a step, and when a
file descriptor became ready.
"""

from collections.abc import Callable, Iterator
from struct import error as TooLarge
from typing import Any, Final

from playground.trace.events import DEFAULT_LIMIT
from playground.trace.recorder import OUTCOMES, Recorder, TaskRecord
from playground.trace.rows import TaskOutcome
from playground.trace.sites import WAITS
from playground.trace.texts import cut

__all__ = ["TrioInstrument", "TrioRecorder"]

_YIELDS: Final = OUTCOMES.index("yields")
_WAITS: Final = OUTCOMES.index("waits")
_IO: Final = WAITS.index("io")
_FUTURE: Final = WAITS.index("future", 1)
_LONG_STEP_NS: Final = 5_000_000
"""As long as the sampler's tick; see `playground.clock.recorder`."""


class TrioRecorder(Recorder):
    """A recording of trio's tasks, which let nothing be written on them: their numbers are kept here."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        super().__init__(limit=limit)
        self.numbers: dict[Any, int] = {}

    def number_of(self, task: Any) -> int:
        if task is None:
            return 0
        return self.numbers.get(task) or self.enter_task(task)

    def enter_task(self, task: Any) -> int:
        """Number a task that was just spawned, or that is met for the first time."""
        nursery = task.parent_nursery
        parent = 0 if nursery is None else self.number_of(nursery.parent_task)
        name = getattr(task.coro, "__qualname__", type(task.coro).__qualname__)
        record = TaskRecord(cut(task.name), cut(name), parent, self.now())
        number = self.numbers[task] = self.tasks.append(record)
        return number

    def exited(self, number: int, outcome: TaskOutcome) -> int:
        """Note how a task ended; gives the number that an event holds."""
        record = self.tasks[number]
        record.ended_ns = self.now()
        record.outcome = outcome
        return OUTCOMES.index(outcome)

    def current_task(self) -> int:
        from trio.lowlevel import current_task

        return self.number_of(current_task())

    def _living(self, loop: Any) -> list[tuple[Any, str]]:
        return [(task, task.name) for task in self.numbers]


class _Waiting:
    """A task that stopped: since when, until when at most, and for what."""

    __slots__ = ("deadline_s", "kind", "since_ns")

    def __init__(self, since_ns: int, deadline_s: float, kind: int) -> None:
        self.since_ns = since_ns
        self.deadline_s = deadline_s
        self.kind = kind


class TrioInstrument:
    """A `trio.abc.Instrument` that fills a recorder, over one run of trio or several that follow one another.

    Args:
        recorder: whom to tell.
        on_end: called when a run ends, on its thread.

    Attributes:
        token: of the run that goes on; `None` before it begins and after it ends.
        step: the number of the step that is running now, from 1; 0 while none is. Other threads may read it.
    """

    def __init__(self, recorder: TrioRecorder, on_end: Callable[[], object] = lambda: None) -> None:
        self.recorder = recorder
        self.token: Any = None
        self.step = 0
        self._on_end = on_end
        self._steps = 0
        self._last_ns = recorder.started_ns
        self._start_ns = 0
        # of the step that runs
        self._errors = 0  # in the nursery of its task, before it
        self._ended = 0  # how its task ended, if it has
        self._by = 0
        self._ready_ns = 0
        self._ready: dict[Any, tuple[int, int]] = {}  # for tasks that will run: the step that saw to it, and when
        self._waiting: dict[Any, _Waiting] = {}

    def join(self) -> None:
        """Number the tasks that are there already. To be called within trio, where the instrument is about to be
        added; the step that runs just now is recorded from here on."""
        from trio.lowlevel import current_root_task, current_task, current_trio_token

        self.token = current_trio_token()
        running = current_task()
        for task in _family(current_root_task()):
            record = self.recorder.tasks[self.recorder.number_of(task)]
            if task is not running and task._next_send_fn is None:  # else it is scheduled
                kind, code, place = self.recorder.search(task.coro)
                record.waits = (kind or _FUTURE, code, place.cr_frame.f_lasti if code else 0)
        self.before_task_step(running)

    def cut(self) -> None:
        """Tell of the step within which this is called, as far as it has come."""
        if self.step:
            self._tell(self.recorder.current_task(), _YIELDS, 0, 0, 0, self.recorder.now())

    # -- what trio calls ------------------------------------------------------------------------------------------

    def before_run(self) -> None:
        from trio.lowlevel import current_trio_token

        self.token = current_trio_token()

    def after_run(self) -> None:
        self.token = None
        self._on_end()

    def task_spawned(self, task: Any) -> None:
        self.recorder.enter_task(task)

    def task_scheduled(self, task: Any) -> None:
        now_ns = self.recorder.now()
        waiting = self._waiting.pop(task, None)
        if waiting is not None and not self.step and waiting.kind != _IO:
            now_ns = _due_ns(waiting, now_ns)
        self._ready[task] = (self.step, now_ns)

    def before_task_step(self, task: Any) -> None:
        self._errors = _errors(task)
        self._ended = 0
        self.step = self._steps = self._steps + 1
        self._start_ns = self.recorder.now()
        self._by, self._ready_ns = self._ready.pop(task, (0, self._start_ns))

    def task_exited(self, task: Any) -> None:
        number = self.recorder.number_of(task)
        self._ended = self.recorder.exited(number, _outcome_of(task, self._errors))

    def after_task_step(self, task: Any) -> None:
        recorder = self.recorder
        end_ns = recorder.now()
        number = recorder.number_of(task)
        outcome, kind, code, offset = self._ended, 0, 0, 0
        if outcome:
            del recorder.numbers[task]
        else:
            kind, code, place = recorder.search(task.coro)
            offset = place.cr_frame.f_lasti if code else 0
            outcome = _YIELDS if task in self._ready else _WAITS
            if outcome == _WAITS:
                kind = kind or _FUTURE
                self._waiting[task] = _Waiting(end_ns, _deadline_s(), kind)
        self._tell(number, outcome, kind, code, offset, end_ns)

    def before_io_wait(self, timeout: float) -> None:
        self.recorder.idle()

    def after_io_wait(self, timeout: float) -> None:
        """A turn of the loop begins: as often as asyncio's, it puts off whoever looks at it."""
        looker = self.recorder.sampler
        if looker is not None and self.recorder.now() > looker.due_ns:
            looker.moved_on()

    def _tell(self, number: int, outcome: int, kind: int, code: int, offset: int, end_ns: int) -> None:
        recorder, start_ns = self.recorder, self._start_ns
        gap_ns, ready_ns = start_ns - self._last_ns, max(0, start_ns - self._ready_ns)
        event = (gap_ns, end_ns - start_ns, number, self._by, ready_ns, 0, outcome, kind, code, offset)
        try:
            recorder.append(recorder.pack(*event))
        except TooLarge:
            recorder.extend(event)
        self._last_ns = end_ns
        if end_ns - start_ns > _LONG_STEP_NS:
            recorder.long_step(self.step)
        self.step = 0


def _family(task: Any) -> Iterator[Any]:
    """A task and all that descend from it, parents first."""
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from _family(child)


def _deadline_s() -> float:
    """When the task that has just stopped is woken at the latest, on trio's clock."""
    import trio

    return trio.current_effective_deadline()


def _due_ns(waiting: _Waiting, now_ns: int) -> int:
    """When a task became ready that trio itself has woken: at its deadline, if that has passed, or now."""
    import trio

    late_s = trio.current_time() - waiting.deadline_s
    return max(waiting.since_ns, now_ns - round(late_s * 1e9)) if late_s > 0 else now_ns


# -- how a task ended: trio gives this to the nursery, and not to its instruments -------------------------------


def _errors(task: Any) -> int:
    """How many exceptions a task's nursery has of tasks that are over."""
    nursery = task.parent_nursery
    return 0 if nursery is None else len(nursery._pending_excs)


def _outcome_of(task: Any, errors_before: int) -> TaskOutcome:
    """How the task ended whose last step this is. Nothing else adds to its nursery's exceptions in that step."""
    nursery = task.parent_nursery
    error = None
    if task is task._runner.main_task:
        error = getattr(task._runner.main_task_outcome, "error", None)
    elif nursery is not None and len(nursery._pending_excs) > errors_before:
        error = nursery._pending_excs[-1]
    if error is None:
        return "returned"
    return "cancelled" if _is_cancelled(error) else "raised"


def _is_cancelled(error: BaseException) -> bool:
    """Whether an exception is trio's word for a cancellation, or a group of nothing else."""
    from trio import Cancelled

    if isinstance(error, BaseExceptionGroup):
        return all(_is_cancelled(each) for each in error.exceptions)
    return isinstance(error, Cancelled)
