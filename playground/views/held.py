"""Which steps held the event loop for too long: each that a person would notice, and short ones that add up.

A line that holds the loop for 40 ms fifty times costs as much as one that holds it once for 2 s, and is the
commoner mistake. It decides which steps count and which belong together, so that sentences and pictures agree;
it finds no words for them.
"""

from collections import defaultdict
from typing import Final

from playground.trace import Block, Trace
from playground.views.segments import Owners
from playground.views.wording import request_label

__all__ = ["NOTICED_NS", "actor", "held", "held_steps"]

NOTICED_NS: Final = 50_000_000
"""A person notices a pause of about 50 ms; `Trace.blocks` takes the same figure for its default."""

_SHORT_S: Final = 0.01
"""The sampler looks every 5 ms, from its second tick in a step on: of a shorter step no line need be known."""


def held(trace: Trace) -> list[list[Block]]:
    """Steps that held the loop, in order of time, a list for each line that did it.

    A step of 50 ms counts by itself. Shorter ones of 10 ms and more count where the same line was seen in them
    and they make 50 ms together.
    """
    owners = Owners(trace)
    groups: dict[object, list[Block]] = defaultdict(list)
    short: dict[object, list[Block]] = defaultdict(list)
    for block in trace.blocks(_SHORT_S):
        line: object = (block.site.file, block.site.line) if block.site and block.samples else None
        if block.duration_ns >= NOTICED_NS:
            groups[line or actor(trace, owners, block)].append(block)
        elif line:
            short[line].append(block)
    for line, blocks in short.items():
        if sum(block.duration_ns for block in blocks) >= NOTICED_NS:
            groups[line] = sorted([*groups[line], *blocks], key=lambda block: block.start_ns)
    return list(groups.values())


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
