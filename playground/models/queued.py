"""Of a wait for the interpreter's lock, how much was a queue for a processor: told from all threads' rows together.

A thread that waits for the lock queues for a processor whenever it wakes, to take the lock or to ask for it again. How
long it did so in all is known, and not when. But while another thread of its interpreter ran, or would have but for the
system, that one had the lock: then it was the lock that was waited for, and a processor would have been of no use. What
is left of the wait, in which nobody had the lock, is the system's doing as far as the thread has queued; it is put as
late in the wait as it can have been, for who queues then comes from being told that the lock is free.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from playground.models.kinds import SEGMENTS
from playground.models.rows import Row
from playground.models.units import UNIT_NS

__all__ = ["parted"]

_GIL: Final = SEGMENTS["gil"]
_PREEMPT: Final = SEGMENTS["preempt"]
_AWAKE: Final = (SEGMENTS["run"], _PREEMPT)

_Stretch = tuple[int, int]


def parted(rows: Sequence[Row], interpreter_of: Callable[[Row], tuple[int, ...]]) -> list[Row]:
    """The rows, by their start; the waits for a lock in pieces where some of it was a queue for a processor.

    Args:
        interpreter_of: what tells the interpreter in which a row was written from others.
    """
    awake: dict[tuple[int, ...], list[_Stretch]] = defaultdict(list)
    for row in rows:
        if row.kind in _AWAKE:
            awake[interpreter_of(row)].append((row.start_ns, row.end_ns))
    held = {interpreter: _merged(stretches) for interpreter, stretches in awake.items()}
    pieces = (piece for row in rows for piece in _pieces(row, held.get(interpreter_of(row), [])))
    return sorted(pieces, key=lambda row: row.start_ns)


def _merged(stretches: Iterable[_Stretch]) -> list[_Stretch]:
    """The same time in as few stretches as can be, in order."""
    merged: list[_Stretch] = []
    for start_ns, end_ns in sorted(stretches):
        if merged and start_ns <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end_ns)
        else:
            merged.append((start_ns, end_ns))
    return merged


def _pieces(row: Row, held: Sequence[_Stretch]) -> list[Row]:
    left_ns = row.cpu_ns if row.kind == _GIL else 0
    if min(left_ns, row.end_ns - row.start_ns) < UNIT_NS:
        return [row]
    pieces: list[Row] = []
    end_ns = row.end_ns
    for from_ns, until_ns in _free(row, held):
        queued_ns = min(left_ns, until_ns - from_ns)
        pieces += [row._replace(start_ns=until_ns, end_ns=end_ns, cpu_ns=0)] * (until_ns < end_ns)
        end_ns = until_ns - queued_ns
        pieces.append(row._replace(kind=_PREEMPT, start_ns=end_ns, end_ns=until_ns, cpu_ns=queued_ns))
        left_ns -= queued_ns
        if not left_ns:
            break
    pieces += [row._replace(end_ns=end_ns, cpu_ns=0)] * (row.start_ns < end_ns)
    return pieces[::-1]


def _free(row: Row, held: Sequence[_Stretch]) -> Iterator[_Stretch]:
    """When within a wait nobody had the lock, the last first. What is shorter than a unit may lie beside it."""
    end_ns = row.end_ns
    for start_ns, stop_ns in reversed(held[: bisect_right(held, (row.end_ns,))]):
        if end_ns - max(stop_ns, row.start_ns) >= UNIT_NS:
            yield max(stop_ns, row.start_ns), end_ns
        end_ns = min(end_ns, start_ns)
        if stop_ns <= row.start_ns or end_ns <= row.start_ns:
            return
    if end_ns - row.start_ns >= UNIT_NS:
        yield row.start_ns, end_ns
