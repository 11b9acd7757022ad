"""The rules that find calls for which no worker thread was free: at anyio's limiter, and in a pool of threads.

How long a call queued at the limiter is in the recording. In a pool it is known where the thread that took the call
was still at an earlier one: from when the call was given to the pool to when that was done. What else delayed a call
is not taken for a queue.
"""

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from playground.trace import Handoff, Trace
from playground.trace.looks import is_library
from playground.trace.tables import NO_INT
from playground.views.advice import loop_of
from playground.views.bulk import handed_over, numbers
from playground.views.findings import Finding, Part, Rule, code, listed, plain, strong, text
from playground.views.held import crowded
from playground.views.wording import counted, duration

__all__ = ["pool_queue", "thread_queue"]

# Handing a call over takes a turn of the loop even where a place is free; a queue shorter than this is none.
_QUEUE_NS: Final = 1_000_000

_COMPUTE: Final = ". If they compute, more threads would only take turns: make the calls shorter."


def thread_queue(trace: Trace) -> list[Finding]:
    """Calls for which the limiter had no place."""
    waits = {at: ns for at, ns in enumerate(numbers(trace, "handoffs", "limiter_wait_ns")) if ns > 0}
    return _queued(
        trace,
        "thread-queue",
        waits,
        [text("If these calls wait for something, "), *_more(trace, waits), text(_COMPUTE)],
    )


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
    layered = {request - 1 for request in numbers(trace, "spans", "request")}
    of = handed_over(trace)
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
    return _queued(trace, "pool-full", _pool_waits(trace), suggestion)


def _pool_waits(trace: Trace) -> dict[int, int]:
    """For each call that had to wait for its thread, how long that was at an earlier call."""
    starts, ends = numbers(trace, "handoffs", "started_ns"), numbers(trace, "handoffs", "ended_ns")
    submitted, threads = numbers(trace, "handoffs", "submitted_ns"), numbers(trace, "handoffs", "thread")
    done: dict[int, list[int]] = defaultdict(list)
    waits = {}
    for started_ns, index in sorted((ns, index) for index, ns in enumerate(starts) if ns != NO_INT):
        over = done[threads[index]]
        # a call within a call (asgiref has these) runs in a thread whose earlier call is not over
        before = bisect_right(over, started_ns)
        if before and (wait_ns := over[before - 1] - submitted[index]) > 0:
            waits[index] = wait_ns
        if ends[index] != NO_INT:
            insort(over, ends[index])
    return waits


def _queued(trace: Trace, rule: Rule, waits: Mapping[int, int], suggestion: list[Part]) -> list[Finding]:
    """One finding for all calls that queued, each for so many nanoseconds; none where the longest was short.

    It is for the reader to judge where no second had as much queueing in it as a person notices.
    """
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
            rule,
            "warn" if crowded(_queueing(calls, waits, queued)) else "note",
            tuple(parts),
            min(call.submitted_ns - call.limiter_wait_ns for call in calls),
            max(call.submitted_ns if call.limiter_wait_ns else call.started_ns or 0 for call in calls),
            tuple(("handoffs", index) for index in queued),
            plain(suggestion),
        )
    ]


def _queueing(calls: Sequence[Handoff], waits: Mapping[int, int], queued: Sequence[int]) -> list[tuple[int, int, int]]:
    """When each call stood in the queue, and for how long, in order of its end."""
    spans = []
    for call, index in zip(calls, queued, strict=True):
        end_ns = call.submitted_ns if call.limiter_wait_ns else call.submitted_ns + waits[index]
        spans.append((end_ns - waits[index], end_ns, waits[index]))
    return sorted(spans, key=lambda span: span[1])


def _most_at_once(trace: Trace) -> int:
    """The greatest number of calls that were between their start and their end at one moment."""
    edges = []
    ends = numbers(trace, "handoffs", "ended_ns")
    for started_ns, ended_ns in zip(numbers(trace, "handoffs", "started_ns"), ends, strict=True):
        if started_ns != NO_INT:
            edges += [(started_ns, 1), (trace.duration_ns if ended_ns == NO_INT else ended_ns, -1)]
    most = now = 0
    for _, change in sorted(edges):  # ends (-1) sort before starts (1) of the same moment
        now += change
        most = max(most, now)
    return most
