"""The application: a router inside its layers of middleware.

It decides the order of the layers (server errors outermost, then the user's, then exceptions, then the
router) and builds them once, with the first request. It refuses to know how routes match.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ParamSpec

from playground.asgi import ASGIApp, Receive, Scope, Send

from .datastructures import State, URLPath
from .middleware import Middleware, MiddlewareFactory, within
from .middleware.errors import ServerErrorMiddleware
from .middleware.exceptions import ExceptionMiddleware
from .requests import Request
from .responses import Response
from .routing import BaseRoute, Router
from .types import ExceptionHandler, Lifespan

__all__ = ["Starlette"]

P = ParamSpec("P")


class Starlette:
    """A web application.

    Args:
        debug: whether an error is answered with its traceback.
        routes: the routes; of two that match, the first answers.
        middleware: layers around every request, outermost first.
        exception_handlers: by exception class or status; those for `Exception` and 500 answer what
            nothing else did, and the exception is raised all the same.
        lifespan: a function of the app that returns an async context manager, entered at start-up and
            left at shut-down; what it yields is the initial state of requests.
        max_body_size: the most bytes that a request's body may have; a larger one is answered by 413. Routes
            and mounts may say otherwise.
    """

    def __init__(
        self,
        debug: bool = False,
        routes: Sequence[BaseRoute] | None = None,
        middleware: Sequence[Middleware] | None = None,
        exception_handlers: "Mapping[Any, ExceptionHandler] | None" = None,  # quoted, as help() shows it
        lifespan: "Lifespan[Any] | None" = None,
        *,
        max_body_size: int | None = None,
    ) -> None:
        self.debug = debug
        self.max_body_size = max_body_size
        self.state = State()
        self.router = Router(routes, lifespan=lifespan)
        self.exception_handlers: dict[Any, ExceptionHandler] = dict(exception_handlers or {})
        self.user_middleware = list(middleware or [])
        self.middleware_stack: ASGIApp | None = None

    def build_middleware_stack(self) -> ASGIApp:
        """The router in all its layers."""
        last_resort: Any = None
        handlers: dict[Any, Any] = {}
        for key, handler in self.exception_handlers.items():
            if key in (500, Exception):
                last_resort = handler
            else:
                handlers[key] = handler
        exceptions = Middleware(ExceptionMiddleware, handlers=handlers, debug=self.debug)
        app = within(self.router, [*self.user_middleware, exceptions], self.max_body_size)
        return within(app, [Middleware(ServerErrorMiddleware, handler=last_resort, debug=self.debug)])

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes, in the order in which they are asked; of two that match, the first answers."""
        return self.router.routes

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of the first route that has this name and takes exactly these parameters."""
        return self.router.url_path_for(name, **path_params)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one connection, as ASGI says: a request, a websocket, or the app's life."""
        scope["app"] = self
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)

    def add_middleware(self, middleware_class: MiddlewareFactory[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Add a layer outside of those that there are.

        Raises:
            RuntimeError: the app has answered a request, so its layers are built.
        """
        if self.middleware_stack is not None:
            raise RuntimeError("Cannot add middleware after an application has started")
        self.user_middleware.insert(0, Middleware(middleware_class, *args, **kwargs))

    def add_exception_handler(
        self, exc_class_or_status_code: int | type[Exception], handler: "ExceptionHandler"
    ) -> None:
        """Answer an exception class, or a status, by `handler(request, exc)`."""
        self.exception_handlers[exc_class_or_status_code] = handler

    def add_route(
        self,
        path: str,
        route: "Callable[[Request[Any]], Awaitable[Response] | Response]",
        methods: list[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Add a route after the others."""
        self.router.add_route(path, route, methods=methods, name=name, include_in_schema=include_in_schema)

    def mount(self, path: str, app: "ASGIApp", name: str | None = None) -> None:
        """Add an app below a path, after the other routes."""
        self.router.mount(path, app, name=name)

    def host(self, host: str, app: "ASGIApp", name: str | None = None) -> None:
        """Add an app on a host, after the other routes."""
        self.router.host(host, app, name=name)
