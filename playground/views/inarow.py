"""The rule that finds waits in a row that could perhaps be one: a request that waits for one thing after another.

Whether the second of two waits needs what the first has given is not recorded, so the sentence says "could", and on
what condition. It is said only where it would help: where all but the longest of the waits take a good part of the
request's life, and long enough to be noticed. Between two waits nothing may have gone out or come in: who sends and
waits, and sends and waits, keeps time, or a conversation.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from playground.trace import Site, Trace, Wait, WaitOn
from playground.views.actors import all_of
from playground.views.advice import loop_of
from playground.views.deadlines import WAITED_FOR
from playground.views.findings import Evidence, Finding, code, plain, strong, text
from playground.views.held import NOTICED_NS
from playground.views.wording import duration, part_of, place, request_label

__all__ = ["awaits_in_a_row"]

_KINDS: Final[frozenset[WaitOn]] = frozenset({"timer", "io", "thread", "future"})
"""What can be waited for together. Locks, queues and events are there to keep things apart, and a task that is awaited
goes on beside its maker already."""
_SHORTEST_NS: Final = 1_000_000
"""A wait that is shorter is a turn of the loop or of a neighbour, and neither counts nor comes between."""
_GAIN: Final = 3
"""One part in so many of the life: of two calls of which one takes twice as long as the other, the shorter."""
_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class _Row:
    """Waits in a row.

    Attributes:
        owner: the request, or the task where there are no requests.
        life_ns: how long that took.
        waits: indexes into `trace.waits`, in order.
        sum_ns, longest_ns: of the waits.
    """

    owner: int
    life_ns: int
    waits: tuple[int, ...]
    sum_ns: int
    longest_ns: int

    @property
    def gain_ns(self) -> int:
        return self.sum_ns - self.longest_ns


def awaits_in_a_row(trace: Trace, without: Collection[WaitOn] = ()) -> list[Finding]:
    """One finding for each route (or coroutine) and kind of wait.

    Args:
        without: kinds that are not to be looked at, as another finding says why there is nothing to be had.
    """
    groups: dict[tuple[str, WaitOn], list[_Row]] = defaultdict(list)
    for row in _rows(trace, _KINDS.difference(without)):
        groups[_label(trace, row.owner), trace.waits[row.waits[0]].on].append(row)
    return [_finding(trace, label, rows) for (label, _), rows in groups.items()]


def _label(trace: Trace, owner: int) -> str:
    return request_label(trace.requests[owner]) if trace.requests else trace.tasks[owner].coroutine


# -- which waits ----------------------------------------------------------------------------------------


def _rows(trace: Trace, kinds: Collection[WaitOn]) -> Iterator[_Row]:
    starts, ends = trace._column("waits", "start_ns"), trace._column("waits", "end_ns")
    handlers: dict[int, str] | None = None
    for owner, task, start_ns, end_ns in _lives(trace):
        waits = trace.waits_of.get(task, [])
        first, last = (bisect_left(waits, at_ns, key=starts.__getitem__) for at_ns in (start_ns, end_ns))
        waits = [at for at in waits[first:last] if ends[at] - starts[at] >= _SHORTEST_NS]
        life_ns = end_ns - start_ns
        if not _worth([ends[at] - starts[at] for at in waits], life_ns):
            continue
        if handlers is None:
            handlers = _handlers(trace)
        own = handlers.get(owner) if trace.requests else trace.tasks[task].coroutine
        runs = _runs(trace, waits, kinds, own, _notes_ns(trace, owner))
        best = max(runs, key=lambda run: run.sum_ns - run.longest_ns, default=None)
        if best is not None and _worth([ends[at] - starts[at] for at in best.waits], life_ns):
            yield _Row(owner, life_ns, best.waits, best.sum_ns, best.longest_ns)


def _lives(trace: Trace) -> Iterator[tuple[int, int, int, int]]:
    """Requests that are over and took long enough, each with its task, start and end; else tasks that returned."""
    table, start, task_of = ("requests", "start_ns", trace._column("requests", "task"))
    if not trace.requests:
        table, start, task_of = ("tasks", "created_ns", range(1, len(trace.tasks) + 1))
    lives = zip(
        trace._column(table, start), trace._column(table, "end_ns" if trace.requests else "ended_ns"), strict=True
    )
    for owner, (start_ns, end_ns) in enumerate(lives):
        long = end_ns - start_ns >= 2 * NOTICED_NS and task_of[owner] > 0
        if long and (trace.requests or trace.tasks[owner].outcome == "returned"):
            yield owner, task_of[owner] - 1, start_ns, end_ns


def _worth(lengths_ns: Sequence[int], life_ns: int) -> bool:
    gain_ns = sum(lengths_ns) - max(lengths_ns, default=0)
    return gain_ns >= NOTICED_NS and gain_ns * _GAIN >= life_ns


def _handlers(trace: Trace) -> dict[int, str]:
    return {span.request: span.name for span in trace.spans if span.kind == "handler"}


def _notes_ns(trace: Trace, owner: int) -> list[int]:
    """When something of a request went out or came in."""
    return [message.at_ns for message in trace.requests[owner].messages] if trace.requests else []


def _runs(
    trace: Trace, waits: Sequence[int], kinds: Collection[WaitOn], own: str | None, notes_ns: Sequence[int]
) -> Iterator[_Row]:
    """Waits of one kind that follow on one another, with no message between."""
    rows = [(at, trace.waits[at]) for at in waits]
    paces = _paces([wait for _, wait in rows], own)
    sent = {at: bisect_left(notes_ns, wait.start_ns) for at, wait in rows}

    def key(pair: tuple[int, Wait]) -> tuple[WaitOn | None, int]:
        at, wait = pair
        counts = wait.on in kinds and wait.site not in paces
        return (wait.on if counts else None), sent[at]

    for (on, _), run in groupby(rows, key):
        pairs = list(run)
        if on is not None and len(pairs) > 1:
            lengths = [wait.end_ns - wait.start_ns for _, wait in pairs]
            yield _Row(0, 0, tuple(at for at, _ in pairs), sum(lengths), max(lengths))


def _paces(waits: Iterable[Wait], own: str | None) -> set[Site | None]:
    """Lines that wait again and again as they should: a sleep in a loop of the handler's own, and each `async for`.

    Where the handler's name is not known, any sleep in a loop may be its own.
    """
    seen: dict[Site, int] = defaultdict(int)
    for wait in waits:
        if wait.site is not None and (wait.on == "timer" or wait.site.text.startswith("async for ")):
            seen[wait.site] += 1
    return {
        site
        for site, count in seen.items()
        if count > 1 and (own in (None, site.function) or site.text.startswith("async for "))
    }


# -- the sentence ---------------------------------------------------------------------------------------


def _finding(trace: Trace, label: str, rows: Sequence[_Row]) -> Finding:
    most = max(rows, key=lambda row: row.gain_ns)
    waits = [trace.waits[at] for at in most.waits]
    noun = "request" if trace.requests else "task"
    total = len(trace.requests)
    told = [strong(f"{all_of(total, len(rows), noun)} waited for one thing after another."), text(" ")]
    told += [text("" if trace.requests else "The task "), code(label)]
    told.append(text(f" waited {len(waits):,} times in a row for {WAITED_FOR[waits[0].on]}"))
    worst = "" if len(rows) == 1 else " at worst"
    told.append(text(f"{_lines(waits)}:{worst} for {part_of(most.sum_ns, most.life_ns)}. "))
    suggestion = [
        text("If none of these needs what one before it gave, they could run together, in the time of the longest, "),
        text(f"{duration(most.longest_ns)}: "),
        code(_together(trace, waits[0].task)),
        text("."),
    ]
    evidence: list[Evidence] = [("requests" if trace.requests else "tasks", row.owner) for row in rows]
    evidence += [("waits", at) for row in rows for at in row.waits]
    spans = [trace.waits[at] for row in rows for at in row.waits]
    return Finding(
        "awaits-in-a-row",
        "note",
        (*told, *suggestion),
        min(wait.start_ns for wait in spans),
        max(wait.end_ns for wait in spans),
        tuple(evidence),
        plain(suggestion),
    )


def _lines(waits: Sequence[Wait]) -> str:
    """` (cell 3, line 5)`; of several lines in one file, up to three: ` (cell 3, lines 5, 6 and 7)`."""
    sites = list(dict.fromkeys(wait.site for wait in waits if wait.site is not None and wait.site.file))
    if not sites or len({site.file for site in sites}) > 1 or len(sites) > _LINES:
        return ""
    numbers = [str(site.line) for site in sites]
    if len(numbers) == 1:
        return f" ({place(sites[0])})"
    where = place(sites[0]).removesuffix(f"line {numbers[0]}")
    return f" ({where}lines {', '.join(numbers[:-1])} and {numbers[-1]})"


def _together(trace: Trace, task: int) -> str:
    return "trio.open_nursery()" if loop_of(trace, task) == "trio" else "await asyncio.gather(...)"
