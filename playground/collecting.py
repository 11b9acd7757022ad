"""The garbage collector at rest, for as long as anybody needs it to be.

The collector is the process's, and those who need it at rest may be several at once, each on a thread of its own: a run
in virtual time, and a picture that is made of the run before. If each turned it off and on again as it found it, the
first to be done would turn it on while another still counts on its rest. So they are counted, and the last turns it on.
It knows nothing of what they do meanwhile, and never collects.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playground.forked import in_child, rlock

__all__ = ["without_collecting"]

_lock: Final = rlock()  # what is freed while it is held may come here too


class _Rest:
    """For how many it rests, and whether the program had it at work before the first of them came."""

    count = 0
    was_enabled = False


@contextmanager
def without_collecting() -> Iterator[None]:
    """Let the garbage collector rest, if it was at work. Reference counts free what they do as ever."""
    with _lock:
        if not _Rest.count:
            _Rest.was_enabled = gc.isenabled()
        _Rest.count += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _Rest.count = max(0, _Rest.count - 1)  # in a forked process it began anew
            if not _Rest.count and _Rest.was_enabled:
                gc.enable()


def _back_to_work() -> None:
    """In a process that was forked, where none of those is left for whom it rests."""
    if _Rest.count:
        _Rest.count = 0
        if _Rest.was_enabled:
            gc.enable()


in_child(_back_to_work)
