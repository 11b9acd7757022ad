"""The last moment that any row of a recording speaks of: how long a run was of which nobody has said so.

It decides which fields of which rows tell moments.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import add
from typing import Final

from playground.trace.rows import Request

__all__ = ["last_moment"]

_MOMENTS: Final = {
    "samples": ("at_ns",),
    "waits": ("end_ns",),
    "tasks": ("created_ns", "ended_ns"),
    "handoffs": ("submitted_ns", "started_ns", "ended_ns", "woken_ns"),
    "requests": ("start_ns", "end_ns"),
    "spans": ("start_ns", "end_ns"),
    "losses": ("at_ns",),
    "jobs": ("submitted_ns", "started_ns", "ended_ns"),
    "segments": ("end_ns",),
}
"""The fields that tell moments, but for a step's end and a message's."""


def last_moment(column: Callable[[str, str], Sequence[int]], requests: Iterable[Request]) -> int:
    """In nanoseconds since the run began; 0 if there is nothing in it.

    Args:
        column: gives a field of all rows of a table, as numbers.
        requests: the rows, for their messages.
    """
    ends = map(add, column("steps", "start_ns"), column("steps", "duration_ns"))
    messages = (message.at_ns for request in requests for message in request.messages)
    moments = (column(table, field) for table, fields in _MOMENTS.items() for field in fields)
    return max(0, *(max(each, default=0) for each in (ends, messages, *moments)))
