"""Handlers of three frameworks in a lab: in which thread each ran, by the recording and by what the handler itself saw.

It runs in a child, where the frameworks may be imported, and judges nothing. The two witnesses are independent: the
recording sees calls being handed to threads; a handler asks the system which thread it is in.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from playground.trace import Handoff, Trace

__all__ = ["KINDS", "MAKERS", "Seen", "observe"]

KINDS: Final = ("async def", "def")
_WAIT_S: Final = 0.01
"""What a handler waits for: long enough for all of a burst to be there at once."""

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one framework's handlers of one kind.

    Attributes:
        framework, kind: whose, and which of `KINDS`.
        requests: how many there were.
        handed: how many of them had their handler handed to a thread, by the recording.
        threads: how many worker threads the recording saw at that.
        on_loop: of how many the handler saw itself in the loop's thread.
        costs_ns: of each hand-off, the time until a thread began it and from its end until the loop went on.
    """

    framework: str
    kind: str
    requests: int
    handed: int
    threads: int
    on_loop: int
    costs_ns: tuple[int, ...]


def _with_requests(app: Any, route: Any, text: Any, note: Note) -> Any:
    async def on_loop(request: Any) -> Any:
        note("async def")
        await asyncio.sleep(_WAIT_S)
        return text("done")

    def in_thread(request: Any) -> Any:
        note("def")
        time.sleep(_WAIT_S)
        return text("done")

    _name(on_loop, in_thread)
    return app(routes=[route("/async", on_loop), route("/def", in_thread)])


def _name(*handlers: Any) -> None:
    """What the timeline calls them: that they are made within a function is no part of the lesson."""
    for handler in handlers:
        handler.__qualname__ = handler.__name__


def _ours(note: Note) -> Any:
    from playground.web.applications import Starlette
    from playground.web.responses import PlainTextResponse
    from playground.web.routing import Route

    return _with_requests(Starlette, Route, PlainTextResponse, note)


def _starlette(note: Note) -> Any:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    return _with_requests(Starlette, Route, PlainTextResponse, note)


def _fastapi(note: Note) -> Any:
    from fastapi import FastAPI

    app = FastAPI(openapi_url=None)

    @app.get("/async")
    async def on_loop() -> Any:
        note("async def")
        await asyncio.sleep(_WAIT_S)
        return "done"

    @app.get("/def", response_model=None)  # a model would be checked in a thread too
    def in_thread() -> Any:
        note("def")
        time.sleep(_WAIT_S)
        return "done"

    _name(on_loop, in_thread)
    return app


MAKERS: Final[dict[str, tuple[str, Callable[[Note], Any]]]] = {
    "playground": ("", _ours),
    "Starlette": ("starlette", _starlette),
    "FastAPI": ("fastapi", _fastapi),
}
"""By name: the package that is needed, and what makes the app."""


def observe(framework: str, requests: int) -> tuple[list[Seen], bytes]:
    """Send an app requests of both kinds in turn, all at once, twice, and look at the second time.

    Args:
        framework: by name.
        requests: how many of each kind.

    Returns:
        what was seen, by kind, and the recording, as `store.restore` reads it.
    """
    from playground.lab import Lab
    from playground.trace import store

    ran: list[tuple[str, int]] = []
    app = MAKERS[framework][1](lambda kind: ran.append((kind, threading.get_ident())))

    async def loops_thread() -> int:
        return threading.get_ident()

    with Lab(app) as lab:
        loop = lab.run(loops_thread).result
        for _ in range(2):  # the first starts the threads
            ran.clear()
            run = lab.burst(lambda number: "/async" if number % 2 else "/def", 2 * requests)
        trace = run.trace
    return [_seen(framework, kind, trace, ran, loop) for kind in KINDS], store.dump(trace)


def _seen(framework: str, kind: str, trace: "Trace", ran: list[tuple[str, int]], loop: int) -> Seen:
    asked = [request for request in trace.requests if request.path == ("/def" if kind == "def" else "/async")]
    handed = [_handler_of(trace, request.handoffs) for request in asked]
    calls = [call for call in handed if call is not None]
    return Seen(
        framework,
        kind,
        len(asked),
        len(calls),
        len({call.thread for call in calls}),
        sum(thread == loop for mine, thread in ran if mine == kind),
        tuple(cost for call in calls if (cost := _cost_ns(call)) is not None),
    )


def _handler_of(trace: "Trace", handoffs: tuple[int, ...]) -> "Handoff | None":
    """The hand-off of a request that was its handler's, if there is one."""
    names = ("on_loop", "in_thread")
    calls = (trace.handoffs[number] for number in handoffs)
    return next((call for call in calls if call.function.rpartition(".")[2] in names), None)


def _cost_ns(call: "Handoff") -> int | None:
    if call.started_ns is None or call.ended_ns is None or call.woken_ns is None:
        return None
    return call.started_ns - call.submitted_ns + call.woken_ns - call.ended_ns
