"""Plausible wrong answers to lesson 12's exercises."""

import time
from collections.abc import Callable
from typing import Any

from playground import App
from tests.course.answers import Wrong

Start = Callable[..., Any]


def app_of(handler: Any) -> App:
    app = App()
    app.get("/", name="waits")(handler)
    return app


def in_a_thread() -> str:
    time.sleep(0.1)
    return "waited"


async def on_the_loop() -> str:
    time.sleep(0.1)
    return "waited"


def body_of_text(environ: dict[str, Any], start_response: Start) -> str:
    start_response("200 OK", [("content-type", "text/plain")])
    return f"hello {environ['PATH_INFO']}"


def only_the_body(environ: dict[str, Any], start_response: Start) -> list[bytes]:
    return [b"hello /ada"]


def returns_nothing(environ: dict[str, Any], start_response: Start) -> None:
    start_response("200 OK", [("content-type", "text/plain")])


WRONG = [
    Wrong(
        "12.1",
        "same-for-both",
        lambda: (0.1, 0.1),
        1,
        "One request takes 100 ms either way. But of 30 at once only 10 have a thread, and the others wait for one; on "
        "the loop nobody needs a thread to wait.",
    ),
    Wrong(
        "12.1",
        "loop-in-a-row",
        lambda: (0.3, 3),
        1,
        "One loop does one thing at a time, but waiting is not doing: at its `await` each request gives the loop back, "
        "and all wait together.",
    ),
    Wrong(
        "12.2",
        "forty-threads",
        lambda: (app_of(in_a_thread),),
        3,
        "Every request waits in a worker thread of its own, and there are only 40 of them: 60 calls had to queue for a "
        "thread, up to 200 ms. A task that awaits needs no thread.",
    ),
    Wrong(
        "12.2",
        "blocking",
        lambda: (app_of(on_the_loop),),
        3,
        "In `async def`, `time.sleep(0.1)` (at time.sleep(0.1)) runs on the event loop's own thread and keeps it for "
        "100 ms. `async` does not make it wait politely: only an `await` lets others run, so meanwhile nobody else "
        "does.",
    ),
    Wrong(
        "12.3",
        "text-body",
        lambda: (body_of_text,),
        0,
        "A WSGI app returns something that gives pieces of bytes when it is gone through: `[text.encode()]`. Going "
        "through a string gives letters, and through bytes, numbers.",
    ),
    Wrong(
        "12.3",
        "no-start-response",
        lambda: (only_the_body,),
        0,
        "In WSGI the body is returned, but the status and the headers are not: `start_response` is called with them, "
        "before the body is given out.",
    ),
    Wrong(
        "12.3",
        "nothing-returned",
        lambda: (returns_nothing,),
        0,
        "It returns nothing. The body is what a WSGI app returns: a list of pieces of bytes, `[]` if it is empty.",
    ),
]
