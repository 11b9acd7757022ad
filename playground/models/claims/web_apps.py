"""The same three handlers in the words of each framework: what the web benchmark asks.

Every app answers `/async/…` from a coroutine function, `/def/…` from a plain one, and `/blocking/…` from a coroutine
function that holds up its loop; below each, `hello` does nothing and `io` waits for 20 ms. It decides nothing else:
each framework is set up as its documentation begins. A framework is imported when its app is made, in the child that
measures it.
"""

# mypy: disable-error-code="import-untyped"
# Django has no types of its own.

import asyncio
import sys
import time
import types
from typing import Any, Final

__all__ = ["django_asgi", "django_wsgi", "fastapi", "flask", "litestar", "ours", "quart", "starlette"]

IO_S: Final = 0.02
"""What a handler waits for: about a query of a database, and long beside all that any framework does itself."""

TEXT: Final = "hello"


async def _wait() -> str:
    await asyncio.sleep(IO_S)
    return TEXT


def _sleep() -> str:
    time.sleep(IO_S)
    return TEXT


def flask() -> Any:
    """Flask, by WSGI: plain functions alone. It would run each coroutine function on a loop of its own."""
    from flask import Flask

    app = Flask("benchmark")
    app.add_url_rule("/def/hello", "hello", lambda: TEXT)
    app.add_url_rule("/def/io", "io", _sleep)
    return app


def _set_django_up() -> None:
    import django
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path

    async def from_loop(request: Any) -> Any:
        return HttpResponse(TEXT)

    def from_thread(request: Any) -> Any:
        return HttpResponse(TEXT)

    async def waits(request: Any) -> Any:
        return HttpResponse(await _wait())

    def sleeps(request: Any) -> Any:
        return HttpResponse(_sleep())

    async def blocks(request: Any) -> Any:
        return HttpResponse(_sleep())

    if settings.configured:  # it has one configuration a process, and both of its handlers share it
        return
    urls: Any = types.ModuleType("playground_benchmark_urls")
    urls.urlpatterns = [
        *(path("async/hello", from_loop), path("def/hello", from_thread), path("async/io", waits)),
        *(path("def/io", sleeps), path("blocking/io", blocks)),
    ]
    sys.modules[urls.__name__] = urls
    settings.configure(
        ROOT_URLCONF=urls.__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="none", MIDDLEWARE=[], LOGGING_CONFIG=None
    )
    django.setup()


def django_asgi() -> Any:
    """Django's ASGI handler, without middleware."""
    _set_django_up()
    from django.core.asgi import get_asgi_application

    return get_asgi_application()


def django_wsgi() -> Any:
    """Django's WSGI handler, without middleware."""
    _set_django_up()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def starlette() -> Any:
    """Starlette, with a route for each page."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    return _with_requests(Starlette, Route, PlainTextResponse)


def ours() -> Any:
    """The same on `playground.web`, which has Starlette's names."""
    from playground.web.applications import Starlette
    from playground.web.responses import PlainTextResponse
    from playground.web.routing import Route

    return _with_requests(Starlette, Route, PlainTextResponse)


def _with_requests(app: Any, route: Any, text: Any) -> Any:
    async def from_loop(request: Any) -> Any:
        return text(TEXT)

    def from_thread(request: Any) -> Any:
        return text(TEXT)

    async def waits(request: Any) -> Any:
        return text(await _wait())

    def sleeps(request: Any) -> Any:
        return text(_sleep())

    async def blocks(request: Any) -> Any:
        return text(_sleep())

    pages = {"/async/hello": from_loop, "/def/hello": from_thread, "/async/io": waits, "/def/io": sleeps}
    return app(routes=[route(path, page) for path, page in {**pages, "/blocking/io": blocks}.items()])


def fastapi() -> Any:
    """FastAPI, answering text: what it makes of JSON and models is no matter of `async`."""
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    app = FastAPI(openapi_url=None, default_response_class=PlainTextResponse)

    @app.get("/async/hello")
    async def from_loop() -> Any:
        return TEXT

    @app.get("/def/hello", response_model=None)
    def from_thread() -> Any:
        return TEXT

    @app.get("/async/io")
    async def waits() -> Any:
        return await _wait()

    @app.get("/def/io", response_model=None)
    def sleeps() -> Any:
        return _sleep()

    @app.get("/blocking/io")
    async def blocks() -> Any:
        return _sleep()

    return app


def litestar() -> Any:
    """Litestar, with plain handlers in threads."""
    from litestar import Litestar, get

    text: Any = {"media_type": "text/plain"}

    @get("/async/hello", **text)
    async def from_loop() -> str:
        return TEXT

    @get("/def/hello", sync_to_thread=True, **text)
    def from_thread() -> str:
        return TEXT

    @get("/async/io", **text)
    async def waits() -> str:
        return await _wait()

    @get("/def/io", sync_to_thread=True, **text)
    def sleeps() -> str:
        return _sleep()

    @get("/blocking/io", **text)
    async def blocks() -> str:
        return _sleep()

    return Litestar([from_loop, from_thread, waits, sleeps, blocks], openapi_config=None, logging_config=None)


def quart() -> Any:
    """Quart."""
    from quart import Quart

    app = Quart("benchmark")

    @app.get("/async/hello")
    async def from_loop() -> str:
        return TEXT

    @app.get("/def/hello")
    def from_thread() -> str:
        return TEXT

    @app.get("/async/io")
    async def waits() -> str:
        return await _wait()

    @app.get("/def/io")
    def sleeps() -> str:
        return _sleep()

    @app.get("/blocking/io")
    async def blocks() -> str:
        return _sleep()

    return app
