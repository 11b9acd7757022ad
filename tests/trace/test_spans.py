"""Spans of Starlette and playground.web apps: what each layer, the routing and the handler had of a request."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground import App, Lab
from tests.trace.layers import ONION, Kit, Renamed, Slotted, assert_nested, burst, hello_app, layered, shapes


def test_a_request_passes_the_layers_the_router_the_handler_and_is_answered(kit: Kit) -> None:
    trace = burst(hello_app(kit))
    assert shapes(trace) == [
        *ONION,
        ("routing", "Router", 2),
        ("handler", "hello", 2),
        ("response", "PlainTextResponse", 2),
    ]
    assert_nested(trace)


def test_the_routing_ends_when_the_handler_begins_and_the_handler_when_the_response_does(kit: Kit) -> None:
    routing, handler, response = burst(hello_app(kit)).spans[2:]
    assert routing.end_ns == handler.start_ns
    assert handler.end_ns is not None
    assert handler.end_ns <= response.start_ns


def test_the_handlers_span_says_where_it_is_defined_and_which_task_ran_it(kit: Kit) -> None:
    trace = burst(hello_app(kit))
    handler = trace.spans[3]
    assert handler.site is not None
    assert handler.site.function.endswith("hello_app.<locals>.hello")
    assert handler.site.text == "async def hello(request: Any) -> Any:"
    assert handler.task == trace.requests[0].task


def test_a_plain_handlers_span_lasts_from_the_hand_over_to_the_return(kit: Kit) -> None:
    trace = burst(hello_app(kit), "/plain")
    handler = next(span for span in trace.spans if span.kind == "handler")
    (call,) = trace.handoffs
    assert (handler.name, call.function) == (call.function, handler.name)
    assert call.started_ns is not None
    assert call.ended_ns is not None
    assert handler.end_ns is not None
    assert handler.start_ns <= call.submitted_ns <= call.started_ns
    assert call.ended_ns <= handler.end_ns
    assert handler.site is not None
    assert handler.site.text == "def plain(request: Any) -> Any:"


def test_layers_of_every_make_are_named(kit: Kit) -> None:
    class Based(kit.BaseHTTPMiddleware):  # type: ignore[misc, name-defined]
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            return await call_next(request)

    async def dispatched(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    layers = [
        kit.Middleware(Based),
        kit.Middleware(layered),
        kit.Middleware(kit.BaseHTTPMiddleware, dispatch=dispatched),
        kit.Middleware(Slotted),
        kit.Middleware(Renamed),
    ]
    trace = burst(hello_app(kit, middleware=layers))
    names = ["ServerErrorMiddleware", "Based", "layered", "dispatched", "Slotted", "Renamed", "ExceptionMiddleware"]
    assert shapes(trace)[:7] == [("middleware", name, depth) for depth, name in enumerate(names)]
    assert [kind for kind, _, _ in shapes(trace)[7:]] == ["routing", "handler", "response"]
    assert_nested(trace)
    based = trace.spans[1]
    assert based.site is not None
    assert based.site.function.endswith("Based.dispatch")


def test_what_a_layer_runs_in_another_task_belongs_to_the_request_and_says_which_task(kit: Kit) -> None:
    async def dispatched(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    trace = burst(hello_app(kit, middleware=[kit.Middleware(kit.BaseHTTPMiddleware, dispatch=dispatched)]), n=5)
    for number, request in enumerate(trace.requests):
        spans = [span for span in trace.spans if span.request == number]
        assert [span.task == request.task for span in spans] == [True, True, False, False, False, False]
        (inner,) = {span.task for span in spans[2:]}
        assert inner is not None
        assert trace.request_of[inner] == number
    assert_nested(trace)


def test_layers_outside_of_the_application_are_spans_too(kit: Kit) -> None:
    trace = burst(Renamed(layered(hello_app(kit))))
    assert shapes(trace)[:3] == [
        ("middleware", "Renamed", 0),
        ("middleware", "layered", 1),
        ("middleware", "ServerErrorMiddleware", 2),
    ]
    assert_nested(trace)


def test_layers_of_a_route_and_of_a_router_lie_behind_the_routing(kit: Kit) -> None:
    async def hello(request: Any) -> Any:
        return kit.PlainTextResponse("hello")

    slotted = [kit.Middleware(Slotted)]
    inner = kit.Router([kit.Route("/", hello, middleware=[kit.Middleware(layered)])], middleware=slotted)
    trace = burst(kit.Starlette(routes=[kit.Mount("/in", inner)]), "/in/")
    assert shapes(trace) == [
        *ONION,
        ("routing", "Router", 2),
        ("middleware", "Slotted", 2),
        ("routing", "Router", 3),
        ("middleware", "layered", 3),
        ("handler", "hello", 4),
        ("response", "PlainTextResponse", 4),
    ]
    assert_nested(trace)


def test_a_mounted_application_brings_its_own_onion_and_a_bare_router_its_routing(kit: Kit) -> None:
    async def hello(request: Any) -> Any:
        return kit.PlainTextResponse("hello")

    deep = kit.Starlette(routes=[kit.Mount("/b", routes=[kit.Route("/", hello)])])
    trace = burst(kit.Starlette(routes=[kit.Mount("/a", deep)]), "/a/b/")
    assert shapes(trace) == [
        *ONION,
        ("routing", "Router", 2),
        ("middleware", "ServerErrorMiddleware", 2),
        ("middleware", "ExceptionMiddleware", 3),
        ("routing", "Router", 4),
        ("routing", "Router", 4),
        ("handler", "hello", 4),
        ("response", "PlainTextResponse", 4),
    ]
    assert_nested(trace)


def test_a_handler_that_is_an_app_is_one_span_with_its_answer(kit: Kit, tmp_path: Any) -> None:
    class Page(kit.HTTPEndpoint):  # type: ignore[misc, name-defined]
        async def get(self, request: Any) -> Any:
            return kit.PlainTextResponse("page")

    (tmp_path / "a.txt").write_text("a")
    app = kit.Starlette(routes=[kit.Route("/", Page), kit.Mount("/files", kit.StaticFiles(directory=tmp_path))])
    assert shapes(burst(app))[2:] == [("routing", "Router", 2), ("handler", "Page", 2)]
    assert shapes(burst(app, "/files/a.txt"))[2:] == [("routing", "Router", 2), ("handler", "StaticFiles", 2)]


def test_a_stream_and_what_is_done_after_the_answer_are_the_responses(kit: Kit) -> None:
    def noted() -> None: ...

    async def pieces() -> AsyncIterator[bytes]:
        await asyncio.to_thread(noted)
        yield b"x"

    async def stream(request: Any) -> Any:
        return kit.StreamingResponse(pieces())

    trace = burst(kit.Starlette(routes=[kit.Route("/", stream)]))
    handler, response = trace.spans[-2:]
    (call,) = trace.handoffs
    assert (handler.kind, response.kind, response.name) == ("handler", "response", "StreamingResponse")
    assert call.woken_ns is not None
    assert response.end_ns is not None
    assert response.start_ns <= call.submitted_ns <= call.woken_ns <= response.end_ns


@pytest.mark.parametrize("request_", ["/nowhere", "POST /"])
def test_a_request_that_no_route_answers_is_all_routing(kit: Kit, request_: str) -> None:
    trace = burst(hello_app(kit), request_)
    assert shapes(trace) == [*ONION, ("routing", "Router", 2)]
    assert trace.requests[0].status in (404, 405)


def test_a_handler_that_raises_has_its_span_and_no_response(kit: Kit) -> None:
    async def broken(request: Any) -> Any:
        raise ValueError("broken")

    trace = burst(kit.Starlette(routes=[kit.Route("/", broken)]))
    assert [kind for kind, _, _ in shapes(trace)] == ["middleware", "middleware", "routing", "handler"]
    assert trace.requests[0].error == "ValueError: broken"
    assert_nested(trace)


def test_a_websocket_has_spans(kit: Kit) -> None:
    async def talk(websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    with Lab(kit.Starlette(routes=[kit.WebSocketRoute("/ws", talk)])) as lab:

        async def ask() -> None:
            from playground.transport import connect

            async with connect(lab._host._app, "/ws") as session:
                await session.send_text("a")
                assert await session.receive_text() == "a"

        trace = lab.run(ask).trace
    assert shapes(trace) == [*ONION, ("routing", "Router", 2), ("handler", "talk", 2)]
    assert_nested(trace)


def test_playgrounds_own_app_names_the_handler_that_the_user_wrote() -> None:
    app = App()

    @app.get("/hello/{name}")
    def hello(name: str) -> str:
        return name

    trace = burst(app, "/hello/Ada")
    assert shapes(trace)[2:4] == [("routing", "Router", 2), ("handler", "hello", 2)]
    assert trace.spans[3].site is not None
    assert trace.spans[3].site.function.endswith("hello")


def test_many_requests_at_once_keep_their_spans_apart(kit: Kit) -> None:
    trace = burst(hello_app(kit, middleware=[kit.Middleware(layered)]), "/plain", n=20)
    for number in range(20):
        assert [kind for kind, _, _ in shapes(trace, number)] == [*["middleware"] * 3, "routing", "handler", "response"]
    assert_nested(trace)


def test_a_route_that_is_added_while_recording_has_its_handler(kit: Kit) -> None:
    app = hello_app(kit)

    async def later(request: Any) -> Any:
        return kit.PlainTextResponse("later")

    with Lab(app) as lab:

        async def ask() -> None:
            await lab.client.get("/")
            app.routes.append(kit.Route("/later", later))
            assert (await lab.client.get("/later")).text == "later"

        trace = lab.run(ask).trace
    assert shapes(trace, 1)[2:4] == [("routing", "Router", 2), ("handler", "later", 2)]


def test_a_route_of_a_kind_that_nobody_knows_is_a_handler_with_its_routing(kit: Kit) -> None:
    class Own(kit.Route):  # type: ignore[misc, name-defined]
        @property
        def app(self) -> Any:
            return self.__dict__["other"]

        @app.setter
        def app(self, app: Any) -> None:
            self.__dict__["other"] = app

    async def own(request: Any) -> Any:
        return kit.PlainTextResponse("own")

    trace = burst(kit.Starlette(routes=[Own("/", own)]))
    assert shapes(trace)[2:] == [("handler", "own", 2)]
