"""One processor for threads of which only one runs at a time: handing over within it costs a third.

Waking a thread that last ran on another, sleeping core takes the system some 20 µs of processor time, and threads in
virtual time wake one another and nothing else. So they stay where the loop's thread is when the first of them starts;
threads started from one that stays put stay too. Linux only; elsewhere, and where it is not allowed, nothing is done.
"""

import os

from playground.clock.native import processor

__all__ = ["pin", "unpin"]


def pin(native_id: int) -> set[int] | None:
    """Keep a thread on the processor that it is on.

    Returns:
        those that it was allowed before; `None` if it is not kept.
    """
    here = processor(native_id)
    if here is None or not hasattr(os, "sched_setaffinity"):
        return None
    try:
        allowed = os.sched_getaffinity(native_id)
        os.sched_setaffinity(native_id, {here})
    except OSError:
        return None
    return allowed


def unpin(native_id: int, allowed: set[int]) -> None:
    """Let a thread run where it was allowed to run before."""
    try:
        os.sched_setaffinity(native_id, allowed)
    except OSError:
        return  # the thread is gone, or these processors are
