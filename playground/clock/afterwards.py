"""What is to be done outside a lab's time, asked for from within it: it is put off until nobody waits for that loop.

A lab that nobody holds any more is found wherever the garbage collector happens to run, which in virtual time is
within the steps of another lab; and a handler may close a lab, its own or another. To close it there would be to wait
for real in the midst of virtual time, and to have its app shut down at a moment that the other's app might notice; or
to wait for oneself. So whoever waits for that loop does it after having its answer. What is put off, this does not
know.
"""

import asyncio
import atexit
import contextlib
import logging
import threading
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable
from typing import Final

from playground.clock.loop import LabLoop
from playground.clock.runner import current
from playground.clock.simulated_places import there_are_threads

__all__ = ["afterwards", "catch_up"]

log: Final = logging.getLogger("playground.lab")

_put_off: Final[deque[Callable[[], object]]] = deque()


def afterwards(action: Callable[[], object], within: LabLoop | None = None) -> None:
    """Call `action` at once, or, from within a lab's time, as soon as nobody waits for that lab.

    What it raises is raised here if it is called at once; else it is written to the log `playground.lab`.

    Args:
        action: what to call.
        within: the loop of the lab in whose time this is called, by who knows; an executor's worker in real time
            cannot be told from other threads.
    """
    waited_for = _waited_for_here() or (None if within is None else within.waited_for)
    if waited_for is None:
        action()
        return
    _put_off.append(action)
    if not waited_for() and there_are_threads():
        # by the system's own call: `threading` takes locks, which the code that the collector came over may hold
        with contextlib.suppress(RuntimeError):  # the process ends, and catches up itself
            start_new_thread(_catch_up_elsewhere, ())


def catch_up() -> None:
    """Do what was put off, unless the caller is within a lab's time itself."""
    if not _put_off or _waited_for_here() is not None:
        return
    while True:
        try:
            action = _put_off.popleft()
        except IndexError:
            return  # another thread may have taken the last
        try:
            action()
        except Exception:
            log.exception("A lab that was closed by a handler, or by nobody, has not shut down as it should.")


def _catch_up_elsewhere() -> None:
    """Let a thread do it whose end the end of the process waits for."""
    with contextlib.suppress(RuntimeError):
        threading.Thread(target=catch_up, name="playground, closing", daemon=False).start()


def _waited_for_here() -> Callable[[], bool] | None:
    """Whether anybody waits for the lab in whose time the calling thread is; `None` if it is in none's."""
    me = current()
    if me is not None:
        return me.baton.may_pass
    # one of anyio's workers knows its loop; asked of the table, for `current_thread` may take a lock
    thread = threading._active.get(threading.get_ident())  # type: ignore[attr-defined]
    loop = asyncio._get_running_loop() or getattr(thread, "loop", None)
    return loop.waited_for if isinstance(loop, LabLoop) else None


atexit.register(catch_up)
