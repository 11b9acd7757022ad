"""From the rows that an experiment's processes have written to its trace: workers, jobs, and what became of each.

The rows may come from many processes, and of some the end is missing. It decides who the workers are and in which order
they are numbered, and what lies between a job's moments: it queued, or was on its way back. It refuses to make up what
no row tells: a job that was never asked for is not there, and one that was killed is pending.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_args

from playground.models.base import Model
from playground.models.carry import Recording
from playground.models.jobs import Outcome
from playground.models.kinds import SEGMENTS, Moment
from playground.models.pieces import divided
from playground.models.queued import parted
from playground.models.rows import Row
from playground.models.tasks import stretches_of_tasks
from playground.models.units import UNKNOWN
from playground.trace import Job, JobOutcome, Segment, SegmentKind, Trace, Worker
from playground.trace.store import restore
from playground.trace.texts import cut

__all__ = ["gathered", "span_ns"]

_KINDS: Final[tuple[SegmentKind, ...]] = get_args(SegmentKind)
_ENDS: Final[dict[int, JobOutcome]] = {
    Moment.RETURNED: "returned",
    Moment.RAISED: "raised",
    Moment.CANCELLED: "cancelled",
}


def span_ns(rows: Sequence[Row], ended_ns: int = 0) -> tuple[int, int]:
    """When the model began and when it stopped; else when its process ended, if that was later than its last word.

    All by `perf_counter_ns`.
    """
    if not rows:
        return 0, 0
    moments = {row.kind: row.start_ns for row in rows if row.kind in (Moment.STARTED, Moment.STOPPED)}
    last_ns = max(ended_ns, *(row.end_ns for row in rows))
    return moments.get(Moment.STARTED, rows[0].start_ns), moments.get(Moment.STOPPED, last_ns)


def gathered(
    model: Model,
    rows: Sequence[Row],
    outcomes: Mapping[int, Outcome],
    recording: Recording | None = None,
    *,
    dropped: int = 0,
    ending: str = "",
    ended_ns: int = 0,
) -> Trace:
    """The trace of an experiment.

    Args:
        model: the model that was run.
        rows: all that was written, by their start.
        outcomes: what came of the jobs, as far as that was told.
        recording: of the event loop, if there was one.
        dropped: how many rows found no room.
        ending: how it ended before its jobs were over, in words; empty if it did not.
        ended_ns: when its process ended, by `perf_counter_ns`; 0 if that is not known.
    """
    rows = divided(rows)
    if model.shares_lock:
        rows = parted(rows, model.interpreter_of)
    loop = None if recording is None else restore(Trace, recording.trace)
    start_ns, stop_ns = span_ns(rows, ended_ns)
    origin_ns = start_ns if recording is None else recording.origin_ns
    workers = _Workers(model, rows)
    lives = _lives(rows)
    known = (*_stretches(rows, lives, workers), *_between(lives, workers), *_asleep(rows, lives, workers, stop_ns))
    segments = [_moved(each, origin_ns) for each in known]
    jobs = [_job(number, life, outcomes.get(number), origin_ns) for number, life in lives.items()]
    if loop is not None:
        told = {segment.job for segment in segments if segment.kind == "run"}
        began = {at: workers.of(life[Moment.BEGAN]) for at, life in enumerate(lives.values()) if Moment.BEGAN in life}
        untold = {at: worker for at, worker in began.items() if at not in told}
        segments += list(stretches_of_tasks(loop, jobs, untold, segments))
    segments.sort(key=lambda each: (each.start_ns, each.end_ns, each.job))
    return Trace(
        **({} if loop is None else _tables(loop)),
        workers=workers.listed,
        jobs=jobs,
        segments=segments,
        duration_ns=max(0, stop_ns - origin_ns),
        dropped=dropped + (0 if loop is None else loop.dropped),
        forgotten={} if loop is None else loop.forgotten,
        title=model.title,
        ending=ending,
    )


def _tables(loop: Trace) -> dict[str, Any]:
    names = ("steps", "tasks", "waits", "handoffs", "requests", "samples", "spans", "losses")
    return {name: getattr(loop, name) for name in names}


class _Workers:
    """Who carried out jobs, numbered in the order in which they were first seen.

    Attributes:
        listed: the workers.
    """

    def __init__(self, model: Model, rows: Iterable[Row]) -> None:
        self.listed: list[Worker] = []
        self._model = model
        self._index: dict[tuple[int, ...], int] = {}
        self._threads: dict[tuple[int, ...], int] = {}
        for row in rows:
            if row.kind == Moment.BEGAN or row.kind < len(_KINDS):
                self._meet(row)

    def of(self, row: Row) -> int:
        """Who wrote a row, as an index."""
        return self._index[self._model.worker_of(row)]

    def _meet(self, row: Row) -> None:
        key, interpreter = self._model.worker_of(row), self._model.interpreter_of(row)
        if key in self._index:
            return
        self._threads[interpreter] = self._threads.get(interpreter, 0) + 1
        number = len(self._index) + 1
        self._index[key] = number - 1
        process = list(self._threads).index(interpreter) + 1
        name = self._model.called.format(number)
        self.listed.append(Worker(process, self._threads[interpreter], self._model.worker, name))


_Life = dict[int, Row]
"""Of one job, the row of each moment."""


def _lives(rows: Iterable[Row]) -> dict[int, _Life]:
    """The jobs that were asked for, by number."""
    lives: dict[int, _Life] = {}
    for row in rows:
        if Moment.SUBMITTED <= row.kind <= Moment.HANDED_BACK:
            lives.setdefault(row.job, {}).setdefault(row.kind, row)
    return {number: lives[number] for number in sorted(lives) if Moment.SUBMITTED in lives[number]}


def _end(life: _Life) -> Row | None:
    return next((life[kind] for kind in _ENDS if kind in life), None)


def _job(number: int, life: _Life, outcome: Outcome | None, origin_ns: int) -> Job:
    began, end = life.get(Moment.BEGAN), _end(life)
    return Job(
        number=number,
        submitted_ns=life[Moment.SUBMITTED].start_ns - origin_ns,
        started_ns=None if began is None else began.start_ns - origin_ns,
        ended_ns=None if end is None else end.start_ns - origin_ns,
        outcome="pending" if end is None else _ENDS[end.kind],
        error=None if outcome is None or outcome.failure is None else cut(str(outcome.failure)),
    )


def _stretches(rows: Iterable[Row], lives: Mapping[int, _Life], workers: _Workers) -> Iterable[Segment]:
    """What the jobs told themselves, as long as it lasted for any time at all."""
    index = {number: at for at, number in enumerate(lives)}
    for row in rows:
        if row.kind < len(_KINDS) and row.start_ns < row.end_ns and row.job in index:
            kind = _KINDS[row.kind]
            cpu_ns = None if row.cpu_ns == UNKNOWN else row.cpu_ns if kind == "run" else 0
            yield Segment(index[row.job], kind, row.start_ns, row.end_ns, cpu_ns, workers.of(row))


def _between(lives: Mapping[int, _Life], workers: _Workers) -> Iterable[Segment]:
    """What lies between a job's moments: it was asked for and not begun, it was done and not handed back."""
    for index, life in enumerate(lives.values()):
        if (began := life.get(Moment.BEGAN)) is None:
            continue
        pairs: list[tuple[SegmentKind, Row | None, Row | None]] = [
            ("queue", life[Moment.SUBMITTED], began),
            ("handoff", _end(life), life.get(Moment.HANDED_BACK)),
        ]
        for kind, first, last in pairs:
            if first is not None and last is not None and first.start_ns < last.start_ns:
                yield Segment(index, kind, first.start_ns, last.start_ns, 0, workers.of(began))


def _asleep(rows: Iterable[Row], lives: Mapping[int, _Life], workers: _Workers, stop_ns: int) -> Iterable[Segment]:
    """Sleeps that were never over: to the end of the job, or of all."""
    asleep: dict[int, int] = {}
    for row in rows:
        if row.kind == Moment.ASLEEP:
            asleep[row.job] = row.start_ns
        elif row.kind == SEGMENTS["wait"] and row.start_ns == asleep.get(row.job):
            del asleep[row.job]
    for index, (number, life) in enumerate(lives.items()):
        began, end = life.get(Moment.BEGAN), _end(life)
        until_ns = stop_ns if end is None else end.start_ns
        if began is not None and number in asleep and asleep[number] < until_ns:
            yield Segment(index, "wait", asleep[number], until_ns, 0, workers.of(began))


def _moved(segment: Segment, origin_ns: int) -> Segment:
    return Segment(
        segment.job,
        segment.kind,
        segment.start_ns - origin_ns,
        segment.end_ns - origin_ns,
        segment.cpu_ns,
        segment.worker,
    )
