"""The rules that find calls for which no worker thread was free: at anyio's limiter, and in a pool of threads.

How long a call queued at the limiter is in the recording. In a pool it is known where the thread that took the call
was still at an earlier one: from when the call was given to the pool to when that was done. What else delayed a call
is not taken for a queue.
"""

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

from playground.trace import Handoff, Trace
from playground.trace.looks import is_library
from playground.views.advice import loop_of
from playground.views.findings import Finding, Part, code, listed, plain, strong, text
from playground.views.wording import counted, duration

__all__ = ["pool_queue", "thread_queue"]

# Handing a call over takes a turn of the loop even where a place is free; a queue shorter than this is none.
_QUEUE_NS: Final = 1_000_000

_COMPUTE: Final = ". If they compute, more threads would only take turns: make the calls shorter."


def thread_queue(trace: Trace) -> list[Finding]:
    """Calls for which the limiter had no place."""
    waits = {index: call.limiter_wait_ns for index, call in enumerate(trace.handoffs) if call.limiter_wait_ns > 0}
    return _queued(trace, waits, [text("If these calls wait for something, "), *_more(trace, waits), text(_COMPUTE)])


def _more(trace: Trace, waits: Mapping[int, int]) -> list[Part]:
    """Where the number of threads is set: by the server for a WSGI app, else at the loop's limiter."""
    lab = [text("; in a lab, "), code("Lab(app, threads=...)")]
    if waits and _from_wsgi(trace, waits):
        return [text("give the server more threads"), *lab]
    if waits and all(loop_of(trace, trace.handoffs[index].task) == "trio" for index in waits):
        limiter = code("trio.to_thread.current_default_thread_limiter().total_tokens")
        return [text("allow more threads: as the program starts, set "), limiter]
    limiter = code("anyio.to_thread.current_default_thread_limiter().total_tokens")
    return [text("allow more threads: as the app starts, set "), limiter, *lab]


def _from_wsgi(trace: Trace, waits: Mapping[int, int]) -> bool:
    """Whether all these calls look like a WSGI app's: a request is one call of the app itself, and no more is known.

    That is: it names no route and passes no layer that we could see, and no line of an app awaits the call. An ASGI
    app that nobody's toolkit has made awaits its calls in lines of its own; a toolkit names its routes.
    """
    if trace.forgotten.get("spans"):
        return False
    layered = {span.request for span in trace.spans}
    of = {at: index for index, request in enumerate(trace.requests) for at in request.handoffs}
    return all(at in of and of[at] not in layered and _is_whole(trace, of[at], trace.handoffs[at]) for at in waits)


def _is_whole(trace: Trace, index: int, call: Handoff) -> bool:
    """Whether a request is one call, in its own task, of what the user has written, or of Flask's `wsgi_app`.

    The call's site is then its definition; of an object that is called, which has none, it names the class.
    """
    request, site = trace.requests[index], call.site
    if site is None or site.function != call.function:
        return False
    if site.file and is_library(site) and not call.function.endswith(".wsgi_app"):  # so Flask calls its own
        return False
    return request.route is None and len(request.handoffs) == 1 and request.task == call.task


def pool_queue(trace: Trace) -> list[Finding]:
    """Calls that a pool took (`asyncio.to_thread`, `run_in_executor`) while its threads were all at others."""
    suggestion = [
        text("If these calls wait for something, give the pool that runs them more threads; the loop's own is set by "),
        code("loop.set_default_executor(ThreadPoolExecutor(max_workers=...))"),
        text(_COMPUTE),
    ]
    return _queued(trace, _pool_waits(trace), suggestion)


def _pool_waits(trace: Trace) -> dict[int, int]:
    """For each call that had to wait for its thread, how long that was at an earlier call."""
    started = [(call.started_ns, index) for index, call in enumerate(trace.handoffs) if call.started_ns is not None]
    done: dict[int | None, list[int]] = defaultdict(list)
    waits = {}
    for started_ns, index in sorted(started):
        call = trace.handoffs[index]
        # a call within a call (asgiref has these) runs in a thread whose earlier call is not over
        before = bisect_right(done[call.thread], started_ns)
        if before and (wait_ns := done[call.thread][before - 1] - call.submitted_ns) > 0:
            waits[index] = wait_ns
        if call.ended_ns is not None:
            insort(done[call.thread], call.ended_ns)
    return waits


def _queued(trace: Trace, waits: Mapping[int, int], suggestion: list[Part]) -> list[Finding]:
    """One finding for all calls that queued, each for so many nanoseconds; none where the longest was short."""
    longest_ns = max(waits.values(), default=0)
    if longest_ns < _QUEUE_NS:
        return []
    queued = sorted(waits)
    calls = [trace.handoffs[index] for index in queued]
    told = f"{len(calls):,} of {counted(len(trace.handoffs), 'call')} queued for a worker thread"
    longest = f", the longest for {duration(longest_ns)}." if len(calls) > 1 else f", for {duration(longest_ns)}."
    parts = [
        strong(told + longest),
        text(" What queued was "),
        *listed(Counter(call.function for call in calls)),
        text(f"; no more than {counted(_most_at_once(trace), 'call')} ran at once. "),
        *suggestion,
    ]
    return [
        Finding(
            "thread-queue",
            "warn",
            tuple(parts),
            min(call.submitted_ns - call.limiter_wait_ns for call in calls),
            max(call.submitted_ns if call.limiter_wait_ns else call.started_ns or 0 for call in calls),
            tuple(("handoffs", index) for index in queued),
            plain(suggestion),
        )
    ]


def _most_at_once(trace: Trace) -> int:
    """The greatest number of calls that were between their start and their end at one moment."""
    edges = []
    for call in trace.handoffs:
        if call.started_ns is not None:
            ended_ns = trace.duration_ns if call.ended_ns is None else call.ended_ns
            edges += [(call.started_ns, 1), (ended_ns, -1)]
    most = now = 0
    for _, change in sorted(edges):  # ends (-1) sort before starts (1) of the same moment
        now += change
        most = max(most, now)
    return most
