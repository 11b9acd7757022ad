"""Trying somebody's code: in a lab of its own, in virtual time, so that it is exact and the same each time.

Whatever the code does, a try comes to its end and tells of it: what it raises, a call of `sys.exit`, waiting for ever
(a deadlock of virtual time) and going round without end, which is broken off after a time that no exercise needs. This
module knows nothing of exercises.
"""

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import httpx

from playground.asgi import Receive, Scope, Send
from playground.host import while_starting
from playground.lab import Lab
from playground.run import Run
from playground.trace import Trace

__all__ = [
    "LIMIT_S",
    "Tried",
    "Unawaited",
    "outcome",
    "try_app",
    "try_burst",
    "try_each",
    "try_function",
    "try_request",
]

LIMIT_S: Final = 30.0
"""Real time for one try. What an exercise asks for takes some hundredth of a second, so a machine may be a thousand
times slower than ours before this is taken for code that never ends."""


@dataclass(frozen=True)
class Unawaited:
    """What stands for a coroutine that a result holds: nobody is going to await it."""

    name: str

    def __repr__(self) -> str:
        return f"<coroutine {self.name}, never awaited>"


@dataclass(frozen=True)
class Tried:
    """What came of one run of somebody's code.

    Attributes:
        trace: the recording; `None` if it failed before there was one.
        result: what it returned; coroutines in it are `Unawaited`.
        responses: what the app answered.
        error: what it raised, or `None`.
        unending: whether it had to be broken off.
        place: the line at which it was raised, if that was in another process: an error leaves its traceback there.
    """

    trace: Trace | None
    result: Any = None
    responses: Sequence[httpx.Response] = ()
    error: BaseException | None = None
    unending: bool = False
    place: str = ""


def try_burst(app: Any, request: Any, n: int, **settings: Any) -> Tried:
    """Send an app `n` requests at once; see `Lab.burst`.

    Args:
        app, request, n: as there.
        settings: of the lab: `threads`, `seed`, `schedule`.
    """
    if n > 1:
        # of many handlers that go round without end, a lab breaks into as many as it can in a tenth of a second
        alone = try_app(app, lambda lab: lab.burst(request, 1), **settings)
        if alone.unending:
            return alone
    return try_app(app, lambda lab: lab.burst(request, n), **settings)


def try_request(app: Any, method: str, path: str, **kwargs: Any) -> Tried:
    """Send an app one request, by a client: what it does wrong is raised, in words. See `httpx.AsyncClient.request`."""

    def act(lab: Lab) -> Run:
        async def ask() -> None:
            await lab.client.request(method, path, **kwargs)

        ask.__qualname__ = "check"
        return lab.run(ask)

    return try_app(app, act)


def try_function(function: Callable[[], Awaitable[Any]], **settings: Any) -> Tried:
    """Await `function()` on a loop of its own."""

    limit = _Limit(LIMIT_S)

    async def main() -> Any:
        _current.set(limit)
        return await function()

    main.__qualname__ = "check"  # as a task's name stands in the picture
    return _try(_no_app, lambda lab: lab.run(main), limit, settings)


def try_app(app: Any, act: Callable[[Lab], Run], **settings: Any) -> Tried:
    """Make a lab of an app, and one run in it."""
    return _try(_begun(app), act, _Limit(LIMIT_S), settings)


def _begun(app: Any) -> Any:
    """An app that is a bare async function is not asked for a lifespan: what spins there could not be broken off."""
    if not inspect.iscoroutinefunction(app):
        return app

    async def begun(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError  # that is how an app says that it has none
        await app(scope, receive, send)

    return begun


def _try(app: Any, act: Callable[[Lab], Run], limit: "_Limit", settings: dict[str, Any]) -> Tried:
    runs: list[Run] = []
    try:
        with limit.on_starting():
            made = Lab(app, clock="virtual", **settings)
        with made as lab:
            runs = lab.runs
            with limit.over(lab):
                act(lab)
    except BaseException as error:  # whatever it is: it is told
        first = _first_of(error)
        if isinstance(first, KeyboardInterrupt) and not limit.passed:
            raise
        return _tried(runs, first, limit.passed)
    return _tried(runs, None, False)


def try_each(makers: Iterable[Callable[[], Tried]]) -> list[Tried]:
    """Make one try after another, until one of them fails: the others would not change what is said of it."""
    tries: list[Tried] = []
    for make in makers:
        tries.append(make())
        if tries[-1].error is not None:
            break
    return tries


async def outcome(function: Callable[..., Any], *args: Any) -> Any:
    """What somebody's function of either kind comes to: what it returned, awaited if that is to be awaited.

    When the try has been broken off, it is not called any more: of several tasks that call it, only the first is
    broken into.
    """
    limit = _current.get()
    if limit is not None and limit.passed:
        raise asyncio.CancelledError
    value = function(*args)
    return await value if inspect.isawaitable(value) else value


class _Limit:
    """Stops a lab's run after a while, and its start-up too."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.passed = False

    @contextmanager
    def on_starting(self) -> Iterator[None]:
        began_s = time.monotonic()

        def look() -> None:
            if time.monotonic() - began_s >= self.limit_s:
                self.passed = True
                raise KeyboardInterrupt

        token = while_starting.set(look)
        try:
            yield
        finally:
            while_starting.reset(token)

    @contextmanager
    def over(self, lab: Lab) -> Iterator[None]:
        def stop() -> None:
            self.passed = True
            lab.stop()

        timer = threading.Timer(self.limit_s, stop)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # a browser's Python has no threads: the run looks at the clock itself
            began_s = time.monotonic()
            lab.stop(after_s=self.limit_s)
            try:
                yield
            finally:
                self.passed = time.monotonic() - began_s >= self.limit_s
            return
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


_current: Final[ContextVar[_Limit | None]] = ContextVar("limit", default=None)
"""The limit of the try within which a task runs."""


async def _no_app(scope: Any, receive: Any, send: Any) -> None:
    raise NotImplementedError


def _first_of(error: BaseException) -> BaseException:
    """The first of the exceptions that a task group has gathered; itself, if it is no group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _tried(runs: Sequence[Run], error: BaseException | None, unending: bool) -> Tried:
    if not runs:
        return Tried(None, error=error, unending=unending)
    run = runs[-1]
    run.title = "Your run"
    responses = [] if error is not None else run.responses
    return Tried(run.trace, _settled(run.result), responses, error, unending)


def _settled(value: Any) -> Any:
    """A result without coroutines, of which Python would complain wherever they are dropped."""
    if inspect.iscoroutine(value):
        value.close()
        return Unawaited(value.__name__)
    if type(value) in (list, tuple):
        return type(value)(_settled(each) for each in value)
    return value
