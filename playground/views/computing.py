"""The rule that finds worker threads that computed while the loop had work to do: the interpreter runs one at a time.

What it says of the loop is measured: for how long its thread waited, within steps, for other threads to let go of the
interpreter (`Block.lock_ns`). Which calls computed meanwhile is told by their processor time. When within a call that
was used is not recorded; it is taken as spread evenly over the call.
"""

from collections import Counter
from typing import Final

from playground.trace import Block, Handoff, Trace
from playground.views.blocked import held_up, ready
from playground.views.findings import Evidence, Finding, Part, code, listed, plain, strong, text
from playground.views.held import NOTICED_NS, crowded
from playground.views.segments import owners_of
from playground.views.wording import counted, duration

__all__ = ["ADVICE", "computed_ns", "computing", "threads_compute"]

# As of steps that hold the loop: see `held`.
_SHORT_S: Final = 0.01
# A call that waits uses the processor too, a little: less than this part of its time is no computing.
_ONE_IN: Final = 50

ADVICE: Final[tuple[Part, ...]] = (
    text("Python runs one thread at a time, so hand what computes to processes, "),
    code("await anyio.to_process.run_sync(...)"),
    text(", or make it shorter."),
)


def threads_compute(trace: Trace) -> list[Finding]:
    """One finding for all steps in which the loop's thread waited while worker threads had the interpreter."""
    steps = trace.locked_out(_SHORT_S)
    chosen = set(crowded([(step.start_ns, step.end_ns, step.lock_ns) for step in steps]))
    steps = [step for at, step in enumerate(steps) if at in chosen or step.lock_ns >= NOTICED_NS]
    calls = sorted({at for step in steps for at in _computing(trace, step.start_ns, step.end_ns)})
    # else it was threads that are not the app's, and what they did is not recorded
    if 2 * sum(trace.handoffs[at].cpu_ns for at in calls) < sum(step.lock_ns for step in steps) or not calls:
        return []
    waited = held_up(trace, owners_of(trace), steps, list(ready(trace)))
    evidence: list[Evidence] = [*(("steps", step.step) for step in steps), *(("handoffs", at) for at in calls)]
    return [
        Finding(
            "threads-compute",
            "warn",
            (*_told(trace, steps, [trace.handoffs[at] for at in calls], len(waited)), text(" "), *ADVICE),
            min(step.start_ns for step in steps),
            max(step.end_ns for step in steps),
            (*evidence, *waited),
            plain(ADVICE),
        )
    ]


def _told(trace: Trace, steps: list[Block], calls: list[Handoff], waited: int) -> list[Part]:
    lengths = [step.lock_ns for step in steps]
    said = "Worker threads computed and kept the interpreter from the event loop"
    if len(steps) == 1:
        head = [strong(f"{said} for {duration(lengths[0])}.")]
    else:
        head = [strong(f"{said} in {len(steps):,} of its steps, for {duration(sum(lengths))} in all.")]
        head.append(text(f" The longest time was {duration(max(lengths))}."))
    cpu_ns = sum(call.cpu_ns for call in calls)
    told = [text(" What computed was "), *listed(Counter(call.function for call in calls))]
    told.append(text(f" ({counted(len(calls), 'call')}, {duration(cpu_ns)} of processor time)"))
    noun = "request" if trace.requests else "task"
    return [*head, *told, text(f"; {counted(waited, noun)} waited meanwhile." if waited else ".")]


def computing(trace: Trace, from_ns: int, to_ns: int) -> list[Handoff]:
    """Calls that computed, by their processor time, and went on between two moments."""
    return [trace.handoffs[at] for at in _computing(trace, from_ns, to_ns)]


def _computing(trace: Trace, from_ns: int, to_ns: int) -> list[int]:
    return [
        at
        for at, call in enumerate(trace.handoffs)
        if (length_ns := _overlap(call, from_ns, to_ns)) and computed_ns(call, from_ns, to_ns) * _ONE_IN >= length_ns
    ]


def computed_ns(call: Handoff, from_ns: int, to_ns: int) -> int:
    """How much a call computed between two moments, if it did so evenly; nothing where it is not known."""
    if call.started_ns is None or call.ended_ns is None or call.ended_ns <= call.started_ns:
        return 0
    return call.cpu_ns * _overlap(call, from_ns, to_ns) // (call.ended_ns - call.started_ns)


def _overlap(call: Handoff, from_ns: int, to_ns: int) -> int:
    if call.started_ns is None or call.ended_ns is None:
        return 0
    return max(0, min(call.ended_ns, to_ns) - max(call.started_ns, from_ns))
