"""Routes to one endpoint: a path, and what answers there, for HTTP or for websockets.

A route decides whether it matches a scope and what it adds to it. Which of several routes answers is the
router's affair; how an endpoint is called is `_endpoint`'s.
"""

import functools
import inspect
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import HandlerError

from ._base_route import BaseRoute, Match, NoMatchFound, get_name, refuse_relative, with_outer
from ._endpoint import request_response, websocket_session
from ._reading import values_of
from ._template import Template, fill, parse_template
from ._utils import get_route_path
from .datastructures import URLPath
from .exceptions import HTTPException
from .middleware import Middleware, within
from .responses import PlainTextResponse

__all__ = ["Route", "WebSocketRoute"]


class _EndpointRoute(BaseRoute):
    """What the two kinds share: a template, a name and an endpoint."""

    path: str
    endpoint: Callable[..., Any]
    name: str
    app: ASGIApp

    def _declare(self, kind: str, path: str, endpoint: Callable[..., Any], name: str | None) -> None:
        refuse_relative(path)
        _refuse_no_endpoint(kind, path, endpoint)
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.template: Template = parse_template(path)
        self.path_format = self.template.format
        self.param_convertors = self.template.convertors

    @functools.cached_property
    def path_regex(self) -> re.Pattern[str]:
        """Matches the paths of this route."""
        return self.template.regex

    def _child_scope(self, scope: Scope) -> Scope | None:
        """What to add to the scope, or `None` if its path is another."""
        found = self.path_regex.match(get_route_path(scope))
        if found is None or (values := values_of(self.param_convertors, found.groupdict())) is None:
            return None
        return {"endpoint": self.endpoint, "path_params": with_outer(scope, values)}

    def _url_path(self, protocol: Any, name: str, path_params: dict[str, Any]) -> URLPath:
        if name != self.name or path_params.keys() != self.param_convertors.keys():
            raise NoMatchFound(name, path_params)
        path, _ = fill(self.path_format, self.param_convertors, path_params)
        return URLPath(path=path, protocol=protocol)


class Route(_EndpointRoute):
    """A path, the methods it is asked by, and the endpoint that answers.

    Args:
        path: the template, such as `/items/{id:int}`.
        endpoint: a function of a request that returns a response (a plain `def` runs in a worker
            thread), or an ASGI app: a class such as `HTTPEndpoint`, or an object.
        methods: for a function `GET` unless given, for an app any. `HEAD` comes with `GET`.
        name: for `url_for`; the endpoint's name unless given.
        include_in_schema: whether a generated schema shows it.
        middleware: layers around this endpoint alone, outermost first.
        max_body_size: the most bytes that a request's body may have here; a larger one is answered by 413.
            It stands above the limits of the app and of mounts.

    Raises:
        RouteError: the path is no template, or does not begin with a slash.
        HandlerError: the endpoint is a coroutine, or cannot be called.
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
        max_body_size: int | None = None,
    ) -> None:
        self._declare("Route", path, endpoint, name)
        self.include_in_schema = include_in_schema
        self.app = endpoint
        if _is_function(endpoint):
            self.app = request_response(endpoint)
            methods = ["GET"] if methods is None else methods
        self.app = within(self.app, middleware, max_body_size)
        self.methods = None if methods is None else _normal_methods(methods)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or (child_scope := self._child_scope(scope)) is None:
            return Match.NONE, {}
        return self._method_match(scope), child_scope

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        return self._url_path("http", name, path_params)

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


class WebSocketRoute(_EndpointRoute):
    """A path, and the endpoint that talks to websockets there.

    Args:
        path: the template, such as `/rooms/{room}`.
        endpoint: an async function of a websocket, or an ASGI app: a class such as `WebSocketEndpoint`, or
            an object.
        name: for `url_for`; the endpoint's name unless given.
        middleware: layers around this endpoint alone, outermost first.

    Raises:
        RouteError: the path is no template, or does not begin with a slash.
        HandlerError: the endpoint is a coroutine, or cannot be called.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        name: str | None = None,
        middleware: Sequence[Middleware] | None = None,
    ) -> None:
        self._declare("WebSocketRoute", path, endpoint, name)
        self.app = within(websocket_session(endpoint) if _is_function(endpoint) else endpoint, middleware)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "websocket" or (child_scope := self._child_scope(scope)) is None:
            return Match.NONE, {}
        return Match.FULL, child_scope

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        return self._url_path("websocket", name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WebSocketRoute) and self.path == other.path and self.endpoint == other.endpoint

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, name={self.name!r})"


def _is_function(endpoint: Callable[..., Any]) -> bool:
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    return inspect.isfunction(endpoint) or inspect.ismethod(endpoint)


def _normal_methods(methods: Collection[str]) -> set[str]:
    names = {method.upper() for method in methods}
    return names | {"HEAD"} if "GET" in names else names


def _refuse_no_endpoint(kind: str, path: str, endpoint: object) -> None:
    if inspect.iscoroutine(endpoint):
        name = endpoint.__qualname__
        endpoint.close()
        raise HandlerError(
            f"The endpoint of {path!r} must be a function, got a coroutine: {name!r} was called where the "
            f"route was declared. Leave out the brackets: {kind}({path!r}, {name})."
        )
    if not callable(endpoint):
        raise HandlerError(
            f"The endpoint of {path!r} must be a function or an ASGI app, got {endpoint!r}. "
            f"Write {kind}({path!r}, handler), with the name of a function."
        )
