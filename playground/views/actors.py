"""Who did something, in words: requests by their route, tasks by their coroutine.

It names whoever it is given, and judges nothing.
"""

from collections import Counter
from collections.abc import Iterable

from playground.trace import Trace
from playground.views.findings import Part, listed, text
from playground.views.segments import Owners
from playground.views.wording import request_label

__all__ = ["Moment", "all_of", "told_of"]

Moment = tuple[int | None, int, int]
"""A task, and from when to when it did it."""


def told_of(trace: Trace, owners: Owners, moments: Iterable[Moment]) -> list[Part]:
    """At the beginning of a sentence: `GET /a` and `GET /b`; The task `main`; The tasks `a` and `b`; A callback.

    Of different sorts, that it was the app is all that can be said in a few words.
    """
    names: Counter[str] = Counter()
    kinds = set()
    for task, start_ns, end_ns in moments:
        request = owners.at(task, start_ns, end_ns)
        if request is not None:
            names[request_label(trace.requests[request])] += 1
        elif task is not None:
            names[trace.tasks[task].coroutine] += 1
        kinds.add("request" if request is not None else "callback" if task is None else "task")
    if kinds == {"request"}:
        return listed(names)
    if kinds == {"task"}:
        return [text("The task " if len(names) == 1 else "The tasks "), *listed(names)]
    return [text("A callback" if kinds == {"callback"} else "The app")]


def all_of(total: int, count: int, noun: str) -> str:
    """`The request`, `All 50 requests`, `3 of 50 requests`; of tasks, which are many and of all sorts, `3 tasks`."""
    if noun != "request":
        return f"{count:,} {noun}{'' if count == 1 else 's'}"
    if count == total:
        return "The request" if count == 1 else f"All {count:,} requests"
    return f"{count:,} of {total:,} request{'' if total == 1 else 's'}"
