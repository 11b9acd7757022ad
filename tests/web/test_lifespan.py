"""The lifespan of an app and of what is mounted in it: each once, in order, with its own state."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from playground.asgi import ASGIApp, Message
from playground.web.applications import Starlette
from playground.web.requests import Request
from playground.web.responses import JSONResponse, Response
from playground.web.routing import Host, Mount, Route, Router

from .exchange import Backend, Exchange, call, call_scope

BACKENDS: list[Backend] = ["asyncio", "trio"]
Context = Callable[[Any], AbstractAsyncContextManager[Any]]


def noting(notes: list[str], name: str, state: dict[str, Any] | None = None, fails: str = "") -> Any:
    """A lifespan that notes its start and its end, and perhaps fails at one of them."""

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, Any] | None]:
        if fails == "start":
            raise LookupError(name)
        notes.append(f"{name} up with {type(app).__name__}")
        yield state
        notes.append(f"{name} down")
        if fails == "end":
            raise LookupError(name)

    return lifespan


def live(app: ASGIApp, backend: Backend = "asyncio", **scope: Any) -> Exchange:
    """Start an app up and shut it down."""
    script: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    return call_scope(app, {"type": "lifespan", **scope}, messages=script, backend=backend)


def types(exchange: Exchange) -> list[str]:
    return [message["type"].removeprefix("lifespan.") for message in exchange.sent]


@pytest.mark.parametrize("backend", BACKENDS)
def test_mounted_lifespans_run_within_that_of_the_app_in_the_order_of_routes(backend: Backend) -> None:
    notes: list[str] = []
    deep = Router(lifespan=noting(notes, "deep"))
    inner = Starlette(routes=[Mount("/deep", deep)], lifespan=noting(notes, "inner"))
    hosted = Router(lifespan=noting(notes, "hosted"))
    routes = [Mount("/a", inner), Host("h.org", hosted), Mount("/again", inner)]
    exchange = live(Starlette(routes=routes, lifespan=noting(notes, "outer")), backend)
    assert (exchange.error, types(exchange)) == (None, ["startup.complete", "shutdown.complete"])
    assert notes == [
        "outer up with Starlette",
        "inner up with Starlette",
        "deep up with Starlette",
        "hosted up with Starlette",
        "hosted down",
        "deep down",
        "inner down",
        "outer down",
    ]


def test_a_mounted_lifespan_may_be_left_out() -> None:
    notes: list[str] = []
    inner = Starlette(lifespan=noting(notes, "inner"))
    live(Router([Mount("/a", inner, lifespan=False)]))
    assert notes == []


def test_a_mounted_lifespan_that_the_app_enters_by_hand_is_not_run_again() -> None:
    notes: list[str] = []
    inner = Starlette(lifespan=noting(notes, "inner"))

    @asynccontextmanager
    async def outer(app: Any) -> AsyncIterator[None]:
        async with inner.router.lifespan_context(inner):
            yield

    app = Starlette(routes=[Mount("/a", inner)], lifespan=outer)
    assert types(live(app)) == ["startup.complete", "shutdown.complete"]
    assert notes == ["inner up with Starlette", "inner down"]
    live(app)  # and again with the next server
    assert notes == ["inner up with Starlette", "inner down"] * 2


def test_the_state_of_a_mounted_lifespan_is_for_the_requests_inside_alone() -> None:
    async def show(request: Request[Any]) -> Response:
        return JSONResponse({key: value for key, value in request.scope["state"].items() if key in "abc"})

    notes: list[str] = []
    inner = Starlette(routes=[Route("/", show)], lifespan=noting(notes, "inner", {"b": "inner", "c": 3}))
    app = Starlette(
        routes=[Route("/", show), Mount("/in", inner), Mount("/out", Router([Route("/", show)]))],
        lifespan=noting(notes, "outer", {"a": 1, "b": "outer"}),
    )
    state: dict[str, Any] = {}
    live(app, state=state)
    assert call(app, "/", state=dict(state)).text == '{"a":1,"b":"outer"}'
    assert call(app, "/in/", state=dict(state)).text == '{"a":1,"b":"inner","c":3}'
    assert call(app, "/out/", state=dict(state)).text == '{"a":1,"b":"outer"}'


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("fails", "told", "noted"),
    [
        ("start", ["startup.failed"], ["outer up with NoneType"]),
        (
            "end",
            ["startup.complete", "shutdown.failed"],
            ["outer up with NoneType", "inner up with NoneType", "inner down"],
        ),
    ],
)
def test_a_mounted_lifespan_that_fails_is_told_to_the_server(
    fails: str, told: list[str], noted: list[str], backend: Backend
) -> None:
    notes: list[str] = []
    inner = Router(lifespan=noting(notes, "inner", fails=fails))
    exchange = live(Router([Mount("/a", inner)], lifespan=noting(notes, "outer")), backend)
    assert repr(exchange.error) == "LookupError('inner')"
    assert types(exchange) == told
    assert "LookupError: inner" in exchange.sent[-1]["message"]
    assert notes == noted


def test_a_state_needs_a_server_that_keeps_it() -> None:
    for app in (
        Router(lifespan=noting([], "outer", {"a": 1})),
        Router([Mount("/a", Router(lifespan=noting([], "inner", {"a": 1})))]),
    ):
        error = live(app).error
        assert isinstance(error, RuntimeError)
        assert str(error) == 'The server does not support "state" in the lifespan scope.'


def test_a_lifespan_may_be_replaced_and_called_by_hand() -> None:
    notes: list[str] = []
    router = Router(lifespan=noting(notes, "first"))
    router.lifespan_context = noting(notes, "second")
    live(router)
    assert notes == ["second up with NoneType", "second down"]
