"""What happened: the recording of a run, from the events on the hot path to the frozen `Trace`.

This room decides what is written down and what it means: events packed in a ring that counts what it drops (`events`,
`recorder`), the rows that are built of them (`rows`, `build`), the questions that rows answer (`trace`), and how a
recording is kept (`store`). All times are whole nanoseconds since the start of the run; a row points at another by its
index. It refuses to know which clock made the times, which app was recorded, and how anything is drawn: it is handed a
function that tells the time, and what a picture needs is asked of `views` when somebody wants one.
"""

from playground.trace.job_rows import Job, JobOutcome, Segment, SegmentKind, Worker, WorkerKind
from playground.trace.rows import (
    Block,
    Handoff,
    Loss,
    LossKind,
    Message,
    Request,
    Sample,
    Site,
    Span,
    SpanKind,
    Step,
    StepOutcome,
    Task,
    TaskOutcome,
    Wait,
    WaitOn,
)
from playground.trace.trace import Clock, Trace

__all__ = [
    "Block",
    "Clock",
    "Handoff",
    "Job",
    "JobOutcome",
    "Loss",
    "LossKind",
    "Message",
    "Request",
    "Sample",
    "Segment",
    "SegmentKind",
    "Site",
    "Span",
    "SpanKind",
    "Step",
    "StepOutcome",
    "Task",
    "TaskOutcome",
    "Trace",
    "Wait",
    "WaitOn",
    "Worker",
    "WorkerKind",
]
