"""An app whose spans were recorded is left as it was, and what is left alone has none."""

import asyncio
import contextvars
import gc
import threading
import weakref
from typing import Any

import pytest

from playground import Lab
from playground.asgi import Receive, Scope, Send
from playground.trace import Trace
from playground.trace.recorder import Recorder
from playground.trace.requests import recorded_app
from playground.trace.standins import StandIn
from tests.trace.layers import (
    Kit,
    Renamed,
    Slotted,
    assert_nested,
    burst,
    call,
    hello_app,
    layered,
    plain_asgi,
    recorder_of,
    shapes,
    stack_of,
)


def test_after_a_recording_the_app_is_what_it_was(kit: Kit) -> None:
    app = hello_app(kit, middleware=[kit.Middleware(Slotted)])
    with Lab(app) as lab:
        before = stack_of(app)
        route = vars(app.routes[0])["app"]
        cells = [cell.cell_contents for cell in route.__closure__]
        is_bare = getattr(app.router, "_is_bare", None)
        lab.burst("/", 2)
        assert stack_of(app) == before
        assert not any(type(layer) is StandIn or isinstance(type(layer), StandIn) for layer in before)
        assert app.router.middleware_stack == app.router.app
        assert type(app.router.middleware_stack) is type(app.router.app)
        assert vars(app.routes[0])["app"] is route
        assert [cell.cell_contents for cell in route.__closure__] == cells
        assert getattr(app.router, "_is_bare", None) == is_bare


def test_an_app_that_is_not_recorded_meets_no_stand_in(kit: Kit) -> None:
    seen = []

    class Looking:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(issubclass(type(self.app), StandIn))
            await self.app(scope, receive, send)

    with Lab(hello_app(kit, middleware=[kit.Middleware(Looking)])) as lab:
        seen.clear()
        lab.get("/")
        lab.burst("/", 1)
        lab.get("/")
    assert seen[:3] == [False, True, False]


def test_whoever_looks_at_a_stand_in_sees_what_it_stands_for(kit: Kit) -> None:
    seen: list[Any] = []

    class Looking:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            self.app.noted = "by Looking"
            seen.append((isinstance(self.app, Noting), self.app.greeting, self.app.noted))
            await self.app(scope, receive, send)

    class Noting(Slotted):
        __slots__ = ("__dict__",)
        greeting = "hello"

    app = hello_app(kit, middleware=[kit.Middleware(Looking), kit.Middleware(Noting)])
    with Lab(app) as lab:
        seen.clear()
        lab.burst("/", 1)
        assert seen == [(True, "hello", "by Looking")]
        (noting,) = (layer for layer in stack_of(app) if type(layer) is Noting)
        assert vars(noting) == {"noted": "by Looking"}


def test_context_variables_go_the_way_they_go_unrecorded(kit: Kit) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    seen = []

    class Around:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            variable.set("outer")
            await self.app(scope, receive, send)
            seen.append(variable.get())

    async def hello(request: Any) -> Any:
        seen.append(variable.get())
        variable.set("inner")
        return kit.PlainTextResponse("hello")

    app = kit.Starlette(routes=[kit.Route("/", hello)], middleware=[kit.Middleware(Around)])
    with Lab(app) as lab:
        seen.clear()
        lab.burst("/", 1)
        lab.get("/")
    assert seen[:4] == ["outer", "inner", "outer", "inner"]


def test_nothing_of_a_recording_is_held_when_it_is_over(kit: Kit) -> None:
    app = hello_app(kit)

    def record() -> "weakref.ref[Recorder]":
        with recorder_of() as recorder:
            asyncio.run(call(recorded_app(app, lambda: recorder)))
            return weakref.ref(recorder)

    recorder = record()
    gc.collect()
    assert recorder() is None


def test_two_labs_may_record_one_app_at_once(kit: Kit) -> None:
    both = threading.Barrier(2)
    app = hello_app(kit)
    runs: dict[int, Trace] = {}

    def record(which: int) -> None:
        with Lab(app) as lab:

            async def ask() -> None:
                await lab.client.get("/")
                both.wait(10)  # both record
                for _ in range(20 if which else 5):
                    await lab.client.get("/")
                if not which:
                    return

            runs[which] = lab.run(ask).trace

    with Lab(app) as lab:
        lab.get("/")
        before = stack_of(app)
    threads = [threading.Thread(target=record, args=[which]) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [len(runs[which].requests) for which in range(2)] == [6, 21]
    for trace in runs.values():
        assert all(len(shapes(trace, number)) == 5 for number in range(len(trace.requests)))
        assert_nested(trace)
    assert stack_of(app) == before


@pytest.mark.parametrize("app", [plain_asgi, Slotted(plain_asgi), layered(Renamed(plain_asgi))])
def test_of_an_app_without_a_router_nothing_is_invented(app: Any) -> None:
    trace = burst(app)
    assert (len(trace.requests), trace.spans) == (1, ())


def test_a_layer_that_holds_itself_is_followed_no_further() -> None:
    layer = Slotted(None)
    layer.app = layer
    recorder = Recorder()
    with pytest.raises(RecursionError):
        asyncio.run(call(recorded_app(layer, lambda: recorder)))
    assert not recorder.spans
