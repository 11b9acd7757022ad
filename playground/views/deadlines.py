"""The rule that finds work that a deadline cut short: requests that failed of it, and tasks that it ended.

That a deadline passed is in the recording as a step of its own: the callback by which asyncio or anyio cancels. Whom it
cancelled is known by who woke whom from there on. A deadline that was met with calm is no finding: a task that was cut
short, and went on to answer, was meant to. trio's deadlines run no callback, and are not seen. How much more time the
work would have needed nobody knows.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from playground.trace import Site, Trace, Wait
from playground.trace.tables import WORDS
from playground.views.actors import all_of
from playground.views.bulk import values
from playground.views.evidence import answered_ns
from playground.views.findings import Evidence, Finding, Part, Severity, code, plain, strong, text
from playground.views.segments import Owners, owners_of
from playground.views.wording import duration, place, request_label

__all__ = ["WAITED_FOR", "cut_short", "deadlines"]

# What a deadline's callback is called, by the file that holds it: asyncio.timeout and, from Python 3.12 on,
# asyncio.wait_for; asyncio.wait_for before; anyio's cancel scopes.
_CALLBACKS: Final = (
    ("asyncio/timeouts.py", "Timeout._on_timeout"),
    ("asyncio/tasks.py", "_release_waiter"),
    ("anyio/_backends/_asyncio.py", "CancelScope._timeout"),
)
_CANCELLED: Final = WORDS["StepOutcome"].index("cancelled")
_RAISED: Final = WORDS["StepOutcome"].index("raised")
_CALLBACK: Final = WORDS["StepOutcome"].index("callback")
# Types with which a request, or a task, ends that a deadline cut short.
_OF_A_DEADLINE: Final = ("TimeoutError", "CancelledError", "Cancelled", "ClientDisconnect")
_SERVER_ERROR: Final = 500
_GATEWAY_TIMEOUT: Final = "answered 504"
_SHORT_NS: Final = 1_000_000
"""What is waited for less than this, as for a stream that takes up the answer, is no going on."""

WAITED_FOR: Final = {
    "timer": "a timer",
    "io": "I/O",
    "lock": "a lock",
    "queue": "a queue",
    "event": "an event",
    "thread": "a worker thread",
    "task": "a task",
    "future": "a future",
}

_ADVICE: Final[tuple[Part, ...]] = (text("See what keeps that so long, or allow it more time."),)


@dataclass(frozen=True, slots=True)
class Cut:
    """What a deadline ended.

    Attributes:
        deadline: the step in which it passed.
        owner: the request that failed of it, or the task that it ended.
        wait: the wait that was cut short, an index into `trace.waits`; `None` if that is not known.
        how: what became of the owner: `answered 504`, an exception's type, or `cancelled`.
    """

    deadline: int
    owner: Evidence
    wait: int | None
    how: str


def deadlines(trace: Trace) -> list[Finding]:
    """One finding for each route (or coroutine) and line at which deadlines cut it short, and each way it ended."""
    groups: dict[object, list[Cut]] = defaultdict(list)
    for cut in cut_short(trace):
        wait = None if cut.wait is None else trace.waits[cut.wait]
        groups[_label(trace, cut.owner), cut.how, wait and (wait.site, wait.on)].append(cut)
    return [_finding(trace, cuts) for cuts in groups.values()]


def cut_short(trace: Trace) -> list[Cut]:
    """Requests that failed, and tasks without a request that ended, as a deadline had passed; each once."""
    passed = _passed(trace)
    if not passed:
        return []
    owners = owners_of(trace)
    cuts: dict[Evidence, Cut] = {}
    for deadline, steps in sorted(_affected(trace, passed).items()):
        for cut in (*_requests(trace, owners, deadline, steps), *_tasks(trace, deadline, steps)):
            cuts[cut.owner] = cut  # of several deadlines in one request, those before the last were met with calm
    return list(cuts.values())


def _passed(trace: Trace) -> list[int]:
    """The steps in which a deadline passed."""
    places, sites = values(trace, "steps", "site")
    wanted = {place for place, site in enumerate(sites) if site is not None and _is_deadline(site)}
    if not wanted:
        return []
    return [at for at, place in enumerate(places) if place in wanted and trace.steps[at].outcome == "callback"]


def _is_deadline(site: Site) -> bool:
    path = site.file.replace("\\", "/")
    return any(site.function == function and path.endswith(file) for file, function in _CALLBACKS)


# -- whom it cancelled ----------------------------------------------------------------------------------


def _affected(trace: Trace, passed: Iterable[int]) -> dict[int, list[int]]:
    """For each step in which a deadline passed, the task steps in which somebody was told, in order.

    Told is whoever that step woke, or a callback of that wakes, or a task that ends cancelled as it was told; and of
    the children of a task that was told, those that end cancelled when it wakes them.
    """
    wakers, outcomes = trace._column("steps", "woken_by"), trace._column("steps", "outcome")
    tasks, parents = trace._column("steps", "task"), trace._column("tasks", "parent")
    of = {at: at for at in passed}
    told: dict[int, list[int]] = {at: [] for at in of}
    for at in range(min(of), len(wakers)):
        by = wakers[at] - 1
        if by not in of or at in of:
            continue
        task, outcome = tasks[at], outcomes[at]
        passes_on = outcomes[by] in (_CALLBACK, _CANCELLED)
        if passes_on or (task and outcome == _CANCELLED and parents[task - 1] == tasks[by]):
            of[at] = of[by]
            if task:
                told[of[at]].append(at)
    return told


def _requests(trace: Trace, owners: Owners, deadline: int, steps: Sequence[int]) -> Iterator[Cut]:
    for at in steps:
        step = trace.steps[at]
        request = owners.at(step.task, step.start_ns, step.end_ns)
        if request is not None and (how := _how_it_failed(trace, request)):
            own = trace.requests[request].task
            told = own if any(trace.steps[other].task == own for other in steps) else step.task
            if how in _OF_A_DEADLINE or how == _GATEWAY_TIMEOUT or not _went_on(trace, told, step.end_ns, request):
                yield Cut(deadline, ("requests", request), _wait_at(trace, told, deadline), how)


def _went_on(trace: Trace, task: int | None, told_ns: int, request: int) -> bool:
    """Whether a task waited for something else after it was told, and before its request was answered.

    It has met the deadline with calm then, as far as is known: the answer may be of what came after.
    """
    row = trace.requests[request]
    took_ns = answered_ns(row)
    until_ns = trace.duration_ns if took_ns is None else row.start_ns + took_ns
    starts, ends = trace._column("waits", "start_ns"), trace._column("waits", "end_ns")
    waits = trace.waits_of.get(task, []) if task is not None else []
    later = waits[bisect_left(waits, told_ns, key=starts.__getitem__) :]
    return any(ends[at] - starts[at] >= _SHORT_NS and starts[at] < until_ns for at in later)


def _how_it_failed(trace: Trace, index: int) -> str:
    """How a request ended, if that may be a deadline's doing; empty if not."""
    request = trace.requests[index]
    if request.error is not None:
        kind = request.error.split(":")[0]
        return kind if kind in _OF_A_DEADLINE else ""
    if request.status is not None and request.status >= _SERVER_ERROR:
        return f"answered {request.status}"
    return ""


def _tasks(trace: Trace, deadline: int, steps: Sequence[int]) -> Iterator[Cut]:
    """Tasks without a request that ended in the step in which they were told; of a family, the eldest."""
    outcomes = trace._column("steps", "outcome")
    last = {trace.steps[at].task: at for at in steps}
    for task, at in last.items():
        if task is None or task in trace.request_of or trace.tasks[task].parent in last:
            continue
        if outcomes[at] in (_CANCELLED, _RAISED):
            yield Cut(deadline, ("tasks", task), _wait_at(trace, task, deadline), trace.steps[at].outcome)


def _wait_at(trace: Trace, task: int | None, deadline: int) -> int | None:
    """The wait in which a task stood when a deadline passed, and not one in which it saw to the end of it."""
    passed_ns = trace.steps[deadline].start_ns
    starts = trace._column("waits", "start_ns")
    waits = trace.waits_of.get(task, []) if task is not None else []
    begun = bisect_left(waits, passed_ns, key=starts.__getitem__)
    return waits[begun - 1] if begun else None


# -- the sentence ---------------------------------------------------------------------------------------


def _label(trace: Trace, owner: Evidence) -> str:
    table, index = owner
    return request_label(trace.requests[index]) if table == "requests" else trace.tasks[index].coroutine


def _finding(trace: Trace, cuts: Sequence[Cut]) -> Finding:
    waits = [trace.waits[cut.wait] for cut in cuts if cut.wait is not None]
    table, _ = cuts[0].owner
    noun = "request" if table == "requests" else "task"
    were = "was" if len(cuts) == 1 else "were"
    told = [strong(f"{all_of(len(trace.requests), len(cuts), noun)} {were} cut short by a deadline."), text(" ")]
    told += [text("" if table == "requests" else "The task "), code(_label(trace, cuts[0].owner))]
    told += [text(_waited(waits)), *_ended(cuts[0].how), text(". ")]
    ends = [trace.steps[cut.deadline].start_ns for cut in cuts]
    evidence: list[Evidence] = [cut.owner for cut in cuts]
    evidence += [("steps", at) for at in dict.fromkeys(cut.deadline for cut in cuts)]
    return Finding(
        "deadline",
        _severity(cuts[0].how),
        (*told, *_ADVICE),
        min([wait.start_ns for wait in waits], default=min(ends)),
        max(ends),
        (*evidence, *(("waits", cut.wait) for cut in cuts if cut.wait is not None)),
        plain(_ADVICE),
    )


def _waited(waits: Sequence[Wait]) -> str:
    if not waits:
        return " was running when it passed, and"
    where = f" ({place(waits[0].site)})" if waits[0].site is not None and waits[0].site.file else ""
    lengths = [wait.end_ns - wait.start_ns for wait in waits]
    shortest, longest = duration(min(lengths)), duration(max(lengths))
    how_long = longest if shortest == longest else f"{shortest} to {longest}"
    return f" had waited {how_long} for {WAITED_FOR[waits[0].on]}{where} when it passed, and"


def _ended(how: str) -> list[Part]:
    if how.startswith("answered"):
        return [text(f" {how}")]
    if how == "TimeoutError":
        return [text(" let "), code(how), text(" out")]
    return [text(" raised" if how == "raised" else " was cancelled")]


def _severity(how: str) -> Severity:
    """A client that gives up is no mistake of the app's; an exception that leaves the app is one."""
    if how == "TimeoutError":
        return "bad"
    return "warn" if how.startswith("answered") or how == "raised" else "note"
