"""The rules that find what held the event loop, on which line, and who waited meanwhile.

Every count is of rows in the recording. A line is named only if the loop's thread was seen standing there;
where several lines were seen in one step, the sentence says for how much of the time it stood at that one. What to do
about it is `advice`'s affair.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence

from playground.trace import Block, Trace
from playground.trace.looks import Look
from playground.views.advice import Loop, in_thread, loop_of, to_do
from playground.views.evidence import away
from playground.views.findings import Evidence, Finding, Part, code, listed, plain, strong, text
from playground.views.held import NOTICED_NS, actor, held
from playground.views.libraries import INSTEAD, library_of
from playground.views.segments import Owners, owners_of
from playground.views.wording import counted, duration, part_of, place

__all__ = ["held_up", "loop_blocked", "ready", "sync_library"]


def loop_blocked(trace: Trace) -> list[Finding]:
    """One finding for each line that held the loop, however often it did; but for what `sync_library` tells."""
    return _findings(trace, [blocks for blocks in held(trace) if not library_of(trace, blocks)])


def sync_library(trace: Trace) -> list[Finding]:
    """One finding for each line that held the loop by calling a library that waits without giving way."""
    return _findings(trace, [blocks for blocks in held(trace) if library_of(trace, blocks)])


def _findings(trace: Trace, groups: Sequence[list[Block]]) -> list[Finding]:
    if not groups:
        return []
    owners, queue = owners_of(trace), list(ready(trace))
    return [_finding(trace, owners, blocks, queue) for blocks in groups]


def _finding(trace: Trace, owners: Owners, blocks: list[Block], queue: "list[_Ready]") -> Finding:
    library = library_of(trace, blocks)
    waited = held_up(trace, owners, blocks, queue)
    told = [*_who(trace, owners, blocks), *_what(trace, blocks), *_waited(trace, len(waited), len(blocks))]
    suggestion = _instead(library, loop_of(trace, blocks[0].task)) if library else to_do(trace, owners, blocks)
    if library:
        told += [text(" There, "), code(library), text(" was at work, which waits without giving way.")]
    return Finding(
        "sync-library" if library else "loop-blocked",
        "bad",
        (*_still(blocks), *told, *_uncounted(blocks), text(" "), *suggestion),
        min(block.start_ns for block in blocks),
        max(block.end_ns for block in blocks),
        (*(("steps", block.step) for block in blocks), *waited),
        plain(suggestion),
    )


def _instead(library: str, loop: Loop | None) -> list[Part]:
    """A library of the same kind that awaits; on trio's loop, where httpx alone runs there, a thread."""
    if loop == "trio" and not INSTEAD[library].startswith("httpx."):
        return [text("Instead, "), *in_thread(loop), text(".")]
    return [
        text("Instead, await "),
        code(INSTEAD[library]),
        text(", or hand the call to a thread: "),
        *in_thread(loop),
        text("."),
    ]


# -- the sentence ---------------------------------------------------------------------------------------


def _still(blocks: list[Block]) -> list[Part]:
    lengths = [block.duration_ns for block in blocks]
    if len(blocks) == 1:
        return [strong(f"The event loop stood still for {duration(lengths[0])}."), text(" ")]
    if min(lengths) < NOTICED_NS:
        told = f"The event loop was held {len(blocks):,} times by the same line, {duration(sum(lengths))} in all"
        return [strong(f"{told} ({_each(lengths)})."), text(" ")]
    return [
        strong(f"The event loop stood still {len(blocks):,} times, for {duration(sum(lengths))} in all."),
        text(f" The longest time was {duration(max(lengths))}. "),
    ]


def _each(lengths: list[int]) -> str:
    """`40 ms each`; where that is not all the same to three digits, about, or from shortest to longest."""
    shortest, longest = duration(min(lengths)), duration(max(lengths))
    if shortest == longest:
        return f"{longest} each"
    if max(lengths) < 1.1 * min(lengths):
        return f"about {duration(sum(lengths) // len(lengths))} each"
    return f"{shortest} to {longest} each"


def _who(trace: Trace, owners: Owners, blocks: list[Block]) -> list[Part]:
    names = Counter(actor(trace, owners, block) for block in blocks)
    if all(owners.at(block.task, block.start_ns, block.end_ns) is not None for block in blocks):
        return listed(names)
    if any(block.task is not None for block in blocks):
        return [text("The task " if len(names) == 1 else "The tasks "), *listed(names)]
    return [text("The callback "), *listed(names)] if all(names) else [text("A callback")]


def _what(trace: Trace, blocks: list[Block]) -> list[Part]:
    site = blocks[0].site
    each = " each time" if len(blocks) > 1 else ""
    if site is None or not blocks[0].samples:
        return _unseen(blocks)
    held_ns, all_ns = (sum(block.held_ns for block in blocks), sum(block.duration_ns for block in blocks))
    share = "" if duration(held_ns) == duration(all_ns) else f", for {part_of(held_ns, all_ns)}"
    where = text(f" on the loop{each} ({place(site)}{share})")
    calls: Counter[str] = Counter()
    for look in _looks(trace, blocks):
        if (look.site.file, look.site.line) == (site.file, site.line):
            calls[look.call or look.site.text] += look.ran_ns
    call = calls.most_common(1)[0][0]
    return [text(" ran "), code(call), where] if call else [text(" ran"), where]


def _looks(trace: Trace, blocks: list[Block]) -> Iterator[Look]:
    return (look for block in blocks for look in trace.inside(block.step))


def _unseen(blocks: list[Block]) -> list[Part]:
    """Where nobody looked, all that is known is where the step stopped."""
    block = blocks[0]
    if len(blocks) == 1 and block.site is not None:
        if block.task is None:
            return [text(f" ({place(block.site)}) ran on the loop")]
        if block.outcome in ("waits", "yields"):
            return [text(f" ran on the loop until it stopped at {place(block.site)}")]
    return [text(" ran on the loop, at a line that was not seen")]


def _waited(trace: Trace, count: int, blocks: int) -> list[Part]:
    if not count:
        return [text(".")]
    noun = "request" if trace.requests else "task"
    return [text(f"; {counted(count, noun)} waited behind {'it' if blocks == 1 else 'them'}.")]


def _uncounted(blocks: list[Block]) -> list[Part]:
    return [text(f" Another {duration(ns)}, when {why}, is not counted.") for ns, why in away(blocks)]


# -- who waited -----------------------------------------------------------------------------------------

_Ready = tuple[int, int, int]


def ready(trace: Trace) -> Iterator[_Ready]:
    """Spans in which a request (a task, where there are no requests) was ready: start, end, its index."""
    of = trace.request_of if trace.requests else {task: task for task in range(len(trace.tasks))}
    for task, index in of.items():
        for start_ns, end_ns in trace.ready_spans(task):
            yield start_ns, end_ns, index


def held_up(trace: Trace, owners: Owners, blocks: Sequence[Block], queue: list[_Ready]) -> list[Evidence]:
    """Requests (or tasks) that were ready while another's step blocked the loop."""
    ends = [block.end_ns for block in blocks]
    own = [owners.at(block.task, block.start_ns, block.end_ns) if trace.requests else block.task for block in blocks]
    waited = set()
    for start_ns, end_ns, index in queue:
        at = bisect_right(ends, start_ns)
        while at < len(blocks) and blocks[at].start_ns < end_ns and index not in waited:
            if own[at] != index:
                waited.add(index)
            at += 1
    return [("requests" if trace.requests else "tasks", index) for index in sorted(waited)]
