"""Spans where a request does not go straight: built late, given up, called by another, closed after the recording."""

import asyncio
import contextvars
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground import Lab
from playground.asgi import Message, Receive, Scope, Send
from playground.trace.build import build
from playground.trace.recorder import Recorder
from playground.trace.requests import recorded_app
from playground.trace.standins import StandIn
from tests.trace.layers import (
    ONION,
    Kit,
    Slotted,
    assert_nested,
    burst,
    call,
    hello_app,
    plain_asgi,
    recorder_of,
    shapes,
    stack_of,
)


def test_an_app_that_builds_its_layers_at_its_first_request_has_spans_in_it(kit: Kit) -> None:
    app = hello_app(kit)
    assert app.middleware_stack is None
    with recorder_of() as recorder:
        asyncio.run(call(recorded_app(app, lambda: recorder)))
        assert [span.kind for span in recorder.spans.values()] == ["middleware"] * 2 + [
            "routing",
            "handler",
            "response",
        ]
    assert not any(issubclass(type(layer), StandIn) for layer in stack_of(app))


def test_an_app_whose_layers_cannot_be_built_says_so_itself(kit: Kit) -> None:
    def broken(app: Any) -> Any:
        raise ValueError("no layer today")

    with recorder_of() as recorder, pytest.raises(ValueError, match=r"^no layer today$"):
        asyncio.run(call(recorded_app(hello_app(kit, middleware=[kit.Middleware(broken)]), lambda: recorder)))
    assert (list(recorder.spans), recorder.requests[0].error) == ([], "ValueError: no layer today")


def test_what_ends_after_the_recording_is_open_in_it_and_changes_nothing(kit: Kit) -> None:
    async def run() -> tuple[Recorder, int]:
        gate = asyncio.Event()

        async def wait(request: Any) -> Any:
            await gate.wait()
            return kit.PlainTextResponse("late")

        app = kit.Starlette(routes=[kit.Route("/", wait)])
        recorder = Recorder()
        task = asyncio.ensure_future(call(recorded_app(app, lambda: recorder)))
        while not any(span.kind == "handler" for span in recorder.spans.values()):
            await asyncio.sleep(0)
        recorder.close()
        told = len(recorder.spans)
        gate.set()
        assert (await task)[-1]["type"] == "http.response.body"
        assert not any(issubclass(type(layer), StandIn) for layer in stack_of(app))
        return recorder, told

    recorder, told = asyncio.run(run())
    assert len(recorder.spans) == told == 4
    spans = build(recorder).spans
    assert [span.end_ns is None for span in spans] == [True, True, False, True]


def test_a_request_that_is_given_up_is_closed_without_a_word(kit: Kit) -> None:
    async def forever(request: Any) -> Any:
        await asyncio.get_running_loop().create_future()

    app = kit.Starlette(routes=[kit.Route("/", forever)])
    with recorder_of() as recorder:
        recorded = recorded_app(app, lambda: recorder)

        async def give_up() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(call(recorded), 0.01)
            coroutine = call(recorded)
            contextvars.Context().run(coroutine.send, None)
            coroutine.close()  # in another context than the one in which it began

        asyncio.run(give_up())
        assert [span.kind for span in recorder.spans.values()] == ["middleware", "middleware", "routing", "handler"] * 2
        assert all(span.end_ns is not None for span in recorder.spans.values())


def test_an_app_that_a_handler_calls_on_another_loop_is_not_noted(kit: Kit) -> None:
    app = hello_app(kit)

    def elsewhere(request: Any) -> Any:
        asyncio.run(call(app))
        return kit.PlainTextResponse("done")

    app.routes.append(kit.Route("/elsewhere", elsewhere))
    trace = burst(app, "/elsewhere")
    assert [name for kind, name, _ in shapes(trace) if kind == "handler"] == ["elsewhere"]


def test_an_app_that_a_handler_calls_lies_within_the_handler(kit: Kit) -> None:
    inner = hello_app(kit)

    async def ask(request: Any) -> Any:
        await call(inner)
        await call(app, "/inner")
        return kit.PlainTextResponse("asked")

    async def answer(request: Any) -> Any:
        return kit.PlainTextResponse("answer")

    app = kit.Starlette(routes=[kit.Route("/", ask), kit.Route("/inner", answer)])
    trace = burst(app)
    assert shapes(trace) == [
        *ONION,
        ("routing", "Router", 2),
        ("handler", "ask", 2),
        ("middleware", "ServerErrorMiddleware", 3),
        ("middleware", "ExceptionMiddleware", 4),
        ("routing", "Router", 5),
        ("handler", "answer", 5),
        ("response", "PlainTextResponse", 5),
        ("response", "PlainTextResponse", 2),
    ]
    assert_nested(trace)


def test_an_app_that_a_stream_calls_lies_within_the_response(kit: Kit) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        await call(app, "/inner")
        yield b"x"
        await asyncio.create_task(call(app, "/inner"))
        yield b"y"

    async def stream(request: Any) -> Any:
        return kit.StreamingResponse(pieces())

    async def answer(request: Any) -> Any:
        return kit.PlainTextResponse("answer")

    app = kit.Starlette(routes=[kit.Route("/", stream), kit.Route("/inner", answer)])
    inner = [
        ("middleware", "ServerErrorMiddleware", 3),
        ("middleware", "ExceptionMiddleware", 4),
        ("routing", "Router", 5),
        ("handler", "answer", 5),
        ("response", "PlainTextResponse", 5),
    ]
    trace = burst(app)
    assert shapes(trace) == [
        *ONION,
        ("routing", "Router", 2),
        ("handler", "stream", 2),
        ("response", "StreamingResponse", 2),
        *inner,
        *inner,
    ]
    assert_nested(trace)


def test_a_layer_that_calls_the_app_twice_at_once_has_both_calls(kit: Kit) -> None:
    class Hedging:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def drop(message: Message) -> None: ...

            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
                return
            await asyncio.gather(self.app(dict(scope), receive, send), self.app(dict(scope), receive, drop))

    app = hello_app(kit, middleware=[kit.Middleware(Hedging)])
    trace = burst(app, "/plain")
    kinds = [kind for kind, _, _ in shapes(trace)]
    assert sorted(kinds) == sorted(["middleware"] * 4 + ["routing", "handler", "response"] * 2)
    handlers = [span for span in trace.spans if span.kind == "handler"]
    assert len({span.task for span in handlers}) == 2
    for routing in (span for span in trace.spans if span.kind == "routing"):
        (handler,) = (span for span in handlers if span.task == routing.task)
        assert routing.end_ns == handler.start_ns


def test_an_app_that_a_route_holds_meets_itself_in_the_scope(kit: Kit) -> None:
    seen = []

    async def looking(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope.get("endpoint"))
        await plain_asgi(scope, receive, send)

    app = kit.Starlette(routes=[kit.Mount("/bare", looking), kit.Mount("/wrapped", Slotted(looking))])
    for path in ("/bare/", "/wrapped/"):
        with Lab(app) as lab:
            seen.clear()
            lab.burst(path, 1)
            lab.get(path)
            assert type(seen[0]) is type(seen[-1])
            assert seen[0] is seen[-1]


def test_a_layer_that_is_driven_by_hand_without_a_loop_is_not_noted(kit: Kit) -> None:
    app = hello_app(kit)

    def by_hand(request: Any) -> Any:
        with pytest.raises(StopIteration):
            call(app).send(None)
        return kit.PlainTextResponse("done")

    app.routes.append(kit.Route("/by-hand", by_hand))
    trace = burst(app, "/by-hand")
    assert [name for kind, name, _ in shapes(trace) if kind == "handler"] == ["by_hand"]


def test_what_a_layer_has_given_up_ends_when_somebody_closes_it_and_moves_nothing(kit: Kit) -> None:
    given_up = []

    class GivingUp(Slotted):
        __slots__ = ()

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            coroutine = self.app(scope, receive, send)
            coroutine.send(None)
            given_up.append(coroutine)

    class Closing(Slotted):
        __slots__ = ()

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.app(scope, receive, send)
            given_up[0].close()
            await self.app(scope, receive, send)

    async def forever(request: Any) -> Any:
        await asyncio.get_running_loop().create_future()

    layers = [kit.Middleware(Closing), kit.Middleware(GivingUp)]
    with recorder_of() as recorder:
        app = kit.Starlette(routes=[kit.Route("/", forever)], middleware=layers)
        asyncio.run(call(recorded_app(app, lambda: recorder)))
        trace = build(recorder)
        given_up[1].close()
    inner = [("middleware", "GivingUp", 2), ("middleware", "ExceptionMiddleware", 3)]
    inner += [("routing", "Router", 4), ("handler", "forever", 4)]
    assert shapes(trace) == [*ONION[:1], ("middleware", "Closing", 1), *inner, *inner]
    ends = [span.end_ns for span in trace.spans]
    assert [end is None for end in ends] == [False] * 6 + [False, True, False, True]
    assert ends[2] is not None
    assert ends[3] is not None
    assert ends[2] < ends[3] <= trace.spans[6].start_ns


def test_a_recording_holds_neither_the_tasks_of_a_request_nor_trails_that_are_over(kit: Kit) -> None:
    async def dispatched(request: Any, call_next: Any) -> Any:
        tasks.append(weakref.ref(asyncio.current_task()))
        return await call_next(request)

    async def hello(request: Any) -> Any:
        tasks.append(weakref.ref(asyncio.current_task()))
        return kit.PlainTextResponse("hello")

    async def ask() -> None:
        for _ in range(3):
            await asyncio.create_task(call(recorded))
        await asyncio.sleep(0)

    tasks: list[Any] = []
    layers = [kit.Middleware(kit.BaseHTTPMiddleware, dispatch=dispatched)]
    app = kit.Starlette(routes=[kit.Route("/", hello)], middleware=layers)
    with recorder_of() as recorder:
        recorded = recorded_app(app, lambda: recorder)
        asyncio.run(ask())
        gc.collect()
        assert len(tasks) == 6
        assert not any(task() for task in tasks)
        assert len(recorder.spans) == 3 * 6
        assert recorder.trails.under_way == 0
