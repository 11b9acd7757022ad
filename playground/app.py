"""The application for a classroom: routes by decorators, parameters by name, plain values as answers.

It decides how a function becomes a route, on top of `playground.web`, which does all the rest: an `App`
is a `Starlette`. It refuses to know where it runs; an `App` is served by any ASGI server.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from typing import Any, Literal, ParamSpec, TypeVar, overload

from anyio import to_thread

from playground.errors import HandlerError
from playground.web._binding import Binding, ParameterError, bind
from playground.web._endpoint import request_response, websocket_session
from playground.web._results import as_response
from playground.web._utils import is_async_callable
from playground.web.applications import Starlette
from playground.web.exceptions import HTTPException
from playground.web.middleware import Middleware, MiddlewareFactory
from playground.web.middleware.base import BaseHTTPMiddleware
from playground.web.requests import Request
from playground.web.responses import JSONResponse, Response
from playground.web.routing import BaseRoute, Route, WebSocketRoute
from playground.web.types import ExceptionHandler
from playground.web.websockets import WebSocket

__all__ = ["App"]

F = TypeVar("F", bound=Callable[..., Any])
L = TypeVar("L")
P = ParamSpec("P")


class App(Starlette):
    """A web application whose handlers are plain functions.

        app = App()

        @app.get("/hello/{name}")
        async def hello(name: str, times: int = 1):
            return {"hello": [name] * times}

    A handler takes, by name, parameters of the path and, by any other name, of the query, each converted
    by its annotation (`str int float bool UUID`, or one of them `| None`); a parameter without a default
    must be given. What is missing or does not convert is answered by 422, which names it. A parameter that is
    called `request`, or annotated as `Request`, takes the request.

    It may return a `Response`; a `dict` or `list` (answered as JSON); a `str` (plain text); `bytes`; or
    `None` (204, no content). An `async def` handler runs on the event loop, a `def` handler in a worker
    thread. The decorated function is returned as it was.

    An app may be changed between requests, as cells of a notebook do: a handler that is declared again
    (the same name, path and method) takes the place of its predecessor.

    Args:
        debug: whether an error is answered with its traceback.
        routes, middleware, exception_handlers, lifespan, max_body_size: as the toolkit's application class takes them,
            see `playground.web.applications.Starlette`; the decorators below add the same one by one.
    """

    def get(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answer `GET` (and `HEAD`) at a path.

        Args:
            path: from the first slash on, with parameters in braces: `/items/{id}`, `/items/{id:int}`.
            name: what `url_path_for` calls the route; the function's name by default.

        Raises:
            RouteError: it is no path, or one whose parameters cannot be told apart.
            HandlerError: the function takes what nobody can give.
        """
        return self._declare("GET", path, name)

    def post(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answer `POST` at a path; see `get`."""
        return self._declare("POST", path, name)

    def put(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answer `PUT` at a path; see `get`."""
        return self._declare("PUT", path, name)

    def patch(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answer `PATCH` at a path; see `get`."""
        return self._declare("PATCH", path, name)

    def delete(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answer `DELETE` at a path; see `get`."""
        return self._declare("DELETE", path, name)

    def websocket(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Talk to websockets at a path, by an async function.

        It takes parameters as other handlers do, and the websocket by the name `websocket`, or by the
        annotation `WebSocket`. What is missing or does not convert refuses the websocket with 422.
        """
        _refuse_no_path("websocket", path)

        def decorate(handler: F) -> F:
            self._add(_SessionRoute(path, handler, name=name))
            return handler

        return decorate

    def exception_handler(self, exc_class_or_status_code: int | type[Exception]) -> Callable[[F], F]:
        """Answer an exception class, or a status, by the decorated `handler(request, exc)`.

        It may return whatever a handler may; what is no `Response` is sent with the status of the
        exception, which is 500 unless it is an `HTTPException`.
        """

        def decorate(handler: F) -> F:
            self.add_exception_handler(exc_class_or_status_code, _answering(handler))
            return handler

        return decorate

    @overload
    def middleware(self, layer: Literal["http"]) -> Callable[[F], F]: ...

    @overload
    def middleware(self, layer: L, *args: Any, **kwargs: Any) -> L: ...

    def middleware(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        """Add a layer outside of those that there are; a decorator of a function or of a class.

        Args:
            layer: an async function of the request and of `call_next`, which is awaited with the request
                and returns the response of the app inside; or a layer of ASGI: a class, or a plain function,
                that takes the app inside (and the other arguments) and returns an ASGI app. The word `"http"` is
                taken too, as in FastAPI: `@app.middleware("http")`.
            args, kwargs: what a layer of ASGI is called with besides the app inside.

        Raises:
            HandlerError: it is something else.
        """
        if layer == "http":
            return self.middleware
        if is_async_callable(layer):
            _refuse_other_arguments(layer)
            self._add_layer(layer, BaseHTTPMiddleware, dispatch=layer)
        elif callable(layer):
            self.add_middleware(layer, *args, **kwargs)
        else:
            raise HandlerError(
                f"A middleware must be a class or a function, got {layer!r}. Write "
                "`async def layer(request, call_next)`, which returns `await call_next(request)`, or a class with "
                "`__init__(self, app)` and `async def __call__(self, scope, receive, send)`."
            )
        return layer

    def add_exception_handler(
        self, exc_class_or_status_code: int | type[Exception], handler: "ExceptionHandler"
    ) -> None:
        """Answer an exception class, or a status, by `handler(request, exc)`, from the next request on."""
        super().add_exception_handler(exc_class_or_status_code, handler)
        self.middleware_stack = None  # built anew with the next request, for a cell may come late

    def add_middleware(self, middleware_class: MiddlewareFactory[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Add a layer outside of those that there are; one that is declared again replaces the first."""
        self._add_layer(middleware_class, middleware_class, *args, **kwargs)

    def _add_layer(self, declared: Any, factory: Any, *args: Any, **kwargs: Any) -> None:
        """Add a layer that a user has declared, as a class or as a function."""
        self.user_middleware = [
            layer for layer in self.user_middleware if _identity(_declared(layer)) != _identity(declared)
        ]
        self.middleware_stack = None
        super().add_middleware(factory, *args, **kwargs)

    def build_middleware_stack(self) -> Any:
        self.exception_handlers.setdefault(ParameterError, _explain)
        return super().build_middleware_stack()

    def _declare(self, method: str, path: str, name: str | None) -> Callable[[F], F]:
        _refuse_no_path(method.lower(), path)

        def decorate(handler: F) -> F:
            self._add(_HandlerRoute(path, handler, methods=[method], name=name))
            return handler

        return decorate

    def _add(self, route: Route | WebSocketRoute) -> None:
        """Add a route, in the place of the one that it follows if there is one."""
        declaration = _declaration(route)
        predecessor = self._by_declaration.get(declaration)
        self._by_declaration[declaration] = route
        for place, other in enumerate(self.router.routes if predecessor is not None else ()):
            if other is predecessor:
                self.router.routes[place] = route
                return
        self.router.routes.append(route)

    @cached_property
    def _by_declaration(self) -> dict[tuple[Any, ...], BaseRoute]:
        """The routes that the decorators have made, by what stays the same when a cell is run again."""
        return {}


class _HandlerRoute(Route):
    """A route whose endpoint takes parameters by name and returns plain values."""

    def __init__(self, path: str, endpoint: Callable[..., Any], *, methods: list[str], name: str | None) -> None:
        _refuse_other_than_function(path, endpoint)
        super().__init__(path, endpoint, methods=methods, name=name)
        call = _caller(endpoint, bind(endpoint, path, list(self.param_convertors)))
        where = f"The handler {endpoint.__name__!r} of {path!r}"

        async def respond(request: Request[Any]) -> Response:
            return as_response(await call(request), where)

        self.app = request_response(respond)


class _SessionRoute(WebSocketRoute):
    """A route to websockets whose endpoint takes parameters by name."""

    def __init__(self, path: str, endpoint: Callable[..., Any], *, name: str | None) -> None:
        _refuse_other_than_function(path, endpoint)
        super().__init__(path, endpoint, name=name)
        if not is_async_callable(endpoint):
            raise HandlerError(
                f"The websocket handler {_name(endpoint)!r} of {path!r} must be an async function, got a plain one. "
                f"Write `async def {_name(endpoint)}(...)`: it awaits what it sends and receives."
            )
        binding = bind(endpoint, path, list(self.param_convertors), WebSocket)

        async def talk(websocket: WebSocket[Any]) -> None:
            await endpoint(**binding.arguments(websocket))

        self.app = websocket_session(talk)


def _refuse_no_path(decorator: str, path: object) -> None:
    if callable(path):
        raise HandlerError(
            f"@app.{decorator} must be given a path. Write @app.{decorator}('/...') above {_name(path)!r}."
        )


def _refuse_other_arguments(layer: Callable[..., Any]) -> None:
    signature = inspect.signature(layer)
    try:
        signature.bind("request", "call_next")
    except TypeError:
        raise HandlerError(
            f"The middleware {_name(layer)!r} must take two parameters, the request and `call_next`, got "
            f"{', '.join(signature.parameters) or 'none'}. Write `async def {_name(layer)}(request, call_next)`."
        ) from None


def _refuse_other_than_function(path: str, endpoint: Callable[..., Any]) -> None:
    if not inspect.isroutine(endpoint) and not inspect.iscoroutine(endpoint):
        raise HandlerError(f"The handler of {path!r} must be a function, got {type(endpoint).__name__}.")


def _caller(handler: Callable[..., Any], binding: Binding) -> Callable[[Request[Any]], Awaitable[Any]]:
    """What calls a handler for a request, by at most one hand-off."""
    if is_async_callable(handler):

        async def call(request: Request[Any]) -> Any:
            return await handler(**binding.arguments(request))
    else:

        async def call(request: Request[Any]) -> Any:
            arguments = binding.arguments(request)
            return await to_thread.run_sync(partial(handler, **arguments) if arguments else handler)

    return call


def _answering(handler: Callable[..., Any]) -> Any:
    """An exception handler that may return plain values; of a websocket, nothing if it has closed it."""
    is_async = is_async_callable(handler)

    async def answer(request: Any, exc: Exception) -> Response | None:
        result = await (handler(request, exc) if is_async else to_thread.run_sync(handler, request, exc))
        if isinstance(result, Response) or (result is None and isinstance(request, WebSocket)):
            return result
        response = as_response(result, f"The exception handler {_name(handler)!r}")
        response.status_code = exc.status_code if isinstance(exc, HTTPException) else 500
        return response

    return answer


def _declaration(route: Route | WebSocketRoute) -> tuple[Any, ...]:
    """What two declarations of the same handler have in common."""
    methods = frozenset(route.methods or ()) if isinstance(route, Route) else None
    return route.path, methods, _identity(route.endpoint)


def _declared(layer: Middleware) -> Any:
    """The class or the function of which a layer was made."""
    return layer.kwargs.get("dispatch", layer.cls) if layer.cls is BaseHTTPMiddleware else layer.cls


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _identity(function: Any) -> tuple[Any, ...]:
    """What stays the same when a cell that defines a function or a class is run again."""
    name = getattr(function, "__qualname__", None)
    return (id(function),) if name is None or "<lambda>" in name else (function.__module__, name)


async def _explain(request: Request[Any], exc: Exception) -> Response:
    """The answer to a `ParameterError`: each problem by itself, for a program to read."""
    problems = exc.problems if isinstance(exc, ParameterError) else []
    detail = [
        {"loc": [problem.source, problem.name], "msg": str(problem), "input": problem.given} for problem in problems
    ]
    return JSONResponse({"detail": detail}, status_code=422)
