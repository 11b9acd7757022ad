"""Lesson 11, cancellation, streams and websockets: what ends early, what comes in pieces, and who stays connected."""

import asyncio
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, Final

from playground.course.calls import Calls
from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.mistakes import asyncio_run, blocking, forgotten_await
from playground.course.rules import answers, broke, calls_of, gives_by_calling, never_held
from playground.course.takes import a_function, an_app
from playground.course.trials import Tried, outcome, try_app, try_burst, try_each, try_function
from playground.course.words import seconds, shown
from playground.lab import Lab
from playground.run import Run
from playground.trace.requests import recorded_app
from playground.transport import connect
from playground.views.evidence import answered_ns
from playground.views.wording import code_text, counted, duration

__all__ = ["EXERCISES", "Shelf"]

# -- 11.1 -----------------------------------------------------------------------------------------------------

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
    id="11.1",
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


# -- 11.2 -----------------------------------------------------------------------------------------------------


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


def _no_finally(attempt: Attempt) -> str | None:
    if broke(attempt) or _put_back(attempt) is None:
        return None
    return (
        "Cancelling raises `CancelledError` at the `await` where the task waits, so the lines after it are not run. "
        "And it is no `Exception`: `except Exception` does not see it. `finally` does."
    )


def _swallowed(attempt: Attempt) -> str | None:
    if broke(attempt) or attempt.facts["ends"] != ["returned"]:
        return None
    return (
        "The `CancelledError` was caught and not raised again. Whoever cancelled, a timeout or a task group, is told "
        "that all is well and goes on as if nothing had been cancelled."
    )


_LEND: Final = Exercise(
    id="11.2",
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


# -- 11.3 -----------------------------------------------------------------------------------------------------

_LINES: Final = [b"1\n", b"2\n", b"3\n", b"4\n"]


def _stream(app: Any) -> Attempt:
    return Attempt((app,), [try_burst(app, "/count", 1)])


def _all_lines(tried: Tried) -> str | None:
    content, expected = tried.responses[0].content, b"".join(_LINES)
    return None if content == expected else f"expected the body {shown(expected)}, got {shown(content)}."


def _moments_ns(attempt: Attempt) -> list[int]:
    """When pieces of the body were sent; empty ones, such as what only ends it, are none."""
    notes = attempt.trace.requests[0].messages
    sent = [note for note in notes if note.type == "http.response.body" and not note.detail.startswith("0 bytes")]
    return [note.at_ns for note in sent]


def _three_seconds(attempt: Attempt) -> str | None:
    took_ns = answered_ns(attempt.trace.requests[0]) or 0
    return (
        None if took_ns >= 3_000_000_000 else f"expected 3 s from the first line to the last, got {duration(took_ns)}."
    )


def _piece_by_piece(attempt: Attempt) -> str | None:
    moments = _moments_ns(attempt)
    told = ", ".join(map(duration, moments[:6]))
    if len(moments) < len(_LINES):
        return f"expected {len(_LINES)} pieces, got {len(moments)}, sent at {told}."
    apart = [late - early for early, late in pairwise(moments)]
    return None if min(apart) >= 900_000_000 else f"expected a second between them, they were sent at {told}."


def _all_at_the_end(attempt: Attempt) -> str | None:
    if broke(attempt) or len(_moments_ns(attempt)) != 1 or _three_seconds(attempt):
        return None
    return (
        "The answer was put together for 3 s, and then sent in one piece: until then the client has seen nothing. A "
        "stream is a generator that yields each piece when it is there, and that the response takes them from."
    )


_STREAM: Final = Exercise(
    id="11.3",
    question="`/count` streams the lines 1 to 4: the first at once, and then one each second.",
    takes=(an_app(),),
    attempt=_stream,
    rules=(
        Rule("it answers 200 with the four lines", answers(_all_lines)),
        Rule("it takes 3 s in all", _three_seconds),
        Rule("each line is sent when it is there", _piece_by_piece, 2),
        Rule("nobody holds the loop", never_held(0.01)),
    ),
    mistakes=(blocking(0.01), forgotten_await, Mistake("all-at-the-end", _all_at_the_end)),
    hints=(
        "`StreamingResponse` of `playground.web.responses` takes an async generator of pieces.",
        "An `async def` with `yield` in it is such a generator: yield a line, and then sleep before the next.",
    ),
)


# -- 11.4 -----------------------------------------------------------------------------------------------------

_SAID: Final = ["one", "two", "three"]


def _shout(app: Any) -> Attempt:
    heard: list[str] = []

    def act(lab: Lab) -> Run:
        async def talk() -> None:
            loop: Any = asyncio.get_running_loop()
            async with connect(recorded_app(app, lambda: loop.recorder), "/shout", timeout=5) as session:
                for text in _SAID:
                    await session.send_text(text)
                    async with asyncio.timeout(5):
                        heard.append(await session.receive_text())

        talk.__qualname__ = "check"
        return lab.run(talk)

    return Attempt((app,), [try_app(app, act)], {"heard": heard})


def _shouts(attempt: Attempt) -> str | None:
    heard, expected = attempt.facts["heard"], [text.upper() for text in _SAID]
    if heard[:1] != expected[:1]:
        return broke(attempt) or f"expected {shown(expected[:1])}, got {shown(heard)}."
    return None


def _goes_on(attempt: Attempt) -> str | None:
    heard, expected = attempt.facts["heard"], [text.upper() for text in _SAID]
    return None if heard == expected else f"expected {shown(expected)}, got {shown(heard)} and then no more."


def _ends_well(attempt: Attempt) -> str | None:
    errors = [request.error for request in attempt.trace.requests if request.error]
    return f"its handler raised {code_text(errors[0])}." if errors else broke(attempt)


def _not_accepted(attempt: Attempt) -> str | None:
    sent = [note.type for request in attempt.trace.requests for note in request.messages if note.direction == "send"]
    if not attempt.trace.requests or "websocket.accept" in sent or "websocket.close" in sent:
        return None
    return (
        "The websocket was never accepted. It begins as a request that the app may refuse, and nothing can be sent or "
        "received before `await websocket.accept()`."
    )


def _only_once(attempt: Attempt) -> str | None:
    if len(attempt.facts["heard"]) != 1:
        return None
    return (
        "The handler answers once and returns, and when it returns the websocket is closed. It lasts as long as its "
        "handler runs: go on until the client leaves."
    )


def _disconnect(attempt: Attempt) -> str | None:
    if not any("WebSocketDisconnect" in (request.error or "") for request in attempt.trace.requests):
        return None
    return (
        "That the client leaves is no failure, but `receive_text` has no other way to say so than "
        "`WebSocketDisconnect`. Catch it, or go through `websocket.iter_text()`, which ends then."
    )


_SHOUT: Final = Exercise(
    id="11.4",
    question="The websocket `/shout` answers each text in capital letters, until the client leaves.",
    takes=(an_app(),),
    attempt=_shout,
    rules=(
        Rule("it accepts, and answers the first text in capital letters", _shouts),
        Rule("it goes on for as long as the client does", _goes_on, 2),
        Rule("it ends without an error when the client leaves", _ends_well),
    ),
    mistakes=(
        forgotten_await,
        Mistake("not-accepted", _not_accepted),
        Mistake("only-once", _only_once),
        Mistake("disconnect-not-caught", _disconnect),
        blocking(0.01),
    ),
    hints=(
        '`@app.websocket("/shout")` on an `async def` that takes the `websocket`; first of all it accepts.',
        "`async for text in websocket.iter_text():` goes on until the client leaves, and then ends.",
    ),
)

EXERCISES: Final = (_FIRST, _LEND, _STREAM, _SHOUT)
