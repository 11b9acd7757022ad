"""Lesson 11, cancellation, streams and websockets: what ends early, what comes in pieces, and who stays connected."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from playground.course import lesson_11_streams
from playground.course.calls import Calls
from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.mistakes import asyncio_run, blocking, forgotten_await
from playground.course.rules import broke, calls_of, gives_by_calling
from playground.course.takes import a_function
from playground.course.trials import outcome, try_each, try_function
from playground.course.words import seconds, shown
from playground.views.wording import counted

__all__ = ["EXERCISES", "Shelf"]

# -- 11.1 -----------------------------------------------------------------------------------------------------


class Shelf:
    """A shelf with one book.

    Attributes:
        taken: how often it was taken.
        returned: how often it was put back.
    """

    def __init__(self) -> None:
        self.taken = 0
        self.returned = 0

    def __repr__(self) -> str:
        return f"<Shelf: taken {self.taken}, returned {self.returned}>"

    def take(self) -> None:
        """Take the book."""
        self.taken += 1

    def put_back(self) -> None:
        """Put it back."""
        self.returned += 1


def _lend(lend: Callable[..., Any]) -> Attempt:
    shelves: list[Shelf] = []
    ends: list[str] = []

    async def read() -> str:
        await asyncio.sleep(10)
        return "the end"

    async def reader() -> Any:
        shelves.append(shelf := Shelf())
        return await outcome(lend, shelf, read)

    async def in_peace() -> Any:
        return await reader()

    async def called_away() -> None:
        task = asyncio.create_task(reader(), name="reader")
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        ends.append("cancelled" if task.cancelled() else "raised" if task.exception() else "returned")

    tries = try_each([partial(try_function, in_peace), partial(try_function, called_away)])
    return Attempt((lend,), tries, {"shelves": shelves, "ends": ends}, len(tries) - 1)


def _read_in_peace(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    if attempt.tries[0].result != "the end":
        return f"expected what `read` gives, {shown('the end')}, got {shown(attempt.tries[0].result)}."
    return _once_each(attempt.facts["shelves"][0])


def _once_each(shelf: Shelf) -> str | None:
    if (shelf.taken, shelf.returned) == (1, 1):
        return None
    return f"it was taken {counted(shelf.taken, 'time')} and put back {counted(shelf.returned, 'time')}."


def _put_back(attempt: Attempt) -> str | None:
    return _once_each(attempt.facts["shelves"][1])


def _was_cancelled(attempt: Attempt) -> str | None:
    ends = attempt.facts["ends"]
    return None if ends == ["cancelled"] else f"expected its task to end as cancelled, got {shown(ends[0])}."


def _took(attempt: Attempt) -> bool:
    """Whether the one who is cancelled has the book: a hole that is still open takes none."""
    return bool(attempt.facts["shelves"][1].taken)


def _no_finally(attempt: Attempt) -> str | None:
    if broke(attempt) or not _took(attempt) or _put_back(attempt) is None:
        return None
    return (
        "Cancelling raises `CancelledError` at the `await` where the task waits, so the lines after it are not run. "
        "And it is no `Exception`: `except Exception` does not see it. `finally` does."
    )


def _swallowed(attempt: Attempt) -> str | None:
    if broke(attempt) or not _took(attempt) or attempt.facts["ends"] != ["returned"]:
        return None
    return (
        "The `CancelledError` was caught and not raised again. Whoever cancelled, a timeout or a task group, is told "
        "that all is well and goes on as if nothing had been cancelled."
    )


_LEND: Final = Exercise(
    id="11.1",
    question="`lend` takes the book (`shelf.take()`), reads (`await read()`, 10 s), puts it back (`shelf.put_back()`) "
    "and returns what `read` gave. It shall be put back when the reader is cancelled too.",
    takes=(a_function("lend", "async def lend(shelf, read)"),),
    attempt=_lend,
    rules=(
        Rule("in peace, it reads to the end and puts the book back once", _read_in_peace),
        Rule("cancelled after 1 s, it puts the book back once", _put_back, 2),
        Rule("and its task ends as cancelled", _was_cancelled),
    ),
    mistakes=(
        asyncio_run,
        forgotten_await,
        blocking(0.5),
        Mistake("not-put-back", _no_finally),
        Mistake("cancellation-swallowed", _swallowed),
    ),
    hints=(
        "What must be done however the waiting ends belongs into `finally`.",
        "`try: return await read()`, and `finally: shelf.put_back()`. Catch nothing.",
    ),
)


# -- 11.2 -----------------------------------------------------------------------------------------------------

_MIRRORS: Final = {"north": 3.0, "east": 1.0, "south": 2.0}
_FASTEST_S: Final = min(_MIRRORS.values())


def _fastest(fastest: Callable[..., Any]) -> Attempt:
    calls = Calls()
    left: list[str] = []

    async def fetch(mirror: str) -> str:
        return str(await calls.waits(mirror, _MIRRORS[mirror], mirror.upper()))

    async def main() -> Any:
        calls.start()
        answer = await outcome(fastest, fetch, list(_MIRRORS))
        calls.finish()
        left.extend(call.name for call in calls.made if call.outcome == "pending")
        return answer

    return Attempt((fastest,), [try_function(main)], {"calls": calls, "left": left})


def _at_once(attempt: Attempt) -> str | None:
    over_s = calls_of(attempt).over_s
    if over_s is not None and over_s <= _FASTEST_S:
        return None
    return f"expected the answer after {seconds(_FASTEST_S)}, got it after {seconds(over_s or 0)}."


def _none_left(attempt: Attempt) -> str | None:
    left = attempt.facts["left"]
    return f"still going on when it returned: {' and '.join(left)}." if left else None


def _waited_for_all(attempt: Attempt) -> str | None:
    calls = calls_of(attempt)
    if broke(attempt) or calls.over_s is None or calls.over_s < max(_MIRRORS.values()):
        return None
    return (
        f"It waits for all of them, {seconds(calls.over_s)}, and then takes one. `gather` is over when the last is "
        "over; what is wanted here is over when the first is."
    )


def _not_cancelled(attempt: Attempt) -> str | None:
    if broke(attempt) or not attempt.facts["left"]:
        return None
    return (
        "Nobody waits for the others any more, but nobody told them: a task goes on until it is over, or is cancelled. "
        "`cancel()` only asks for it; it has come to pass when the task was awaited once more."
    )


_FIRST: Final = Exercise(
    id="11.2",
    question="Ask all mirrors at once, return the first answer as soon as it is there, and leave none of the other "
    "fetches going on.",
    takes=(a_function("fastest", "async def fastest(fetch, mirrors)"),),
    attempt=_fastest,
    rules=(
        Rule("it returns the answer of the fastest mirror", gives_by_calling("EAST", _MIRRORS)),
        Rule("it returns as soon as that is there", _at_once),
        Rule("nothing goes on when it has returned", _none_left, 2),
    ),
    mistakes=(
        asyncio_run,
        forgotten_await,
        blocking(0.5),
        Mistake("waited-for-all", _waited_for_all),
        Mistake("not-cancelled", _not_cancelled),
    ),
    hints=(
        "`asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)` gives two sets: what is done, and what is pending.",
        "Call `cancel()` on each that is pending.",
        "Then await them, `await asyncio.gather(*pending, return_exceptions=True)`, so that they have ended.",
    ),
)


EXERCISES: Final = (_LEND, _FIRST, lesson_11_streams.STREAM, lesson_11_streams.SHOUT)
