"""Lesson 11's exercises on streams and websockets: what comes in pieces, and who stays connected."""

import asyncio
from itertools import pairwise
from typing import Any, Final

from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.mistakes import blocking, forgotten_await
from playground.course.rules import answers, broke, never_held
from playground.course.takes import an_app
from playground.course.trials import Tried, try_app, try_burst
from playground.course.words import shown
from playground.lab import Lab
from playground.run import Run
from playground.trace.requests import recorded_app
from playground.transport import connect
from playground.views.evidence import answered_ns
from playground.views.wording import code_text, duration

__all__ = ["SHOUT", "STREAM"]

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


STREAM: Final = Exercise(
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


SHOUT: Final = Exercise(
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
