"""One route: a path, the methods that it is asked by, and the endpoint that answers.

A route decides whether it matches a scope and what it adds to it. Which of several routes answers is the
router's affair; how an endpoint is called is `_endpoint`'s.
"""

import functools
import inspect
import re
from collections.abc import Callable, Collection, Sequence
from enum import Enum
from typing import Any

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import HandlerError, RouteError

from ._endpoint import request_response
from ._template import Template, fill, parse_template
from ._utils import get_route_path
from .convertors import Convertor
from .datastructures import URLPath
from .exceptions import HTTPException
from .middleware import Middleware
from .responses import PlainTextResponse

__all__ = [
    "BaseRoute",
    "Match",
    "NoMatchFound",
    "Route",
    "compile_path",
    "get_name",
    "not_found",
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


class Route(BaseRoute):
    """A path, the methods it is asked by, and the endpoint that answers.

    Args:
        path: the template, such as `/items/{id:int}`.
        endpoint: a function of a request that returns a response (a plain `def` runs in a worker
            thread), or an ASGI app: a class such as `HTTPEndpoint`, or an object.
        methods: for a function `GET` unless given, for an app any. `HEAD` comes with `GET`.
        name: for `url_for`; the endpoint's name unless given.
        include_in_schema: whether a generated schema shows it.
        middleware: layers around this endpoint alone, outermost first.

    Raises:
        RouteError: the path is no template, or does not begin with a slash.
        HandlerError: the endpoint is a coroutine.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
        middleware: Sequence[Middleware] | None = None,
    ) -> None:
        if not path.startswith("/"):
            raise RouteError(f"Routed paths must start with '/': got {path!r}. Write {'/' + path!r}.")
        _refuse_coroutine(path, endpoint)
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.include_in_schema = include_in_schema
        self.app: ASGIApp = endpoint
        if _is_function(endpoint):
            self.app = request_response(endpoint)
            methods = ["GET"] if methods is None else methods
        for cls, args, kwargs in reversed(middleware or ()):
            self.app = cls(self.app, *args, **kwargs)
        self.methods = None if methods is None else _normal_methods(methods)
        self.template: Template = parse_template(path)
        self.path_format = self.template.format
        self.param_convertors = self.template.convertors

    @functools.cached_property
    def path_regex(self) -> re.Pattern[str]:
        """Matches the paths of this route."""
        return self.template.regex

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or not (found := self.path_regex.match(get_route_path(scope))):
            return Match.NONE, {}
        values = {name: self.param_convertors[name].convert(text) for name, text in found.groupdict().items()}
        child_scope = {"endpoint": self.endpoint, "path_params": with_outer(scope, values)}
        return self._method_match(scope), child_scope

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        if name != self.name or path_params.keys() != self.param_convertors.keys():
            raise NoMatchFound(name, path_params)
        path, _ = fill(self.path_format, self.param_convertors, path_params)
        return URLPath(path=path, protocol="http")

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._method_match(scope) is Match.FULL:
            await self.app(scope, receive, send)
            return
        headers = {"Allow": ", ".join(sorted(self.methods or ()))}
        if "app" in scope:
            raise HTTPException(405, headers=headers)
        await PlainTextResponse("Method Not Allowed", 405, headers)(scope, receive, send)

    def _method_match(self, scope: Scope) -> Match:
        return Match.FULL if not self.methods or scope["method"] in self.methods else Match.PARTIAL

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Route)
            and self.path == other.path
            and self.endpoint == other.endpoint
            and self.methods == other.methods
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        methods = sorted(self.methods or ())
        return f"{type(self).__name__}(path={self.path!r}, name={self.name!r}, methods={methods!r})"


def with_outer(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """A route's path parameters, beside those of the mounts around it."""
    outer = scope.get("path_params")
    return {**outer, **values} if outer else values


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000, "reason": ""})
        return
    if "app" in scope:  # its exception handlers may have their own idea of a 404
        raise HTTPException(404)
    await PlainTextResponse("Not Found", 404)(scope, receive, send)


def _is_function(endpoint: Callable[..., Any]) -> bool:
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    return inspect.isfunction(endpoint) or inspect.ismethod(endpoint)


def _normal_methods(methods: Collection[str]) -> set[str]:
    names = {method.upper() for method in methods}
    return names | {"HEAD"} if "GET" in names else names


def _refuse_coroutine(path: str, endpoint: object) -> None:
    if inspect.iscoroutine(endpoint):
        name = endpoint.__qualname__
        endpoint.close()
        raise HandlerError(
            f"The endpoint of {path!r} must be a function, got a coroutine: {name!r} was called where the "
            f"route was declared. Leave out the brackets: Route({path!r}, {name})."
        )
