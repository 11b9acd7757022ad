"""What all routes have in common, and what their names and templates are made of.

A route decides whether it matches a scope and what it adds to it. This module holds the terms in which it
answers; the routes themselves are in `_route` (one endpoint) and `_mount` (an app), and which of several
answers is the router's affair.
"""

import re
from collections.abc import Callable
from enum import Enum
from typing import Any

from playground.asgi import Receive, Scope, Send
from playground.errors import RouteError

from ._template import fill, parse_template
from .convertors import Convertor
from .datastructures import URLPath
from .exceptions import HTTPException
from .responses import PlainTextResponse
from .websockets import WebSocketClose

__all__ = [
    "BaseRoute",
    "Match",
    "NoMatchFound",
    "compile_path",
    "get_name",
    "not_found",
    "refuse_relative",
    "replace_params",
    "with_outer",
]


class NoMatchFound(Exception):
    """No route has this name and takes exactly these parameters."""

    def __init__(self, name: str, path_params: dict[str, Any]) -> None:
        super().__init__(f'No route exists for name "{name}" and params "{", ".join(path_params)}".')


class Match(Enum):
    """How well a route matches: not at all, by its path but not its method, or wholly."""

    NONE = 0
    PARTIAL = 1
    FULL = 2


def get_name(endpoint: Callable[..., Any]) -> str:
    """The name that a route gets if it is given none: that of its endpoint, or of its endpoint's class."""
    name: str = getattr(endpoint, "__name__", type(endpoint).__name__)
    return name


def compile_path(path: str) -> tuple[re.Pattern[str], str, dict[str, Convertor[Any]]]:
    """A path template as a regular expression, a format (`/items/{id}`) and the convertors by name.

    Raises:
        RouteError: a convertor is unknown, or a parameter's name is used twice.
    """
    template = parse_template(path)
    return template.regex, template.format, template.convertors


def replace_params(
    path: str, param_convertors: dict[str, Convertor[Any]], path_params: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Put parameters into a path; return it and those that are left over."""
    return fill(path, param_convertors, path_params)


class BaseRoute:
    """What a router asks of a route. A class of one's own defines the three methods that raise here."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """How well it matches, and what to add to the scope if it is chosen."""
        raise NotImplementedError(f"{type(self).__name__} must define matches(scope).")

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of the route with this name.

        Raises:
            NoMatchFound: it is not this route.
        """
        raise NotImplementedError(f"{type(self).__name__} must define url_path_for(name, **path_params).")

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that matched."""
        raise NotImplementedError(f"{type(self).__name__} must define handle(scope, receive, send).")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an app of its own, outside of any router."""
        match, child_scope = self.matches(scope)
        if match is Match.NONE:
            await not_found(scope, receive, send)
            return
        scope.update(child_scope)
        await self.handle(scope, receive, send)


def with_outer(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """A route's path parameters, beside those of the mounts around it."""
    outer = scope.get("path_params")
    return {**outer, **values} if outer else values


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what nothing matches: 404, or for a websocket a close."""
    if scope["type"] == "websocket":
        await WebSocketClose()(scope, receive, send)
        return
    if "app" in scope:  # its exception handlers may have their own idea of a 404
        raise HTTPException(404)
    await PlainTextResponse("Not Found", 404)(scope, receive, send)


def refuse_relative(path: str) -> None:
    """Refuse a path that does not begin with a slash.

    Raises:
        RouteError: it does not.
    """
    if not path.startswith("/"):
        raise RouteError(f"Routed paths must start with '/': got {path!r}. Write {'/' + path!r}.")
