"""Ways to run the same jobs, one below the other on one axis: which lanes each has, and what is drawn in them.

A worker has a lane. Where its jobs overlap, as tasks on a loop do, or jobs that queue for a pool, that lane shows what
keeps the worker busy, and below it each job has its own, so that all are seen that wait at once. Every span is a
segment of a recording, but for a function's run that had a processor for less than half of it, such as one that waited
for a file: when it had it is not known, so that is drawn first, and the rest as off the processor. A wait within one
step of a loop holds the loop, and is drawn so in the loop's lane. It decides lanes and their order; it refuses to know
pixels, characters and bytes, and its sentences are those of `stacked_words`.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from playground.trace import Segment, SegmentKind, Site, Trace
from playground.views.diagnosis import Findings, diagnose
from playground.views.kinds import BLOCKED, OFF_CPU, SEGMENT_KIND, kinds_of_jobs
from playground.views.lanes import Arrows, Lanes, RequestFacts, Row, pack_lives
from playground.views.stacked_words import told_of
from playground.views.whats import Whats
from playground.views.wording import counted, duration, one_line, part_of

__all__ = ["TITLE", "Stack", "Way", "stack"]

TITLE: Final = "Ways to run the same jobs"

_MOST_LANES: Final = 200
"""Lanes of one way that are drawn at all: more are no longer looked at."""
_MOST_TIMED: Final = 20_000
"""Segments of which the processor time is told one by one; beyond, it is told of each job."""

_LEAST_AWAY_NS: Final = 1_000_000
"""So long must a run have had no processor for that to be drawn: less is an operating system's daily business."""

_BUSY: Final[frozenset[SegmentKind]] = frozenset({"run", "preempt", "gil", "off_cpu"})
"""What keeps a worker from doing anything else."""


class Way(NamedTuple):
    """One way to run the jobs.

    Attributes:
        name: what it is called, in a line.
        trace: its recording.
        told: what it did, in words.
        rows: its lanes, from the top down: of `worker` rows, and of `request` rows, which are jobs'.
        lives: for each `request` row, from when to when its jobs were there, in the same order.
        left_out: how many lanes are not among them.
    """

    name: str
    trace: Trace
    told: str
    rows: tuple[Row, ...]
    lives: tuple[Row, ...]
    left_out: int

    @property
    def note(self) -> str:
        """What stands behind its name."""
        return f"{self.told} · {counted(self.left_out, 'more lane')} not drawn" if self.left_out else self.told

    @property
    def broken(self) -> Findings:
        """What its recording's diagnosis finds broken."""
        return Findings([finding for finding in diagnose(self.trace) if finding.severity == "bad"])

    @property
    def troubles(self) -> list[str]:
        """The same in short, a line each; of the jobs that raised, why the first did."""
        told = [finding.parts[0][1] for finding in self.broken if not finding.rule.startswith("job-")]
        raised = (job for job in self.trace.jobs if job.outcome == "raised" and job.error is not None)
        return told + [f"Job {job.number} raised {one_line(job.error or '')}" for job in islice(raised, 1)]


class Stack(NamedTuple):
    """Ways to run the same jobs, in order.

    Attributes:
        laid: the rows of all, below a heading each; of a single way, whose title and summary tell all, without one.
        duration_ns: of the longest.
    """

    ways: tuple[Way, ...]
    laid: Lanes
    duration_ns: int

    @property
    def summary(self) -> str:
        """How many there are, and which was the fastest of those that came to their ends: a line."""
        if len(self.ways) < 2:
            return self.ways[0].note if self.ways else "no ways"
        ended = sorted((way for way in self.ways if not way.trace.ending), key=lambda way: way.trace.duration_ns)
        broken = [way.name for way in self.ways if way.trace.ending]
        first_and_last = ended if len(ended) < 3 else (ended[0], ended[-1])
        told = " to ".join(f"{way.name} {duration(way.trace.duration_ns)}" for way in first_and_last)
        return " · ".join(filter(None, (counted(len(self.ways), "way"), told, _not_ended(broken, len(self.ways)))))


def _not_ended(names: Sequence[str], ways: int) -> str:
    if len(names) == ways:
        return "none of them came to its end"
    if len(names) < 2:
        return f"{names[0]} did not come to its end" if names else ""
    return f"{len(names):,} did not come to their ends"


def stack(traces: Mapping[str, Trace]) -> Stack:
    """Lay recordings of jobs out below one another, each under its name."""
    whats, facts = Whats(), list[RequestFacts]()
    timed = sum(len(trace.segments) for trace in traces.values()) <= _MOST_TIMED
    ways: list[Way] = []
    for given, trace in traces.items():
        name, base = one_line(given), len(facts)
        facts += _facts(name, trace)
        first_lane = sum(len(way.lives) for way in ways)
        rows, lives, left_out = _rows(_Drawn(trace, whats, base, timed), first_lane)
        ways.append(Way(name, trace, told_of(trace), tuple(rows), tuple(lives), left_out))
    duration_ns = max((way.trace.duration_ns for way in ways), default=0)
    headed = [(*([Row("heading", at, way.name)] if len(ways) > 1 else []), *way.rows) for at, way in enumerate(ways)]
    rows = [row for rows_of_way in headed for row in rows_of_way]
    lives = [row for way in ways for row in way.lives]
    laid = Lanes(
        (*rows, *lives), whats.table(), tuple(facts), Arrows(), duration_ns, kinds_of_jobs(), array("q"), "job"
    )
    return Stack(tuple(ways), laid, duration_ns)


def _facts(name: str, trace: Trace) -> Iterator[RequestFacts]:
    for job in trace.jobs:
        failure = "raised" if job.outcome == "raised" else ""
        error = job.error or (None if job.outcome == "returned" else job.outcome)
        yield RequestFacts(job.number, name, "", None, error, failure)


class _Drawn(NamedTuple):
    """A recording being drawn: `base` is the index of its first job among those of all, `timed` as `_MOST_TIMED`."""

    trace: Trace
    whats: Whats
    base: int
    timed: bool

    def add(self, row: Row, segment: Segment, kind: int | None = None) -> None:
        """Draw a segment, by its own kind or by another."""
        told, wall_ns, until_ns = "", segment.end_ns - segment.start_ns, segment.end_ns
        away_ns = _away_ns(segment) if kind is None else 0
        if away_ns:
            until_ns -= away_ns
            told = f"{_on_processor(wall_ns - away_ns, wall_ns)}; when is not known, and it is drawn first"
        elif self.timed and segment.kind == "run" and segment.cpu_ns is not None:
            told = _on_processor(segment.cpu_ns, wall_ns)
        what, job = self.what(segment.job, told), self.base + segment.job
        if segment.start_ns < until_ns or not away_ns:
            row.add(segment.start_ns, until_ns, SEGMENT_KIND[segment.kind] if kind is None else kind, what, job)
        if away_ns:
            row.add(until_ns, segment.end_ns, OFF_CPU, what, job)

    def what(self, job: int, told: str) -> int:
        """What a span of a job is called, with what is told of its processor time."""
        return self.whats(f"job {self.trace.jobs[job].number}", Site("", 0, "", told) if told else None)


def _away_ns(segment: Segment) -> int:
    """Of a run that had a processor for less than half of it, how much it had none; 0 of all others."""
    away_ns = segment.end_ns - segment.start_ns - (segment.cpu_ns or 0)
    is_known = segment.kind == "run" and segment.cpu_ns is not None
    return away_ns if is_known and away_ns > max(_LEAST_AWAY_NS, segment.cpu_ns or 0) else 0


def _on_processor(cpu_ns: int, wall_ns: int) -> str:
    return f"{part_of(min(cpu_ns, wall_ns), wall_ns)} on a processor"


def _rows(drawn: _Drawn, first_lane: int) -> tuple[list[Row], list[Row], int]:
    """The lanes of all workers, those of jobs numbered from `first_lane`; and how many were left out."""
    of_worker: dict[int, list[Segment]] = defaultdict(list)
    for segment in sorted(drawn.trace.segments, key=lambda each: (each.start_ns, each.end_ns)):
        of_worker[segment.worker].append(segment)
    holding = {drawn.trace.segments[index] for index in drawn.trace.waits_held}
    rows: list[Row] = []
    lives: list[Row] = []
    left_out = 0
    for worker in sorted(of_worker):
        name = one_line(drawn.trace.workers[worker].name)
        lanes = _lanes(of_worker[worker])
        room = max(0, _MOST_LANES - len(rows))
        left_out += max(0, len(lanes) - room)
        held = holding.intersection(of_worker[worker])
        if room and (len(lanes) > 1 or held):
            rows.append(Row("worker", worker, name))
            for segment in of_worker[worker]:
                if segment.kind in _BUSY or segment in held:
                    drawn.add(rows[-1], segment, BLOCKED if segment in held else None)
        for lane in lanes[:room]:
            number = first_lane + len(lives)
            rows.append(Row("request", number, name))
            lives.append(Row("life", number, name))
            _fill(drawn, rows[-1], lives[-1], lane)
    return rows, lives, left_out


def _lanes(segments: Sequence[Segment]) -> list[list[list[Segment]]]:
    """A worker's jobs, each as its segments, packed into lanes in which none overlaps another."""
    of_job: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        of_job[segment.job].append(segment)
    jobs = list(of_job.values())
    places = pack_lives((job[0].start_ns, max(each.end_ns for each in job)) for job in jobs)
    lanes: list[list[list[Segment]]] = [[] for _ in range(max(places, default=-1) + 1)]
    for place, job in zip(places, jobs, strict=True):
        lanes[place].append(job)
    return lanes


def _fill(drawn: _Drawn, row: Row, life: Row, lane: Sequence[Sequence[Segment]]) -> None:
    for job in lane:
        for segment in job:
            drawn.add(row, segment)
        start_ns, end_ns = job[0].start_ns, max(each.end_ns for each in job)
        runs = [segment.cpu_ns for segment in job if segment.kind == "run"]
        known = [cpu_ns for cpu_ns in runs if cpu_ns is not None]
        told = _on_processor(sum(known), end_ns - start_ns) if len(known) == len(runs) else ""
        index = job[0].job
        life.add(start_ns, end_ns, SEGMENT_KIND["run"], drawn.what(index, told), drawn.base + index)
