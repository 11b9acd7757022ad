"""A workload's jobs in the process that carries them out: each is submitted, begun, ended and handed back.

A model calls `work` where its library runs a function and awaits `task` where it runs a coroutine; what these write
down is the same for all. A job that raises is over, and its error is kept; the others go on. It decides what a job does
and what came of it; it refuses to know who calls it, and in which order.
"""

import pickle
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from inspect import iscoroutinefunction
from time import perf_counter_ns
from typing import Any, Final

from playground.models.kinds import Moment
from playground.models.meter import Meter, current_meter, current_sleeper, sleeps_recorded
from playground.models.parcel import Failure, Source, failed, know, opened, packed, result_of
from playground.models.rows import current
from playground.models.units import Senses, units_of
from playground.models.workload import Workload
from playground.models.written import as_written

__all__ = ["Jobs", "Outcome", "Sent", "left_of", "settle", "work_here"]


@dataclass(frozen=True)
class Outcome:
    """What came of a job that ended.

    Attributes:
        job: its number.
        result: as bytes, see `parcel.received`; `None` if it has none.
        failure: why not.
    """

    job: int
    result: bytes | None = None
    failure: Failure | None = None


_MOST_BYTES: Final = 1 << 16
"""Of a result that is left as soon as it is there. To copy a large one would take the time of the jobs that go on."""


def left_of(pieces: Iterable[bytes]) -> dict[int, Outcome]:
    """What came of jobs whose process did not live to report it, as far as it was left (see `left`)."""
    outcomes: list[Outcome] = [pickle.loads(piece) for piece in pieces]
    return {outcome.job: outcome for outcome in outcomes}


class _Sleeps:
    """Arrives in a process as the record of its sleeps: it comes before the functions that may hold `time.sleep`."""

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return sleeps_recorded, ()


class Jobs:
    """The jobs of one experiment.

    Args:
        workload: what to do.
        loops: how many turns a unit of work takes.
        known: what the system tells.

    Attributes:
        known: what was given.
        leave: takes what came of each job, as bytes, as soon as that is known; see `left_of`.
        outcomes: what came of the jobs that have been handed back, by number.
    """

    def __init__(self, workload: Workload, loops: int, known: Senses) -> None:
        self.workload = workload
        self.outcomes: dict[int, Outcome] = {}
        self.leave: Callable[[bytes], None] = _nothing
        self._loops = loops
        self.known = known
        first = units_of(workload.cpu_s)
        self._units = first - first // 2, first // 2

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (_Sleeps(), self.workload, self._loops, self.known)

    @property
    def numbers(self) -> range:
        return range(self.workload.jobs)

    @property
    def function(self) -> Callable[[int], Any]:
        """What a thread calls, for its name and its line; if it is ours, it is not to be called."""
        if self.workload.plain is not None:
            return self.workload.plain
        return self._ours(time.sleep, _nothing, _nothing, is_async=False)

    def mark(self, moment: Moment, number: int = 0) -> None:
        """Write down that a moment has come."""
        now_ns = perf_counter_ns()
        current().add(moment, number, now_ns, now_ns, 0)

    def submit(self, number: int) -> int:
        """Write down that a job is asked for now. Gives its number."""
        self.mark(Moment.SUBMITTED, number)
        return number

    def back(self, outcome: Outcome) -> None:
        """Who asked for a job goes on with what came of it: of a job whose worker said that it is over."""
        self.mark(Moment.HANDED_BACK, outcome.job)
        self.keep(outcome)

    def keep(self, outcome: Outcome) -> None:
        """What came of a job, where nothing was handed from one to another."""
        self.outcomes[outcome.job] = outcome
        if len(outcome.result or b"") <= _MOST_BYTES:
            self.leave(pickle.dumps(outcome, protocol=5))

    def lost(self, number: int, error: BaseException) -> None:
        """A job ended that could not say so itself, such as by the death of its process."""
        self.mark(Moment.RAISED, number)
        self.keep(Outcome(number, failure=failed(error)))

    # -- one job -------------------------------------------------------------------------------------------------

    def work(
        self,
        number: int,
        sleep: Callable[[float], object],
        around: "Callable[[Meter], Any]" = nullcontext,
    ) -> Outcome:
        """Do a job in the calling thread.

        Args:
            number: which.
            sleep: how a job of ours waits.
            around: a context within which it is done, given its clock.
        """
        meter = Meter(current(), number, self.known)
        meter.mark(Moment.BEGAN)
        try:
            with around(meter):
                result = self._call(number, meter, sleep)
            outcome = _returned(number, result)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (it is told, and the other jobs go on)
            outcome = Outcome(number, failure=failed(error))
        meter.mark(Moment.RETURNED if outcome.failure is None else Moment.RAISED)
        return outcome

    def _call(self, number: int, meter: Meter, sleep: Callable[[float], object]) -> object:
        function = self.workload.plain
        if function is not None:
            with current_meter(meter):
                return function(number)
        return self._ours(sleep, self._sleeps(meter, sleep), self._computes(meter), is_async=False)(number)

    async def task(self, number: int, sleep: Callable[[float], Awaitable[object] | None]) -> None:
        """Do a job in a task of its own, and keep what came of it. A job of ours may sleep by what is not awaited.

        What an async function does between its beginning and its end is told by the recording of its loop, but for the
        sleeps by which it holds the loop.
        """
        meter = Meter(current(), number, self.known)
        meter.mark(Moment.BEGAN)
        try:
            outcome = _returned(number, await self._await(number, meter, sleep))
        except (Exception, SystemExit) as error:  # noqa: BLE001  (it is told, and the other jobs go on)
            outcome = Outcome(number, failure=failed(error))
        except BaseException as error:
            meter.mark(Moment.CANCELLED)
            self.keep(Outcome(number, failure=failed(error)))
            raise
        meter.mark(Moment.RETURNED if outcome.failure is None else Moment.RAISED)
        self.keep(outcome)

    async def _await(self, number: int, meter: Meter, sleep: Callable[[float], Awaitable[object] | None]) -> object:
        function = self.workload.awaitable
        if function is not None:
            with current_sleeper(meter):
                return await function(number)
        waits = self._awaits(meter, sleep) if iscoroutinefunction(sleep) else self._sleeps(meter, sleep)
        return await self._ours(sleep, waits, self._computes(meter), is_async=True)(number)

    # -- what a job of ours calls --------------------------------------------------------------------------------

    def _sleeps(self, meter: Meter, sleep: Callable[[float], object]) -> Callable[[float], None]:
        def waits(seconds: float) -> None:
            start_ns = meter.rests()
            sleep(self.workload.wait_s)
            meter.rested(start_ns, self.workload.wait_s)

        return waits

    def _awaits(self, meter: Meter, sleep: Callable[[float], Any]) -> Callable[[float], Coroutine[Any, Any, None]]:
        async def waits(seconds: float) -> None:
            start_ns = meter.rests()
            await sleep(self.workload.wait_s)
            meter.rested(start_ns, self.workload.wait_s)

        return waits

    def _computes(self, meter: Meter) -> Callable[[float], None]:
        halves = iter(self._units)
        return lambda seconds: meter.burn(next(halves), self._loops)

    def _ours(
        self,
        sleep: Callable[[float], Any],
        waits: Callable[[float], Any],
        computes: Callable[[float], None],
        *,
        is_async: bool,
    ) -> Callable[[int], Any]:
        """A job of ours: computing, a wait, and computing."""
        job = self.workload
        return as_written(job.cpu_s, job.wait_s, sleep, waits=waits, computes=computes, is_async=is_async)


def _nothing(_: object) -> None:
    pass


def _arrived(_: object, workload: Workload, loops: int, known: Senses) -> Jobs:
    return Jobs(workload, loops, known)


def _returned(number: int, result: object) -> Outcome:
    return Outcome(number, result_of(result))


class Sent:
    """Jobs that are handed to another process by multiprocessing, which cannot send a function within a function.

    Args:
        jobs: those.
    """

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    def __reduce__(self) -> tuple[Any, ...]:
        return _unsent, packed(_the_same, (self.jobs,))


def _the_same(jobs: Jobs) -> Jobs:
    return jobs


def _unsent(parcel: bytes, texts: dict[str, Source]) -> Sent:
    know(texts)
    function, args = opened(parcel)
    return Sent(function(*args))


_here: Final[list[Jobs]] = []


def settle(sent: Sent) -> None:
    """In each process or interpreter of a pool, once: these are the jobs that it will be asked for by number."""
    _here[:] = [sent.jobs]


def work_here(number: int) -> Outcome:
    """Do a job of those that were settled here."""
    return _here[0].work(number, time.sleep)
