"""What cannot be a path, a route or an endpoint is refused in words, at once."""

from typing import Any

import pytest

from playground.errors import HandlerError, RouteError
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response
from playground.web.routing import BaseRoute, Match, Route
from tests.web.places import home

from .exchange import call, exactly, http_scope


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("home", "Routed paths must start with '/': got 'home'. Write '/home'."),
        ("", "Routed paths must start with '/': got ''. Write '/'."),
        (
            "/{a:foo}",
            (
                "Unknown path convertor 'foo' in the path '/{a:foo}'. Known are str, path, int, float, uuid; "
                "add another with register_url_convertor()."
            ),
        ),
        (
            "/{a}/{a}",
            "Duplicated param name a at path /{a}/{a}. Give every parameter of a path a name of its own.",
        ),
        (
            "/{a}/{b}/{b}/{a}",
            "Duplicated param names a, b at path /{a}/{b}/{b}/{a}. Give every parameter of a path a name of its own.",
        ),
    ],
)
def test_a_path_that_cannot_be_routed_is_refused(path: str, message: str) -> None:
    with pytest.raises(RouteError, match=exactly(message)):
        Route(path, home)


def test_an_endpoint_that_was_called_is_refused() -> None:
    # Built of pieces that mypy would refuse in a user's hands too.
    called: Any = home(Request(http_scope()))
    message = (
        "The endpoint of '/home' must be a function, got a coroutine: 'home' was called where the route was "
        "declared. Leave out the brackets: Route('/home', home)."
    )
    with pytest.raises(HandlerError, match=exactly(message)):
        Route("/home", called)


def test_an_endpoint_that_cannot_be_called_is_refused() -> None:
    nothing: Any = None  # as a decorator leaves it that forgot to return
    message = (
        "The endpoint of '/home' must be a function or an ASGI app, got None. "
        "Write Route('/home', handler), with the name of a function."
    )
    with pytest.raises(HandlerError, match=exactly(message)):
        Route("/home", nothing)


def test_an_endpoint_that_returns_no_response_is_told_so() -> None:
    async def lazy(request: Request[Any]) -> Any:
        return {"a": 1}

    error = call(Route("/", lazy), "/").error
    assert isinstance(error, HandlerError)
    assert str(error) == (
        "The handler 'lazy' must return a Response, got dict. Return JSONResponse(...) or "
        "PlainTextResponse(...), or declare it with playground.App, which makes responses of dict, list, str, "
        "bytes and None."
    )


def test_an_endpoint_that_forgot_to_await_is_told_so() -> None:
    async def fetch() -> Response:
        return PlainTextResponse("late")

    def hasty(request: Request[Any]) -> Any:
        return fetch()

    error = call(Route("/", hasty), "/").error
    assert isinstance(error, HandlerError)
    name = "test_an_endpoint_that_forgot_to_await_is_told_so.<locals>.fetch"
    assert str(error) == (
        f"The handler 'hasty' returned a coroutine that nobody awaited: {name!r} was called without `await`. "
        f"Make the handler `async def` and write `await {name}(...)`."
    )


def test_a_route_class_must_define_what_a_router_asks() -> None:
    class Empty(BaseRoute):
        pass

    with pytest.raises(NotImplementedError, match=exactly("Empty must define matches(scope).")):
        Empty().matches(http_scope())
    with pytest.raises(NotImplementedError, match=exactly("Empty must define url_path_for(name, **path_params).")):
        Empty().url_path_for("x")
    assert Route("/", home).matches(http_scope("/elsewhere")) == (Match.NONE, {})
