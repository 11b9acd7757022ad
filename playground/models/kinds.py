"""What the numbers mean that stand for a row's kind: a segment's kinds first, then moments in a job's life.

It is the table that those who write rows, in an experiment's processes, and who reads them have in common.
"""

from enum import IntEnum
from typing import Final, get_args

from playground.trace import SegmentKind

__all__ = ["LOOKED", "SEGMENTS", "Moment"]

SEGMENTS: Final[dict[str, int]] = {kind: number for number, kind in enumerate(get_args(SegmentKind))}
"""The rows of a stretch of time; of a gap, the place of the processor time holds how long the thread queued for one."""

LOOKED: Final[dict[SegmentKind, int]] = {kind: 64 + number for number, kind in enumerate(get_args(SegmentKind))}
"""Rows of what a thread was seen to do from outside, see `looker`; in the place of the unit is the thread's number in
the system, as in the row of a job's beginning in that of the processor time."""


class Moment(IntEnum):
    """Rows of one moment, in a job's life or, with 0 for the job, in that of the experiment."""

    SUBMITTED = 32
    """The model was asked to do it."""
    BEGAN = 33
    RETURNED = 34
    RAISED = 35
    CANCELLED = 36
    HANDED_BACK = 37
    """Who had asked for it goes on with what came of it."""
    STARTED = 38
    """The model began; its first job has not been submitted."""
    STOPPED = 39
    """All jobs are over, and whatever carried them out has been ended."""
    ASLEEP = 40
    """The job sleeps from now on; once that is over, a wait that begins at this very moment tells how long."""
