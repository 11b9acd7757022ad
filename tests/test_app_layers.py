"""What goes around an `App`: middleware, functions, and handlers of exceptions."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from playground import App
from playground.asgi import ASGIApp
from playground.errors import HandlerError
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response
from tests.asking import Layer
from tests.web.exchange import Backend, call, exactly

BACKENDS: list[Backend] = ["asyncio", "trio"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("is_async", [True, False])
def test_an_exception_handlers_plain_value_has_the_status_of_the_exception(is_async: bool, backend: Backend) -> None:
    app = App()

    @app.get("/missing")
    def missing() -> None:
        raise KeyError("Ada")

    def explain(request: Any, error: Exception) -> Any:
        return {"path": request.url.path, "missing": str(error)}

    async def explain_async(request: Any, error: Exception) -> Any:
        return explain(request, error)

    handler = explain_async if is_async else explain
    call(app, "/missing")  # a cell may come after the first request
    assert app.exception_handler(LookupError)(handler) is handler
    app.exception_handler(404)(lambda request, error: "nobody here")
    app.exception_handler(ValueError)(lambda request, error: Response("as it is", 418))

    answer = call(app, "/missing", backend=backend)
    assert (answer.status, json.loads(answer.body)) == (500, {"path": "/missing", "missing": "'Ada'"})
    assert answer.error is None
    assert (call(app, "/nowhere").status, call(app, "/nowhere").text) == (404, "nobody here")


def test_middleware_is_added_outside_and_replaced_if_it_is_added_again() -> None:
    app = App()

    @app.get("/")
    def words(request: Request) -> list[str]:
        return list(request.scope["words"])

    assert app.middleware(Layer, "first") is Layer

    @app.middleware
    class Outer(Layer):
        def __init__(self, app: ASGIApp) -> None:
            super().__init__(app, "outer")

    assert call(app).text == '["outer","first"]'
    app.middleware(Layer, word="second")
    assert call(app).text == '["second","outer"]'


def test_a_layer_that_is_none_is_refused() -> None:
    message = (
        "A middleware must be a class or a function, got 3. Write `async def layer(request, call_next)`, which returns "
        "`await call_next(request)`, or a class with `__init__(self, app)` and "
        "`async def __call__(self, scope, receive, send)`."
    )
    with pytest.raises(HandlerError, match=exactly(message)):
        App().middleware(3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_goes_around_the_app(backend: Backend) -> None:
    app = App()

    @app.get("/")
    def home() -> str:
        return "home"

    @app.middleware
    async def shout(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["x-shout"] = request.url.path
        return response

    assert call(app, backend=backend).headers["x-shout"] == "/"
    assert call(app, backend=backend).text == "home"


def _quiet() -> None: ...


def test_a_function_that_is_declared_again_takes_the_place_of_the_first() -> None:
    app = App()
    app.get("/")(_quiet)
    for word in ("first", "second"):

        @app.middleware("http")
        async def mark(
            request: Request, call_next: Callable[[Request], Awaitable[Response]], word: str = word
        ) -> Response:
            return PlainTextResponse(f"{word} {(await call_next(request)).status_code}")

    assert len(app.user_middleware) == 1
    assert call(app).text == "second 204"


def test_a_function_around_the_app_must_take_request_and_call_next() -> None:
    async def layer(request: Request) -> None: ...

    message = (
        "The middleware 'layer' must take two parameters, the request and `call_next`, got request. "
        "Write `async def layer(request, call_next)`."
    )
    with pytest.raises(HandlerError, match=exactly(message)):
        App().middleware(layer)
