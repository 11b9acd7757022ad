"""When a task was ready to run but queued behind others: what lies between its waits and its steps.

It decides which wait ended before which step. What the recording does not tell it leaves out: the time after a step
that waited for something whose wait was not recorded, and the time before the first step where earlier ones may have
been dropped.
"""

from collections.abc import Sequence
from typing import Final

from playground.trace.tables import WORDS

__all__ = ["ready_spans"]

_WAITING: Final = WORDS["StepOutcome"].index("waits")

_Step = tuple[int, int, int]
"""Start, end and outcome: a number, as `WORDS` has them."""
_Span = tuple[int, int]


def ready_spans(steps: Sequence[_Step], waits: Sequence[_Span], created_ns: int | None) -> list[_Span]:
    """When a task was ready and queued: spans of (start, end) in nanoseconds, in order, none empty.

    Args:
        steps: the task's, in order.
        waits: from when to when it waited, in order.
        created_ns: when it was created; `None` if its first steps may be missing.
    """
    at = 0
    ready_ns = created_ns
    if steps and waits and waits[0][1] <= steps[0][0]:
        # it stood in a wait already when the recording began; unless, in virtual time, step and wait share a moment
        waiting = sum(outcome == _WAITING for _, _, outcome in steps)
        if waits[0][0] < steps[0][1] or len(waits) > waiting:
            ready_ns = waits[0][1]
            at = 1
    spans = []
    for start_ns, end_ns, outcome in steps:
        if ready_ns is not None and ready_ns < start_ns:
            spans.append((ready_ns, start_ns))
        ready_ns = end_ns
        if outcome == _WAITING:
            # by position, not by time alone: in virtual time many steps and waits share one moment
            while at < len(waits) and waits[at][0] < end_ns:
                at += 1
            found = at < len(waits) and waits[at][0] == end_ns
            ready_ns = waits[at][1] if found else None
            at += found
    return spans
