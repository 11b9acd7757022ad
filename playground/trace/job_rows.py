"""What a recording says of a workload's jobs, row by row: who carried them out, and what became of each in its time.

They are facts, as all `rows` are, and in the same units. Which way to run jobs makes which of them is for
`playground.models` to know.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Job", "JobOutcome", "Segment", "SegmentKind", "Worker", "WorkerKind"]

SegmentKind = Literal["queue", "run", "wait", "ready", "gil", "preempt", "off_cpu", "handoff"]
WorkerKind = Literal["process", "thread", "loop", "green"]
JobOutcome = Literal["returned", "raised", "cancelled", "pending"]


@dataclass(frozen=True, slots=True)
class Worker:
    """Who carries out jobs: a process, a thread, an event loop, or one who keeps green threads.

    Attributes:
        process: number of its interpreter, from 1, in the order in which they were first seen. Workers of one number
            share an interpreter, and so its lock; where a process holds several interpreters, each has its own number.
        thread: number of its thread within that, from 1, in the same order.
        kind: what it is.
        name: what to call it.
    """

    process: int
    thread: int
    kind: WorkerKind
    name: str


@dataclass(frozen=True, slots=True)
class Job:
    """One of the jobs of a workload, from when it was asked for to its end.

    Attributes:
        number: its number in the workload, from 0.
        submitted_ns: when it was asked for.
        started_ns, ended_ns: when somebody began it, and when it ended; `None` if that never came to pass.
        outcome: how it ended; `pending` if it had not when the recording did.
        error: type and text of the exception that ended it, or `None`.
    """

    number: int
    submitted_ns: int
    started_ns: int | None
    ended_ns: int | None
    outcome: JobOutcome
    error: str | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a job's time in which one thing was true of it.

    Attributes:
        job: an index into `trace.jobs`.
        kind: `queue`, it was asked for and nobody had begun it; `run`, it was on a processor, as far as is known;
            `wait`, it slept or waited for something outside; `ready`, its wait was over and it had not gone on; `gil`,
            it wanted to run and another thread of its interpreter had the lock; `preempt`, it could have run and the
            system had taken the processor away; `off_cpu`, it did not run, and why cannot be known on this system;
            `handoff`, it was done, and who had asked for it had not got the result.
        start_ns, end_ns: when it began and ended.
        cpu_ns: processor time that was spent in it; `None` where that is not known.
        worker: who did it, an index into `trace.workers`; of `queue`, who did it later.
    """

    job: int
    kind: SegmentKind
    start_ns: int
    end_ns: int
    cpu_ns: int | None
    worker: int
