"""The lifespan: what runs before the first request and after the last.

It decides what the server is told when start-up or shut-down fails, hands what the lifespan yields to the
server as the initial state of requests, and runs the lifespans of mounted apps within that of the app around
them. What an app does in it is the app's affair.
"""

import contextlib
import inspect
import traceback
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from playground.asgi import Receive, Scope, Send

from ._base_route import BaseRoute
from ._mount import MOUNTED_STATE, AppRoute
from .exceptions import StarletteDeprecationWarning
from .types import Lifespan

__all__ = ["Tracked", "as_lifespan", "run_lifespan"]

# The lifespans that run in this context, by id: one that the app around enters by hand is not run again.
_running: ContextVar[frozenset[int]] = ContextVar("playground.web.lifespans", default=frozenset())


class Tracked:
    """A lifespan that knows whether it runs; called as the one inside it is."""

    def __init__(self, lifespan: Lifespan[Any]) -> None:
        self.__wrapped__ = lifespan

    def __call__(self, app: Any) -> contextlib.AbstractAsyncContextManager[Any]:
        return self._run(app)

    @property
    def is_running(self) -> bool:
        return id(self) in _running.get()

    @contextlib.asynccontextmanager
    async def _run(self, app: Any) -> AsyncGenerator[Any, None]:
        async with self.__wrapped__(app) as state:
            _running.set(_running.get() | {id(self)})
            try:
                yield state
            finally:
                _running.set(_running.get() - {id(self)})


def as_lifespan(lifespan: Lifespan[Any] | None) -> Lifespan[Any]:
    """A function of the app that returns an async context manager, from what a user gave.

    Generator functions are taken too, with a `StarletteDeprecationWarning`.
    """
    if lifespan is None:
        return _nothing
    if inspect.isasyncgenfunction(lifespan):
        _warn_of_generator("async generator")
        return contextlib.asynccontextmanager(lifespan)
    if inspect.isgeneratorfunction(lifespan):
        _warn_of_generator("generator")
        return _from_generator(contextlib.contextmanager(lifespan))
    return lifespan


async def run_lifespan(router: Any, scope: Scope, receive: Receive, send: Send) -> None:
    """Start up, wait for the server's word, shut down.

    Args:
        router: its lifespan is run, and within it those of the apps mounted in it, in the order of its routes.

    Raises:
        BaseException: whatever start-up or shut-down raised, after the server has been told.
        RuntimeError: a lifespan yielded a state, and the server keeps none.
    """
    moment = "startup"
    app = scope.get("app")
    await receive()
    try:
        async with contextlib.AsyncExitStack() as stack:
            _keep_state(scope, await stack.enter_async_context(router.lifespan_context(app)))
            await _enter_mounted(stack, router.routes, app, scope, {id(router)})
            await send({"type": "lifespan.startup.complete"})
            moment = "shutdown"
            await receive()
    except BaseException:
        await send({"type": f"lifespan.{moment}.failed", "message": traceback.format_exc()})
        raise
    await send({"type": "lifespan.shutdown.complete"})


async def _enter_mounted(
    stack: contextlib.AsyncExitStack, routes: Sequence[BaseRoute], app: Any, scope: Scope, seen: set[int]
) -> None:
    """Start up the apps mounted in these routes, each once, however often it is mounted."""
    for route in routes:
        if not isinstance(route, AppRoute) or not route.lifespan:
            continue
        inner = route.base_app
        router: Any = getattr(inner, "router", inner)
        lifespan = getattr(router, "lifespan_context", None)
        if lifespan is None or id(router) in seen or getattr(lifespan, "is_running", False):
            continue
        seen.add(id(router))
        owner = app if router is inner else inner
        state = await stack.enter_async_context(lifespan(owner))
        if state is not None:
            _keep_state(scope, {MOUNTED_STATE: {**scope.get("state", {}).get(MOUNTED_STATE, {}), id(inner): state}})
        await _enter_mounted(stack, router.routes, owner, scope, seen)


def _keep_state(scope: Scope, state: Mapping[str, Any] | None) -> None:
    if state is None:
        return
    if "state" not in scope:
        raise RuntimeError('The server does not support "state" in the lifespan scope.')
    scope["state"].update(state)


@contextlib.asynccontextmanager
async def _nothing(app: Any) -> AsyncIterator[None]:
    yield


def _from_generator(manager: Callable[[Any], contextlib.AbstractContextManager[Any]]) -> Lifespan[Any]:
    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[Any]:
        with manager(app) as state:
            yield state

    return lifespan


def _warn_of_generator(kind: str) -> None:
    warnings.warn(
        f"{kind} function lifespans are deprecated, use an @contextlib.asynccontextmanager function instead",
        StarletteDeprecationWarning,
        stacklevel=4,
    )
