"""Which columns each table of a recording has, in memory as in a file, and what the numbers in them stand for.

This is the schema of a recording and nothing else. A change to it that old files would misread (another order of
fields or of words, a field more or less) needs a new `SCHEMA`.
"""

from collections.abc import Callable
from typing import Any, Final, get_args

from playground.trace.job_rows import Job, JobOutcome, Segment, SegmentKind, Worker, WorkerKind
from playground.trace.rows import (
    Handoff,
    Loss,
    LossKind,
    Message,
    Request,
    Sample,
    Span,
    SpanKind,
    Step,
    StepOutcome,
    Task,
    TaskOutcome,
    Wait,
    WaitOn,
)

__all__ = ["NO_INT", "PARTS", "ROWS", "SCHEMA", "TABLES", "WORDS", "columns_of", "kind_of"]

SCHEMA: Final = 5
"""Version of the tables below; the wire's own version is in `columns`."""

WORDS: Final[dict[str, tuple[str, ...]]] = {
    "StepOutcome": get_args(StepOutcome),
    "TaskOutcome": get_args(TaskOutcome),
    "WaitOn": get_args(WaitOn),
    "Direction": ("receive", "send"),
    "SpanKind": get_args(SpanKind),
    "LossKind": get_args(LossKind),
    "SegmentKind": get_args(SegmentKind),
    "WorkerKind": get_args(WorkerKind),
    "JobOutcome": get_args(JobOutcome),
}

NO_INT: Final = -(1 << 63)
"""`None` in a column of 64-bit integers: no moment that a clock can tell."""

# For each table, its fields in the order of the row's class, each with its kind: `int`; a pointer to a `string`, to a
# `site` or to a row of the table that it names, which is one more than the index; or one of the words above. A `?`
# says that it may be `None`, which is the pointer 0. A kind such as `messages[]` is several rows of another table
# that follow one another: columns named `..._from` and `..._until` say which.
TABLES: Final[dict[str, dict[str, str]]] = {
    "tasks": {
        "name": "string",
        "coroutine": "string",
        "parent": "tasks?",
        "created_ns": "int",
        "ended_ns": "int?",
        "outcome": "TaskOutcome",
    },
    "steps": {
        "task": "tasks?",
        "start_ns": "int",
        "duration_ns": "int",
        "woken_by": "steps?",
        "outcome": "StepOutcome",
        "site": "site?",
    },
    "samples": {
        "step": "steps",
        "at_ns": "int",
        "delay_ns": "int?",
        "site": "site?",
        "call": "string",
        "lock_ns": "int?",
        "library": "string",
        "collected_ns": "int?",
    },
    "waits": {"task": "tasks", "start_ns": "int", "end_ns": "int", "on": "WaitOn", "site": "site?"},
    "handoffs": {
        "task": "tasks?",
        "function": "string",
        "limiter_wait_ns": "int",
        "submitted_ns": "int",
        "started_ns": "int?",
        "ended_ns": "int?",
        "woken_ns": "int?",
        "thread": "int?",
        "cpu_ns": "int",
        "outcome": "TaskOutcome",
        "site": "site?",
    },
    "messages": {"direction": "Direction", "type": "string", "at_ns": "int", "detail": "string"},
    "made": {"handoff": "handoffs"},
    "requests": {
        "number": "int",
        "method": "string",
        "path": "string",
        "route": "string?",
        "status": "int?",
        "start_ns": "int",
        "end_ns": "int?",
        "task": "tasks?",
        "handoffs": "made[]",
        "messages": "messages[]",
        "error": "string?",
    },
    "spans": {
        "request": "requests",
        "kind": "SpanKind",
        "name": "string",
        "start_ns": "int",
        "end_ns": "int?",
        "parent": "spans?",
        "task": "tasks?",
        "site": "site?",
    },
    "losses": {
        "kind": "LossKind",
        "task": "tasks?",
        "at_ns": "int",
        "name": "string",
        "site": "site?",
        "defined": "site?",
    },
    "workers": {"process": "int", "thread": "int", "kind": "WorkerKind", "name": "string"},
    "jobs": {
        "number": "int",
        "submitted_ns": "int",
        "started_ns": "int?",
        "ended_ns": "int?",
        "outcome": "JobOutcome",
        "error": "string?",
    },
    "segments": {
        "job": "jobs",
        "kind": "SegmentKind",
        "start_ns": "int",
        "end_ns": "int",
        "cpu_ns": "int?",
        "worker": "workers",
    },
}
ROWS: Final[dict[str, Callable[..., Any]]] = {
    "tasks": Task,
    "steps": Step,
    "samples": Sample,
    "waits": Wait,
    "handoffs": Handoff,
    "messages": Message,
    "made": int,
    "requests": Request,
    "spans": Span,
    "losses": Loss,
    "workers": Worker,
    "jobs": Job,
    "segments": Segment,
}

PARTS: Final = ("made", "messages")
"""Tables whose rows are seen only as parts of other rows."""


def kind_of(written: str) -> tuple[str, bool]:
    """A field's kind as it is written above: its name without marks, and whether it may be `None`."""
    return written.rstrip("?[]"), written.endswith("?")


def columns_of(table: str) -> dict[str, str]:
    """The columns of a table in order, each with its `array` typecode."""
    columns: dict[str, str] = {}
    for field, written in TABLES[table].items():
        kind, _ = kind_of(written)
        if written.endswith("[]"):
            columns |= {f"{field}_from": "I", f"{field}_until": "I"}
        else:
            columns[field] = "q" if kind == "int" else "B" if kind in WORDS else "I"
    return columns
