"""The rule that finds a convoy: tasks that take turns at one lock, and spend most of their lives waiting for it.

A recording tells that a task waited for a lock and on which line, not which lock it was. So what makes a line's waits
a convoy is who woke whom: of one lock, each that gets it wakes the next. Waits at a semaphore or a limiter of many
places come in several such chains, which is what these are for, and no finding.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from playground.trace import Trace, Wait
from playground.trace.tables import WORDS
from playground.views.actors import told_of
from playground.views.bulk import values
from playground.views.findings import Evidence, Finding, Part, code, plain, strong, text
from playground.views.held import NOTICED_NS
from playground.views.segments import Owners, owners_of
from playground.views.wording import counted, duration, place

__all__ = ["lock_convoy"]

_LOCK: Final = WORDS["WaitOn"].index("lock")
_FEWEST: Final = 3
"""Of two, one waits while the other is at it, as with any lock; in a convoy others wait behind who waits."""
_CHAINED: Final = 0.8
"""How many of those that waited were woken by the one before, for it to be one lock. At a semaphore of two places it is
none, when they come as fast as they go; a lock is free now and then, and the next who waits is woken by a newcomer."""

_ADVICE: Final[tuple[Part, ...]] = (
    text("Hold it for less: do before or after it what needs no lock, above all what is awaited; or have a lock for "),
    text("each thing that is guarded."),
)


def lock_convoy(trace: Trace) -> list[Finding]:
    """One finding for each line at which requests (or tasks) stood in a row for one lock."""
    sites, _ = values(trace, "waits", "site")
    lines: dict[object, list[int]] = defaultdict(list)
    for index, on in enumerate(trace._column("waits", "on")):
        if on == _LOCK:
            lines[sites[index]].append(index)
    if not lines:
        return []
    owners = owners_of(trace)
    found = (_convoy(trace, owners, indexes) for indexes in lines.values())
    return [finding for finding in found if finding is not None]


def _convoy(trace: Trace, owners: Owners, indexes: Sequence[int]) -> Finding | None:
    starts, ends = trace._column("waits", "start_ns"), trace._column("waits", "end_ns")
    indexes = [index for index in indexes if ends[index] > starts[index]]
    if len(indexes) < _FEWEST or max(ends[index] - starts[index] for index in indexes) < NOTICED_NS:
        return None
    waits = [trace.waits[index] for index in indexes]
    waited_ns = _waited_ns(trace, owners, waits)
    stuck = [owner for owner, ns in waited_ns.items() if 2 * ns >= _life_ns(trace, owner)]
    if len(stuck) < _FEWEST or _chained(trace, waits) < _CHAINED:
        return None
    return _finding(trace, owners, indexes, waited_ns, len(stuck))


def _waited_ns(trace: Trace, owners: Owners, waits: Sequence[Wait]) -> "Counter[Evidence]":
    """For how long each request waited there; each task, of those that work for none."""
    waited_ns: Counter[Evidence] = Counter()
    for wait in waits:
        request = owners.at(wait.task, wait.start_ns, wait.start_ns)
        owner: Evidence = ("tasks", wait.task) if request is None else ("requests", request)
        waited_ns[owner] += wait.end_ns - wait.start_ns
    return waited_ns


def _life_ns(trace: Trace, owner: Evidence) -> int:
    table, index = owner
    if table == "requests":
        request = trace.requests[index]
        start_ns, end_ns = request.start_ns, request.end_ns
    else:
        task = trace.tasks[index]
        start_ns, end_ns = task.created_ns, task.ended_ns
    return (trace.duration_ns if end_ns is None else end_ns) - start_ns


def _chained(trace: Trace, waits: Sequence[Wait]) -> float:
    """Which part of those that waited was woken by the task that had waited before it."""
    wakers, tasks = trace._column("steps", "woken_by"), trace._column("steps", "task")
    starts = trace._column("steps", "start_ns")
    before = None
    chained = 0
    for wait in sorted(waits, key=lambda wait: wait.end_ns):
        steps = trace.steps_of.get(wait.task, [])
        place = bisect_left(steps, wait.end_ns, key=starts.__getitem__)
        waker = wakers[steps[place]] if place < len(steps) else 0
        chained += before is not None and waker > 0 and tasks[waker - 1] == before + 1
        before = wait.task
    return chained / (len(waits) - 1)


def _finding(
    trace: Trace, owners: Owners, indexes: Sequence[int], waited_ns: "Counter[Evidence]", stuck: int
) -> Finding:
    waits = [trace.waits[index] for index in indexes]
    noun = "request" if all(table == "requests" for table, _ in waited_ns) else "task"
    longest = duration(max(wait.end_ns - wait.start_ns for wait in waits))
    in_all = duration(waited_ns.total())
    told = [strong(f"{counted(len(waited_ns), noun)} queued for one lock, for {in_all} in all.")]
    told += [text(f" The longest wait was {longest}. ")]
    told += told_of(trace, owners, ((wait.task, wait.start_ns, wait.start_ns) for wait in waits))
    told.append(text(" waited for it"))
    if (site := waits[0].site) is not None and site.file:
        told.append(text(f" at {place(site)}"))
        told += [text(" ("), code(site.text), text(")")] if site.text else []
    spent = "all of them" if stuck == len(waited_ns) else f"{stuck:,} of them"
    told.append(text(f"; {spent} spent half their time there, or more. "))
    evidence: list[Evidence] = [*(("waits", index) for index in indexes), *sorted(waited_ns)]
    return Finding(
        "lock-convoy",
        "warn",
        (*told, *_ADVICE),
        min(wait.start_ns for wait in waits),
        max(wait.end_ns for wait in waits),
        tuple(evidence),
        plain(_ADVICE),
    )
