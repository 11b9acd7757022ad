"""The rule that finds results that were ready in a worker thread while the loop was busy with something else.

When a call was done and when its task went on are in the recording; why the loop did not come to it before is told by
the steps that it took meanwhile, and by threads that computed. Where neither explains it, the machine had other things
to do, and that is no finding.
"""

from bisect import bisect_left
from collections import Counter
from typing import Final

from playground.trace import Handoff, Trace
from playground.views.computing import ADVICE, computed_ns, computing
from playground.views.findings import Evidence, Finding, Part, Severity, listed, plain, strong, text
from playground.views.held import NOTICED_NS, actor, held_steps
from playground.views.segments import owners_of
from playground.views.wording import counted, duration

__all__ = ["late_wakes"]

# A step of 5 ms is read at its end. Of a shorter one it is not known whether the system let it run all the time: a turn
# of another program takes some 3 ms, what most steps do takes less than this.
_READ_NS: Final = 5_000_000
_UNREAD_NS: Final = 1_000_000
_LIGHT_NS: Final = 1_000_000
"""Hundreds of steps that take less than this each are of many requests that came at once: a queue, and no fault."""


def late_wakes(trace: Trace) -> list[Finding]:
    """Results that were ready in a worker thread while the loop was busy with something else."""
    late = [index for index, call in enumerate(trace.handoffs) if _late_ns(call) >= NOTICED_NS]
    if not late:
        return []
    calls = [trace.handoffs[index] for index in late]
    worst = max(calls, key=_late_ns)
    functions = Counter(call.function for call in calls)
    why = _why_late(trace, calls, worst)
    if why is None:
        return []
    cause, severity, suggestion = why
    were = "was" if len(functions) == 1 else "were"
    parts = [
        strong(_how_late(calls)),
        text(" "),
        *listed(functions),
        text(f" {were} done in a worker thread, but "),
        *cause,
        text(" "),
        *suggestion,
    ]
    start_ns = min(call.ended_ns or 0 for call in calls)
    end_ns = max(call.woken_ns or 0 for call in calls)
    evidence: list[Evidence] = [("handoffs", index) for index in late]
    return [Finding("late-wake", severity, tuple(parts), start_ns, end_ns, tuple(evidence), plain(suggestion))]


def _late_ns(call: Handoff) -> int:
    return 0 if call.ended_ns is None or call.woken_ns is None else call.woken_ns - call.ended_ns


def _how_late(calls: list[Handoff]) -> str:
    longest = duration(max(_late_ns(call) for call in calls))
    if len(calls) == 1:
        return f"A finished call waited {longest} for the event loop."
    return f"{len(calls):,} finished calls waited for the event loop, the longest for {longest}."


def _why_late(trace: Trace, calls: list[Handoff], worst: Handoff) -> tuple[list[Part], Severity, list[Part]] | None:
    """What the loop did meanwhile: steps that held it, or many; or nothing, while worker threads computed.

    `None` where it did little else, and nobody is known to have computed: the machine had other things to do.
    """
    owners = owners_of(trace)
    spans = [(call.ended_ns or 0, call.woken_ns or 0) for call in calls]
    guilty = [
        block
        for block in held_steps(trace).values()
        if any(block.start_ns < woken_ns and block.end_ns > ended_ns for ended_ns, woken_ns in spans)
    ]
    if guilty:
        names = Counter(actor(trace, owners, block) or "a callback" for block in guilty)
        cause = [text("the loop was held by "), *listed(names), text(".")]
        return cause, "note", [text("Mend that: a faster thread would not help.")]
    from_ns, to_ns = worst.ended_ns or 0, worst.woken_ns or 0
    count, ran_ns = _steps_between(trace, from_ns, to_ns)
    if 2 * ran_ns >= to_ns - from_ns and ran_ns < _LIGHT_NS * count:
        return None
    if 2 * ran_ns >= to_ns - from_ns:
        cause = [text(f"the loop had {counted(count, 'step')} to run before it took up the slowest of them.")]
        return cause, "warn", [text("Do less on the loop, or take in fewer requests at once.")]
    others = computing(trace, from_ns, to_ns)
    if 2 * sum(computed_ns(call, from_ns, to_ns) for call in others) < to_ns - from_ns - ran_ns:
        return None
    names = Counter(call.function for call in others)
    cause = [text("the loop's thread hardly got to run, as worker threads computed: "), *listed(names), text(".")]
    return cause, "warn", list(ADVICE)


def _steps_between(trace: Trace, from_ns: int, to_ns: int) -> tuple[int, int]:
    """How many steps began between two moments, and for how long steps ran there, less what the thread waited."""
    first = bisect_left(trace.steps, from_ns, key=lambda step: step.start_ns)
    last = bisect_left(trace.steps, to_ns, key=lambda step: step.start_ns)
    ran_ns = 0
    for index in range(max(0, first - 1), last):
        step = trace.steps[index]
        within_ns = max(0, min(step.end_ns, to_ns) - max(step.start_ns, from_ns))
        step_ns = trace.ran_ns(index)
        if trace.clock == "real" and step.duration_ns < _READ_NS:
            step_ns = min(step_ns, _UNREAD_NS)
        ran_ns += min(within_ns, within_ns * step_ns // max(1, step.duration_ns))
    return last - first, ran_ns
