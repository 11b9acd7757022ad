"""Middleware as a function: contexts, errors and responses pass through it as through none."""

import contextvars
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from playground.asgi import Message, Receive, Scope, Send
from playground.errors import HandlerError
from playground.web.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response, StreamingResponse
from tests.web.exchange import Backend, call, run
from tests.web.middleware.functions import both, discard, endpoint, layers, pass_on, pass_piecewise

var: contextvars.ContextVar[str] = contextvars.ContextVar("var")


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
