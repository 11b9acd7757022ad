"""The lifespan: what runs before the first request and after the last.

It decides what the server is told when start-up or shut-down fails, and hands what the lifespan yields
to the server as the initial state of requests. What an app does in it is the app's affair.
"""

import contextlib
import inspect
import traceback
import warnings
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from playground.asgi import Receive, Scope, Send

from .types import Lifespan

__all__ = ["as_lifespan", "run_lifespan"]


def as_lifespan(lifespan: Lifespan[Any] | None) -> Lifespan[Any]:
    """A function of the app that returns an async context manager, from what a user gave.

    Generator functions are taken too, with a `DeprecationWarning`, as in Starlette.
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


async def run_lifespan(lifespan: Lifespan[Any], scope: Scope, receive: Receive, send: Send) -> None:
    """Start up, wait for the server's word, shut down.

    Raises:
        BaseException: whatever start-up or shut-down raised, after the server has been told.
        RuntimeError: the lifespan yielded a state, and the server keeps none.
    """
    moment = "startup"
    await receive()
    try:
        async with lifespan(scope.get("app")) as state:
            _keep_state(scope, state)
            await send({"type": "lifespan.startup.complete"})
            moment = "shutdown"
            await receive()
    except BaseException:
        await send({"type": f"lifespan.{moment}.failed", "message": traceback.format_exc()})
        raise
    await send({"type": "lifespan.shutdown.complete"})


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
        DeprecationWarning,
        stacklevel=4,
    )
