"""Routers: apps that hold routes, and hand each request to the one that answers.

A router decides what comes before and after that choice: its layers of middleware, the lifespan, a redirect
to the path with or without its last slash, and what is said when nothing matches. Which route answers is
decided in `_choosing`; the routes are in `_route` and `_mount`. This module is where users import them from.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import chain
from typing import Any

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import UsageError

from ._base_route import BaseRoute, Match, NoMatchFound, compile_path, get_name, not_found, replace_params
from ._choosing import Chooser
from ._endpoint import request_response, websocket_session
from ._lifespan import Tracked, as_lifespan, run_lifespan
from ._mount import Host, Mount
from ._route import Route, WebSocketRoute
from ._template import PARAM_REGEX
from ._utils import get_route_path
from .datastructures import URL, URLPath
from .middleware import Middleware, within
from .requests import Request
from .responses import RedirectResponse, Response
from .types import Lifespan
from .websockets import WebSocket

__all__ = [
    "PARAM_REGEX",
    "BaseRoute",
    "Host",
    "Match",
    "Mount",
    "NoMatchFound",
    "Route",
    "Router",
    "WebSocketRoute",
    "compile_path",
    "get_name",
    "replace_params",
    "request_response",
    "websocket_session",
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
        max_body_size: the most bytes that a request's body may have; a larger one is answered by 413. Mounts
            and routes inside may say otherwise.
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute] | None = None,
        redirect_slashes: bool = True,
        default: ASGIApp | None = None,
        lifespan: Lifespan[Any] | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
    ) -> None:
        self.routes = routes or []
        self.redirect_slashes = redirect_slashes
        self.default: ASGIApp = self.not_found if default is None else default
        self.lifespan_context = as_lifespan(lifespan)
        self.middleware_stack = within(self.app, middleware, max_body_size)

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes in order; a change to the list counts from the next request on."""
        return self._chooser.routes

    @routes.setter
    def routes(self, routes: Sequence[BaseRoute]) -> None:
        self._chooser = Chooser(routes)

    @property
    def lifespan_context(self) -> Lifespan[Any]:
        """The lifespan, as a function of the app that returns an async context manager."""
        return self._lifespan_context

    @lifespan_context.setter
    def lifespan_context(self, lifespan: Lifespan[Any]) -> None:
        self._lifespan_context = lifespan if isinstance(lifespan, Tracked) else Tracked(lifespan)

    async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what no route matches."""
        await not_found(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of the first route that has this name and takes exactly these parameters.

        Raises:
            NoMatchFound: there is none.
        """
        # Should it fail, the routes are looked through, for one may have been renamed since they were sorted.
        for route in chain(self._chooser.named(name), self.routes):
            try:
                return route.url_path_for(name, **path_params)
            except NoMatchFound:
                continue
        raise NoMatchFound(name, path_params)

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the lifespan: start up, wait for the shut-down, shut down.

        The lifespans of mounted apps run within it, in the order of their routes.
        """
        await run_lifespan(self, scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_bare:  # the way through `app` would cost one coroutine more
            await self._answer(scope)(scope, receive, send)
        else:
            await self.middleware_stack(scope, receive, send)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the first route that matches, inside of all layers."""
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> ASGIApp:
        """What answers."""
        if "router" not in scope:
            scope["router"] = self
        kind = scope["type"]
        if kind == "lifespan":
            return self.lifespan
        if kind != "http" and kind != "websocket":
            raise UsageError(f"Expected a scope of type 'http', 'websocket' or 'lifespan', got {kind!r}.")
        app: ASGIApp | None = self._chooser.choose(scope)
        if app is None:
            app = self._redirect(scope)
        if app is None:
            return self.default
        # A router that is mounted bare answers here: what is within it needs no call of its own.
        return app._answer(scope) if type(app) is Router and app._is_bare else app

    @property
    def middleware_stack(self) -> ASGIApp:
        """The router inside its layers."""
        return self._middleware_stack

    @middleware_stack.setter
    def middleware_stack(self, stack: ASGIApp) -> None:
        self._middleware_stack = stack
        self._is_bare = stack == self.app and type(self).app is Router.app

    def add_route(
        self,
        path: str,
        endpoint: Callable[[Request[Any]], Awaitable[Response] | Response],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Add a route after the others."""
        self.routes.append(Route(path, endpoint, methods=methods, name=name, include_in_schema=include_in_schema))

    def add_websocket_route(
        self, path: str, endpoint: Callable[[WebSocket[Any]], Awaitable[None]], name: str | None = None
    ) -> None:
        """Add a route to websockets after the others."""
        self.routes.append(WebSocketRoute(path, endpoint, name=name))

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        """Add an app below a path, after the other routes."""
        self.routes.append(Mount(path, app, name=name))

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        """Add an app on a host, after the other routes."""
        self.routes.append(Host(host, app, name=name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Router) and self.routes == other.routes

    __hash__ = None  # type: ignore[assignment]

    def _redirect(self, scope: Scope) -> Response | None:
        """The way to the path with its last slash added or taken away, if that matches."""
        if not self.redirect_slashes or scope["type"] != "http" or (here := get_route_path(scope)) == "/":
            return None
        path: str = scope["path"]
        elsewhere = {**scope, "path": path.rstrip("/") if here.endswith("/") else path + "/"}
        if self._chooser.choose(elsewhere) is None:
            return None
        return RedirectResponse(str(URL(scope=elsewhere)))
