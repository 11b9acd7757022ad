"""What was worked out of a trace last, for whoever asks next: the packet, the picture and the text of one cell.

A trace does not change, and what it is laid out to is the same whoever asks. One result is kept for each function, for
no longer than its trace lives. While it is worked out the garbage collector rests: it would go again and again through
hundreds of thousands of new tuples that are all in use, for a quarter of the time.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import ReferenceType, ref

from playground.collecting import without_collecting
from playground.trace import Trace

__all__ = ["remembered"]

T = TypeVar("T")


def remembered(work_out: Callable[[Trace], T]) -> Callable[[Trace], T]:
    """A function of a trace that remembers its last result, which nobody may change."""
    last: tuple[ReferenceType[Trace], T] | None = None

    def forget(of: ReferenceType[Trace]) -> None:
        nonlocal last
        if last is not None and last[0] is of:
            last = None

    @wraps(work_out)
    def ask(trace: Trace) -> T:
        nonlocal last
        kept = last  # another thread may ask for another trace meanwhile
        if kept is not None and kept[0]() is trace:
            return kept[1]
        with without_collecting():
            result = work_out(trace)
        last = ref(trace, forget), result
        return result

    return ask
