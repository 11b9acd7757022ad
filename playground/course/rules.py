"""Rules that more than one exercise has: what is asked of a try, as pure functions of what came of it.

Each gives `None`, or what is wrong in words, with the figures that say so. None looks at a real clock.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable
from typing import Any

from playground.code import own_place
from playground.course.calls import Calls, most_at_once
from playground.course.exercise import Attempt, Judge
from playground.course.trials import Tried
from playground.course.words import named_error, seconds, shown
from playground.errors import PlaygroundError
from playground.trace import Block
from playground.views.evidence import answer_line, answered_ns, block_line
from playground.views.segments import owners_of
from playground.views.wording import code_text, counted

__all__ = [
    "all_at_once",
    "answers",
    "broke",
    "calls_of",
    "gives",
    "gives_by_calling",
    "held_for",
    "last_answer_s",
    "never_held",
    "said",
    "took_at_least",
]


def broke(attempt: Attempt) -> str | None:
    """The code did not come to its end."""
    return next((_broken(tried) for tried in attempt.tries if tried.error is not None), None)


def _broken(tried: Tried) -> str:
    error = tried.error
    assert error is not None
    place = tried.place or own_place(error)
    at = f" ({place})" if place else ""
    if tried.unending:
        return "it goes round without end: it was broken off while it still ran."
    if isinstance(error, NotImplementedError):
        return f"the hole is still open: it raised {named_error(error)}{at}."
    if isinstance(error, SystemExit):
        return f"it called `sys.exit`{at}, which ends a program, and would end this kernel."
    if isinstance(error, PlaygroundError):
        return str(error)
    return f"it raised {named_error(error)}{at}."


def gives(expected: Any) -> Judge:
    """It comes to its end and returns what is expected, each time that it is tried."""

    def judge(attempt: Attempt) -> str | None:
        if told := broke(attempt):
            return told
        wrong = [tried.result for tried in attempt.tries if not _same(tried.result, expected)]
        if not wrong:
            return None
        hint = ": its hole is still open, or it has no `return`" if wrong[0] is None else ""
        return f"expected {shown(expected)}, got {shown(wrong[0])}{hint}."

    return judge


def gives_by_calling(expected: Any, names: Iterable[str]) -> Judge:
    """The same, and what it was lent was called once for each name: the work was done, and not guessed."""
    wanted = sorted(names)

    def judge(attempt: Attempt) -> str | None:
        if told := gives(expected)(attempt):
            return told
        made = Counter(calls_of(attempt).names)
        odd = [name for name in wanted if made[name] != wanted.count(name)]
        if not odd:
            return None
        times = counted(wanted.count(odd[0]), "call")
        return f"expected {times} for {code_text(odd[0])}, got {made[odd[0]]}: what is returned has to come from there."

    return judge


def _same(value: Any, expected: Any) -> bool:
    """Equal, and of one type: a value of the student's own type may claim to equal anything."""
    if type(value) is not type(expected):
        return False
    if isinstance(expected, list | tuple):
        return len(value) == len(expected) and all(map(_same, value, expected))
    return bool(value == expected)


def answers(body: Callable[[Tried], str | None] | None = None) -> Judge:
    """Every request is answered 200, with the right body if that is asked for."""

    def judge(attempt: Attempt) -> str | None:
        if told := broke(attempt):
            return told
        for tried in attempt.tries:
            wrong = [each for each in tried.trace.requests if each.status != 200] if tried.trace else []
            if wrong:
                return f"expected 200, got {answer_line(wrong[0], answered_ns(wrong[0]))}."
            if body is not None and (told := body(tried)):
                return told
        return None

    return judge


def held_for(attempt: Attempt, threshold_s: float) -> list[Block]:
    """The steps that held the loop of the first try that has any, the longest first."""
    for tried in attempt.tries:
        if tried.trace is not None and (blocks := tried.trace.blocks(threshold_s)):
            return sorted(blocks, key=lambda block: -block.duration_ns)
    return []


def never_held(threshold_s: float) -> Judge:
    """No step holds the loop for `threshold_s` seconds of virtual time or longer."""

    def judge(attempt: Attempt) -> str | None:
        blocks = held_for(attempt, threshold_s)
        if not blocks:
            return None
        trace = next(tried.trace for tried in attempt.tries if tried.trace and tried.trace.blocks(threshold_s))
        told = block_line(trace, owners_of(trace), blocks[0])
        return f"it was held {counted(len(blocks), 'time')}; the longest was {told}."

    return judge


def took_at_least(path: str, least_s: float) -> Judge:
    """Each request to a path takes as long as what it is to wait for: the work is still done."""

    def judge(attempt: Attempt) -> str | None:
        for request in attempt.trace.requests:
            took_ns = answered_ns(request)
            if request.path == path and took_ns is not None and took_ns < round(least_s * 1e9):
                return f"expected it to take {seconds(least_s)}, got {seconds(took_ns / 1e9)}."
        return None

    return judge


def calls_of(attempt: Attempt) -> Calls:
    """The calls that the trial noted."""
    calls = attempt.facts["calls"]
    assert isinstance(calls, Calls)
    return calls


def all_at_once(count: int) -> Judge:
    """So many of the lent calls go on at one moment."""

    def judge(attempt: Attempt) -> str | None:
        calls = calls_of(attempt)
        most = most_at_once(calls.made)
        if most >= count:
            return None
        over = "" if calls.over_s is None else f"; the last was over after {seconds(calls.over_s)}"
        return f"expected {count} going on at once, got {most} at most{over}."

    return judge


def last_answer_s(tried: Tried) -> float:
    """When the last answer of a burst was sent, in seconds since its start."""
    trace = tried.trace
    assert trace is not None
    first_ns = min(request.start_ns for request in trace.requests)
    ends = [request.start_ns + (answered_ns(request) or 0) for request in trace.requests]
    return (max(ends) - first_ns) / 1e9


def said(index: int, values: Container[object], text: str) -> Judge:
    """A prediction's mistake: of several that were given, the one at `index` is among those values."""
    return lambda attempt: text if broke(attempt) is None and attempt.given[index] in values else None
