"""Routes and the router: which endpoint answers a request.

The router decides by the declared order: the first route that matches path and method answers; if none
does, the first whose path alone matches, with 405. How candidates are found fast is `_matching`'s affair;
what an endpoint does is its own.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import UsageError

from ._endpoint import request_response
from ._lifespan import as_lifespan, run_lifespan
from ._matching import Entry, Matcher
from ._route import BaseRoute, Match, NoMatchFound, Route, compile_path, get_name, not_found, replace_params, with_outer
from ._routes import RouteList
from ._template import Template
from ._utils import get_route_path
from .datastructures import URL, URLPath
from .middleware import Middleware
from .requests import Request
from .responses import RedirectResponse, Response
from .types import Lifespan

__all__ = [
    "BaseRoute",
    "Match",
    "NoMatchFound",
    "Route",
    "Router",
    "compile_path",
    "get_name",
    "replace_params",
    "request_response",
]


class Router:
    """Routes, in order, as an app.

    Args:
        routes: the routes; of two that match, the first answers.
        redirect_slashes: whether a path that matches nothing is sent on to the one with (or without) a
            slash at its end, if that matches.
        default: answers what no route matches; `not_found` unless given.
        lifespan: a function of the app that returns an async context manager, entered at start-up and
            left at shut-down; what it yields is the initial state of requests.
        middleware: layers around the router, outermost first.
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute] | None = None,
        redirect_slashes: bool = True,
        default: ASGIApp | None = None,
        lifespan: Lifespan[Any] | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
    ) -> None:
        self.routes = routes or []
        self.redirect_slashes = redirect_slashes
        self.default: ASGIApp = self.not_found if default is None else default
        self.lifespan_context: Lifespan[Any] = as_lifespan(lifespan)
        self.middleware_stack: ASGIApp = self.app
        for cls, args, kwargs in reversed(middleware or ()):
            self.middleware_stack = cls(self.middleware_stack, *args, **kwargs)

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes in order; a change to the list counts from the next request on."""
        return self._routes

    @routes.setter
    def routes(self, routes: Sequence[BaseRoute]) -> None:
        self._routes: RouteList[BaseRoute] = RouteList(routes)
        self._matcher: Matcher[BaseRoute] | None = None

    async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what no route matches."""
        await not_found(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of the first route that has this name and takes exactly these parameters.

        Raises:
            NoMatchFound: there is none.
        """
        for route in self._routes:
            try:
                return route.url_path_for(name, **path_params)
            except NoMatchFound:
                continue
        raise NoMatchFound(name, path_params)

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the lifespan: start up, wait for the shut-down, shut down."""
        await run_lifespan(self.lifespan_context, scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.middleware_stack(scope, receive, send)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the first route that matches."""
        if scope["type"] not in ("http", "websocket", "lifespan"):
            raise UsageError(f"Expected a scope of type 'http', 'websocket' or 'lifespan', got {scope['type']!r}.")
        if "router" not in scope:
            scope["router"] = self
        if scope["type"] == "lifespan":
            await self.lifespan(scope, receive, send)
            return
        route = self._choose(scope)
        if route is not None:
            scope["route"] = route
            await route.handle(scope, receive, send)
        elif (response := self._redirect(scope)) is not None:
            await response(scope, receive, send)
        else:
            await self.default(scope, receive, send)

    def add_route(
        self,
        path: str,
        endpoint: Callable[[Request[Any]], Awaitable[Response] | Response],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Add a route after the others."""
        self._routes.append(Route(path, endpoint, methods=methods, name=name, include_in_schema=include_in_schema))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Router) and self._routes == other._routes

    __hash__ = None  # type: ignore[assignment]

    def _choose(self, scope: Scope) -> BaseRoute | None:
        """The route that answers, with its values put into the scope; `None` if none matches."""
        path = get_route_path(scope)
        entries, segments = self._compiled().find(path)
        partial: tuple[BaseRoute, Scope] | None = None
        for entry in entries:
            match, child_scope = _match(entry, path, segments, scope)
            if match is Match.FULL:
                scope.update(child_scope)
                return entry.target
            if match is Match.PARTIAL and partial is None:
                partial = entry.target, child_scope
        if partial is None:
            return None
        scope.update(partial[1])
        return partial[0]

    def _redirect(self, scope: Scope) -> Response | None:
        """The way to the path with its last slash added or taken away, if that matches."""
        if not self.redirect_slashes or scope["type"] != "http" or get_route_path(scope) == "/":
            return None
        path: str = scope["path"]
        elsewhere = {**scope, "path": path.rstrip("/") if path.endswith("/") else path + "/"}
        if self._choose(dict(elsewhere)) is None:
            return None
        return RedirectResponse(str(URL(scope=elsewhere)))

    def _compiled(self) -> Matcher[BaseRoute]:
        if self._matcher is None or self._routes.changed:
            self._matcher = Matcher((route, _template_of(route)) for route in self._routes)
            self._routes.changed = False
        return self._matcher


def _match(entry: Entry[BaseRoute], path: str, segments: Sequence[str] | None, scope: Scope) -> tuple[Match, Scope]:
    """What `entry.target.matches(scope)` says, without its regular expression where that can be had."""
    route = entry.target
    if entry.template is None or type(route).matches is not Route.matches or not isinstance(route, Route):
        return route.matches(scope)
    if scope["type"] != "http" or (values := entry.values(path, segments)) is None:
        return Match.NONE, {}
    child_scope = {"endpoint": route.endpoint, "path_params": with_outer(scope, values)}
    return Match.FULL if not route.methods or scope["method"] in route.methods else Match.PARTIAL, child_scope


def _template_of(route: BaseRoute) -> Template | None:
    """The template by which a route may be found; `None` if it has ways of its own to match."""
    if isinstance(route, Route) and type(route).matches is Route.matches:
        return getattr(route, "_template", None)
    return None
