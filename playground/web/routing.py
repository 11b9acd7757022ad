"""Routes and the router: which endpoint answers a request.

The router decides by the declared order: the first route that matches path and method answers; if none
does, the first whose path alone matches, with 405. How candidates are found fast is `_matching`'s affair;
what an endpoint does is its own.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, NamedTuple

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import UsageError

from ._endpoint import request_response
from ._lifespan import as_lifespan, run_lifespan
from ._matching import Matcher
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


class _Target(NamedTuple):
    """A route in the matcher.

    Attributes:
        by_template: whether its template says all about which paths it matches.
        directly: whether its app may be called without its `handle`, once path and method match.
    """

    route: Any
    by_template: bool
    directly: bool


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
        self._matchers: dict[str, Matcher[_Target]] = {}

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
        if "router" not in scope:
            scope["router"] = self
        kind = scope["type"]
        if kind == "lifespan":
            await self.lifespan(scope, receive, send)
            return
        if kind not in ("http", "websocket"):
            raise UsageError(f"Expected a scope of type 'http', 'websocket' or 'lifespan', got {kind!r}.")
        answer = self._choose(scope)
        if answer is None:
            answer = self._redirect(scope) or self.default
        await answer(scope, receive, send)

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

    def _choose(self, scope: Scope) -> ASGIApp | None:
        """What answers; its route and the route's values are put into the scope. `None` if no route matches."""
        kind: str = scope["type"]
        matcher = self._compile(kind) if self._routes.changed or kind not in self._matchers else self._matchers[kind]
        path: str = get_route_path(scope) if scope.get("root_path") else scope["path"]
        entries, segments = matcher.find(path)
        in_part: tuple[BaseRoute, Scope] | None = None
        for entry in entries:
            route, by_template, directly = entry.target
            if by_template:
                values = entry.values(path, segments)
                if values is None:
                    continue
                child_scope: Scope = {"endpoint": route.endpoint, "path_params": with_outer(scope, values)}
                wholly = not route.methods or scope["method"] in route.methods
            else:
                match, child_scope = route.matches(scope)
                if match is Match.NONE:
                    continue
                wholly = match is Match.FULL
            if wholly:
                _enter(scope, route, child_scope)
                app: ASGIApp = route.app if directly else route.handle
                return app
            in_part = in_part or (route, child_scope)
        if in_part is None:
            return None
        _enter(scope, *in_part)
        return in_part[0].handle

    def _redirect(self, scope: Scope) -> Response | None:
        """The way to the path with its last slash added or taken away, if that matches."""
        if not self.redirect_slashes or scope["type"] != "http" or get_route_path(scope) == "/":
            return None
        path: str = scope["path"]
        elsewhere = {**scope, "path": path.rstrip("/") if path.endswith("/") else path + "/"}
        if self._choose(dict(elsewhere)) is None:
            return None
        return RedirectResponse(str(URL(scope=elsewhere)))

    def _compile(self, kind: str) -> Matcher[_Target]:
        """The matcher for scopes of one type, made of the routes as they are now."""
        if self._routes.changed:
            self._matchers.clear()
            self._routes.changed = False
        declared: list[tuple[_Target, Template | None]] = []
        for route in self._routes:
            template = getattr(route, "template", None)
            if not isinstance(route, Route) or template is None or type(route).matches is not Route.matches:
                declared.append((_Target(route, by_template=False, directly=False), None))  # it has ways of its own
            elif kind == "http":
                directly = type(route).handle is Route.handle
                declared.append((_Target(route, by_template=True, directly=directly), template))
        return self._matchers.setdefault(kind, Matcher(declared))


def _enter(scope: Scope, route: BaseRoute, child_scope: Scope) -> None:
    scope["route"] = route
    scope.update(child_scope)
