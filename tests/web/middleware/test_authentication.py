"""Who asks, and what they may do."""

from typing import Any

import pytest

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import UsageError
from playground.web.applications import Starlette
from playground.web.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
    SimpleUser,
    UnauthenticatedUser,
    requires,
)
from playground.web.middleware import Middleware
from playground.web.middleware.authentication import AuthenticationMiddleware
from playground.web.requests import HTTPConnection, Request
from playground.web.responses import JSONResponse, PlainTextResponse, Response
from playground.web.routing import Route
from tests.web.exchange import call, exactly


class ByHeader(AuthenticationBackend):
    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        name = conn.headers.get("user")
        if name == "liar":
            raise AuthenticationError("I know you")
        return None if name is None else (AuthCredentials(["authenticated"]), SimpleUser(name))


@requires("authenticated")
def name(request: Request) -> Response:
    return PlainTextResponse(request.user.display_name)


@requires(["authenticated", "admin"], status_code=404)
async def admin(request: Request) -> Response:
    return PlainTextResponse("admin")


@requires("authenticated", redirect="login")
async def moved(request: Request) -> Response:
    return PlainTextResponse("moved")


def login(request: Request) -> Response:
    return PlainTextResponse(request.user.identity or "nobody")


def app(**options: Any) -> ASGIApp:
    routes = [Route("/name", name), Route("/admin", admin), Route("/moved", moved), Route("/login", login)]
    return Starlette(routes=routes, middleware=[Middleware(AuthenticationMiddleware, backend=ByHeader(), **options)])


def as_user(user: str) -> list[tuple[bytes, bytes]]:
    return [(b"user", user.encode())]


def test_those_who_may_are_let_in_and_the_others_are_not() -> None:
    assert call(app(), "/name", headers=as_user("ada")).text == "ada"
    assert call(app(), "/name").status == 403
    assert call(app(), "/admin", headers=as_user("ada")).status == 404
    assert call(app(), "/login").text == "nobody"


def test_a_redirect_says_where_to_return() -> None:
    exchange = call(app(), "/moved", query_string=b"a=1")
    assert exchange.status == 303
    assert exchange.headers["location"] == "http://testserver/login?next=http%3A%2F%2Ftestserver%2Fmoved%3Fa%3D1"


def test_a_failure_of_the_backend_is_answered() -> None:
    assert (call(app(), "/name", headers=as_user("liar")).status, call(app(), headers=as_user("liar")).text) == (
        400,
        "I know you",
    )
    custom = app(on_error=lambda conn, error: JSONResponse(str(error), status_code=401))
    assert call(custom, "/name", headers=as_user("liar")).status == 401


def test_a_failure_closes_a_websocket() -> None:
    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    sent = call(AuthenticationMiddleware(never, ByHeader()), type="websocket", headers=as_user("liar")).sent
    assert sent == [{"type": "websocket.close", "code": 1000}]


def test_a_handler_without_a_request_is_refused() -> None:
    def no_request(asked: Request) -> Response:
        raise AssertionError

    message = (
        f'No "request" or "websocket" argument on function "{no_request}". '
        "Give it a parameter of that name: `requires` looks there for who is asking."
    )
    with pytest.raises(UsageError, match=exactly(message)):
        requires("authenticated")(no_request)


def test_a_request_that_is_none_is_refused() -> None:
    message = "Parameter with name 'request' is required to be of type 'Request' not 'int'"
    with pytest.raises(UsageError, match=exactly(message)):
        name(3)  # type: ignore[arg-type]


def test_users_without_properties_of_their_own_say_so() -> None:
    with pytest.raises(NotImplementedError, match=exactly("BaseUser has no identity: define it in the class.")):
        _ = BaseUser().identity
    assert UnauthenticatedUser().is_authenticated is False
