"""WSGI apps, in threads, by PEP 3333."""

import importlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from playground.asgi import Message
from playground.errors import ProtocolError, UsageError
from playground.web.exceptions import StarletteDeprecationWarning
from tests.web.exchange import Backend, call, call_scope, exactly, http_scope, request_message, run

with warnings.catch_warnings():
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from playground.web.middleware.wsgi import WSGIMiddleware, build_environ

both = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def test_importing_it_warns() -> None:
    module = sys.modules["playground.web.middleware.wsgi"]
    message = (
        "The module `middleware.wsgi` is deprecated and will go in a later release. Use a2wsgi in its place: "
        "https://github.com/abersheeran/a2wsgi"
    )
    with pytest.warns(StarletteDeprecationWarning, match=exactly(message)):
        importlib.reload(module)


@both
def test_a_request_goes_in_and_a_response_comes_out(backend: Backend) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("201 Created", [("X-Kind", " plain")])  # as Django writes a cookie
        return [environ["wsgi.input"].read(), b"!"]

    pieces = [request_message(b"one ", more_body=True), request_message(b"two")]
    exchange = call(WSGIMiddleware(app), method="POST", messages=pieces, backend=backend)
    assert (exchange.status, exchange.headers, exchange.text) == (201, {"x-kind": "plain"}, "one two!")


@both
def test_what_is_written_goes_ahead_of_what_is_returned(backend: Backend) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"written ")
        return [b"returned"]

    assert call(WSGIMiddleware(app), backend=backend).text == "written returned"


@both
def test_a_response_is_never_ahead_of_its_client_and_is_closed_when_it_leaves(backend: Backend) -> None:
    log: list[str] = []

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            for number in range(9):
                log.append(f"make {number}")
                yield b"%d" % number

        def close(self) -> None:
            log.append("closed")

    def app(environ: Any, start_response: Any) -> Pieces:
        start_response("200 OK", [])
        return Pieces()

    async def send(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        if body := message.get("body"):
            log.append(f"sent {body.decode()}")
            if body == b"2":
                raise OSError("the client has left")

    async def main() -> None:
        async def receive() -> Message:
            return request_message()

        with pytest.raises(OSError, match=exactly("the client has left")):
            await WSGIMiddleware(app)(http_scope(), receive, send)

    run(main, backend)
    assert log == [*(f"{verb} {number}" for number in range(3) for verb in ("make", "sent")), "closed"]


def test_an_error_that_the_app_answers_is_raised_after_its_answer() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        try:
            raise ValueError("answered")
        except ValueError:
            start_response("500 Oh", [], sys.exc_info())
            return [b"sorry"]

    exchange = call(WSGIMiddleware(app))
    assert (exchange.status, exchange.text, repr(exchange.error)) == (500, "sorry", "ValueError('answered')")


def test_an_app_that_breaks_the_order_is_told() -> None:
    def silent(environ: Any, start_response: Any) -> list[bytes]:
        return [b"body"]

    def twice(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    error = call(WSGIMiddleware(silent)).error
    assert isinstance(error, ProtocolError)
    assert str(error) == (
        "Expected a call of start_response before the body, got none. "
        "A WSGI app calls start_response(status, headers) once, then returns its body."
    )
    error = call(WSGIMiddleware(twice)).error
    assert isinstance(error, ProtocolError)
    assert str(error) == (
        "Expected one call of start_response, got another. Only a call with exc_info may replace the first."
    )


@pytest.mark.parametrize(
    ("root_path", "path", "path_info"),
    [("", "/a", "/a"), ("/a", "/a/b", "/b"), ("/a", "/ab", "/ab"), ("/a", "/a", ""), ("/ü", "/ü/ü", "/Ã¼")],
)
def test_paths_are_cut_between_segments(root_path: str, path: str, path_info: str) -> None:
    assert build_environ(http_scope(path, root_path=root_path), b"")["PATH_INFO"] == path_info


def test_headers_that_are_repeated_are_joined() -> None:
    headers = [(b"accept", b"a"), (b"accept", b"b"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]
    environ = build_environ(http_scope(headers=headers), b"")
    assert (environ["HTTP_ACCEPT"], environ["HTTP_COOKIE"]) == ("a,b", "a=1; b=2")


def test_a_wsgi_app_answers_requests_only_and_knows_its_client() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("content-type", "text/plain")])
        return [str(environ.get("REMOTE_ADDR")).encode()]

    assert call(WSGIMiddleware(app), client=("10.0.0.7", 5)).text == "10.0.0.7"
    assert call(WSGIMiddleware(app)).text == "None"
    with pytest.raises(
        UsageError, match=exactly("A WSGI app answers HTTP requests only, got a scope of type 'websocket'.")
    ):
        raise call_scope(WSGIMiddleware(app), {"type": "websocket"}).error or AssertionError("expected an error")


def test_a_wsgi_app_that_fails_after_its_start_raises_what_it_gives() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"begun"
        try:
            raise ValueError("half-way")
        except ValueError as error:
            start_response("500 Oops", [], (type(error), error, error.__traceback__))

    heard = call(WSGIMiddleware(app))
    assert (heard.status, repr(heard.error)) == (200, "ValueError('half-way')")
