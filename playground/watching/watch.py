"""Watching code that is no web app: any event loop that it runs is recorded, asyncio's, uvloop's or trio's.

This module decides what a watch looks like to its user: a with block, or a call. It knows no loop; which ones run,
and how each is recorded, is `watching`'s affair.
"""

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Literal, overload

from playground.clock.thread import LoopThread
from playground.errors import WatchError
from playground.functions import check_not_called
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.events import DEFAULT_LIMIT
from playground.trace.recorder import Recorder, recording
from playground.trace.sites import label
from playground.watching import Session

__all__ = ["Watch", "WatchedTrace", "watch"]

_TITLE: Final = "Watched code"


class WatchedTrace(Trace):
    """The trace of what was watched. It can be asked when that is over: when the with block was left, also by an error.

    Attributes:
        others: the traces of loops that ran beside the one shown, in other threads or by another library; each counts
            time from the same moment.
        result: what the function given to `watch` returned; `None` for a with block.

    Raises:
        WatchError: it was asked for something while the block still runs.
    """

    others: tuple[Trace, ...]
    result: Any

    def __init__(self, title: str) -> None:
        vars(self)["result"] = None
        vars(self)["_watched"] = title

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "others" in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise WatchError(
            f"expected a recording that is over, got one that goes on: ask for {name!r} after the with block"
        )

    def __repr__(self) -> str:
        return super().__repr__() if "others" in vars(self) else f"<Trace {self._watched!r}: being recorded>"

    def _complete(self, traces: list[Trace]) -> None:
        vars(self).update(vars(traces[0]))
        vars(self)["others"] = tuple(traces[1:])


class Watch:
    """A with block that records every event loop that runs within it. Made by `watch`."""

    def __init__(self, title: str | None = None, limit: int = DEFAULT_LIMIT) -> None:
        self._title = title or _TITLE
        self._limit = limit
        self._session: Session | None = None
        self._trace: WatchedTrace | None = None

    def __enter__(self) -> WatchedTrace:
        trace = self._trace = WatchedTrace(self._title)
        self._session = Session(self._limit)  # last: an interrupt between the two must leave nothing open
        return trace

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._session is not None
        assert self._trace is not None
        session, self._session = self._session, None
        session.close()
        self._trace._complete(_traces(session, self._title))


@overload
def watch(*, title: str | None = None, limit: int = DEFAULT_LIMIT) -> Watch: ...


@overload
def watch(
    function: Callable[[], Any],
    /,
    *,
    backend: Literal["asyncio", "trio"] = "asyncio",
    title: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> WatchedTrace: ...


def watch(
    function: Callable[[], Any] | None = None,
    /,
    *,
    backend: Literal["asyncio", "trio"] = "asyncio",
    title: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Watch | WatchedTrace:
    """Record every event loop that runs in a with block, or while a function runs.

        with watch() as trace:
            asyncio.run(main())

        trace = watch(main)

    Every loop that begins to run is recorded, in any thread, asyncio's, uvloop's or trio's; and the loop within which
    `watch` is called, from its next turn on, such as a notebook's. Left alone are loops that run in other threads
    already, and those of labs. All that was borrowed is given back when it is over, also after an error.

    Args:
        function: an async function, which is run on a loop of its own, in a thread of its own if a loop runs here
            already; or a plain function that runs what it likes. None: a with block is wanted.
        backend: which library runs an async function.
        title: what to call the recording; the function's name by default.
        limit: how many events (steps) of each thread to keep; the oldest are dropped, and counted.

    Returns:
        a `Trace` that is complete when the watch is over; see `WatchedTrace`.

    Raises:
        WatchError: a watch goes on already, or `function` cannot be called.
        whatever the function raises.
    """
    if function is None:
        return Watch(title, limit)
    _check(function, backend)
    title = title or label(function)
    if inspect.iscoroutinefunction(function) and backend == "asyncio" and asyncio._get_running_loop() is not None:
        return _beside(function, title, limit)
    with Watch(title, limit) as trace:
        result = _run(function, backend) if inspect.iscoroutinefunction(function) else function()
    vars(trace)["result"] = result
    return trace


def _run(function: Callable[[], Coroutine[Any, Any, Any]], backend: str) -> Any:
    if backend == "asyncio":
        return asyncio.run(function())
    import trio

    return trio.run(function)


def _beside(function: Callable[[], Coroutine[Any, Any, Any]], title: str, limit: int) -> WatchedTrace:
    """Run an async function beside the loop that runs here, which cannot run another inside it."""

    async def recorded() -> tuple[Recorder, Any]:
        with recording(thread.loop, limit) as recorder:
            # in a task of its own, what it does is recorded from its first step on
            result = await asyncio.create_task(function(), name=title)
        return recorder, result

    thread = LoopThread("playground watch")
    try:
        recorder, result = thread.call(recorded)
    finally:
        thread.close()
    trace = WatchedTrace(title)
    trace._complete([build(recorder, title)])
    vars(trace)["result"] = result
    return trace


def _traces(session: Session, title: str) -> list[Trace]:
    """The trace to show, and those of the loops beside it, each named after its thread."""
    told = session.recorders()
    if not told:
        return [Trace(title=title)]
    (first, _), *rest = told
    return [build(first, title), *(build(recorder, f"{title}, {_name(thread)}") for recorder, thread in rest)]


def _name(thread: threading.Thread) -> str:
    return thread.name


def _check(function: object, backend: str) -> None:
    if backend not in ("asyncio", "trio"):
        raise WatchError(f"expected backend='asyncio' or backend='trio', got {backend!r}")
    check_not_called(function, WatchError, "a function to call", "watch")
