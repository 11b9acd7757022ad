"""What to do about a line that held the event loop: advice that is true for the function in which the line stands.

A plain `def` mends a request's handler only, and only one that awaits nothing; what a background task, a dependency or
a helper does on the loop it leaves there. A recording names functions and does not say which of them are `async def`:
that is known of handlers and middleware, of a task's own coroutine, and of a function that was seen to wait. Where it
is not known, the advice says both. It judges no steps: `held` has chosen them.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import compress
from typing import Final, Literal

from playground.trace import Block, Clock, Site, Span, Trace
from playground.trace.looks import Look, is_library
from playground.trace.tables import WORDS
from playground.views.bulk import values
from playground.views.findings import Part, code, text
from playground.views.remembered import remembered
from playground.views.segments import Owners

__all__ = ["Loop", "in_thread", "loop_of", "to_do"]

_IN_A_LIBRARY: Final = (
    "That line is a library's, and no line of the app's own was seen on the way to it: look for what has the library "
    "do this on the loop."
)
_LOOKED: Final = "a line that holds the loop is seen every few milliseconds."
# What `charge_cpu` charges is computed between two virtual moments, at which nobody can look: another recording in
# virtual time would know no more.
_LOOK_AGAIN: Final[dict[Clock, list[Part]]] = {
    "real": [text(f"Record it again to see where: {_LOOKED}")],
    "virtual": [text("Record it with "), code("clock='real'"), text(f" to see where: in real time {_LOOKED}")],
}

# Also by its own name: `from time import sleep`. Written in C, it cannot be seen into; another's `sleep` can.
_SLEEP: Final = re.compile(r"(?:time\.)?sleep(\(.*\))")
# Advice that mends a sleep is of no use to what goes on around it, if that is more than a tenth.
_ALL_BUT: Final = 0.9
# What has a name of its own and yet stands in the function around it, and runs there.
_INNER: Final = re.compile(r"(\.<locals>\.<(genexpr|listcomp|setcomp|dictcomp)>)+$")
# How a step ends in which a task stopped within a function.
_STOPS: Final = frozenset(map(WORDS["StepOutcome"].index, ("waits", "yields")))
_THREAD: Final = {"asyncio": "await asyncio.to_thread(...)", "trio": "await trio.to_thread.run_sync(...)"}

Loop = Literal["asyncio", "trio"]


def to_do(trace: Trace, owners: Owners, blocks: Sequence[Block]) -> list[Part]:
    """What to do about steps that one line held up, by the function in which it stands."""
    site = blocks[0].site
    tasks = [block.task for block in blocks if block.task is not None]
    if len(tasks) < len(blocks) and site is not None and not is_library(site):
        return [text("Hand the call to a thread: "), code("loop.run_in_executor(None, ...)"), text(".")]
    if site is None or not blocks[0].samples:  # where a task stopped is not where it held the loop
        return _LOOK_AGAIN[trace.clock]
    if is_library(site):
        return [text(_IN_A_LIBRARY)]
    function = _INNER.sub("", site.function)
    loops = {loop_of(trace, task) for task in tasks}
    loop = loops.pop() if len(loops) == 1 else None
    twin = _twin(trace, blocks, loop)
    instead = twin or in_thread(loop)
    spans = _around(trace, owners, blocks, site)
    if all(_is_handler(trace, each, site, function) for each in spans):
        return _for_handler(trace, spans, site.file, function, instead)
    if not function or all(trace.tasks[task].coroutine == function for task in tasks):
        return [text("Instead, "), *instead, text(".")]
    if _awaits(trace, site.file, function) or all(_is_middleware(each, site, function) for each in spans):
        return [text("In "), code(function), text(", "), *instead, text(" instead.")]
    return _for_either(
        function, _within(trace, spans, [_seen_ns(trace, block, site) for block in blocks]), instead, in_thread(loop)
    )


def loop_of(trace: Trace, task: int | None) -> Loop | None:
    """Whose loop ran a task: all of trio's descend from one that it calls `<init>`; `None` where that is lost."""
    if task in trace.request_of:  # requests are recorded on asyncio's loops only
        return "asyncio"
    while task is not None:
        row = trace.tasks[task]
        if row.parent is None and (row.name, row.coroutine) == ("<init>", "Runner.init"):
            return "trio"
        task = row.parent
    return None if trace.forgotten.get("tasks") else "asyncio"


# -- what is advised ------------------------------------------------------------------------------------


def _for_handler(
    trace: Trace, spans: Sequence[Span | None], file: str, function: str, instead: list[Part]
) -> list[Part]:
    """A plain `def` for a handler that can be one: not that of a websocket, nor one that awaits something."""
    websocket = any(span is not None and trace.requests[span.request].method == "WEBSOCKET" for span in spans)
    if websocket or _awaits(trace, file, function):
        return [text("In the handler, "), *instead, text(" instead.")]
    return [text("Make the handler a plain "), code("def"), text(", or "), *instead, text(".")]


def _for_either(function: str, within: list[Part], instead: list[Part], thread: list[Part]) -> list[Part]:
    return [
        text("That line stands in "),
        code(function),
        *within,
        text(". If "),
        code(function),
        text(" is an "),
        code("async def"),
        text(", "),
        *instead,
        text(" there; if it is a plain "),
        code("def"),
        text(", have it called in a thread: "),
        *thread,
        text("."),
    ]


def _twin(trace: Trace, blocks: Sequence[Block], loop: Loop | None) -> list[Part]:
    """A sleep's twin, where the loop did nothing else for long."""
    calls: Counter[str] = Counter()
    for look in _looks(trace, blocks):
        calls[look.call] += look.ran_ns
    for call, call_ns in calls.most_common(1):
        sleep = _SLEEP.fullmatch(call)
        if sleep and call_ns >= _ALL_BUT * calls.total() and not _is_seen_into(trace, blocks):
            return [text("await an async sleep")] if loop is None else [code(f"await {loop}.sleep{sleep[1]}")]
    return []


def _is_seen_into(trace: Trace, blocks: Sequence[Block]) -> bool:
    """Whether the thread was seen within a library that the line had called."""
    return any(sample.library for block in blocks for sample in trace._samples_of.get(block.step, ()))


def in_thread(loop: Loop | None) -> list[Part]:
    """How a call is handed to a thread on that loop."""
    return [code("await anyio.to_thread.run_sync(...)" if loop is None else _THREAD[loop])]


def _looks(trace: Trace, blocks: Sequence[Block]) -> list[Look]:
    return [look for block in blocks for look in trace.inside(block.step)]


# -- what is known of the function ----------------------------------------------------------------------


def _around(trace: Trace, owners: Owners, blocks: Sequence[Block], site: Site) -> list[Span | None]:
    """For each step the innermost span that its request was in when the line was seen; `None` where there is none."""
    requests = [owners.at(block.task, block.start_ns, block.end_ns) for block in blocks]
    spans: dict[int | None, list[Span]] = {request: [] for request in requests if request is not None}
    for at, pointer in enumerate(trace._column("spans", "request")):
        if pointer - 1 in spans:
            spans[pointer - 1].append(trace.spans[at])
    return [
        _innermost(spans.get(request, []), _seen_ns(trace, block, site))
        for request, block in zip(requests, blocks, strict=True)
    ]


def _seen_ns(trace: Trace, block: Block, site: Site) -> int:
    """A moment in the longest stretch of a step in which the thread stood at a line."""
    looks = [look for look in trace.inside(block.step) if (look.site.file, look.site.line) == (site.file, site.line)]
    longest = max(looks, key=lambda look: look.ran_ns, default=block)
    return (longest.start_ns + longest.end_ns) // 2


def _innermost(spans: Sequence[Span], at_ns: int) -> Span | None:
    inside = [span for span in spans if span.start_ns <= at_ns and (span.end_ns is None or at_ns < span.end_ns)]
    return inside[-1] if inside else None


def _is_handler(trace: Trace, span: Span | None, site: Site, function: str) -> bool:
    """Whether a function is the handler itself, which may be a class's method that is named for the request's."""
    if span is None or span.kind != "handler":
        return False
    names = (span.name, f"{span.name}.{trace.requests[span.request].method.lower()}", f"{span.name}.__call__")
    return function in names and (span.site is None or span.site.file == site.file)


def _is_middleware(span: Span | None, site: Site, function: str) -> bool:
    """Whether a function is a middleware's, which is called on the loop, and is awaited."""
    if span is None or span.kind != "middleware" or span.site is None or span.site.file != site.file:
        return False
    return function in (span.name, f"{span.name}.__call__", f"{span.name}.dispatch")


def _awaits(trace: Trace, file: str, function: str) -> bool:
    """Whether a task was seen to stop in a function, as in an `async def` alone it can."""
    return (file, function) in _stops(trace)


@remembered
def _stops(trace: Trace) -> set[tuple[str, str]]:
    """The functions in which tasks were seen to stop, each with its file."""
    waits, waited_at = values(trace, "waits", "site")
    steps, stopped_at = values(trace, "steps", "site")
    stopped = compress(steps, map(_STOPS.__contains__, trace._column("steps", "outcome")))
    sites = [*(waited_at[place] for place in set(waits)), *(stopped_at[place] for place in set(stopped))]
    return {(site.file, _INNER.sub("", site.function)) for site in sites if site is not None}


def _within(trace: Trace, spans: Sequence[Span | None], seen_ns: Sequence[int]) -> list[Part]:
    """What ran when the line was seen, if that was the same each time; a library's middleware is not worth a name."""
    kinds = {(span.kind, span.name) for span in spans if span is not None}
    if len(kinds) != 1 or None in spans:
        return []
    ((kind, name),) = kinds
    if kind == "handler":
        return [text(", which ran within the handler "), code(name)]
    if kind == "middleware" and any(span and span.site and is_library(span.site) for span in spans):
        over = {span.request: span.end_ns for span in trace.spans if span.kind == "handler"}
        ends_ns = [over.get(span.request) for span in spans if span is not None]
        after = all(end_ns is not None and end_ns <= at_ns for end_ns, at_ns in zip(ends_ns, seen_ns, strict=True))
        return [text(", which ran after the handler")] if after else []
    if kind == "middleware":
        return [text(", which ran within the middleware "), code(name)]
    if kind == "dependency":
        return [text(", which ran while the handler's dependencies were found")]
    if kind == "response":
        return [text(", which ran after the handler, for its response or a background task")]
    return []
