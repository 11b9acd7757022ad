"""The rules that find what the app let go of: coroutines that nobody awaited, exceptions that nobody asked for.

The recording has a row for each such loss. A line is named only where the row has one: of a coroutine, the line that
let go of it, which names it; of an exception, the line that raised it. Whether somebody would have asked later is not
known, and the sentence says until when nobody had.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from playground.trace import Loss, Trace
from playground.views.actors import told_of
from playground.views.findings import Finding, Part, Rule, code, plain, strong, text
from playground.views.segments import Owners, owners_of
from playground.views.wording import counted, place

__all__ = ["never_awaited", "never_retrieved"]

_KEEP: Final[tuple[Part, ...]] = (
    text("Keep the task and await it, or make it in an "),
    code("asyncio.TaskGroup"),
    text(", which does both."),
)


def never_awaited(trace: Trace) -> list[Finding]:
    """One finding for each coroutine function whose coroutines were let go, and each line that did so."""
    groups: dict[object, list[int]] = defaultdict(list)
    for index, loss in enumerate(trace.losses):
        if loss.kind == "coroutine":
            groups[loss.name, loss.defined, loss.site].append(index)
    if not groups:
        return []
    owners = owners_of(trace)
    return [_unawaited(trace, owners, indexes) for indexes in groups.values()]


def _unawaited(trace: Trace, owners: Owners, indexes: Sequence[int]) -> Finding:
    losses = [trace.losses[index] for index in indexes]
    first = losses[0]
    one = len(losses) == 1
    head = "A coroutine was" if one else f"{len(losses):,} coroutines were"
    told = [strong(f"{head} never awaited."), text(" "), *_callers(trace, owners, losses)]
    told += [text(" called "), code(first.name), text(", and what that returned was let go")]
    if first.site is not None:
        told.append(text(f" at {place(first.site)}"))
        told += [text(" ("), code(first.site.text), text(")")] if first.site.text else []
    elif first.defined is not None:
        told.append(text(f" (it is written at {place(first.defined)})"))
    told.append(text(": none of its code ran. "))
    short = first.name.rpartition(".")[2]
    if first.site is not None:
        written = _awaited(first.site.text, short)
        suggestion = [text("Write "), code(written), text(" there, or make it a task and keep that.")]
    else:
        suggestion = [text("Look for a call of "), code(short), text(" that lacks its "), code("await"), text(".")]
    return _finding("never-awaited", losses, indexes, told, suggestion)


def _awaited(line: str, short: str) -> str:
    """What to write: the call as its line has it, `await asyncio.sleep(...)`; `await` alone if that cannot be told."""
    found = re.search(rf"(?:[^\W\d]\w*\s*\.\s*)*\b{re.escape(short)}\b(?=\s*\()", line)
    return f"await {found[0]}(...)" if found is not None and line[: found.start()][-1:] != "." else "await"


def _callers(trace: Trace, owners: Owners, losses: Sequence[Loss]) -> list[Part]:
    return told_of(trace, owners, ((loss.task, loss.at_ns, loss.at_ns) for loss in losses))


def never_retrieved(trace: Trace) -> list[Finding]:
    """One finding for each coroutine and type of exception with which tasks ended that nobody asked."""
    groups: dict[object, list[int]] = defaultdict(list)
    for index, loss in enumerate(trace.losses):
        if loss.kind == "exception":
            groups[_coroutine(trace, loss), _type(loss)].append(index)
    return [_unretrieved(trace, indexes) for indexes in groups.values()]


def _coroutine(trace: Trace, loss: Loss) -> str | None:
    return None if loss.task is None else trace.tasks[loss.task].coroutine


def _type(loss: Loss) -> str:
    return loss.name.split(":")[0]


def _unretrieved(trace: Trace, indexes: Sequence[int]) -> Finding:
    losses = [trace.losses[index] for index in indexes]
    texts = Counter(loss.name for loss in losses)
    first, many = losses[0], len(losses)
    head = "An exception was" if many == 1 else f"{many:,} exceptions were"
    told = [strong(f"{head} never retrieved."), text(" ")]
    coroutine = _coroutine(trace, first)
    if coroutine is None:
        told.append(text("A task" if many == 1 else counted(many, "task")))
    else:
        told += [text("The task " if many == 1 else f"{counted(many, 'task')} "), code(coroutine)]
    told += [text(" ended in "), code(first.name if len(texts) == 1 else _type(first))]
    if len(texts) > 1:
        told += [text(f" with {len(texts):,} different texts, the first "), code(first.name)]
    if first.site is not None and len({loss.site for loss in losses}) == 1:
        told.append(text(f" ({place(first.site)})"))
    told.append(text(", and nobody had asked for that when the recording ended. "))
    return _finding("never-retrieved", losses, indexes, told, list(_KEEP))


def _finding(
    rule: Rule, losses: Sequence[Loss], indexes: Sequence[int], told: list[Part], suggestion: list[Part]
) -> Finding:
    return Finding(
        rule,
        "bad",
        (*told, *suggestion),
        min(loss.at_ns for loss in losses),
        max(loss.at_ns for loss in losses),
        tuple(("losses", index) for index in indexes),
        plain(suggestion),
    )
