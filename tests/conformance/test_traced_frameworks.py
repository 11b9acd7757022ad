"""What a lab shows of an app depends on nothing that the app must do for it: seven frameworks, unchanged.

Each has the same four pages: a coroutine, a plain function, a coroutine that has a plain function called, and one
that holds up the loop. What is known of each framework, and what is not, is written down in `FRAMEWORKS`.
"""

# mypy: disable-error-code="import-untyped"
# Django has no types of its own.

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.test.utils import override_settings
from django.urls import path
from fastapi import Depends, FastAPI
from fastapi.responses import PlainTextResponse as FastAPIText
from flask import Flask
from litestar import Litestar
from litestar import get as litestar_get
from litestar.params import FromPath
from quart import Quart
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from playground import App, Lab
from playground.trace import Trace
from tests.conformance.frameworks import on_django


def lookup() -> str:
    """What a handler has called in a thread."""
    time.sleep(0.01)
    return "found"


def hold() -> str:
    """What holds up the loop."""
    time.sleep(0.12)
    return "held"


def on_playground() -> App:
    app = App()

    @app.get("/items/{number}")
    async def item(number: int) -> str:
        return f"item {number}"

    @app.get("/plain")
    def plain() -> str:
        return lookup()

    @app.get("/helped")
    async def helped() -> str:
        return await asyncio.to_thread(lookup)

    @app.get("/held")
    async def held() -> str:
        return hold()

    return app


def on_starlette() -> Starlette:
    async def item(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"item {request.path_params['number']}")

    def plain(request: Request) -> PlainTextResponse:
        return PlainTextResponse(lookup())

    async def helped(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await asyncio.to_thread(lookup))

    async def held(request: Request) -> PlainTextResponse:
        return PlainTextResponse(hold())

    handlers = {"/items/{number}": item, "/plain": plain, "/helped": helped, "/held": held}
    return Starlette(routes=[Route(path, handler) for path, handler in handlers.items()])


def on_fastapi() -> FastAPI:
    app = FastAPI(default_response_class=FastAPIText)

    def needed() -> str:
        return "needed"

    @app.get("/items/{number}")
    async def item(number: int) -> str:
        return f"item {number}"

    @app.get("/plain")
    def plain() -> str:
        return lookup()

    @app.get("/helped")
    async def helped(what: str = Depends(needed)) -> str:
        return await asyncio.to_thread(lookup)

    @app.get("/held")
    async def held() -> str:
        return hold()

    return app


async def item(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(f"item {number}")


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(lookup())


async def helped(request: HttpRequest) -> HttpResponse:
    return HttpResponse(await sync_to_async(lookup)())


async def held(request: HttpRequest) -> HttpResponse:
    return HttpResponse(hold())


urlpatterns = [path("items/<int:number>", item), path("plain", plain), path("helped", helped), path("held", held)]


def on_quart() -> Quart:
    app = Quart("site")

    @app.get("/items/<int:number>")
    async def item(number: int) -> str:
        return f"item {number}"

    @app.get("/plain")
    def plain() -> str:
        return lookup()

    @app.get("/helped")
    async def helped() -> str:
        return await asyncio.to_thread(lookup)

    @app.get("/held")
    async def held() -> str:
        return hold()

    return app


def on_litestar() -> Litestar:
    @litestar_get("/items/{number:int}", media_type="text/plain")
    async def item(number: FromPath[int]) -> str:
        return f"item {number}"

    @litestar_get("/plain", sync_to_thread=True, media_type="text/plain")
    def plain() -> str:
        return lookup()

    @litestar_get("/helped", media_type="text/plain")
    async def helped() -> str:
        return await asyncio.to_thread(lookup)

    @litestar_get("/held", media_type="text/plain")
    async def held() -> str:
        return hold()

    return Litestar([item, plain, helped, held], openapi_config=None, logging_config=None)


def on_flask() -> Flask:
    app = Flask("site")

    @app.get("/items/<int:number>")
    def item(number: int) -> str:
        return f"item {number}"

    @app.get("/plain")
    def plain() -> str:
        return lookup()

    return app


@contextmanager
def django_here() -> Iterator[None]:
    on_django.make_asgi()
    with override_settings(ROOT_URLCONF=__name__):
        yield


@dataclass(frozen=True)
class Framework:
    """What a lab shows of a framework.

    Attributes:
        make: makes the app.
        route: what is told of the route of `/items/7`; `None` if it cannot be known.
        plain: what is seen to be handed over for `/plain`, the framework's own calls included.
        helped: the same for `/helped`.
        spans: the kinds of span of `/items/7` from the routing on; none if the framework's layers are not known.
        around: what must be open while the app is used.
        pages: what it has.
    """

    make: Callable[[], Any]
    route: str | None
    plain: list[str]
    helped: list[str] = field(default_factory=lambda: ["lookup"])
    spans: tuple[str, ...] = ()
    around: Callable[[], AbstractContextManager[None]] = nullcontext
    pages: tuple[str, ...] = ("/items/7", "/plain", "/helped", "/held")


_DJANGOS = ["Signal.asend.<locals>.sync_send", "CommonMiddleware.process_request"]
_DJANGOS_LAST = ["CommonMiddleware.process_response", "HttpResponseBase.close"]
FRAMEWORKS = {
    "playground": Framework(on_playground, "/items/{number}", ["plain"], spans=("routing", "handler", "response")),
    "Starlette": Framework(on_starlette, "/items/{number}", ["plain"], spans=("routing", "handler", "response")),
    "FastAPI": Framework(
        on_fastapi,
        "/items/{number}",
        ["plain", "ModelField.validate"],
        ["needed", "lookup"],
        spans=("routing", "dependency", "handler", "response"),
    ),
    "Django": Framework(
        on_django.make_asgi,
        None,
        [*_DJANGOS, "plain", *_DJANGOS_LAST],
        [*_DJANGOS, "lookup", *_DJANGOS_LAST],
        around=django_here,
    ),
    "Quart": Framework(on_quart, None, ["plain"]),
    "Litestar": Framework(on_litestar, "/items/{number}", ["plain"]),
    "Flask": Framework(on_flask, None, ["Flask"], pages=("/items/7", "/plain")),
    "Django by WSGI": Framework(
        on_django.make_wsgi, None, ["WSGIHandler"], around=django_here, pages=("/items/7", "/plain")
    ),
}
every = pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=FRAMEWORKS)
asynchronous = pytest.mark.parametrize(
    "framework",
    [framework for framework in FRAMEWORKS.values() if "/held" in framework.pages],
    ids=[name for name, framework in FRAMEWORKS.items() if "/held" in framework.pages],
)


def traced(framework: Framework, page: str, n: int = 3) -> Trace:
    with framework.around(), Lab(framework.make()) as lab:
        run = lab.burst(page, n)
        assert [response.status_code for response in run.responses] == [200] * n
        return run.trace


@every
def test_requests_with_their_messages_and_routes_are_seen(framework: Framework) -> None:
    trace = traced(framework, "/items/7")
    assert [request.number for request in trace.requests] == [0, 1, 2]
    for request in trace.requests:
        assert (request.method, request.path, request.route) == ("GET", "/items/7", framework.route)
        assert (request.status, request.error) == (200, None)
        sent = [message for message in request.messages if message.direction == "send"]
        assert [message.type for message in sent[:2]] == ["http.response.start", "http.response.body"]
        assert sent[0].detail == "status 200"
        assert sent[1].detail.startswith("6 bytes")
        assert request.end_ns is not None
        assert request.start_ns <= sent[0].at_ns <= sent[1].at_ns <= request.end_ns


@every
def test_a_plain_function_is_seen_to_be_handed_over_for_its_request(framework: Framework) -> None:
    assert handed_over(traced(framework, "/plain")) == [framework.plain] * 3


@asynchronous
def test_what_a_handler_has_called_in_a_thread_is_seen_for_its_request(framework: Framework) -> None:
    assert handed_over(traced(framework, "/helped")) == [framework.helped] * 3


def handed_over(trace: Trace, outcomes: Collection[str] = ("returned",)) -> list[list[str]]:
    """What was handed over for each request; that no call belongs to two, or to none, is checked on the way."""
    assert sorted(call for request in trace.requests for call in request.handoffs) == list(range(len(trace.handoffs)))
    for request in trace.requests:
        for call in (trace.handoffs[index] for index in request.handoffs):
            assert call.outcome in outcomes
            assert request.end_ns is not None
            assert call.ended_ns is not None
            assert request.start_ns <= call.submitted_ns <= call.ended_ns <= request.end_ns
    return [[last_name(trace.handoffs[index].function) for index in request.handoffs] for request in trace.requests]


def last_name(function: str) -> str:
    """A function's name, without the function of this module that defines it."""
    return function.split(".<locals>.")[-1] if function.startswith("on_") else function


@pytest.mark.slow
@asynchronous
def test_the_line_that_holds_up_the_loop_is_named(framework: Framework) -> None:
    (block,) = traced(framework, "/held", n=1).blocks(0.05)
    assert block.site is not None
    assert (block.site.function, block.site.text, block.call) == ("hold", "time.sleep(0.12)", "time.sleep(0.12)")


@every
def test_spans_are_told_where_the_layers_are_known_and_nowhere_else(framework: Framework) -> None:
    trace = traced(framework, "/items/7")
    for number, request in enumerate(trace.requests):
        spans = [span for span in trace.spans if span.request == number]
        layers = [span for span in spans if span.kind == "middleware"]
        assert tuple(span.kind for span in spans[len(layers) :]) == framework.spans
        assert bool(layers) == bool(framework.spans)
        for span in spans:
            assert request.end_ns is not None
            assert span.end_ns is not None
            assert request.start_ns <= span.start_ns <= span.end_ns <= request.end_ns
        for span in spans:
            if span.kind == "handler":
                assert span.name.endswith("item")
                assert span.site is not None
                assert "item" in span.site.function


def test_fastapis_dependencies_end_when_the_handler_begins() -> None:
    trace = traced(FRAMEWORKS["FastAPI"], "/helped", n=1)
    dependency, handler, response = trace.spans[-3:]
    needed, lookup = trace.handoffs
    assert [span.kind for span in (dependency, handler, response)] == ["dependency", "handler", "response"]
    assert needed.ended_ns is not None
    assert dependency.end_ns is not None
    assert dependency.start_ns <= needed.submitted_ns <= needed.ended_ns <= dependency.end_ns
    assert dependency.end_ns <= handler.start_ns <= lookup.submitted_ns
    assert response.name == "PlainTextResponse"
