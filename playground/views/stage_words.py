"""What is said of each step of the event loop, in a sentence; and what waits and ends are called.

A sentence is put together from parts. Most are words; some stand for what differs from step to step (who ran, for how
long) and are filled in by whoever shows it, so that a long run has few different sentences. All words are here; a page
gets them in its packet. Parts that tell what only comes later are marked, so that a reader may be asked to guess first.
"""

from collections.abc import Mapping
from typing import Final, Literal

from playground.trace import Block, Request, Site, Step, Task, Trace, Wait, WaitOn
from playground.trace.looks import is_library
from playground.views.stage import Stage
from playground.views.wording import failure, is_error, one_line

__all__ = ["IDLE_NS", "Say", "plain", "sayings", "source_text", "status_of", "told", "where"]

Style = Literal["text", "strong", "code", "later", "who", "ran", "woke", "wait", "life", "queue", "idle"]
Say = tuple[Style, str]
"""Style and text. `later` is text that tells what comes after the step; the styles after it stand for a value:

who   name of who runs                             wait  length of the wait that follows; tells what comes later
ran   how long the step took                       life  how long what ended with it had lasted
woke  what it made ready                           queue how many are in the ready queue meanwhile
                                                   idle  how long no step runs after it; tells what comes later
With a value, the text is what to say before it; a length of nothing leaves its part out."""

IDLE_NS: Final = 100_000
"""Shorter pauses between two steps are the loop's own work; in virtual time every pause is told."""

_FOR: Final[dict[WaitOn, str]] = {
    "timer": "timer",
    "io": "I/O",
    "lock": "lock",
    "queue": "queue",
    "event": "event",
    "thread": "worker thread",
    "task": "task",
    "future": "future",
}
_ENDS: Final = {"returned": ", and is done", "raised": ", and fails", "cancelled": ", and is cancelled"}
_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}
_LONGEST: Final = 60


def told(on: WaitOn | None) -> str:
    """What a card says of a wait."""
    return "not recorded" if on is None else _FOR[on]


def source_text(site: Site | None) -> str:
    """The line of the user's own code at a place; empty for a library's, which tells its reader nothing."""
    return "" if site is None or is_library(site) else site.text


def where(site: Site) -> str:
    """A place of which no source is shown, in words."""
    words = f"{one_line(site.function)} in {one_line(site.file)}, line {site.line}"
    return f"In a library: {words}." if is_library(site) else f"In {words}, whose source is not to be had."


def status_of(request: Request | None, task: Task | None) -> tuple[str, bool]:
    """How something ended, and whether it failed."""
    if request is None:
        assert task is not None
        return ("done" if task.outcome == "returned" else task.outcome), task.outcome == "raised"
    if request.status is not None:
        return str(request.status), bool(failure(request))
    if request.error is None:
        return "done", False
    return ("error", True) if is_error(request) else ("cancelled", False)


# -- sentences --------------------------------------------------------------------------------------------


def sayings(trace: Trace, made: Stage, blocked: Mapping[int, Block]) -> list[tuple[Say, ...]]:
    """The sentence of each step."""
    own = {request.task: request for request in trace.requests if request.task is not None}
    last = {task: steps[-1] for task, steps in trace.steps_of.items()}
    ended: dict[int, Request] = {at: own[task] for task, at in last.items() if task in own}
    known: dict[object, tuple[Say, ...]] = {}
    said = []
    for index, step in enumerate(trace.steps[: made.steps]):
        wait = trace.waits[made.waited[index]] if made.waited[index] >= 0 else None
        over = made.waited[index] not in made.open
        first = step.task is not None and made.before[index] < 0 and not trace.dropped
        request = ended.get(index) if step.outcome in ("returned", "raised", "cancelled") else None
        call = blocked[index].call if index in blocked else None
        key = (
            *(step.task is None, step.outcome, step.site, wait and (wait.on, wait.site), over, first, call),
            request and (request.status, request.error),
        )
        if key not in known:
            known[key] = tuple(_step(step, call, wait, over, first, request))
        said.append(known[key])
    return said


def _step(
    step: Step, call: str | None, wait: Wait | None, over: bool, first: bool, request: Request | None
) -> list[Say]:
    """A step's sentence; `call` is what one that held the loop was seen in, or empty, and `None` for any other."""
    parts: list[Say] = [("text", "The ")] if step.task is None else []
    parts.append(("who", ""))
    if call is None:
        parts += [("text", " begins, runs" if first else " runs"), ("ran", " for ")]
    else:
        parts += [("strong", " holds the loop"), ("ran", " for "), ("strong", " without an await")]
    if call:
        parts += [("text", ", most of it in "), ("code", one_line(call, _LONGEST))]
    parts.append(("woke", " and makes " if step.task is None else ", makes "))
    if step.task is not None:
        parts += _then(step, wait, over, request)
    if call is not None:
        parts.append(("queue", "; meanwhile nothing else can run, and as it ends the ready queue holds "))
    return [*parts, ("idle", "; then no step runs for "), ("text", ".")]


def _then(step: Step, wait: Wait | None, over: bool, request: Request | None) -> list[Say]:
    """How a task's step ended."""
    if step.outcome == "waits":
        return _waits(step, wait, over)
    if step.outcome == "yields":
        return [("text", ", then lets others run")]
    parts: list[Say] = [("text", _ENDS[step.outcome])]
    if request is not None and request.status is not None:
        parts += [("text", f": {request.status}"), ("life", " after ")]
    if request is not None and request.error is not None:
        parts += [("text", ": "), ("code", one_line(request.error, _LONGEST))]
    return parts


def _waits(step: Step, wait: Wait | None, over: bool) -> list[Say]:
    site = step.site if wait is None else wait.site
    line = source_text(site)
    awaited = _awaited(line)
    if awaited:
        parts: list[Say] = [("text", ", then awaits "), ("code", awaited)]
    elif line:
        parts = [("text", ", then waits at "), ("code", one_line(line, _LONGEST))]
    elif site is not None and site.function:
        parts = [("text", ", then waits in "), ("code", one_line(site.function, _LONGEST))]
    else:
        parts = [("text", ", then waits")]
    if wait is None:
        return [*parts, ("text", " (for what was not recorded)")]
    length: Say = ("wait", ", ") if over else ("later", ", not over when the recording was")
    return [*parts, ("text", f" ({_FOR[wait.on]}"), length, ("text", ")")]


def _awaited(text: str) -> str:
    """What a line awaits: `db.fetch(LIST)` in `rows = await db.fetch(LIST)`; empty if it holds no `await`.

    Of a call that goes on in the next line, which is not recorded, the rest is left open: `gather(…)`.
    """
    _, found, rest = text.partition("await ")
    closers, quote, end = "", "", len(rest)
    for at, char in enumerate(rest):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in _CLOSERS:
            closers = _CLOSERS[char] + closers
        elif closers and char == closers[0]:
            closers = closers[1:]
        elif char in ")]}" or (not closers and char in ",:;#"):
            end = at
            break
    left_open = f"…{closers}" if closers else ""
    return one_line(rest[:end].strip() + left_open, _LONGEST) if found else ""


# -- as plain text ----------------------------------------------------------------------------------------


def plain(parts: tuple[Say, ...], values: Mapping[str, str | None]) -> str:
    """A sentence with its values filled in; a value that is `None` leaves its part out."""
    pieces = []
    for style, words in parts:
        if style in values:
            value = values[style]
            pieces.append("" if value is None else words + value)
        else:
            pieces.append(f"`{words}`" if style == "code" else words)
    return "".join(pieces)
