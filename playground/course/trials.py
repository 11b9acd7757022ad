"""Trying somebody's code: in a lab of its own, in virtual time, so that it is exact and the same each time.

Whatever the code does, a try comes to its end and tells of it: what it raises, a call of `sys.exit`, waiting for ever
(a deadlock of virtual time) and going round without end, which is broken off after a time that no exercise needs. This
module knows nothing of exercises.
"""

import inspect
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

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
    """

    trace: Trace | None
    result: Any = None
    responses: Sequence[httpx.Response] = ()
    error: BaseException | None = None
    unending: bool = False


def try_burst(app: Any, request: Any, n: int, **settings: Any) -> Tried:
    """Send an app `n` requests at once; see `Lab.burst`.

    Args:
        app, request, n: as there.
        settings: of the lab: `threads`, `seed`, `schedule`.
    """
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

    async def main() -> Any:
        return await function()

    main.__qualname__ = "check"  # as a task's name stands in the picture
    return try_app(_no_app, lambda lab: lab.run(main), **settings)


def try_app(app: Any, act: Callable[[Lab], Run], **settings: Any) -> Tried:
    """Make a lab of an app, and one run in it."""
    limit = _Limit(LIMIT_S)
    runs: list[Run] = []
    try:
        with Lab(app, clock="virtual", **settings) as lab:
            runs = lab.runs
            with limit.over(lab):
                act(lab)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (somebody's code may raise whatever it likes)
        return _tried(runs, error, False)
    except KeyboardInterrupt as error:
        if not limit.passed:
            raise
        return _tried(runs, error, True)
    return _tried(runs, None, False)


def try_each(makers: Iterable[Callable[[], Tried]]) -> list[Tried]:
    """Make one try after another, until one of them has to be broken off: a second would take as long."""
    tries: list[Tried] = []
    for make in makers:
        tries.append(make())
        if tries[-1].unending:
            break
    return tries


async def outcome(value: Any) -> Any:
    """What a function of either kind comes to: what it returned, awaited if that is to be awaited."""
    return await value if inspect.isawaitable(value) else value


class _Limit:
    """Stops a lab's run after a while."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.passed = False

    @contextmanager
    def over(self, lab: Lab) -> Iterator[None]:
        def stop() -> None:
            self.passed = True
            lab.stop()

        timer = threading.Timer(self.limit_s, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


async def _no_app(scope: Any, receive: Any, send: Any) -> None:
    raise NotImplementedError  # of an app without a lifespan, that is how it says so


def _tried(runs: Sequence[Run], error: BaseException | None, unending: bool) -> Tried:
    if not runs:
        return Tried(None, error=error, unending=unending)
    run = runs[-1]
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
