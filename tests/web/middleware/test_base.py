"""Middleware as a function: contexts, errors, bodies and clients' leaving pass through it as through none."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.errors import HandlerError
from playground.web.background import BackgroundTask
from playground.web.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from playground.web.requests import ClientDisconnect, Request
from playground.web.responses import PlainTextResponse, Response, StreamingResponse
from tests.web.exchange import Backend, call, call_scope, http_scope, request_message, run

BACKENDS: tuple[Backend, ...] = ("asyncio", "trio")
both = pytest.mark.parametrize("backend", BACKENDS)

var: contextvars.ContextVar[str] = contextvars.ContextVar("var")


async def pass_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


async def pass_piecewise(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response: Any = await call_next(request)
    body = response.body_iterator

    async def pieces() -> AsyncIterator[bytes]:
        async for piece in body:
            yield piece

    response.body_iterator = pieces()
    return response  # type: ignore[no-any-return]


async def discard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    await call_next(request)
    return PlainTextResponse("instead")


async def silence() -> Message:
    """A `receive` of a client that says nothing and stays."""
    await anyio.sleep_forever()
    raise AssertionError


def layers(app: ASGIApp, *functions: Any) -> ASGIApp:
    for function in reversed(functions):
        app = BaseHTTPMiddleware(app, dispatch=function)
    return app


def endpoint(function: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await function(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


# Context variables.


@both
def test_context_variables_reach_the_app_and_come_back(backend: Backend) -> None:
    seen = []

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        var.set("by middleware")
        response = await call_next(request)
        seen.append(var.get())
        return response

    async def answer(request: Request) -> Response:
        seen.append(var.get())
        var.set("by endpoint")
        return PlainTextResponse("")

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        await layers(endpoint(answer), dispatch, pass_on)(scope, receive, send)
        seen.append(var.get())

    call(outermost, backend=backend)
    assert seen == ["by middleware", "by endpoint", "by endpoint"]


@both
def test_a_variable_that_the_app_unsets_again_is_unset_around_it_too(backend: Backend) -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        token = var.set("for this request")
        await PlainTextResponse("")(scope, receive, send)
        var.reset(token)

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        seen.append(var.get("unset"))
        return response

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        await layers(app, dispatch)(scope, receive, send)
        seen.append(var.get("unset"))

    call(outermost, backend=backend)
    assert seen == ["for this request", "unset"]


@both
def test_what_a_middleware_sets_after_the_app_answered_stays(backend: Backend) -> None:
    seen = []

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        var.set("by middleware")
        return response

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        await layers(PlainTextResponse(""), dispatch)(scope, receive, send)
        seen.append(var.get())

    call(outermost, backend=backend)
    assert seen == ["by middleware"]


# Exceptions.


@both
@pytest.mark.parametrize("function", [pass_on, pass_piecewise])
def test_an_exception_is_raised_as_it_is(backend: Backend, function: Any) -> None:
    error = ValueError("as it is")

    async def fail(request: Request) -> Response:
        raise error

    assert call(layers(endpoint(fail), function, function), backend=backend).error is error


@both
def test_a_group_of_the_apps_own_is_not_taken_apart(backend: Backend) -> None:
    error = ExceptionGroup("mine", [ValueError()])

    async def fail(request: Request) -> Response:
        raise error

    assert call(layers(endpoint(fail), pass_on, pass_on), backend=backend).error is error


@both
@pytest.mark.parametrize("function", [pass_on, pass_piecewise])
def test_an_exception_in_the_midst_of_a_stream_is_raised_once_and_sends_no_end(backend: Backend, function: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        raise ValueError("in the midst")

    async def stream(request: Request) -> Response:
        return StreamingResponse(pieces())

    exchange = call(layers(endpoint(stream), function), backend=backend)
    assert repr(exchange.error) == "ValueError('in the midst')"
    assert [message.get("body") for message in exchange.sent] == [None, b"one"]


@both
def test_an_exception_that_dispatch_answers_is_not_raised_again(backend: Backend) -> None:
    async def fail(request: Request) -> Response:
        raise ValueError("told")

    async def answer(request: Request, call_next: RequestResponseEndpoint) -> Response:
        try:
            return await call_next(request)
        except ValueError as error:
            return PlainTextResponse(str(error))

    exchange = call(layers(endpoint(fail), answer), backend=backend)
    assert (exchange.error, exchange.text) == (None, "told")


@both
def test_an_exception_of_dispatch_ends_the_app(backend: Backend) -> None:
    ended = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async def fail(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await call_next(request)
        raise ValueError("in dispatch")

    exchange = call(layers(app, fail), backend=backend)
    assert repr(exchange.error) == "ValueError('in dispatch')"
    assert ended == [True]


@both
def test_an_app_without_a_response_is_an_error(backend: Backend) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    assert repr(call(layers(app, pass_on), backend=backend).error) == "RuntimeError('No response returned.')"


def test_a_forgotten_return_is_explained() -> None:
    async def forgetful(request: Request, call_next: RequestResponseEndpoint) -> Any:
        await call_next(request)

    error = call(layers(PlainTextResponse(""), forgetful)).error
    assert isinstance(error, HandlerError)
    assert str(error) == (
        "The middleware function 'test_a_forgotten_return_is_explained.<locals>.forgetful' must return a Response, "
        "got NoneType. End it with `return response`, where `response = await call_next(request)` or one of your own."
    )


def test_a_class_without_dispatch_is_explained() -> None:
    message = (
        "Nothing has no dispatch. Write `async def dispatch(self, request, call_next)`, "
        "or pass a function as `dispatch`."
    )

    class Nothing(BaseHTTPMiddleware):
        pass

    error = call(Nothing(PlainTextResponse(""))).error
    assert isinstance(error, NotImplementedError)
    assert str(error) == message


# Responses.


@both
def test_a_response_can_be_changed_before_it_is_sent(backend: Backend) -> None:
    headers = [(b"x-app", b"1")]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"body"})

    async def change(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.status_code = 201
        response.headers["x-layer"] = "2"
        return response

    exchange = call(layers(app, change), backend=backend)
    assert (exchange.status, exchange.headers, exchange.text) == (201, {"x-app": "1", "x-layer": "2"}, "body")
    assert headers == [(b"x-app", b"1")]


@both
def test_a_part_that_a_middleware_has_read_is_not_sent(backend: Backend) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"a", b"b", b"c"):
            yield piece

    async def stream(request: Request) -> Response:
        return StreamingResponse(pieces())

    async def skip(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response: Any = await call_next(request)
        assert await anext(response.body_iterator) == b"a"
        return response  # type: ignore[no-any-return]

    assert call(layers(endpoint(stream), skip), backend=backend).body == b"bc"


@both
def test_call_next_may_be_called_again(backend: Backend) -> None:
    tries: list[int] = []

    async def third_time(request: Request) -> Response:
        tries.append(len(tries))
        return PlainTextResponse(str(len(tries)), status_code=200 if len(tries) == 3 else 503)

    async def retry(request: Request, call_next: RequestResponseEndpoint) -> Response:
        while True:
            response = await call_next(request)
            if response.status_code != 503:
                return response

    assert call(layers(endpoint(third_time), retry), backend=backend).text == "3"


@both
@pytest.mark.parametrize("functions", [(pass_on, pass_on), (pass_piecewise, pass_on), (pass_piecewise,)])
def test_trailers_pass(backend: Backend, functions: tuple[Any, ...]) -> None:
    trailers: Message = {"type": "http.response.trailers", "headers": [(b"a", b"b")]}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        await send({"type": "http.response.body", "body": b"body", "more_body": False})
        await send(trailers)

    exchange = call(layers(app, *functions), backend=backend)
    assert exchange.sent[0]["trailers"] is True
    assert exchange.sent[-1] == trailers
    assert b"".join(message["body"] for message in exchange.sent[1:-1]) == b"body"
    assert exchange.sent[-2].get("more_body", False) is False
    assert exchange.error is None


@both
def test_a_file_that_the_server_sends_is_left_to_it_or_read_as_bytes(backend: Backend, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.pathsend", "path": str(path)})

    left = call(layers(app, pass_on, pass_on), backend=backend).sent
    assert [message["type"] for message in left] == ["http.response.start", "http.response.pathsend"]
    assert call(layers(app, pass_piecewise), backend=backend).body == b"x" * 100_000


@both
def test_early_hints_go_ahead_and_debug_messages_go_with_the_response(backend: Backend) -> None:
    hint: Message = {"type": "http.response.early_hint", "links": []}
    debug: Message = {"type": "http.response.debug", "info": {}}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(debug)
        await send(hint)
        await PlainTextResponse("")(scope, receive, send)

    assert call(layers(app, pass_on), backend=backend).sent[:2] == [hint, debug]
    assert call(layers(app, discard), backend=backend).sent[0] == hint
    assert call(layers(app, discard), backend=backend).sent[1]["type"] == "http.response.start"


@both
def test_an_app_that_sends_no_end_is_ended_for(backend: Backend) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})

    assert call(layers(app, pass_on), backend=backend).sent[1:] == [
        {"type": "http.response.body", "body": b"", "more_body": False}
    ]


@both
def test_other_scopes_pass_untouched(backend: Backend) -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    async def main() -> None:
        arguments: Any = ({"type": "lifespan"}, object(), object())
        await layers(app, pass_on)(*arguments)
        assert seen == [arguments]

    run(main, backend)


# Backpressure and background tasks.


@both
@pytest.mark.parametrize("functions", [(pass_on,) * 3, (pass_piecewise,) * 3])
def test_a_stream_is_never_ahead_of_its_client(backend: Backend, functions: tuple[Any, ...]) -> None:
    log: list[str] = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(4):
            log.append(f"make {number}")
            yield b"%d" % number

    async def stream(request: Request) -> Response:
        return StreamingResponse(pieces())

    async def send(message: Message) -> None:
        if body := message.get("body"):
            for _ in range(20):  # a slow client: much could happen meanwhile
                await anyio.lowlevel.checkpoint()
            log.append(f"sent {body.decode()}")

    async def main() -> None:
        await layers(endpoint(stream), *functions)(http_scope(), silence, send)

    run(main, backend)
    assert log == [f"{verb} {number}" for number in range(4) for verb in ("make", "sent")]


@both
@pytest.mark.parametrize("function", [pass_on, pass_piecewise, discard])
def test_background_tasks_run_after_the_response(backend: Backend, function: Any) -> None:
    log: list[str] = []

    async def task() -> None:
        log.append("task")

    async def answer(request: Request) -> Response:
        return PlainTextResponse("body", background=BackgroundTask(task))

    async def send(message: Message) -> None:
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        log.append("end" if message["type"] != "http.response.start" and not message.get("more_body") else "more")

    async def main() -> None:
        await layers(endpoint(answer), function, function)(http_scope(), silence, send)

    run(main, backend)
    assert log[-2:] == ["end", "task"]
    assert log.count("task") == 1


@both
@pytest.mark.parametrize("function", [pass_on, pass_piecewise])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_background_task_survives_a_client_that_leaves(backend: Backend, function: Any, at: int) -> None:
    done = []

    async def task() -> None:
        await anyio.lowlevel.checkpoint()
        done.append(True)

    async def answer(request: Request) -> Response:
        return PlainTextResponse("body", background=BackgroundTask(task))

    error = OSError("the client has left")
    assert leave(layers(endpoint(answer), function, function), at, error, backend) is error
    assert done == [True]


@both
@pytest.mark.parametrize("functions", [(pass_on,), (pass_on, pass_on), (pass_piecewise,)])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_error_of_send_is_raised_where_the_app_sent(backend: Backend, functions: tuple[Any, ...], at: int) -> None:
    heard: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"piece", "more_body": True})
        except OSError as told:
            heard.append(told)

    error = OSError("the client has left")
    raised = leave(layers(app, *functions), at, error, backend)
    assert heard == [error]
    assert raised in (None, error)


@both
def test_a_background_task_of_the_middlewares_own_runs_beside_the_apps(backend: Backend) -> None:
    done: list[str] = []

    async def answer(request: Request) -> Response:
        return PlainTextResponse("body", background=BackgroundTask(done.append, "app"))

    async def add(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.background = BackgroundTask(done.append, "middleware")
        return response

    assert call(layers(endpoint(answer), add), backend=backend).error is None
    assert sorted(done) == ["app", "middleware"]


def leave(app: ASGIApp, at: int, error: OSError, backend: Backend) -> BaseException | None:
    """Call an app for a client that leaves with the message of this number; return what the app raises."""

    async def main() -> BaseException | None:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            if len(sent) == at:
                raise error
            sent.append(message)

        try:
            await app(http_scope(), silence, send)
        except Exception as raised:  # noqa: BLE001  it is what a test looks at
            return raised
        return None

    return run(main, backend)


# The request.


@both
def test_middleware_and_app_both_read_the_body(backend: Backend) -> None:
    async def echo(request: Request) -> Response:
        return PlainTextResponse(await request.body())

    async def read(request: Request, call_next: RequestResponseEndpoint) -> Response:
        body = await request.body()
        response = await call_next(request)
        assert await request.body() == body
        response.headers["x-length"] = str(len(body))
        return response

    pieces = [request_message(b"one ", more_body=True), request_message(b"two")]
    exchange = call(layers(endpoint(echo), read, read), method="POST", messages=pieces, backend=backend)
    assert (exchange.body, exchange.headers["x-length"]) == (b"one two", "7")


@both
def test_asking_for_the_clients_leaving_loses_nothing_of_the_body(backend: Backend) -> None:
    async def echo(request: Request) -> Response:
        assert not await request.is_disconnected()
        return PlainTextResponse(await request.body())

    async def ask(request: Request, call_next: RequestResponseEndpoint) -> Response:
        assert not await request.is_disconnected()
        return await call_next(request)

    pieces = [request_message(b"%d" % number, more_body=number < 5) for number in range(6)]
    exchange = call(layers(endpoint(echo), ask, ask), method="POST", messages=pieces, backend=backend)
    assert (exchange.error, exchange.body) == (None, b"012345")


@both
def test_call_next_takes_another_request(backend: Backend) -> None:
    async def path(request: Request) -> Response:
        return PlainTextResponse(request.url.path)

    async def rewrite(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(Request({**request.scope, "path": "/other"}))

    assert call(layers(endpoint(path), rewrite), backend=backend).text == "/other"


@both
def test_the_clients_leaving_is_seen_behind_middleware(backend: Backend) -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        seen.append(await request.is_disconnected())
        seen.append((await receive())["type"] == "http.disconnect")
        await PlainTextResponse("")(scope, receive, send)

    assert call(layers(app, pass_on, pass_on), backend=backend).error is None
    assert seen == [True, True]


@both
@pytest.mark.parametrize("function", [pass_on, pass_piecewise])
def test_a_stream_ends_when_the_client_leaves(backend: Backend, function: Any) -> None:
    """By the older rule, in which servers say so by a message alone."""
    closed = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"piece"
                await anyio.sleep(0.001)
        finally:
            closed.append(True)

    async def stream(request: Request) -> Response:
        return StreamingResponse(pieces())

    scope = http_scope(asgi={"version": "3.0", "spec_version": "2.3"})
    assert call_scope(layers(endpoint(stream), function), scope, backend=backend).error is None
    assert closed == [True]


@both
def test_an_app_whose_response_was_thrown_away_hears_that_the_client_has_left(backend: Backend) -> None:
    heard = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        heard.append(await receive())

    async def main() -> None:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        await layers(app, discard)(http_scope(), silence, send)
        assert sent[1]["body"] == b"instead"

    run(main, backend)
    assert heard == [{"type": "http.disconnect"}]


@both
def test_an_endless_stream_that_was_thrown_away_ends(backend: Backend) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"piece"

    async def stream(request: Request) -> Response:
        return StreamingResponse(pieces())

    exchange = call(layers(endpoint(stream), discard), backend=backend)
    assert (exchange.error, exchange.text) == (None, "instead")


@both
def test_a_timeout_around_call_next_ends_the_app(backend: Backend) -> None:
    ended = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async def limit(request: Request, call_next: RequestResponseEndpoint) -> Response:
        with anyio.move_on_after(0.001):
            return await call_next(request)
        return PlainTextResponse("too late", status_code=504)

    exchange = call(layers(app, limit), backend=backend)
    assert (exchange.status, exchange.error, ended) == (504, None, [True])


@both
def test_a_timeout_that_ends_with_call_next_leaves_the_stream_alone(backend: Backend) -> None:
    """The app's own cancel scope is still open then; in one task the two would be entangled."""

    async def stream(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"whole"

        return StreamingResponse(pieces())

    async def limit(request: Request, call_next: RequestResponseEndpoint) -> Response:
        with anyio.fail_after(60):
            return await call_next(request)

    async def main() -> bytes:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope = http_scope(asgi={"version": "3.0", "spec_version": "2.3"})
        await layers(endpoint(stream), limit, limit)(scope, silence, send)
        return b"".join(message.get("body", b"") for message in sent)

    assert run(main, backend) == b"whole"


# Nothing is left over.


def living() -> int:
    """How many tasks there are."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return trio.lowlevel.current_statistics().tasks_living


async def small(request: Request) -> Response:
    return PlainTextResponse(await request.body(), background=BackgroundTask(anyio.lowlevel.checkpoint))


async def long(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
            yield b"piece"

    return StreamingResponse(pieces(), background=BackgroundTask(anyio.lowlevel.checkpoint))


async def watching(request: Request) -> Response:
    async def watch() -> None:
        await request.receive()

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    return await long(request)


@given(
    functions=st.lists(st.sampled_from([pass_on, pass_piecewise, discard]), max_size=3),
    answer=st.sampled_from([small, long, watching]),
    how=st.sampled_from(["send raises", "receive tells", "cancelled"]),
    at=st.integers(0, 12),
    version=st.sampled_from(["2.0", "2.4"]),
    backend=st.sampled_from(BACKENDS),
)
def test_no_task_is_left_wherever_the_client_leaves(
    functions: list[Any], answer: Any, how: str, at: int, version: str, backend: Backend
) -> None:
    async def main() -> None:
        before = living()
        steps = 0
        left = anyio.Event()

        async def step() -> None:
            nonlocal steps
            steps += 1
            await anyio.lowlevel.checkpoint()
            if steps > at and how == "cancelled":
                whole.cancel()
            if steps > at and how == "receive tells":
                left.set()

        async def send(message: Message) -> None:
            await step()
            if steps > at and how == "send raises":
                raise OSError("the client has left")

        async def receive() -> Message:
            await step()
            if steps == 1 and at >= 1:
                return request_message(b"body")
            await left.wait()
            return {"type": "http.disconnect"}

        scope = http_scope(method="POST", asgi={"version": "3.0", "spec_version": version})
        with anyio.move_on_after(30) as whole:
            if how == "send raises":
                left.set()
            try:
                await layers(endpoint(answer), *functions)(scope, receive, send)
            except (OSError, ClientDisconnect):
                assert how != "cancelled"
        assert not whole.cancelled_caught or how == "cancelled"
        await anyio.lowlevel.checkpoint()
        assert living() == before

    anyio.run(main, backend=backend)
