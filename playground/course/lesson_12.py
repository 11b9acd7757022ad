"""Lesson 12, WSGI and ASGI: the same work on threads and on one loop, and what async is faster at."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from playground.app import App
from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.mistakes import blocking, forgotten_await, forty_threads
from playground.course.programs import Program
from playground.course.rules import answers, broke, last_answer_s, never_held, took_at_least
from playground.course.takes import a_number, a_plain_function, an_app
from playground.course.trials import Tried, try_burst, try_request
from playground.course.words import seconds, shown
from playground.errors import ProtocolError
from playground.views.wording import counted

__all__ = ["EXERCISES", "waiting"]


def on_threads(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    time.sleep(0.1)
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"waited"]


waiting = App()


@waiting.get("/")
async def on_the_loop() -> str:
    await asyncio.sleep(0.1)
    return "waited"


# -- 12.1 -----------------------------------------------------------------------------------------------------

_CROWD: Final = 30
_THREADS: Final = 10


def _predict(wsgi_s: float, asgi_s: float) -> Attempt:
    tries = [
        try_burst(on_threads, "/", _CROWD, threads=_THREADS),
        try_burst(waiting, "/", _CROWD, threads=_THREADS),
    ]
    return Attempt((wsgi_s, asgi_s), tries, {"real": [last_answer_s(tried) for tried in tries]})


def _right(index: int) -> Callable[[Attempt], str | None]:
    def judge(attempt: Attempt) -> str | None:
        said, real = attempt.given[index], attempt.facts["real"][index]
        return None if abs(said - real) < 0.001 else f"it was {seconds(real)}, you said {seconds(said)}."

    return judge


def _near(value: float, other: float) -> bool:
    return abs(value - other) < 0.001


def _same_for_both(attempt: Attempt) -> str | None:
    if not (_near(attempt.given[0], 0.1) and _near(attempt.given[1], 0.1)):
        return None
    return (
        f"One request takes 100 ms either way. But of {_CROWD} at once only {_THREADS} have a thread, and the others "
        "wait for one; on the loop nobody needs a thread to wait."
    )


def _loop_in_a_row(attempt: Attempt) -> str | None:
    if not _near(attempt.given[1], _CROWD * 0.1):
        return None
    return (
        "One loop does one thing at a time, but waiting is not doing: at its `await` each request gives the loop back, "
        "and all wait together."
    )


_WHEN: Final = Exercise(
    id="12.1",
    question=f"{_CROWD} requests come at once, and each waits 100 ms. After how many seconds is the last answered: by "
    f"the WSGI app with {_THREADS} threads, and by the ASGI app?",
    takes=(a_number("wsgi_s", "seconds"), a_number("asgi_s", "seconds")),
    attempt=_predict,
    # neither rests on the other: the ground is that there is something to judge
    rules=(
        Rule("both apps answer", answers(), 0),
        Rule("that is when the WSGI app's last answer comes", _right(0)),
        Rule("that is when the ASGI app's last answer comes", _right(1)),
    ),
    mistakes=(Mistake("same-for-both", _same_for_both), Mistake("loop-in-a-row", _loop_in_a_row)),
    hints=(
        "WSGI: each request has a thread for as long as it takes. Count the rounds.",
        "ASGI: how many of them can wait at once?",
    ),
    program=Program(on_threads, on_the_loop),
)


# -- 12.2 -----------------------------------------------------------------------------------------------------

_MANY: Final = 100


def _translated(app: Any) -> Attempt:
    return Attempt((app,), [try_burst(app, "/", _MANY)])


def _waited(tried: Tried) -> str | None:
    wrong = [each.content for each in tried.responses if each.content != b"waited"]
    return f"expected the body {shown(b'waited')}, got {shown(wrong[0])}." if wrong else None


def _together(attempt: Attempt) -> str | None:
    last_s = last_answer_s(attempt.tried)
    if last_s < 0.2:
        return None
    return f"expected all of them to wait at the same time, got the last answer after {seconds(last_s)}."


def _no_threads(attempt: Attempt) -> str | None:
    calls = len(attempt.trace.handoffs)
    return f"expected none, got {counted(calls, 'hand-off')}." if calls else None


_TRANSLATED: Final = Exercise(
    id="12.2",
    question=f"Write the WSGI app `on_threads` as an ASGI app: the same answer after the same 100 ms, but {_MANY} at "
    "once shall all wait together, and none in a thread.",
    takes=(an_app(),),
    attempt=_translated,
    rules=(
        Rule("every request is answered 200 and `waited`", answers(_waited)),
        Rule("each takes its 100 ms", took_at_least("/", 0.1)),
        Rule("all wait together", _together),
        Rule("nobody holds the loop", never_held(0.01)),
        Rule("nothing is handed to a worker thread", _no_threads),
    ),
    mistakes=(blocking(0.01), forgotten_await, forty_threads),
    hints=(
        "What waits in a thread there, awaits here: which call of asyncio's waits without a thread?",
        "An `async def` handler with `await asyncio.sleep(0.1)`.",
    ),
    program=Program(on_threads),
)


# -- 12.3 -----------------------------------------------------------------------------------------------------


def _wsgi(app: Any) -> Attempt:
    return Attempt((app,), [try_request(app, "GET", "/ada")])


def _path_back(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    response = attempt.tried.responses[0]
    if response.status_code != 200:
        return f"expected status 200, got {response.status_code}."
    expected = b"hello /ada"
    return None if response.content == expected else f"expected {shown(expected)}, got {shown(response.content)}."


def _as_text(attempt: Attempt) -> str | None:
    kind = attempt.tried.responses[0].headers.get("content-type", "")
    return None if kind.startswith("text/plain") else f"expected text/plain, got {shown(kind)}."


def _text_body(attempt: Attempt) -> str | None:
    if not isinstance(attempt.tried.error, ProtocolError) or "a body of bytes" not in str(attempt.tried.error):
        return None
    return (
        "A WSGI app returns something that gives pieces of bytes when it is gone through: `[text.encode()]`. Going "
        "through a string gives letters, and through bytes, numbers."
    )


def _no_start_response(attempt: Attempt) -> str | None:
    if "a call of `start_response`" not in str(attempt.tried.error or ""):
        return None
    return (
        "In WSGI the body is returned, but the status and the headers are not: `start_response` is called with them, "
        "before the body is given out."
    )


def _nothing_returned(attempt: Attempt) -> str | None:
    if "'NoneType' object is not iterable" not in str(attempt.tried.error or ""):
        return None
    return "It returns nothing. The body is what a WSGI app returns: a list of pieces of bytes, `[]` if it is empty."


_BY_HAND: Final = Exercise(
    id="12.3",
    question="Write a WSGI app by hand: `200 OK`, `content-type: text/plain`, and the body `hello` with the path, such "
    "as `hello /ada`.",
    takes=(a_plain_function("app", "def app(environ, start_response)"),),
    attempt=_wsgi,
    rules=(
        Rule("it answers 200 and `hello /ada`", _path_back, 2),
        Rule("the header `content-type` says text/plain", _as_text),
    ),
    mistakes=(
        Mistake("text-body", _text_body),
        Mistake("no-start-response", _no_start_response),
        Mistake("nothing-returned", _nothing_returned),
    ),
    hints=(
        'The path is `environ["PATH_INFO"]`.',
        '`start_response("200 OK", [("content-type", "text/plain")])`, and then return a list of bytes.',
    ),
)

EXERCISES: Final = (_WHEN, _TRANSLATED, _BY_HAND)
