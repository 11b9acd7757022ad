"""Assertions on schedules, for a test suite: what a run must not do, said so that the failure explains itself.

Each takes a `Run` or a `Trace` and raises an `AssertionError` that tells what was expected, what was recorded, with
the rows that say so, and what to do next. They judge recordings only, and know neither pytest nor how a recording
came about. Two rules hold for all of them. A run in which there was nothing to judge does not pass. Nor does one whose
recorder had to drop its oldest events, and with them what only these spoke of: what is missing there was not seen to
be absent. (That so many requests overlapped at least is seen in what is left.)
"""

import math
from collections.abc import Collection
from typing import Final, get_args, overload

from playground.errors import LabError
from playground.judging import NOTHING_RAN, fail, in_run, need_requests, refuse_dropped, share_of, trace_of
from playground.run import Run
from playground.trace import Block, Request, Trace
from playground.views.blocked import loop_blocked, sync_library
from playground.views.diagnosis import diagnose
from playground.views.evidence import (
    answer_line,
    answered_ns,
    block_line,
    call_line,
    handed_line,
    lives,
    made_before,
    task_line,
)
from playground.views.findings import Finding, Rule
from playground.views.segments import owners_of
from playground.views.wording import counted, duration, one_line

__all__ = [
    "assert_all_answered",
    "assert_handoffs",
    "assert_never_blocks",
    "assert_no_findings",
    "assert_nothing_left",
    "assert_overlap",
    "assert_responds_within",
]

_RULES: Final = frozenset(get_args(Rule))


def assert_never_blocks(run: Run | Trace, threshold_s: float = 0.05) -> None:
    """No step held the event loop for `threshold_s` seconds or longer.

    What counts is wall time less the time in which the thread could not run, because the system did not run it or
    because another thread computed and had the interpreter; see `Trace.blocks`.

    Raises:
        AssertionError: some did, or the recording cannot say.
        LabError: the threshold is not above 0, or the run was not recorded.
    """
    __tracebackhide__ = True
    if not threshold_s > 0:
        raise LabError(f"expected a threshold above 0 seconds, got {threshold_s!r}: 0.05 is what a person notices")
    trace = trace_of(run)
    limit = duration(round(threshold_s * 1e9))
    expected = f"expected no step to hold the event loop for {limit} or longer"
    blocks = sorted(trace.blocks(threshold_s), key=lambda block: -block.duration_ns)
    if blocks:
        owners = owners_of(trace)
        longest = duration(blocks[0].duration_ns)
        fail(
            f"{expected}, got {len(blocks):,} of {counted(len(trace.steps), 'step')} that did{in_run(trace)}, "
            f"the longest for {longest}:",
            (block_line(trace, owners, block) for block in blocks),
            _block_advice(trace, blocks),
        )
    if not trace.steps:
        fail(f"{expected}, got a recording without any step{in_run(trace)}.", (), NOTHING_RAN)
    refuse_dropped(trace, expected)


@overload
def assert_handoffs(run: Run | Trace, *, per_request: int, total: int | None = None) -> None: ...
@overload
def assert_handoffs(run: Run | Trace, *, per_request: None = None, total: int) -> None: ...
def assert_handoffs(run: Run | Trace, *, per_request: int | None = None, total: int | None = None) -> None:
    """Exactly so many calls were handed to worker threads.

    Args:
        run: what to judge.
        per_request: how many for each request: its handler, its dependencies, what it hands over itself.
            Websockets are left out.
        total: how many in the whole run, whoever handed them over.

    Raises:
        AssertionError: it was another number, or there was no request.
        LabError: neither number was given, or the run was not recorded.
    """
    __tracebackhide__ = True
    if per_request is None and total is None:
        raise LabError("expected per_request=..., total=... or both, got neither: say how many hand-offs are right")
    trace = trace_of(run)
    if per_request is not None:
        expected = f"expected {counted(per_request, 'hand-off')} to a worker thread for each request"
        refuse_dropped(trace, expected)
        requests = need_requests(trace, expected)
        wrong = [request for request in requests if len(request.handoffs) != per_request]
        if wrong:
            fail(
                f"{expected}, got another number for {share_of(wrong, requests, trace)}:",
                (handed_line(trace, request) for request in wrong),
                _handoff_advice(min(len(request.handoffs) for request in wrong) < per_request),
            )
    if total is not None:
        expected = f"expected {counted(total, 'hand-off')} to worker threads in all"
        refuse_dropped(trace, expected)
        if len(trace.handoffs) != total:
            fail(
                f"{expected}, got {len(trace.handoffs):,}{in_run(trace)}{':' if trace.handoffs else '.'}",
                (call_line(handoff) for handoff in trace.handoffs),
                _handoff_advice(len(trace.handoffs) < total),
            )


@overload
def assert_overlap(run: Run | Trace, *, at_least: int, at_most: int | None = None) -> None: ...
@overload
def assert_overlap(run: Run | Trace, *, at_least: None = None, at_most: int) -> None: ...
def assert_overlap(run: Run | Trace, *, at_least: int | None = None, at_most: int | None = None) -> None:
    """The greatest number of requests in progress at one moment lies between two bounds, see `Trace.max_overlap`.

    Where there are no requests, it is the number of tasks.

    Args:
        run: what to judge.
        at_least, at_most: the bounds, which are themselves allowed.

    Raises:
        AssertionError: it does not, or there was neither request nor task.
        LabError: neither bound was given, or the run was not recorded.
    """
    __tracebackhide__ = True
    if at_least is None and at_most is None:
        raise LabError("expected at_least=..., at_most=... or both, got neither: say how much overlap is right")
    trace = trace_of(run)
    noun, most = "request" if trace.requests else "task", trace.max_overlap
    if at_least is not None and most < at_least:
        expected = f"expected at least {counted(at_least, noun)} in progress at one moment"
        refuse_dropped(trace, expected)
        fail(f"{expected}, got {most:,}{in_run(trace)}{':' if most else '.'}", lives(trace), _APART)
    if at_most is not None:
        expected = f"expected at most {counted(at_most, noun)} in progress at one moment"
        if most > at_most:
            fail(f"{expected}, got {most:,}{in_run(trace)}:", lives(trace), _CROWDED)
        if not most:
            fail(f"{expected}, got a recording without any task{in_run(trace)}.", (), NOTHING_RAN)
        refuse_dropped(trace, expected)


def assert_responds_within(run: Run | Trace, seconds: float, share: float = 1.0) -> None:
    """Requests were answered in time: from when they came in until the app had sent the whole response.

    In virtual time this is exact. On the real clock, what else the machine did counts too, and the message says
    so. It is the app's own time: what a simulated network adds is not in it. Websockets are left out.

    Args:
        run: what to judge.
        seconds: how long an answer may take, on the run's clock.
        share: which part of the requests must keep to it, above 0 and up to 1: 0.95 for 95 %.

    Raises:
        AssertionError: too few did, or there was no request, or the recording cannot say.
        LabError: `seconds` or `share` is out of its range, or the run was not recorded.
    """
    __tracebackhide__ = True
    if not seconds >= 0:
        raise LabError(f"expected 0 seconds or more, got {seconds!r}: say how long an answer may take")
    if not 0 < share <= 1:
        raise LabError(f"expected a share above 0 and up to 1, got {share!r}: 0.95 stands for 95 %")
    trace = trace_of(run)
    who = "every request" if share == 1 else f"{share * 100:g} % of the requests"
    expected = f"expected {who} to be answered within {duration(round(seconds * 1e9))}"
    if share < 1:
        refuse_dropped(trace, expected)  # of how many it would be a share is not known
    requests = need_requests(trace, expected)
    took = {request.number: answered_ns(request) for request in requests}
    late = [request for request in requests if _late(took[request.number], seconds)]
    # a quotient and a literal are both rounded to the nearest float: 19 / 20 is 0.95
    if (len(requests) - len(late)) / len(requests) < share:
        late.sort(key=lambda request: -(took[request.number] or math.inf))
        fail(
            f"{expected}, got {share_of(late, requests, trace)} that took longer or got none:",
            (_late_line(request, took[request.number], seconds) for request in late),
            _SLOW[trace.clock],
        )
    refuse_dropped(trace, expected)


def assert_all_answered(run: Run | Trace, status: int | Collection[int] = 200) -> None:
    """Every request got a whole response with the right status, and a simulated network lost none.

    An exception that the app let out after the response was whole does not count here; `assert_no_findings` tells
    of it. Websockets are left out.

    Args:
        run: what to judge.
        status: the status, or several that are right: `{200, 404}`, `range(200, 300)`.

    Raises:
        AssertionError: some did not, or there was no request.
        LabError: the run was not recorded.
    """
    __tracebackhide__ = True
    trace = trace_of(run)
    allowed = (status,) if isinstance(status, int) else status
    expected = f"expected every request to be answered {_statuses(status)}"
    lost = run.lost if isinstance(run, Run) else {}
    if lost:
        fail(
            f"{expected}, got {counted(len(lost), 'request')} that the simulated network lost{in_run(trace)}:",
            (f"request sent as number {index}: {type(error).__name__}" for index, error in lost.items()),
            "Send again what a network may lose, or take its loss away: Network(loss=0).",
        )
    requests = need_requests(trace, expected)
    wrong = [request for request in requests if request.status not in allowed or answered_ns(request) is None]
    if wrong:
        fail(
            f"{expected}, got {share_of(wrong, requests, trace)} that were not:",
            (answer_line(request, answered_ns(request)) for request in wrong),
            _send_alone(wrong[0]),
        )
    refuse_dropped(trace, expected)


def assert_no_findings(run: Run | Trace, *, ignore: Collection[Rule] = ()) -> None:
    """The diagnosis found nothing wrong, see `Run.diagnosis`.

    Args:
        run: what to judge.
        ignore: findings that are all right here, by the names of their rules, such as `{"late-wake"}`.

    Raises:
        AssertionError: it found something, or the recording cannot say.
        LabError: `ignore` names no rule, or the run was not recorded.
    """
    __tracebackhide__ = True
    unknown = sorted(set(ignore) - _RULES)
    if unknown:
        raise LabError(f"expected names of rules to ignore, got {unknown[0]!r}: there are {', '.join(sorted(_RULES))}")
    trace = trace_of(run)
    findings = [finding for finding in diagnose(trace) if finding.rule not in ignore]
    expected = "expected a run without findings"
    if findings:
        fail(
            f"{expected}, got {len(findings):,}{in_run(trace)}:",
            (f"{finding.rule}: {finding}" for finding in findings),
            "Mend what each says last; what is all right in this test is left out by "
            f"ignore={{{', '.join(sorted({repr(finding.rule) for finding in findings}))}}}.",
        )
    if not trace.steps:
        fail(f"{expected}, got a recording without any step{in_run(trace)}.", (), NOTHING_RAN)
    refuse_dropped(trace, expected)


def assert_nothing_left(run: Run | Trace) -> None:
    """When the run ended, no task that was made in it was still pending, and no worker thread still at a call.

    Tasks that were there before the run began are not its affair: the lab's own, and what the app's start-up made.

    Raises:
        AssertionError: something was left, or nothing was recorded.
        LabError: the run was not recorded.
    """
    __tracebackhide__ = True
    trace = trace_of(run)
    tasks = [index for index in range(made_before(trace), len(trace.tasks)) if trace.tasks[index].ended_ns is None]
    calls = [handoff for handoff in trace.handoffs if handoff.outcome == "pending"]
    expected = "expected nothing to be left when the run ended"
    if tasks or calls:
        told = [counted(len(tasks), "pending task")] * bool(tasks)
        told += [counted(len(calls), "call") + " in worker threads"] * bool(calls)
        fail(
            f"{expected}, got {' and '.join(told)}{in_run(trace)}:",
            [*(task_line(trace, index) for index in tasks), *(call_line(call) for call in calls)],
            "Await what a handler starts, in an asyncio.TaskGroup for instance, or cancel it and await that.",
        )
    if not trace.tasks:
        fail(f"{expected}, got a recording without any task{in_run(trace)}.", (), NOTHING_RAN)
    refuse_dropped(trace, expected)


# -- what each advises ----------------------------------------------------------------------------------

_APART: Final = (
    "Requests follow one another where each is awaited before the next is sent, and where the handler holds the loop "
    "or a lock: see assert_never_blocks, and print(run) for the timeline."
)
_CROWDED: Final = "Bound it where the work is done, by an anyio.CapacityLimiter or an asyncio.Semaphore."
_SLOW: Final = {
    "real": "See print(run) for where the time went. On the real clock the machine's own load counts too: "
    "Lab(app, clock='virtual') takes that away.",
    "virtual": "See print(run) for where the time went; in virtual time it is the same in every run.",
}


def _block_advice(trace: Trace, blocks: list[Block]) -> str:
    """What the diagnosis advises for these steps; it knows the commoner mistakes."""
    steps = {("steps", block.step) for block in blocks}
    advice = dict.fromkeys(found.suggestion for found in _blocking(trace) if steps & set(found.evidence))
    return " ".join(advice) or "Hand what takes that long to a thread: `await asyncio.to_thread(...)`."


def _blocking(trace: Trace) -> list[Finding]:
    return [*loop_blocked(trace), *sync_library(trace)]


def _handoff_advice(too_few: bool) -> str:
    if too_few:
        return "An `async def` runs on the loop: write a plain `def`, or `await asyncio.to_thread(...)`."
    return "Every plain `def` handler and dependency is one hand-off: make those `async def` that do not block."


def _late(took_ns: int | None, seconds: float) -> bool:
    return took_ns is None or took_ns > round(seconds * 1e9)


def _late_line(request: Request, took_ns: int | None, seconds: float) -> str:
    told = answer_line(request, took_ns)
    # in virtual time a nanosecond is late, and `after 2 min` does not show it
    return told if took_ns is None else f"{told}, {duration(took_ns - round(seconds * 1e9))} too late"


def _send_alone(request: Request) -> str:
    call = f'lab.request("{one_line(request.method)}", "{one_line(request.path)}")'
    return f"Send such a request alone and read its answer, or the app's traceback: {call}."


def _statuses(status: int | Collection[int]) -> str:
    if isinstance(status, int):
        return str(status)
    if isinstance(status, range) and status.step == 1:
        return f"{status.start} to {status.stop - 1}"
    return "one of " + ", ".join(str(each) for each in sorted(status))
