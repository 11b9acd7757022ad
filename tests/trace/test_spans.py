"""Spans of Starlette and playground.web apps: what each layer, the routing and the handler had of a request."""

import asyncio
import contextvars
import gc
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import starlette.applications
import starlette.endpoints
import starlette.middleware
import starlette.middleware.base
import starlette.responses
import starlette.routing
import starlette.staticfiles

import playground.web.applications
import playground.web.endpoints
import playground.web.middleware
import playground.web.middleware.base
import playground.web.responses
import playground.web.routing
import playground.web.staticfiles
from playground import App, Lab
from playground.asgi import Message, Receive, Scope, Send
from playground.trace import Span, Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder
from playground.trace.requests import recorded_app
from playground.trace.seams import borrow, found
from playground.trace.standins import StandIn

Shape = tuple[str, str, int]  # kind, name, depth


class Kit(NamedTuple):
    """The names that both toolkits have, and mean the same by."""

    Starlette: Any
    Route: Any
    WebSocketRoute: Any
    Mount: Any
    Router: Any
    Middleware: Any
    BaseHTTPMiddleware: Any
    HTTPEndpoint: Any
    PlainTextResponse: Any
    StreamingResponse: Any
    StaticFiles: Any


def _kit(module: Any) -> Kit:
    places = [module.applications, module.routing, module.middleware, module.middleware.base]
    places += [module.endpoints, module.responses, module.staticfiles]
    return Kit(**{name: next(getattr(p, name) for p in places if hasattr(p, name)) for name in Kit._fields})


@pytest.fixture(params=[starlette, playground.web], ids=["starlette", "playground.web"])
def kit(request: pytest.FixtureRequest) -> Kit:
    return _kit(request.param)


def shapes(trace: Trace, request: int = 0) -> list[Shape]:
    """A request's spans in order: kind, name without where its class was defined, depth."""
    return [(s.kind, s.name.split(".<locals>.")[-1], depth(trace, s)) for s in trace.spans if s.request == request]


def depth(trace: Trace, span: Span) -> int:
    return 0 if span.parent is None else 1 + depth(trace, trace.spans[span.parent])


def burst(app: Any, request: str = "/", n: int = 1) -> Trace:
    with Lab(app) as lab:
        return lab.burst(request, n).trace


def assert_nested(trace: Trace) -> None:
    """Each span lies within its parent and its request, and siblings follow one another."""
    ends: dict[tuple[int, int | None], int] = {}
    for span in trace.spans:
        request = trace.requests[span.request]
        outer = request if span.parent is None else trace.spans[span.parent]
        assert span.end_ns is not None
        assert outer.end_ns is not None
        assert outer.start_ns <= span.start_ns <= span.end_ns <= outer.end_ns
        assert ends.get((span.request, span.parent), 0) <= span.start_ns
        ends[span.request, span.parent] = span.end_ns


def layered(app: Any) -> Any:
    """A layer that is a mere function."""

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return layer


class Slotted:
    """A layer that holds the app in a slot, and says nothing of itself."""

    __slots__ = ("app",)

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Renamed:
    """A layer that calls the app inside by a name of its own."""

    def __init__(self, app: Any) -> None:
        self._inner = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        return self._inner(scope, receive, send)


ONION = [("middleware", "ServerErrorMiddleware", 0), ("middleware", "ExceptionMiddleware", 1)]


def hello_app(kit: Kit, **options: Any) -> Any:
    async def hello(request: Any) -> Any:
        return kit.PlainTextResponse("hello")

    def plain(request: Any) -> Any:
        time.sleep(0.02)
        return kit.PlainTextResponse("plain")

    return kit.Starlette(routes=[kit.Route("/", hello), kit.Route("/plain", plain)], **options)


# -- what a request's spans are ---------------------------------------------------------------------------


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


# -- what is left alone -----------------------------------------------------------------------------------


def stack_of(app: Any) -> list[Any]:
    layers, layer = [], app.middleware_stack
    while layer is not None and not hasattr(layer, "routes"):
        layers.append(layer)
        layer = getattr(layer, "app", None)
    return [*layers, layer]


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


async def plain_asgi(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


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


# -- at the edges -----------------------------------------------------------------------------------------


async def call(app: Any, path: str = "/") -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return sent


@contextmanager
def recorder_of() -> Iterator[Recorder]:
    recorder = Recorder()
    try:
        yield recorder
    finally:
        recorder.borrowed.close()


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


# -- seams ------------------------------------------------------------------------------------------------


def give_back(borrowed: Callable[[], None] | None) -> None:
    assert borrowed is not None
    borrowed()


def test_a_place_is_given_back_with_the_last_that_borrows_it() -> None:
    holder = SimpleNamespace(app="real")
    first = borrow(holder, "app", lambda real: f"for {real}")
    second = borrow(holder, "app", lambda real: "never made")
    assert (holder.app, found(holder, "app")) == ("for real", "real")
    give_back(first)
    assert holder.app == "for real"
    give_back(second)
    assert (holder.app, found(holder, "app")) == ("real", "real")


def test_what_the_program_puts_in_a_borrowed_place_stays() -> None:
    holder = SimpleNamespace(app="real")
    borrowed = borrow(holder, "app", lambda real: "stand-in")
    holder.app = "new"
    assert found(holder, "app") == "new"
    again = borrow(holder, "app", lambda real: f"for {real}")
    assert holder.app == "for new"
    give_back(borrowed)
    give_back(again)
    assert holder.app == "new"
    borrowed = borrow(holder, "app", lambda real: "stand-in")
    holder.app = "newer"
    give_back(borrowed)
    assert holder.app == "newer"


def test_a_place_that_cannot_be_changed_is_not_borrowed() -> None:
    class Frozen:
        @property
        def app(self) -> str:
            return "real"

    assert borrow(Frozen(), "app", lambda real: "stand-in") is None


def test_places_are_given_back_whatever_the_order() -> None:
    holder = SimpleNamespace(app="real")
    with ExitStack() as one, ExitStack() as two:
        for stack in (one, two):
            stack.callback(give_back, borrow(holder, "app", lambda real: "stand-in"))
        two.close()
        assert holder.app == "stand-in"
        one.close()
        assert holder.app == "real"
