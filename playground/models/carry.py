"""What happens in an experiment's process: a model carries out the jobs, and if it is an event loop it is recorded.

It decides when the clock starts and stops, and gives back what came of the jobs with the loop's recording, as bytes. It
refuses to know what becomes of them.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from playground.models.base import Model
from playground.models.jobs import Jobs, Outcome
from playground.models.kinds import Moment
from playground.models.left import leaving
from playground.models.looker import looked_at
from playground.models.meter import sleeps_recorded
from playground.models.rows import current
from playground.models.tasks import task_name
from playground.models.workload import Workload, name_of
from playground.trace.build import build
from playground.trace.store import dump
from playground.watching.session import Session

__all__ = ["Recording", "Report", "carry_out"]


@dataclass(frozen=True)
class Recording:
    """What an event loop did.

    Attributes:
        trace: as bytes, see `playground.trace.store.restore`.
        origin_ns: the moment from which it counts time, by `perf_counter_ns`.
    """

    trace: bytes
    origin_ns: int


@dataclass(frozen=True)
class Report:
    """What came of an experiment whose process lived to tell it."""

    outcomes: dict[int, Outcome]
    recording: Recording | None


def carry_out(model: Model, jobs: Jobs, record: bool) -> Report:
    """Carry out all jobs. To be called in the experiment's process.

    Args:
        model: in which way.
        jobs: what.
        record: whether an event loop is to be recorded.
    """
    with contextlib.ExitStack() as borrowed:
        jobs.leave = borrowed.enter_context(leaving(current().folder)).leave
        if jobs.workload.plain is not None:
            borrowed.callback(sleeps_recorded())
            if model.shares_lock and jobs.known.why:
                borrowed.enter_context(looked_at())
        session = borrowed.enter_context(_session()) if record and model.is_loop else None
        jobs.mark(Moment.STARTED)
        model.drive(jobs)
        jobs.mark(Moment.STOPPED)
    return Report(
        jobs.outcomes, None if session is None else _recording(session, _coroutine(model, jobs.workload), jobs)
    )


@contextlib.contextmanager
def _session() -> Iterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()


def _coroutine(model: Model, workload: Workload) -> str:
    """What to call what a job's task runs: a coroutine of ours, or of anyio's, is around it."""
    if workload.is_ours:
        return "job"
    return name_of(workload.awaitable) if model.calls == "coroutine" else f"{name_of(workload.plain)}()"


def _recording(session: Session, coroutine: str, jobs: Jobs) -> Recording | None:
    told = session.recorders()
    if not told:
        return None
    recorder, _ = told[0]
    names = {task_name(number) for number in jobs.numbers}
    for task in recorder.tasks.values():
        if task.name in names:
            task.coroutine = coroutine
    return Recording(dump(build(recorder)), recorder.started_ns)
