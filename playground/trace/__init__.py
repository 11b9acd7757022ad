"""What happened: the recording of a run, from the events on the hot path to the frozen `Trace`."""

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
    "Loss",
    "LossKind",
    "Message",
    "Request",
    "Sample",
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
]
