"""A finished recording, frozen: what people and checks ask, and what the views draw.

A `Trace` holds rows (see `rows`) and answers questions that need nothing but rows. Rows may be a `Table`, which
makes them from columns when they are asked for; so questions about all rows are answered from columns. It does not
know how they were recorded (`recorder`), how they travel (`store`), or how they look (`playground.views`, which its
doors at the bottom open only when asked).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from playground import files
from playground.trace import shares, store
from playground.trace.blocks import block_of, waits_held
from playground.trace.groups import Groups, inherited, most_at_once
from playground.trace.job_rows import Job, Segment, Worker
from playground.trace.looks import Look, inside
from playground.trace.moments import last_moment
from playground.trace.placed import Origin, Place, put_copy
from playground.trace.ready import ready_spans
from playground.trace.rows import (
    Block,
    Handoff,
    Loss,
    Request,
    Sample,
    Span,
    Step,
    Task,
    Wait,
)
from playground.trace.table import Table, column
from playground.trace.tables import NO_INT

if TYPE_CHECKING:
    from playground.views.findings import Findings
    from playground.widgets import Stacked, Theatre, Timeline, Waterfall

__all__ = ["Clock", "Trace"]

Clock = Literal["real", "virtual"]


class Trace:
    """One run, as it was recorded. All arguments are attributes. Times are whole nanoseconds since the run began.

    Args:
        steps, tasks, waits, handoffs, requests: the rows, each in order of its start (tasks: of creation).
        samples: looks at the loop's thread during long steps, in order of time.
        spans: the layers of the app that requests passed through, each after the one that called it.
        losses: coroutines that nobody awaited and exceptions that nobody asked for, in order of time.
        workers, jobs, segments: of a workload that ran in one of several ways: who carried it out; its jobs, in order
            of their numbers; and what became of each in its time, in order of start.
        duration_ns: length of the run; by default up to the last moment in any row.
        clock: `real`, or `virtual` where time jumps from timer to timer.
        dropped: how many events the recorder let go because its ring was full.
        forgotten: how many rows of other kinds it let go with them, by the table's name; those that are not
            named there, none. A row that would point at such a row says `None`.
        title: what to call the run.
        ending: how it ended before all was done, in words, such as `timed out after 2 s`; empty if it did not.
    """

    def __init__(
        self,
        *,
        steps: "Sequence[Step]" = (),  # quoted, as help() shows it
        tasks: "Sequence[Task]" = (),
        waits: "Sequence[Wait]" = (),
        handoffs: "Sequence[Handoff]" = (),
        requests: "Sequence[Request]" = (),
        samples: "Sequence[Sample]" = (),
        spans: "Sequence[Span]" = (),
        losses: "Sequence[Loss]" = (),
        workers: "Sequence[Worker]" = (),
        jobs: "Sequence[Job]" = (),
        segments: "Sequence[Segment]" = (),
        duration_ns: int | None = None,
        clock: Clock = "real",
        dropped: int = 0,
        forgotten: "Mapping[str, int] | None" = None,
        title: str = "Run",
        ending: str = "",
    ) -> None:
        self.steps = steps
        self.tasks = tasks
        self.waits = waits
        self.handoffs = handoffs
        self.requests = requests
        self.samples = samples
        self.spans = spans
        self.losses = losses
        self.workers = workers
        self.jobs = jobs
        self.segments = segments
        self.clock: Clock = clock
        self.dropped = dropped
        self.forgotten = {kind: count for kind, count in (forgotten or {}).items() if count}
        self.title = title
        self.ending = ending
        self._columns: dict[tuple[str, str], Sequence[int]] = {}
        self.duration_ns = last_moment(self._column, self.requests) if duration_ns is None else duration_ns
        self._place()

    def __repr__(self) -> str:
        return (
            f"<Trace {self.title!r}: {self.duration_ns / 1e6:.1f} ms {self.clock}, "
            + (f"{len(self.jobs)} jobs, " if self.jobs else f"{len(self.requests)} requests, ")
            + f"{len(self.steps)} steps, {len(self.handoffs)} hand-offs>"
        )

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)
        self._place()  # copies of rows do not know what they are of

    # -- questions -------------------------------------------------------------------------------------

    def blocks(self, threshold_s: float = 0.05) -> list[Block]:
        """Steps that held the loop for at least `threshold_s` seconds, in order.

        What counts is wall time less the time in which the thread could not run: because the system did not run it,
        because another thread computed and had the interpreter, or because the garbage collector ran. So neither a busy
        machine nor a busy worker, nor a full heap, is mistaken for a busy handler; of the second, `locked_out` tells.
        """
        threshold_ns = round(threshold_s * 1e9)
        return [block for block in self._long(threshold_ns) if block.duration_ns >= threshold_ns]

    def locked_out(self, threshold_s: float = 0.05) -> list[Block]:
        """Steps in which the loop's thread waited for the interpreter for at least `threshold_s` seconds, in order.

        Such a wait is a block's `lock_ns`. It is known of steps that were looked at, on Linux; and in virtual time.
        """
        threshold_ns = round(threshold_s * 1e9)
        return [block for block in self._long(max(1, threshold_ns)) if block.lock_ns >= max(1, threshold_ns)]

    def ran_ns(self, step: int) -> int:
        """How long the thread ran or slept in the step of that index: wall time, less other waits that are known."""
        return self._block(step).duration_ns

    @cached_property
    def waits_held(self) -> dict[int, int]:
        """The waits of jobs that held a loop: the step within which it did nothing else, by the segment's index."""
        starts, durations = self._column("steps", "start_ns"), self._column("steps", "duration_ns")
        return waits_held(self.segments, self.workers, starts, durations)

    def inside(self, step: int) -> list[Look]:
        """What was seen inside the step of that index: stretches of one line each; none if nobody looked."""
        return list(inside(self.steps[step], self._samples_of.get(step, ())))

    def ready_ns(self, task: int) -> int:
        """How long a task was ready to run but queued behind others, in all. `task` indexes `tasks`."""
        return sum(end - start for start, end in self.ready_spans(task))

    def ready_spans(self, task: int) -> list[tuple[int, int]]:
        """When a task was ready and queued: spans of (start, end) in nanoseconds, in order, none empty.

        What the recording does not tell is left out: the time after a step that waited for something whose
        wait was not recorded, and the time before the first step where earlier ones may have been dropped.
        """
        starts, ends = self._column("waits", "start_ns"), self._column("waits", "end_ns")
        waits = [(starts[index], ends[index]) for index in self.waits_of.get(task, ())]
        return ready_spans(self._steps_of(task), waits, self._created_ns(task))

    @cached_property
    def max_overlap(self) -> int:
        """The greatest number in progress at one moment: of jobs, else of requests, else of tasks."""
        starts, ends = ("requests", "start_ns"), ("requests", "end_ns")
        if self.jobs:
            starts, ends = ("jobs", "started_ns"), ("jobs", "ended_ns")
        elif not self.requests:
            starts, ends = ("tasks", "created_ns"), ("tasks", "ended_ns")
        ended = (self.duration_ns if end == NO_INT else end for end in self._column(*ends))
        return most_at_once(life for life in zip(self._column(*starts), ended, strict=True) if life[0] != NO_INT)

    @cached_property
    def parallel_share(self) -> float | None:
        """Of the time in which a worker could compute, the share, 0 to 1, in which two could; `None` if unknown."""
        return shares.parallel_share(self.segments, self.workers)

    @cached_property
    def gil_share(self) -> float | None:
        """Of the time in which jobs wanted to compute, the share, 0 to 1, that they waited for the lock; or `None`."""
        return shares.gil_share(self.segments)

    @cached_property
    def switches(self) -> int:
        """How often an interpreter went from one job to another: see `shares.switches`."""
        return shares.switches(self.segments, self.workers)

    @cached_property
    def steps_of(self) -> Groups:
        """For each task that ran, the indexes of its steps, in order."""
        return Groups(self._column("steps", "task"))

    @cached_property
    def waits_of(self) -> Groups:
        """For each task that waited, the indexes of its waits, in order."""
        return Groups(self._column("waits", "task"))

    @cached_property
    def request_of(self) -> dict[int, int]:
        """For each task that worked for a request, the index of that request: its own, or its ancestors'."""
        own = {task: index for index, task in enumerate(self._column("requests", "task")) if task}
        return {task - 1: index for task, index in inherited(own, self._column("tasks", "parent")).items()}

    # -- keeping ---------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the recording to a file, for `Trace.load`; raises as `playground.trace.store.save`."""
        store.save(self, path)

    @classmethod
    def load(cls, path: str | Path, *, most_bytes: int = store.MOST_BYTES) -> "Trace":
        """Read a recording that `save` wrote.

        Args:
            path: the file.
            most_bytes: how much memory the recording may take, in bytes: a file of a few megabytes may say that it
                holds gigabytes.

        Raises:
            TraceError: the file is no recording, damaged, too large, or of a version that this release does not know.
        """
        return store.load(cls, path, most_bytes)

    # -- doors to the views, opened on demand; files are written as `playground.files.write` says -------

    @property
    def summary(self) -> str:
        """What happened, in a line."""
        from playground.views.text import summary

        return summary(self)

    @property
    def diagnosis(self) -> "Findings":
        """What went wrong: a list of findings, each with its evidence; it is shown as its sentences."""
        from playground.views.diagnosis import diagnose

        return diagnose(self)

    def __str__(self) -> str:
        """The whole of it as text: a line that sums it up, the findings, the timeline."""
        from playground.views.text import report

        return report(self)

    def timeline(self) -> "Timeline | Stacked":
        """The interactive timeline, as a widget; of jobs that no recorded loop carried out, their workers' lanes."""
        from playground.widgets import Stacked, Timeline

        return Stacked({self.title: self}, title=self.title) if self.jobs and not self.steps else Timeline(self)

    def waterfall(self, request: int) -> "Waterfall":
        """Where a request's time went, as a widget; `request` indexes `requests`."""
        from playground.widgets import Waterfall

        return Waterfall(self, request)

    def theatre(self, *, predict: bool = False) -> "Theatre":
        """The loop theatre, as a widget: the event loop's steps as a play, forward, back and at any speed.

        Args:
            predict: hide what runs next until the reader has chosen among those that could.
        """
        from playground.widgets import Theatre

        return Theatre(self, predict=predict)

    def to_svg(self, path: str | Path | None = None) -> str:
        """The timeline as a static SVG picture; also written to `path` if one is given."""
        from playground.views.svg import svg

        text = svg(self)
        if path is not None:
            files.write_text(path, text)
        return text

    def to_html(self, path: str | Path) -> None:
        """Write one HTML file that needs no network: timeline, theatre, and the waterfalls of some requests.

        Which requests those are, and what else is left out of a long recording, the page says.
        """
        from playground.widgets.page import page

        files.write_text(path, page(self))

    def to_chrome(self, path: str | Path) -> None:
        """Write the recording as a Chrome trace, in JSON, for Perfetto or chrome://tracing."""
        from playground.views.chrome import chrome_lines

        files.write(path, (f"{line}\n".encode("ascii") for line in chrome_lines(self)))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from playground.widgets.display import mimebundle

        return mimebundle(self)

    # -- inside ----------------------------------------------------------------------------------------

    def _place(self) -> None:
        """Have the requests know that they are of this trace."""
        rows = self.requests
        origin = Origin(self, partial(_made_of, type(self), dict(vars(self))))
        if isinstance(rows, Table):
            self.requests = rows.placed(origin)
        else:
            copies = [put_copy(row, Place(origin, index)) for index, row in enumerate(rows)]
            self.requests = copies if isinstance(rows, list) else tuple(copies)

    def _column(self, table: str, field: str) -> Sequence[int]:
        """A field of all rows of a table, as numbers: see `playground.trace.table.column`."""
        if (table, field) not in self._columns:
            self._columns[table, field] = column(getattr(self, table), table, field)
        return self._columns[table, field]

    def _created_ns(self, task: int) -> int | None:
        """When a task was created; `None` if its first steps may be among the events dropped, the oldest."""
        created_ns, starts = self._column("tasks", "created_ns")[task], self._column("steps", "start_ns")
        return None if self.dropped and starts and created_ns < starts[0] else created_ns

    def _steps_of(self, task: int) -> list[tuple[int, int, int]]:
        """Start, end and outcome of each step of a task."""
        starts, durations, outcomes = (self._column("steps", each) for each in ("start_ns", "duration_ns", "outcome"))
        return [(starts[at], starts[at] + durations[at], outcomes[at]) for at in self.steps_of.get(task, ())]

    @cached_property
    def _samples_of(self) -> dict[int, list[Sample]]:
        samples_of: dict[int, list[Sample]] = defaultdict(list)
        for sample in self.samples:
            samples_of[sample.step].append(sample)
        return samples_of

    def _long(self, threshold_ns: int) -> Iterator[Block]:
        """Steps whose wall time is at least so long, whatever the thread did in it."""
        for index, wall_ns in enumerate(self._column("steps", "duration_ns")):
            if wall_ns >= threshold_ns:
                yield self._block(index)

    def _block(self, step: int) -> Block:
        return block_of(step, self.steps[step], self._samples_of.get(step, ()), self._slept_ns.get(step, 0))

    @cached_property
    def _slept_ns(self) -> "Counter[int]":
        """How long jobs are known to have waited within steps of a loop, by the step."""
        slept_ns = Counter[int]()
        for segment, step in self.waits_held.items():
            slept_ns[step] += self.segments[segment].end_ns - self.segments[segment].start_ns
        return slept_ns


def _made_of(kind: type[Trace], state: Mapping[str, Any]) -> Trace:
    """A trace of what another was made of."""
    trace = kind.__new__(kind)
    trace.__setstate__(state)
    return trace
