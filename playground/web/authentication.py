"""Users, what they may do, and functions that only some may use.

It decides what a user and a permission look like to an app, and how a function is kept from those who lack
one. Who a request comes from is found out by a backend, which the authentication middleware asks.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec
from urllib.parse import urlencode

from playground.errors import UsageError

from ._utils import is_async_callable
from .exceptions import HTTPException
from .requests import HTTPConnection, Request
from .responses import RedirectResponse
from .websockets import WebSocket

__all__ = [
    "AuthCredentials",
    "AuthenticationBackend",
    "AuthenticationError",
    "BaseUser",
    "SimpleUser",
    "UnauthenticatedUser",
    "has_required_scope",
    "requires",
]

P = ParamSpec("P")


class AuthenticationError(Exception):
    """Raised by a backend: the credentials that came are not good."""


class BaseUser:
    """What every user has; apps add to it."""

    @property
    def is_authenticated(self) -> bool:
        """Whether it has been proved who this is."""
        raise NotImplementedError(_not_there(self, "is_authenticated"))

    @property
    def display_name(self) -> str:
        """What to call the user on a page; may be empty."""
        raise NotImplementedError(_not_there(self, "display_name"))

    @property
    def identity(self) -> str:
        """What tells this user from all others; may be empty."""
        raise NotImplementedError(_not_there(self, "identity"))


class SimpleUser(BaseUser):
    """A user who is known by name."""

    def __init__(self, username: str) -> None:
        self.username = username

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def display_name(self) -> str:
        return self.username

    @property
    def identity(self) -> str:
        return self.username


class UnauthenticatedUser(BaseUser):
    """Nobody that is known."""

    @property
    def is_authenticated(self) -> bool:
        return False

    @property
    def display_name(self) -> str:
        return ""

    @property
    def identity(self) -> str:
        return ""


class AuthCredentials:
    """What a request may do.

    Attributes:
        scopes: the names of its permissions.
    """

    def __init__(self, scopes: Sequence[str] | None = None) -> None:
        self.scopes = [] if scopes is None else list(scopes)


class AuthenticationBackend:
    """Finds out who a request comes from."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Return credentials and user, or `None` if the request names nobody.

        Raises:
            AuthenticationError: it names somebody and does not prove it.
        """
        raise NotImplementedError(_not_there(self, "authenticate"))


def has_required_scope(conn: HTTPConnection, scopes: Sequence[str]) -> bool:
    """Whether a request has all of these permissions."""
    return all(scope in conn.auth.scopes for scope in scopes)


def requires(
    scopes: str | Sequence[str], status_code: int = 403, redirect: str | None = None
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Keep a handler from requests that lack a permission; it needs a parameter `request` or `websocket`.

    Args:
        scopes: the name of a permission, or several that are all needed.
        status_code: the answer to the others.
        redirect: the name of a route that they are sent to instead, with `next` in the query.

    Raises:
        UsageError: the handler has no such parameter.
    """
    needed = [scopes] if isinstance(scopes, str) else list(scopes)

    def decorator(func: Callable[P, Any]) -> Callable[P, Any]:
        name, place = _parameter(func)
        if name == "websocket":
            return _guard_websocket(func, needed, place)
        if is_async_callable(func):

            @functools.wraps(func)
            async def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
                request = _argument(Request, "request", place, args, kwargs)
                return _refusal(request, needed, status_code, redirect) or await func(*args, **kwargs)

            return guarded

        @functools.wraps(func)
        def guarded_in_thread(*args: P.args, **kwargs: P.kwargs) -> Any:
            request = _argument(Request, "request", place, args, kwargs)
            return _refusal(request, needed, status_code, redirect) or func(*args, **kwargs)

        return guarded_in_thread

    return decorator


def _guard_websocket(func: Callable[P, Any], needed: list[str], place: int) -> Callable[P, Any]:
    @functools.wraps(func)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        websocket = _argument(WebSocket, "websocket", place, args, kwargs)
        if has_required_scope(websocket, needed):
            await func(*args, **kwargs)
        else:
            await websocket.close()

    return guarded


def _refusal(
    request: Request[Any], needed: list[str], status_code: int, redirect: str | None
) -> RedirectResponse | None:
    """The way out for a request that lacks a permission: none if it has all."""
    if has_required_scope(request, needed):
        return None
    if redirect is None:
        raise HTTPException(status_code=status_code)
    url = f"{request.url_for(redirect)}?{urlencode({'next': str(request.url)})}"
    return RedirectResponse(url=url, status_code=303)


def _parameter(func: Callable[..., Any]) -> tuple[str, int]:
    """Name and place of the parameter that is the request or websocket."""
    for place, name in enumerate(inspect.signature(func).parameters):
        if name in ("request", "websocket"):
            return name, place
    raise UsageError(
        f'No "request" or "websocket" argument on function "{func}". '
        "Give it a parameter of that name: `requires` looks there for who is asking."
    )


def _argument(cls: type[Any], name: str, place: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    value = kwargs.get(name, args[place] if place < len(args) else None)
    if not isinstance(value, cls):
        raise UsageError(
            f"Parameter with name '{name}' is required to be of type '{cls.__name__}' not '{type(value).__name__}'"
        )
    return value


def _not_there(of: object, name: str) -> str:
    return f"{type(of).__name__} has no {name}: define it in the class."
