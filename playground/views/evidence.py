"""Rows of a recording as evidence: each in a line of words that says who, where, when and for how long.

It decides what of a row is worth telling and how it reads. Which rows are told, and what follows from them, is
for those to say who judge.
"""

from collections.abc import Sequence
from typing import Final

from playground.trace import Block, Handoff, Request, Trace
from playground.views.held import actor
from playground.views.segments import Owners
from playground.views.wording import code_text, duration, is_error, one_line, part_of, place, request_label

__all__ = [
    "answer_line",
    "answered_ns",
    "away",
    "block_line",
    "call_line",
    "handed_line",
    "lives",
    "made_before",
    "named",
    "task_line",
]

_MOST_CALLS: Final = 5
"""Hand-offs of one request that are named: its handler and a few dependencies. The rest is counted."""
# Time lost to other programs is worth a word only where it would change the figure that is shown.
_DELAY_SHOWN_NS: Final = 1_000_000


def named(request: Request) -> str:
    """`request 4, GET /items/{id}`."""
    return f"request {request.number}, {one_line(request_label(request))}"


def block_line(trace: Trace, owners: Owners, block: Block) -> str:
    """Who held the loop, when, for how long, and at which line."""
    request = owners.at(block.task, block.start_ns, block.end_ns)
    name = actor(trace, owners, block)
    if request is not None:
        who = named(trace.requests[request])
    else:
        who = f"{'task' if block.task is not None else 'callback'} {code_text(name)}" if name else "a callback"
    told = f"{duration(block.duration_ns)} from {duration(block.start_ns)} on: {who}, {_stood(block)}"
    shown = " and ".join(f"{duration(ns)} in which {why}" for ns, why in away([block]))
    return f"{told} (not counting {shown})" if shown else told


def away(blocks: Sequence[Block]) -> list[tuple[int, str]]:
    """What is not counted of blocks: for how long in all, and what happened meanwhile."""
    told = (
        (sum(block.delayed_ns for block in blocks), "the system did not run the thread"),
        (sum(block.lock_ns for block in blocks), "other threads had the interpreter"),
        (sum(block.collected_ns for block in blocks), "the garbage collector ran"),
    )
    return [(ns, why) for ns, why in told if ns >= _DELAY_SHOWN_NS]


def _stood(block: Block) -> str:
    if block.site is None:
        return "at a line that was not seen"
    where = place(block.site)
    if block.samples:
        share = part_of(block.held_ns, block.duration_ns)
        whole = duration(block.held_ns) == duration(block.duration_ns)
        call = f" {code_text(block.call or block.site.text)}" if block.call or block.site.text else ""
        return f"in{call} ({where})" if whole else f"for {share} in{call} ({where})"
    if block.task is not None and block.outcome in ("waits", "yields"):
        return f"until it stopped at {where}; nobody saw the lines before"
    return f"defined at {where}" if block.task is None and block.site.file else "at a line that was not seen"


def handed_line(trace: Trace, request: Request) -> str:
    """How many calls a request handed over, and which."""
    calls = [trace.handoffs[index] for index in request.handoffs]
    names = ", ".join(f"{code_text(call.function)}{_at(call)}" for call in calls[:_MOST_CALLS])
    more = f" and {len(calls) - _MOST_CALLS:,} more" if len(calls) > _MOST_CALLS else ""
    return f"{named(request)}: {len(calls):,}{f', {names}' if names else ''}{more}"


def call_line(call: Handoff) -> str:
    """What was called in a worker thread, and from when to when."""
    ends = "until the end of the run" if call.ended_ns is None else f"to {duration(call.ended_ns)}"
    return f"call of {code_text(call.function)}{_at(call)}, from {duration(call.submitted_ns)} {ends}"


def _at(call: Handoff) -> str:
    return f" ({place(call.site)})" if call.site is not None and call.site.file else ""


def lives(trace: Trace) -> list[str]:
    """From when to when each request was in progress; each task, where there are no requests."""
    if trace.requests:
        return [f"{named(each)}: {_span(trace, each.start_ns, each.end_ns)}" for each in trace.requests]
    return [f"task {code_text(task.coroutine)}: {_span(trace, task.created_ns, task.ended_ns)}" for task in trace.tasks]


def _span(trace: Trace, start_ns: int, end_ns: int | None) -> str:
    end = f"{duration(trace.duration_ns)}, not over" if end_ns is None else duration(end_ns)
    return f"{duration(start_ns)} to {end}"


def answered_ns(request: Request) -> int | None:
    """How long the app took to send the whole response; `None` if it did not."""
    sent = [note for note in request.messages if note.direction == "send" and note.type.startswith("http.response.")]
    if not sent or sent[-1].type == "http.response.start" or sent[-1].detail.endswith("more to come"):
        return None
    return sent[-1].at_ns - request.start_ns


def answer_line(request: Request, took_ns: int | None) -> str:
    """What a request was answered; `took_ns` as `answered_ns` gives it."""
    status = f"answered {request.status}" if request.status is not None else "no answer"
    if took_ns is None:
        status = f"{status}, but not to the end" if request.status is not None else status
    else:
        status = f"{status} after {duration(took_ns)}"
    error = f", raised {code_text(request.error or '')}" if is_error(request) else ""
    return f"{named(request)}: {status}{error}"


def task_line(trace: Trace, index: int) -> str:
    """A pending task: what it runs, for whom, and what it waits for."""
    task = trace.tasks[index]
    name = f"task {code_text(task.coroutine)}, made at {duration(task.created_ns)}"
    owner = trace.request_of.get(index)
    if owner is not None:
        name += f" for {named(trace.requests[owner])}"
    waits = trace.waits_of.get(index)
    wait = trace.waits[waits[-1]] if waits else None
    if wait is None or wait.end_ns < trace.duration_ns:
        return f"{name}, not waiting"
    return f"{name}, waits on {wait.on}{f' at {place(wait.site)}' if wait.site is not None and wait.site.file else ''}"


def made_before(trace: Trace) -> int:
    """How many tasks were there when the recording began: they come first, and have no parent in it.

    The first task that a lab makes in a run has one, so where time is virtual, and more than begins at 0, this is
    exact too.
    """
    first_ns = trace.steps[0].start_ns if trace.steps and not trace.dropped else trace.duration_ns
    for index, task in enumerate(trace.tasks):
        if task.parent is not None or task.created_ns > first_ns:
            return index
    return len(trace.tasks)
