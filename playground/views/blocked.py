"""The rule that finds what held the event loop, on which line, and who waited meanwhile.

Every count is of rows in the recording. A line is named only if the loop's thread was seen standing there;
where several lines were seen in one step, the sentence says in how many of the looks.
"""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from playground.trace import Block, Trace
from playground.views.findings import Evidence, Finding, Part, code, listed, plain, strong, text
from playground.views.segments import Owners
from playground.views.wording import counted, duration, place, request_label

__all__ = ["actor", "loop_blocked"]

# Time lost to other programs is worth a word only where it would change the figure that is shown.
_DELAY_SHOWN_NS: Final = 1_000_000

_SLEEP: Final = re.compile(r"time\.sleep(\(.*\))")


def loop_blocked(trace: Trace) -> list[Finding]:
    """One finding for each line that held the loop, however often it did."""
    owners = Owners(trace)
    groups: dict[object, list[Block]] = defaultdict(list)
    for block in trace.blocks():
        where = (block.site.file, block.site.line) if block.site and block.samples else actor(trace, owners, block)
        groups[where].append(block)
    queue = list(_ready(trace)) if groups else []
    return [_finding(trace, owners, blocks, queue) for blocks in groups.values()]


def actor(trace: Trace, owners: Owners, block: Block) -> str:
    """Who ran a step: a request's label, a task's coroutine, or a callback's function."""
    request = owners.at(block.task, block.start_ns, block.end_ns)
    if request is not None:
        return request_label(trace.requests[request])
    if block.task is not None:
        return trace.tasks[block.task].coroutine
    site = trace.steps[block.step].site
    return site.function if site else ""


def _finding(trace: Trace, owners: Owners, blocks: list[Block], queue: "list[_Ready]") -> Finding:
    waited = _held_up(trace, owners, blocks, queue)
    told = [*_who(trace, owners, blocks), *_what(trace, blocks), *_waited(trace, len(waited), len(blocks))]
    suggestion = _advice(trace, owners, blocks)
    return Finding(
        "loop-blocked",
        "bad",
        (*_still(blocks), *told, *_uncounted(blocks), text(" "), *suggestion),
        min(block.start_ns for block in blocks),
        max(block.end_ns for block in blocks),
        (*(("steps", block.step) for block in blocks), *waited),
        plain(suggestion),
    )


# -- the sentence ---------------------------------------------------------------------------------------


def _still(blocks: list[Block]) -> list[Part]:
    lengths = [block.duration_ns for block in blocks]
    if len(blocks) == 1:
        return [strong(f"The event loop stood still for {duration(lengths[0])}."), text(" ")]
    return [
        strong(f"The event loop stood still {len(blocks):,} times, for {duration(sum(lengths))} in all."),
        text(f" The longest time was {duration(max(lengths))}. "),
    ]


def _who(trace: Trace, owners: Owners, blocks: list[Block]) -> list[Part]:
    names = Counter(actor(trace, owners, block) for block in blocks)
    if all(owners.at(block.task, block.start_ns, block.end_ns) is not None for block in blocks):
        return listed(names)
    if any(block.task is not None for block in blocks):
        return [text("The task " if len(names) == 1 else "The tasks "), *listed(names)]
    return [text("The callback "), *listed(names)] if all(names) else [text("A callback")]


def _what(trace: Trace, blocks: list[Block]) -> list[Part]:
    site = blocks[0].site
    looks = sum(block.samples for block in blocks)
    each = " each time" if len(blocks) > 1 else ""
    if site is None or not looks:
        return _unseen(blocks)
    call, seen = _seen(trace, blocks)
    share = "" if seen == looks else f"; seen there in {seen:,} of {looks:,} looks"
    where = text(f" on the loop{each} ({place(site)}{share})")
    return [text(" ran "), code(call), where] if call else [text(" ran"), where]


def _seen(trace: Trace, blocks: list[Block]) -> tuple[str, int]:
    """What was seen most often on the line of these blocks, and how often the line was seen in all."""
    site = blocks[0].site
    steps = {block.step for block in blocks}
    looks = [
        sample
        for sample in trace.samples
        if sample.step in steps
        and sample.site
        and site
        and (sample.site.file, sample.site.line) == (site.file, site.line)
    ]
    calls = Counter(sample.call or (sample.site.text if sample.site else "") for sample in looks)
    return calls.most_common(1)[0][0], len(looks)


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
    delayed_ns = sum(block.delayed_ns for block in blocks)
    if delayed_ns < _DELAY_SHOWN_NS:
        return []
    return [text(f" Another {duration(delayed_ns)}, when the system did not run the thread, is not counted.")]


def _advice(trace: Trace, owners: Owners, blocks: list[Block]) -> list[Part]:
    calls = {block.call for block in blocks}
    sleep = _SLEEP.fullmatch(calls.pop()) if len(calls) == 1 else None
    instead = code(f"await anyio.sleep{sleep[1]}" if sleep else "await anyio.to_thread.run_sync(...)")
    if all(owners.at(block.task, block.start_ns, block.end_ns) is not None for block in blocks):
        return [text("Make the handler a plain "), code("def"), text(", or "), instead, text(".")]
    if all(block.task is not None for block in blocks):
        return [text("Instead, "), instead, text(".")]
    return [text("Hand the call to a thread: "), code("loop.run_in_executor(None, ...)"), text(".")]


# -- who waited -----------------------------------------------------------------------------------------

_Ready = tuple[int, int, int]


def _ready(trace: Trace) -> Iterator[_Ready]:
    """Spans in which a request (a task, where there are no requests) was ready: start, end, its index."""
    of = trace.request_of if trace.requests else {task: task for task in range(len(trace.tasks))}
    for task, index in of.items():
        for start_ns, end_ns in trace.ready_spans(task):
            yield start_ns, end_ns, index


def _held_up(trace: Trace, owners: Owners, blocks: Sequence[Block], queue: list[_Ready]) -> list[Evidence]:
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
