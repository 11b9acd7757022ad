"""Mistakes that more than one lesson knows, each explained in its own words from what the recording shows.

An explanation names the student's own line where the recording has it, and says what follows from it; what to write
instead is for the hints. Each gives `None` where the mistake was not made.
"""

from typing import Any

from playground.course.calls import most_at_once
from playground.course.exercise import Attempt, Mistake
from playground.course.rules import calls_of, held_for
from playground.course.trials import Unawaited
from playground.course.words import seconds
from playground.errors import NotInVirtualTime
from playground.trace import Trace
from playground.views.wording import code_text, counted, duration, place

__all__ = [
    "asyncio_run",
    "blocking",
    "forgotten_await",
    "forty_threads",
    "made_outside",
    "no_handler",
    "one_after_another",
]


def _unawaited(attempt: Attempt) -> str | None:
    for tried in attempt.tries:
        lost = [loss for loss in (tried.trace.losses if tried.trace else ()) if loss.kind == "coroutine"]
        if lost:
            where = f" ({place(lost[0].site)})" if lost[0].site is not None else ""
            return _never_ran(lost[0].name.rpartition("<locals>.")[2], where)
        if name := _kept(tried.result):
            return _never_ran(name, "")
    return None


def _never_ran(name: str, where: str) -> str:
    return (
        f"{code_text(name)}{where} was called, and what that made was never awaited. Calling an async function runs "
        "nothing of it: it only makes a coroutine, which runs when it is awaited, or made a task."
    )


def _kept(value: Any) -> str | None:
    if isinstance(value, Unawaited):
        return value.name
    if isinstance(value, list | tuple):
        return next(filter(None, map(_kept, value)), None)
    return None


forgotten_await = Mistake("forgotten-await", _unawaited)


def blocking(threshold_s: float) -> Mistake:
    """Something blocks on the loop's thread, in `async def`."""

    def explain(attempt: Attempt) -> str | None:
        blocks = held_for(attempt, threshold_s)
        if not blocks:
            return None
        block = blocks[0]
        call = code_text(block.call) if block.call else "what stands there"
        where = f" ({place(block.site)})" if block.site is not None and block.site.file else ""
        return (
            f"In `async def`, {call}{where} runs on the event loop's own thread and keeps it for "
            f"{duration(block.duration_ns)}. `async` does not make it wait politely: only an `await` lets others run, "
            "so meanwhile nobody else does."
        )

    return Mistake("blocking", explain)


def one_after_another(what: str) -> Mistake:
    """The lent calls were awaited one by one."""

    def explain(attempt: Attempt) -> str | None:
        calls = calls_of(attempt)
        if len(calls.made) < 2 or most_at_once(calls.made) != 1:
            return None
        told = "" if calls.over_s is None else f": {seconds(calls.over_s)} in all"
        return (
            f"Each {what} begins when the one before it is over{told}. `await` waits until what it awaits has ended, "
            "so in a loop, or line by line, the next is not even begun until then."
        )

    return Mistake("one-after-another", explain)


def _asyncio_run(attempt: Attempt) -> str | None:
    told = [str(tried.error) for tried in attempt.tries if tried.error is not None]
    told += [request.error or "" for tried in attempt.tries for request in _requests(tried.trace)]
    if not any("asyncio.run() cannot be called" in text for text in told):
        return None
    return (
        "`asyncio.run` makes a new event loop, and one already runs here, as it does in every cell of a notebook. Two "
        "cannot run in one thread: in a cell, or in a coroutine, write `await` in its place."
    )


def _requests(trace: Trace | None) -> Any:
    return () if trace is None else trace.requests


asyncio_run = Mistake("asyncio-run", _asyncio_run)


def _made_outside(attempt: Attempt) -> str | None:
    for tried in attempt.tries:
        if isinstance(tried.error, RuntimeError) and "bound to a different event loop" in str(tried.error):
            return (
                "A lock, semaphore or event of asyncio's belongs to the loop on which somebody first waited with it, "
                "and each run is on a loop of its own. This one was made outside and is used by a second run: make it "
                "inside the function."
            )
        if isinstance(tried.error, NotInVirtualTime) and "lock made before" in str(tried.error):
            return (
                "A lock was made outside, before the check. The check runs in virtual time, which knows the waits with "
                "locks that are made in it, and no others: make it inside the function that is checked."
            )
    return None


made_outside = Mistake("made-outside", _made_outside)


def _no_handler(attempt: Attempt) -> str | None:
    lost = [request.path for tried in attempt.tries for request in _requests(tried.trace) if request.status == 404]
    if not lost:
        return None
    return f"No handler of the app answers {code_text(lost[0])}: it is still to be written, or its path is another."


no_handler = Mistake("no-handler", _no_handler)


def _forty(attempt: Attempt) -> str | None:
    queued = [call for call in attempt.trace.handoffs if call.limiter_wait_ns > 0]
    if not queued:
        return None
    longest = max(call.limiter_wait_ns for call in queued)
    threads = len({call.thread for call in attempt.trace.handoffs if call.thread is not None})
    return (
        f"Every request waits in a worker thread of its own, and there are only {threads} of them: "
        f"{counted(len(queued), 'call')} had to queue for a thread, up to {duration(longest)}. A task that awaits "
        "needs no thread."
    )


forty_threads = Mistake("forty-threads", _forty)
