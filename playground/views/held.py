"""Which steps held the event loop for too long: each that a person would notice, and short ones that add up.

A line that holds the loop for 40 ms fifty times in a few seconds costs as much as one that holds it once for 2 s, and
is the commoner mistake. It decides which steps count and which belong together, so that sentences and pictures agree;
it finds no words for them.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from playground.trace import Block, Trace
from playground.trace.looks import STARTING
from playground.views.remembered import remembered
from playground.views.segments import Owners, owners_of
from playground.views.wording import request_label

__all__ = ["NOTICED_NS", "WITHIN_NS", "actor", "crowded", "held", "held_steps"]

NOTICED_NS: Final = 50_000_000
"""A person notices a pause of about 50 ms; `Trace.blocks` takes the same figure for its default."""

WITHIN_NS: Final = 1_000_000_000
"""Short steps add up within a second: 50 ms in it are one part in twenty. What takes less of the time meets fewer than
one request in twenty that come at random, and each of these for less than a person notices."""

_SHORT_S: Final = 0.01
"""The sampler looks every 5 ms, from its second tick in a step on: of a shorter step no line need be known."""


@remembered
def held(trace: Trace) -> list[list[Block]]:
    """Steps that held the loop, in order of time, a list for each line that did it; nobody may change them.

    A step of 50 ms counts by itself. Shorter ones of 10 ms and more count where the same line was seen in them
    and they make 50 ms within a second; five of 12 ms, spread over an hour, do not. A step in which the loop waited for
    a new thread to come up is the machine's doing, and nobody's mistake.
    """
    owners = owners_of(trace)
    groups: dict[object, list[Block]] = defaultdict(list)
    short: dict[object, list[Block]] = defaultdict(list)
    for block in trace.blocks(_SHORT_S):
        if _starts_a_thread(trace, block):
            continue
        line: object = (block.site.file, block.site.line) if block.site and block.samples else None
        if block.duration_ns >= NOTICED_NS:
            groups[line or actor(trace, owners, block)].append(block)
        elif line:
            short[line].append(block)
    for line, blocks in short.items():
        if often := crowded([(block.start_ns, block.end_ns, block.duration_ns) for block in blocks]):
            groups[line] = sorted([*groups[line], *(blocks[at] for at in often)], key=lambda block: block.start_ns)
    return list(groups.values())


def _starts_a_thread(trace: Trace, block: Block) -> bool:
    """Whether the loop's thread was mostly seen to wait for a new one, which takes time on a full machine alone."""
    seen = [sample.library for sample in trace._samples_of.get(block.step, ()) if sample.site is not None]
    return 2 * seen.count(STARTING) > len(seen)


def crowded(spans: Sequence[tuple[int, int, int]]) -> list[int]:
    """Which of some spans make `NOTICED_NS` together with others within `WITHIN_NS`, as indexes in order.

    Args:
        spans: start, end and what counts of each, in nanoseconds, in order of time; none overlaps another.
    """
    found: set[int] = set()
    first = total_ns = known = 0
    for last, (_, end_ns, length_ns) in enumerate(spans):
        total_ns += length_ns
        while end_ns - spans[first][0] > WITHIN_NS and first < last:
            total_ns -= spans[first][2]
            first += 1
        if total_ns >= NOTICED_NS:
            found.update(range(max(first, known), last + 1))
            known = last + 1
    return sorted(found)


def held_steps(trace: Trace) -> dict[int, Block]:
    """The same steps by their index in `trace.steps`."""
    return {block.step: block for blocks in held(trace) for block in blocks}


def actor(trace: Trace, owners: Owners, block: Block) -> str:
    """Who ran a step: a request's label, a task's coroutine, or a callback's function."""
    request = owners.at(block.task, block.start_ns, block.end_ns)
    if request is not None:
        return request_label(trace.requests[request])
    if block.task is not None:
        return trace.tasks[block.task].coroutine
    site = trace.steps[block.step].site
    return site.function if site else ""
