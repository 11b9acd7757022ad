"""The life of a lab's loop: it is kept running until somebody asks for its end, and then winds up.

This module decides what runs first on the loop and what last, and what ends its running only for a moment. In which
thread that is, and who may call into it meanwhile, is `thread`'s affair.
"""

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from playground.clock.calls import Calls
from playground.clock.held import Interrupted
from playground.clock.loop import LabLoop
from playground.clock.stuck import lines_of
from playground.errors import BrokenOff, LabError

__all__ = ["live", "say_nothing_of", "tell", "wind_up"]

log = logging.getLogger("playground.lab")

_PATIENCE_S: Final = (1.0, 0.25, 0.25)
"""For how long tasks may go on after each cancellation: first to roll back or to write what they hold, as a request
that is given up; then no longer, for who has swallowed one will swallow the next. All that within the time for which
closing waits at all: a loop that waited for longer would run on, unseen, for as long as they do."""
_STUBBORN: Final = (
    f"The lab is closed. Expected the tasks of its app to end when they are cancelled, but these outlasted "
    f"{len(_PATIENCE_S)} cancellations within {sum(_PATIENCE_S):g} s, and are left where they stand. Let "
    "`CancelledError` pass, and clean up in less time:\n"
)
_STOPPED: Final = "Event loop stopped before Future completed."
"""What asyncio says when an app has called `loop.stop()`."""


def live(
    loop: LabLoop,
    calls: Calls,
    stop: asyncio.Event,
    on_start: Callable[[], object],
    ready: "concurrent.futures.Future[None]",
) -> None:
    """The thread's life. It holds no reference to the `LoopThread`, so that one can be collected."""
    asyncio.set_event_loop(loop)
    loop.set_exception_handler(tell)
    try:
        # anyio ties its worker threads to the task given to run_until_complete: with run_forever, every
        # request's task would start and stop threads of its own
        loop.attend(calls.waiting, calls.break_off)
        _run(loop, _main(stop, on_start, ready), "lab")
        loop.attend(None, None)
        _run(loop, wind_up(loop), "lab, closing")
    except BaseException as error:  # noqa: BLE001 (a fault of ours or of asyncio's: told to all who wait)
        calls.refuse(LabError(f"expected the lab's event loop to run on, got {error!r} from it: make a new Lab(app)"))
    finally:
        asyncio.set_event_loop(None)
        calls.end()
        loop.close()
        for thread in threading.enumerate():
            # anyio's workers were told to stop when the main task ended, but nobody waited for them
            if getattr(thread, "loop", None) is loop:
                thread.join()


def _run(loop: LabLoop, coroutine: Coroutine[Any, Any, None], name: str) -> None:
    """Run the loop's keeper to its end, whatever else ends the loop's running meanwhile."""
    loop.keeper = task = loop.create_task(coroutine, name=name)
    while not task.done():
        try:
            loop.run_until_complete(task)
        except (Interrupted, KeyboardInterrupt, SystemExit):
            # asyncio passes the last two on after giving them to the task, whose caller will see them; the
            # first came too late for the step that it was meant for
            continue
        except RuntimeError as error:
            if str(error) != _STOPPED:
                raise


def tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """asyncio's own words, but none about what we threw: whoever interrupted the call knows."""
    if not isinstance(context.get("exception"), BrokenOff):
        loop.default_exception_handler(context)


def say_nothing_of(left: "Iterable[asyncio.Task[Any]]") -> None:
    """Have asyncio not complain, when tasks are forgotten that nobody is left to end, that they have not ended."""
    for task in left:
        task._log_destroy_pending = False  # type: ignore[attr-defined]


async def _main(stop: asyncio.Event, on_start: Callable[[], object], ready: "concurrent.futures.Future[None]") -> None:
    try:
        on_start()
    except BaseException as error:  # noqa: BLE001 (it belongs to who made the LoopThread, and is told there)
        ready.set_exception(error)
        return
    ready.set_result(None)
    await stop.wait()


async def wind_up(loop: LabLoop) -> None:
    left = await _cancelled(asyncio.all_tasks(loop) - {asyncio.current_task(loop)})
    if left:
        log.warning("%s%s", _STUBBORN, "\n".join(lines_of(left)))
        say_nothing_of(left)  # asyncio would say it again, and less
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()


async def _cancelled(left: "set[asyncio.Task[Any] | Any]") -> "set[asyncio.Task[Any]]":
    """Cancel tasks until they have ended; those that outlast it."""
    for patience_s in _PATIENCE_S:
        if not left:
            break
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=patience_s)
        for task in ended:  # what it raises now is nobody's any more
            task.cancelled() or task.exception()
    return left
