"""Which interface an app has is told without calling it, and what is no app is told what to do."""

import functools
import re
import types
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import flask
import litestar
import pytest
import quart
import starlette.applications
import werkzeug.middleware.proxy_fix
from fastapi import FastAPI

from playground import App
from playground.errors import UsageError
from playground.transport.flavours import as_asgi3, flavour_of, is_asgi3
from playground.web.applications import Starlette
from playground.web.endpoints import HTTPEndpoint

# None of these may be called; what they take is all that matters.


async def asgi3(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("called")


def returns_a_coroutine(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
    raise AssertionError("called")


async def any_arguments(*args: Any) -> None:
    raise AssertionError("called")


async def configured(name: str, scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("called")


def plainly_configured(name: str, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
    raise AssertionError("called")


def either(scope: Any, receive: Any = None, send: Any = None) -> Any:
    raise AssertionError("called")


@functools.wraps(asgi3)
def wrapped(*args: Any) -> Any:
    raise AssertionError("called")


def asgi2(scope: Any) -> Callable[..., Awaitable[None]]:
    raise AssertionError("called")


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    raise AssertionError("called")


def yielding(environ: Any, start_response: Any) -> Iterator[bytes]:
    yield b""


def with_an_option(environ: Any, start_response: Any, option: int = 1) -> list[bytes]:
    raise AssertionError("called")


class Asgi3:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("called")


class Asgi2:
    def __init__(self, scope: Any) -> None:
        raise AssertionError("called")

    async def __call__(self, receive: Any, send: Any) -> None:
        raise AssertionError("called")


class Wsgi:
    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("called")


class PerRequest:
    """An app that is a class, as PEP 3333 shows one."""

    def __init__(self, environ: Any, start_response: Any) -> None:
        raise AssertionError("called")

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("called")


class Layer:
    """Middleware of a library that hands everything on, and keeps the app under the usual name."""

    def __init__(self, app: Any) -> None:
        self.wsgi_app = app

    def __call__(self, *args: Any) -> Any:
        raise AssertionError("called")


class Method:
    async def three(self, scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("called")

    def two(self, environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("called")


@pytest.mark.parametrize(
    "app",
    [
        asgi3,
        returns_a_coroutine,
        any_arguments,
        functools.partial(configured, "name"),
        functools.partial(plainly_configured, "name"),
        either,
        wrapped,
        Asgi3(),
        Method().three,
        HTTPEndpoint,
        App(),
        Starlette(),
        starlette.applications.Starlette(),
        FastAPI(),
        quart.Quart("app"),
        litestar.Litestar(logging_config=None),  # else it takes over the logging of the process
    ],
)
def test_what_takes_a_scope_and_both_channels_is_asgi_3(app: Any) -> None:
    assert flavour_of(app) == "asgi3"
    assert is_asgi3(app)
    assert as_asgi3(app) is app


@pytest.mark.parametrize("app", [asgi2, Asgi2])
def test_what_takes_a_scope_alone_is_asgi_2(app: Any) -> None:
    assert flavour_of(app) == "asgi2"
    assert not is_asgi3(app)


@pytest.mark.parametrize(
    "app",
    [
        wsgi,
        yielding,
        with_an_option,
        functools.partial(wsgi),
        Wsgi(),
        PerRequest,
        Layer(wsgi),
        Method().two,
        flask.Flask("app"),
        flask.Flask("app").wsgi_app,
        werkzeug.middleware.proxy_fix.ProxyFix(flask.Flask("app")),
    ],
)
def test_what_takes_an_environ_and_start_response_is_wsgi(app: Any) -> None:
    assert flavour_of(app) == "wsgi"


def test_a_callable_without_a_signature_is_taken_for_asgi_3() -> None:
    assert flavour_of(max) == "asgi3"


WANTED = "expected an app that takes (scope, receive, send), or for WSGI (environ, start_response), but "
SEVERAL = "That fits several interfaces: write the parameters out."
HANDLER = "Pass the app, not a handler."
AWAIT = "Write `await send(...)` in place of each `yield`."
NOT_MADE = "If it makes an app, call it first."


def create_app() -> Any:
    raise AssertionError("called")


async def create_app_later() -> Any:
    raise AssertionError("called")


async def handler(request: Any) -> None:
    raise AssertionError("called")


async def yields(scope: Any, receive: Any, send: Any) -> Any:
    yield


def passes_on(*args: Any, **options: Any) -> Any:
    raise AssertionError("called")


def perhaps_two(request: Any, answer: Any = None) -> Any:
    raise AssertionError("called")


def four(scope: Any, receive: Any, send: Any, more: Any) -> Any:
    raise AssertionError("called")


class NoApp:
    def __repr__(self) -> str:
        raise AssertionError("asked")


@pytest.mark.parametrize(
    ("app", "message"),
    [
        (None, "expected an app, which is callable, but got None. Pass the app itself."),
        ("site:app", "expected an app, which is callable, but got 'site:app'. Import the app, and pass it itself."),
        (NoApp(), "expected an app, which is callable, but got a NoApp. Pass the app itself."),
        (
            types.ModuleType("site"),
            "expected an app, which is callable, but got the module site. Pass the app that is in it.",
        ),
        (flask.Flask, "expected an app, but got the class Flask. Make an instance of it, and pass that."),
        (Starlette, "expected an app, but got the class Starlette. Make an instance of it, and pass that."),
        (quart.Quart, "expected an app, but got the class Quart. Make an instance of it, and pass that."),
        (list, "expected an app, but got the class list. Make an instance of it, and pass that."),
        (create_app, f"{WANTED}`create_app` takes nothing. {NOT_MADE}"),
        (create_app_later, f"{WANTED}`create_app_later` takes nothing. {NOT_MADE}"),
        (handler, f"{WANTED}`handler` takes (request). {HANDLER}"),
        (Asgi2.__new__(Asgi2), f"{WANTED}an instance of Asgi2 takes (receive, send). {HANDLER}"),
        (four, f"{WANTED}`four` takes (scope, receive, send, more). {HANDLER}"),
        (passes_on, f"{WANTED}`passes_on` takes (*args, **options). {SEVERAL}"),
        (perhaps_two, f"{WANTED}`perhaps_two` takes (request, answer). {SEVERAL}"),
        (yields, f"expected an app that can be awaited, but `yields` yields. {AWAIT}"),
    ],
)
def test_what_is_no_app_is_told_so(app: Any, message: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        flavour_of(app)


def test_a_coroutine_is_to_be_awaited() -> None:
    making = create_app_later()
    message = (
        "expected an app, which is callable, but got a coroutine of create_app_later. "
        "Await it first, and pass what it returns."
    )
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        flavour_of(making)
    making.close()
