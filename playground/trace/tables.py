"""Which columns each table of a recording has, in words that `store` turns into numbers and back.

This is the schema of a saved recording and nothing else. A change to it that old files would misread (another
order of fields or of words, a field more or less) needs a new `SCHEMA`.
"""

from collections.abc import Callable
from typing import Any, Final, get_args

from playground.trace.rows import (
    Handoff,
    Message,
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

__all__ = ["ROWS", "SCHEMA", "TABLES", "WORDS"]

SCHEMA: Final = 2
"""Version of the tables below; the wire's own version is in `columns`."""

WORDS: Final[dict[str, tuple[str, ...]]] = {
    "StepOutcome": get_args(StepOutcome),
    "TaskOutcome": get_args(TaskOutcome),
    "WaitOn": get_args(WaitOn),
    "Direction": ("receive", "send"),
    "SpanKind": get_args(SpanKind),
}

# For each table, its fields in the order of the row's class, each with its kind: `int`, `string`, `site`, an
# index into a table, or one of the words above. A `?` says that it may be `None`. Requests also hold lists
# of hand-offs and of messages: a `length` says how many, and `made` and `messages` hold them, one after another.
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
    "samples": {"step": "steps", "at_ns": "int", "delay_ns": "int?", "site": "site?", "call": "string"},
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
        "handoffs": "length",
        "messages": "length",
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
}
ROWS: Final[dict[str, Callable[..., Any]]] = {
    "tasks": Task,
    "steps": Step,
    "samples": Sample,
    "waits": Wait,
    "handoffs": Handoff,
    "messages": Message,
    "spans": Span,
}
