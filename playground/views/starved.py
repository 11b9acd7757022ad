"""The rule that finds tasks that starve: ready to run, while another takes turn after turn.

A loop serves whoever is ready in order, so nobody is passed over; but who gives way only to come back at once takes
every other turn, and others pay for each of their own steps with one of its. That a queue is long as many came at once
is no such thing, and neither is a single long step, which `blocked` finds.
"""

from bisect import bisect_right
from collections.abc import Container, Iterable, Sequence
from itertools import compress, count
from typing import Final, NamedTuple

from playground.trace import Trace
from playground.trace.tables import WORDS
from playground.views.actors import told_of
from playground.views.blocked import ready
from playground.views.findings import Evidence, Finding, Part, code, plain, strong, text
from playground.views.held import NOTICED_NS, held_steps
from playground.views.segments import Owners, owners_of
from playground.views.wording import counted, duration, place

__all__ = ["task_starved"]

_YIELDS: Final = WORDS["StepOutcome"].index("yields")
_TURN_NS: Final = 1_000_000
"""Turns that are shorter on average than this delay each of the others' steps by less than a network does."""
_TURNS: Final = 5
"""Fewer turns of less than 10 ms each, which is what `held` leaves, make no 50 ms."""
_SHARE: Final = 3
"""One part in so many of the time: of two such tasks, each has a little less than half."""

_ADVICE: Final[tuple[Part, ...]] = (
    text("Giving way lets each of the others take one step: do less between, or hand what it computes to a process: "),
    code("await anyio.to_process.run_sync(...)"),
    text("."),
)


class _Stretch(NamedTuple):
    """Turns of one task, each but the last given up and at once wanted back."""

    task: int
    start_ns: int
    end_ns: int
    steps: list[int]


def task_starved(trace: Trace) -> list[Finding]:
    """One finding for all that starved."""
    stretches = _stretches(trace)
    if not stretches:
        return []
    greedy = {stretch.task for stretch in stretches}
    owners = owners_of(trace)
    if trace.requests:
        greedy = {trace.request_of.get(task, -1) for task in greedy}
    hungry = {who: ns for who, ns in _ready_ns(trace, stretches).items() if ns >= NOTICED_NS and who not in greedy}
    return [_finding(trace, owners, stretches, hungry)] if hungry else []


def _stretches(trace: Trace) -> list[_Stretch]:
    starts, durations = trace._column("steps", "start_ns"), trace._column("steps", "duration_ns")
    outcomes, tasks = trace._column("steps", "outcome"), trace._column("steps", "task")
    ran_ns: dict[int, int] = {}
    for at in compress(count(), map(_YIELDS.__eq__, outcomes)):
        ran_ns[tasks[at]] = ran_ns.get(tasks[at], 0) + durations[at]
    busy = [task - 1 for task, ns in ran_ns.items() if task and ns * 2 >= NOTICED_NS]
    held: Container[int] = held_steps(trace) if busy else ()
    found = []
    for task in busy:
        for steps in _turns(trace.steps_of[task], outcomes, held):
            start_ns, end_ns = starts[steps[0]], starts[steps[-1]] + durations[steps[-1]]
            took_ns = sum(durations[at] for at in steps)
            long = end_ns - start_ns >= NOTICED_NS and len(steps) >= _TURNS and took_ns >= _TURN_NS * len(steps)
            if long and took_ns * _SHARE >= end_ns - start_ns:
                found.append(_Stretch(task, start_ns, end_ns, steps))
    return sorted(found, key=lambda stretch: stretch.start_ns)


def _turns(steps: Sequence[int], outcomes: Sequence[int], held: Container[int]) -> Iterable[list[int]]:
    """A task's steps in runs within which it wanted to go on at once. Steps that held the loop are told elsewhere."""
    run: list[int] = []
    for at in steps:
        if at in held:
            yield from [run] if run else []
            run = []
            continue
        run.append(at)
        if outcomes[at] != _YIELDS:
            yield run
            run = []
    if run:
        yield run


def _ready_ns(trace: Trace, stretches: Sequence[_Stretch]) -> dict[int, int]:
    """For how long each request (or task, where there are none) was ready within the stretches."""
    ready_ns: dict[int, int] = {}
    edges = _merged(stretches)
    for start_ns, end_ns, who in ready(trace):
        at = bisect_right(edges, start_ns, key=lambda edge: edge[1])
        while at < len(edges) and edges[at][0] < end_ns:
            from_ns, to_ns = edges[at]
            ready_ns[who] = ready_ns.get(who, 0) + min(end_ns, to_ns) - max(start_ns, from_ns)
            at += 1
    return ready_ns


def _merged(stretches: Sequence[_Stretch]) -> list[tuple[int, int]]:
    """The time that the stretches cover."""
    edges: list[tuple[int, int]] = []
    for stretch in stretches:
        if edges and stretch.start_ns <= edges[-1][1]:
            edges[-1] = edges[-1][0], max(edges[-1][1], stretch.end_ns)
        else:
            edges.append((stretch.start_ns, stretch.end_ns))
    return edges


def _finding(trace: Trace, owners: Owners, stretches: Sequence[_Stretch], hungry: dict[int, int]) -> Finding:
    noun = "request" if trace.requests else "task"
    steps = [at for stretch in stretches for at in stretch.steps]
    rows = [trace.steps[at] for at in steps]
    took_ns = sum(row.duration_ns for row in rows)
    were = "was" if len(hungry) == 1 else "were"
    told = [
        strong(f"{counted(len(hungry), noun)} {were} ready to run, but had to wait for turn after turn of another.")
    ]
    least, most = duration(min(hungry.values())), duration(max(hungry.values()))
    told.append(text(f" That took {least if least == most else f'{least} to {most}'} of the time of each. "))
    told += told_of(trace, owners, ((row.task, row.start_ns, row.end_ns) for row in rows))
    told.append(
        text(f" ran {counted(len(steps), 'step')} meanwhile, {duration(took_ns)} in all, and gave way only to come")
    )
    sites = {row.site for row in rows if row.outcome == "yields"}
    if len(sites) == 1 and (site := sites.pop()) is not None and site.file:
        told.append(text(f" back at once ({place(site)}). "))
    else:
        told.append(text(" back at once. "))
    evidence: list[Evidence] = [("steps", at) for at in steps]
    evidence += [("requests" if trace.requests else "tasks", who) for who in sorted(hungry)]
    return Finding(
        "task-starved",
        "warn",
        (*told, *_ADVICE),
        stretches[0].start_ns,
        max(stretch.end_ns for stretch in stretches),
        tuple(evidence),
        plain(_ADVICE),
    )
