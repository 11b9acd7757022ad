"""What becomes of an exception: who answers it, with what, and whether it is raised again."""

from typing import Any

import pytest

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import HandlerError, ProtocolError, UsageError
from playground.web.applications import Starlette
from playground.web.exceptions import HTTPException, WebSocketException
from playground.web.middleware import Middleware
from playground.web.middleware.errors import ServerErrorMiddleware
from playground.web.middleware.exceptions import ExceptionMiddleware
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response
from playground.web.routing import Route, Router

from .exchange import Backend, call, exactly, run


def raising(error: Exception, *, is_async: bool = True) -> Route:
    async def endpoint(request: Request[Any]) -> Response:
        raise error

    def blocking_endpoint(request: Request[Any]) -> Response:
        raise error

    return Route("/", endpoint if is_async else blocking_endpoint)


def raising_late(error: Exception) -> Route:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    async def endpoint(request: Request[Any]) -> Any:
        return app

    return Route("/", endpoint)


def by_name(request: Any, error: Exception) -> Response:
    return PlainTextResponse(type(error).__name__, 418)


async def by_name_async(request: Any, error: Exception) -> Response:
    return PlainTextResponse(f"async {type(error).__name__}", 419)


@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (HTTPException(404), 404, "Not Found"),
        (HTTPException(418, "short and stout"), 418, "short and stout"),
        (HTTPException(204), 204, ""),
        (HTTPException(999), 999, ""),
    ],
)
def test_an_http_exception_answers(error: Exception, status: int, text: str, is_async: bool) -> None:
    answer = call(Starlette(routes=[raising(error, is_async=is_async)]))
    assert answer.error is None
    assert (answer.status, answer.text) == (status, text)


def test_an_http_exceptions_headers_are_sent() -> None:
    answer = call(Starlette(routes=[raising(HTTPException(401, headers={"WWW-Authenticate": "Basic"}))]))
    assert answer.headers["www-authenticate"] == "Basic"


def test_exceptions_are_shown_with_what_they_carry() -> None:
    assert str(HTTPException(404)) == "404: Not Found"
    assert repr(HTTPException(404, "d")) == "HTTPException(status_code=404, detail='d')"
    assert str(WebSocketException(1008, "r")) == "1008: r"
    assert repr(WebSocketException(1000)) == "WebSocketException(code=1000, reason='')"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("k"), "async KeyError"),
        (HTTPException(404), "HTTPException"),
        (ZeroDivisionError(), "ZeroDivisionError"),
    ],
)
def test_the_handler_of_the_nearest_class_or_of_the_status_answers(
    error: Exception, text: str, backend: Backend
) -> None:
    handlers: dict[Any, Any] = {404: by_name, LookupError: by_name_async, ArithmeticError: by_name}
    answer = call(Starlette(routes=[raising(error)], exception_handlers=handlers), backend=backend)
    assert answer.error is None
    assert answer.text == text


def test_a_handler_is_given_the_request_of_the_endpoint() -> None:
    seen: list[Any] = []

    async def endpoint(request: Request[Any]) -> Response:
        request.state.seen = True
        seen.append(request)
        raise KeyError("k")

    async def handler(request: Any, error: Exception) -> Response:
        seen.append(request)
        return PlainTextResponse(str(request.scope["endpoint"] is endpoint))

    answer = call(Starlette(routes=[Route("/", endpoint)], exception_handlers={KeyError: handler}))
    assert answer.text == "True"
    assert seen[0] is seen[1]


def test_a_handled_exception_keeps_no_frames_alive() -> None:
    error = KeyError("k")
    call(Starlette(routes=[raising(error)], exception_handlers={KeyError: by_name}))
    assert error.__traceback__ is None


def test_what_nothing_handles_is_answered_by_500_and_raised() -> None:
    error = ValueError("secret")
    answer = call(Starlette(routes=[raising(error)]))
    assert (answer.status, answer.text) == (500, "Internal Server Error")
    assert answer.error is error


@pytest.mark.parametrize("key", [500, Exception])
def test_a_last_resort_answers_what_nothing_else_did_and_it_is_raised_all_the_same(key: Any) -> None:
    error = ValueError("secret")
    answer = call(Starlette(routes=[raising(error)], exception_handlers={key: by_name_async}))
    assert (answer.status, answer.text) == (419, "async ValueError")
    assert answer.error is error


def test_an_exception_after_the_start_cannot_be_answered() -> None:
    error = HTTPException(404)
    answer = call(Starlette(routes=[raising_late(error)]))
    assert [message["type"] for message in answer.sent] == ["http.response.start"]
    assert str(answer.error) == "Caught handled exception, but response already started."
    assert answer.error is not None
    assert answer.error.__cause__ is error
    other = ValueError("late")
    assert call(Starlette(routes=[raising_late(other)])).error is other


def test_a_router_alone_lets_exceptions_through() -> None:
    error = HTTPException(404)
    answer = call(Router([raising(error)]))
    assert (answer.sent, answer.error) == ([], error)


class _Refuse:
    """Middleware that never lets anybody in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise HTTPException(403)


def test_a_routes_middleware_may_raise_an_http_exception_the_apps_may_not() -> None:
    inner = Route("/", by_name, middleware=[Middleware(_Refuse)])
    assert call(Starlette(routes=[inner])).status == 403
    outer = call(Starlette(middleware=[Middleware(_Refuse)]))
    assert (outer.status, repr(outer.error)) == (500, "HTTPException(status_code=403, detail='Forbidden')")


def test_a_handler_that_returns_nothing_is_told_so() -> None:
    def silent(request: Any, error: Exception) -> Any:
        return None

    answer = call(Starlette(routes=[raising(KeyError("k"))], exception_handlers={KeyError: silent}))
    assert isinstance(answer.error, HandlerError)
    assert str(answer.error) == (
        "The exception handler 'silent' returned None, so KeyError has no answer. "
        "Return a Response, such as PlainTextResponse('...', status_code=500)."
    )


def test_a_handler_is_for_a_status_or_an_exception_class() -> None:
    message = (
        "An exception handler is for a status or a class of exceptions, got '404'. "
        "Use a number such as 404, or a class such as ValueError."
    )
    with pytest.raises(UsageError, match=exactly(message)):
        ExceptionMiddleware(Router(), handlers={"404": by_name})


def test_http_exception_answers_nothing_else() -> None:
    async def ask() -> None:
        layer = ExceptionMiddleware(Router())
        with pytest.raises(UsageError, match=exactly("http_exception() answers an HTTPException, got ValueError.")):
            await layer.http_exception(Request({"type": "http"}), ValueError())

    run(ask)


def test_a_traceback_is_shown_in_debug_mode_as_text() -> None:
    error = ValueError("shown")
    answer = call(Starlette(debug=True, routes=[raising(error)]))
    assert answer.status == 500
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("Traceback (most recent call last):\n")
    assert answer.text.endswith("ValueError: shown\n")
    assert answer.error is error


def test_a_traceback_is_shown_in_debug_mode_as_a_page_that_trusts_nothing() -> None:
    error = ValueError("<script>alert(1)</script> $title")
    answer = call(Starlette(debug=True, routes=[raising(error)]), headers=[(b"accept", b"text/html")])
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in answer.text
    assert "<h1>ValueError: &lt;script&gt;alert(1)&lt;/script&gt; $title</h1>" in answer.text
    assert "raise error" in answer.text
    assert '<span class="here">' in answer.text


def test_a_page_needs_an_exception_that_was_raised() -> None:
    page = ServerErrorMiddleware(Router()).generate_html(ValueError("never raised"))
    assert "<h1>ValueError: never raised</h1>" in page


async def _sends_and_returns(request: Request[Any]) -> Response:
    response = PlainTextResponse("once")
    await response(request.scope, request.receive, request._send)
    return response


async def _sends_on(request: Request[Any]) -> Response:
    await request._send({"type": "http.response.start", "status": 200, "headers": []})
    await request._send({"type": "http.response.body", "body": b"once"})
    await request._send({"type": "http.response.body", "body": b"more"})
    raise AssertionError("never reached")


async def _starts_twice(request: Request[Any]) -> Response:
    await request._send({"type": "http.response.start", "status": 200, "headers": []})
    return PlainTextResponse("late")


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        (
            _sends_and_returns,
            (
                "Expected nothing more, but the app sent `http.response.start`. A body message without "
                "`more_body=True` ends the response; send nothing after it. A response that the handler has "
                "sent itself must not be returned as well."
            ),
        ),
        (
            _sends_on,
            (
                "Expected nothing more, but the app sent `http.response.body`. A body message without "
                "`more_body=True` ends the response; send nothing after it. A response that the handler has "
                "sent itself must not be returned as well."
            ),
        ),
        (
            _starts_twice,
            (
                "Expected `http.response.body`, but the app sent `http.response.start`. Send the status and the "
                "headers once, then only the body. A response that the handler has sent itself must not be "
                "returned as well."
            ),
        ),
    ],
)
def test_a_response_that_is_sent_twice_is_refused_in_words(endpoint: Any, message: str) -> None:
    exchange = call(Starlette(routes=[Route("/", endpoint)]))
    assert isinstance(exchange.error, ProtocolError)
    assert str(exchange.error) == message
    assert len(exchange.sent) <= 2
