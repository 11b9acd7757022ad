"""The application for a classroom: routes by decorators, parameters by name, plain values as answers.

It decides how a function becomes a route, on top of `playground.web`, which does all the rest: an `App`
is a `Starlette`. It refuses to know where it runs; an `App` is served by any ASGI server.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from anyio import to_thread

from playground.errors import HandlerError
from playground.web._binding import Binding, ParameterError, bind
from playground.web._endpoint import request_response
from playground.web._results import as_response
from playground.web._utils import is_async_callable
from playground.web.applications import Starlette
from playground.web.exceptions import HTTPException
from playground.web.middleware import MiddlewareFactory
from playground.web.requests import Request
from playground.web.responses import JSONResponse, Response
from playground.web.routing import BaseRoute, Route
from playground.web.types import ExceptionHandler

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
    """

    def get(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answer `GET` (and `HEAD`) at a path."""
        return self._declare("GET", path, name)

    def post(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answer `POST` at a path."""
        return self._declare("POST", path, name)

    def put(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answer `PUT` at a path."""
        return self._declare("PUT", path, name)

    def patch(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answer `PATCH` at a path."""
        return self._declare("PATCH", path, name)

    def delete(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answer `DELETE` at a path."""
        return self._declare("DELETE", path, name)

    def exception_handler(self, exc_class_or_status_code: int | type[Exception]) -> Callable[[F], F]:
        """Answer an exception class, or a status, by the decorated `handler(request, exc)`.

        It may return whatever a handler may; what is no `Response` is sent with the status of the
        exception, which is 500 unless it is an `HTTPException`.
        """

        def decorate(handler: F) -> F:
            self.add_exception_handler(exc_class_or_status_code, _answering(handler))
            return handler

        return decorate

    def middleware(self, layer: L, *args: Any, **kwargs: Any) -> L:
        """Add a layer of ASGI middleware outside of those that there are; also a decorator of its class.

        Args:
            layer: a class, or a function, that takes the app inside (and the other arguments) and returns
                an ASGI app.

        Raises:
            HandlerError: it is something else.
        """
        if not callable(layer) or is_async_callable(layer):
            raise HandlerError(
                f"A middleware must be a class or a function that takes an app and returns one, got {_kind(layer)}. "
                "Write a class with `__init__(self, app)` and `async def __call__(self, scope, receive, send)`."
            )
        self.add_middleware(layer, *args, **kwargs)
        return layer

    def add_exception_handler(self, exc_class_or_status_code: int | type[Exception], handler: ExceptionHandler) -> None:
        super().add_exception_handler(exc_class_or_status_code, handler)
        self.middleware_stack = None  # built anew with the next request, for a cell may come late

    def add_middleware(self, middleware_class: MiddlewareFactory[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Add a layer outside of those that there are; one that is declared again replaces the first."""
        self.user_middleware = [
            other for other in self.user_middleware if _identity(other.cls) != _identity(middleware_class)
        ]
        self.middleware_stack = None
        super().add_middleware(middleware_class, *args, **kwargs)

    def build_middleware_stack(self) -> Any:
        self.exception_handlers.setdefault(ParameterError, _explain)
        return super().build_middleware_stack()

    def _declare(self, method: str, path: str, name: str | None) -> Callable[[F], F]:
        if callable(path):
            raise HandlerError(
                f"@app.{method.lower()} must be given a path. "
                f"Write @app.{method.lower()}('/...') above {_name(path)!r}."
            )

        def decorate(handler: F) -> F:
            route = _HandlerRoute(path, handler, methods=[method], name=name)
            for place, other in enumerate(self.router.routes):
                if _is_predecessor(other, route):
                    self.router.routes[place] = route
                    return handler
            self.router.routes.append(route)
            return handler

        return decorate


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


def _answering(handler: Callable[..., Any]) -> Callable[[Any, Exception], Awaitable[Response]]:
    """An exception handler that may return plain values."""
    is_async = is_async_callable(handler)

    async def answer(request: Any, exc: Exception) -> Response:
        result = await (handler(request, exc) if is_async else to_thread.run_sync(handler, request, exc))
        if isinstance(result, Response):
            return result
        response = as_response(result, f"The exception handler {_name(handler)!r}")
        response.status_code = exc.status_code if isinstance(exc, HTTPException) else 500
        return response

    return answer


def _is_predecessor(route: BaseRoute, new: _HandlerRoute) -> bool:
    return isinstance(route, _HandlerRoute) and (
        (route.path, route.methods, _identity(route.endpoint)) == (new.path, new.methods, _identity(new.endpoint))
    )


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _kind(value: object) -> str:
    return f"the async function {_name(value)!r}" if callable(value) else repr(value)


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
