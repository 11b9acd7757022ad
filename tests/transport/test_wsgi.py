"""A WSGI app at the far end of an `httpx.AsyncClient`: one thread a request, streams, and PEP 3333 to the letter."""

import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from wsgiref.validate import validator

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import ClientGone, ProtocolError
from playground.transport import Network, WSGITransport, http_scope
from playground.transport._app_side import BUFFER_BYTES
from playground.transport._environ import environ_of
from playground.transport.wsgi import Input, wsgi_as_asgi
from tests.transport.helpers import dropped_by_httpx, settle

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]

PLAIN = [("Content-Type", "text/plain")]


def client(app: Any, **options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=WSGITransport(app, **options), base_url="http://lab")


def hello(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", PLAIN)
    return [b"hel", b"lo"]


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", PLAIN)
    return [environ["wsgi.input"].read()]


class Pieces:
    """An iterable that counts how often it was closed, and in which threads it was used."""

    def __init__(self, pieces: Any) -> None:
        self.pieces = iter(pieces)
        self.closed = 0
        self.threads = {threading.current_thread()}

    def __iter__(self) -> "Pieces":
        return self

    def __next__(self) -> bytes:
        self.threads.add(threading.current_thread())
        return bytes(next(self.pieces))

    def close(self) -> None:
        self.closed += 1
        self.threads.add(threading.current_thread())


def app_of(pieces: Pieces) -> Any:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Pieces:
        pieces.threads = {threading.current_thread()}
        start_response("200 OK", PLAIN)
        return pieces

    return app


# The environ.


def test_the_environ_holds_what_the_pep_asks_for() -> None:
    headers = [
        (b"Content-Type", b"text/plain"),
        (b"Content-Length", b"3"),
        (b"X-A", b"1"),
        (b"x-a", b"2"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
    ]
    scope = http_scope("post", b"/sub/a%20b/%C3%A9?q=%20", headers, scheme="https", host="lab", root_path="/sub")
    assert environ_of(scope) == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/sub",
        "PATH_INFO": "/a b/é".encode().decode("latin-1"),
        "QUERY_STRING": "q=%20",
        "SERVER_NAME": "lab",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "123",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "3",
        "HTTP_X_A": "1, 2",
        "HTTP_COOKIE": "a=1; b=2",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_path_survives_the_detour_through_latin_1(path: str) -> None:
    scope = {**http_scope("GET", b"/"), "path": "/" + path}
    assert environ_of(scope)["PATH_INFO"].encode("latin-1").decode("utf-8") == "/" + path


async def test_the_standard_librarys_validator_has_nothing_to_say() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        assert environ["wsgi.errors"].__class__.__name__ == "ErrorWrapper"
        return echo(environ, start_response) if environ["REQUEST_METHOD"] == "PUT" else hello(environ, start_response)

    async with client(validator(app)) as http:
        assert (await http.get("/a?q=1")).text == "hello"


# Requests.


async def test_a_request_is_handed_to_a_thread_once() -> None:
    pieces = Pieces([b"a", b"", b"b"])
    async with client(app_of(pieces)) as http:
        response = await http.get("/")
    assert (response.status_code, response.headers["content-type"], response.content) == (200, "text/plain", b"ab")
    assert pieces.closed == 1
    assert len(pieces.threads) == 1
    assert threading.current_thread() not in pieces.threads


async def test_a_body_can_be_read_in_every_way_a_file_can() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"]
        start_response("200 OK", PLAIN)
        return [b"|".join([body.read(2), body.readline(), *body.readlines(), body.read(), body.read(5)])]

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"ab", b"c\nd", b"ef\ng"):
            yield piece

    async with client(app) as http:
        for content in (b"abc\ndef\ng", pieces()):
            response = await http.post("/", content=content)
            assert response.content == b"ab|c\n|def\n|g||"
        assert (await http.get("/")).content == b"|||"


async def test_a_body_may_be_answered_while_it_comes() -> None:
    seen = anyio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first\n"
        await seen.wait()  # would never end if the answer waited for the end of the body
        yield b"second\n"

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield from environ["wsgi.input"]

    async with client(app) as http, http.stream("POST", "/", content=pieces()) as response:
        got = response.aiter_raw()
        assert await anext(got) == b"first\n"
        seen.set()
        assert [piece async for piece in got] == [b"second\n"]


async def test_requests_run_at_once_up_to_the_limit() -> None:
    barrier = threading.Barrier(2)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        barrier.wait(10)  # two at once pass; a third alone would break it
        return hello(environ, start_response)

    async with client(app, limiter=anyio.CapacityLimiter(2)) as http, anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(http.get, "/")


# Responses.


async def test_the_first_piece_is_there_while_the_app_still_works() -> None:
    go_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"first"
        assert go_on.wait(10)
        yield b"second"

    async with client(app_of(Pieces(pieces()))) as http, http.stream("GET", "/") as response:
        got = response.aiter_raw()
        assert await anext(got) == b"first"
        go_on.set()
        assert [piece async for piece in got] == [b"second"]


@dropped_by_httpx
async def test_an_endless_body_waits_for_its_client_and_is_closed_when_that_leaves() -> None:
    made = 0

    def endless() -> Iterator[bytes]:
        nonlocal made
        while True:
            made += 1
            yield bytes(1024)

    pieces = Pieces(endless())
    async with client(app_of(pieces)) as http:
        async with http.stream("GET", "/"):
            with anyio.fail_after(10):
                while made * 1024 < BUFFER_BYTES:
                    await settle()
            assert made * 1024 <= BUFFER_BYTES + 2048
        assert pieces.closed == 1


async def test_what_is_written_comes_before_what_is_returned() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        write = start_response("200 OK", PLAIN)
        write(b"written ")
        return [b"returned"]

    async with client(app) as http:
        assert (await http.get("/")).content == b"written returned"


async def test_start_response_may_be_called_late() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        yield b""
        start_response("404 Not Found", PLAIN)
        yield b"a"

    async with client(app) as http:
        assert (await http.get("/")).status_code == 404


async def test_spaces_around_a_header_are_none_of_its_value() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Set-Cookie", " a=1; Path=/"), ("X-A", "b  c \t"), ("X-Empty", "")])
        return []

    async with client(app) as c:
        response = await c.get("/")
    assert response.headers.raw == [(b"Set-Cookie", b"a=1; Path=/"), (b"X-A", b"b  c"), (b"X-Empty", b"")]


async def test_an_error_handler_may_start_anew_until_something_was_sent() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        try:
            if environ["PATH_INFO"] == "/late":
                yield b"a"
            raise ValueError("broken")
        except ValueError:
            start_response("500 Oops", [], sys.exc_info())
            yield b"sorry"

    async with client(app) as http:
        response = await http.get("/")
        assert (response.status_code, response.content, "content-type" in response.headers) == (500, b"sorry", False)
        with pytest.raises(ValueError, match=r"^broken$"):
            await http.get("/late")


async def test_it_goes_over_a_network_too() -> None:
    async with client(hello, network=Network(loss=1)) as http:
        with pytest.raises(httpx.TransportError):
            await http.get("/")


# What goes wrong.


async def test_what_the_app_raises_is_raised_and_its_iterable_closed() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        raise ValueError("broken")

    iterable = Pieces(pieces())
    async with client(app_of(iterable)) as http:
        with pytest.raises(ValueError, match=r"^broken$"):
            await http.get("/")
    assert iterable.closed == 1


@pytest.mark.parametrize(
    ("calls", "pieces", "words"),
    [
        (
            [],
            [b"a"],
            (
                "a call of `start_response`, but the app sent its body without one. Call it with the status and "
                "the headers first."
            ),
        ),
        (
            [("200 OK", []), ("200 OK", [])],
            [],
            ("one call of `start_response`, but the app called it again. Only an error handler may, with `exc_info`."),
        ),
        (
            [(200, [])],
            [],
            ("a status such as '200 OK', but `start_response` got 200. Pass the number and its phrase, as one string."),
        ),
        (
            [("OK", [])],
            [],
            (
                "a status such as '200 OK', but `start_response` got 'OK'. Pass the number and its phrase, as "
                "one string."
            ),
        ),
        (
            [("200 OK", [("a", 1)])],
            [],
            (
                "headers of (name, value) pairs of str in latin-1, but `start_response` got others. Write every "
                "name and every value as a str."
            ),
        ),
        (
            [("200 OK", [])],
            ["a"],
            ("a body of bytes, but the app gave a str. Encode text before returning it."),
        ),
    ],
)
async def test_what_is_no_wsgi_is_refused_in_words(calls: list[Any], pieces: list[Any], words: str) -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[Any]:
        for call in calls:
            start_response(*call)
        return pieces

    async with client(app) as http:
        with pytest.raises(ProtocolError) as caught:
            await http.get("/x")
    assert str(caught.value) == f"GET /x: expected {words}"


async def test_only_http_reaches_a_wsgi_app() -> None:
    asgi: Any = wsgi_as_asgi(hello)
    with pytest.raises(ProtocolError) as caught:
        await asgi({"type": "websocket"}, None, None)
    assert str(caught.value) == "expected an HTTP request for a WSGI app, but got `websocket`. WSGI has no other."


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_an_os_error() -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientGone) as caught:
        await anyio.to_thread.run_sync(Input(receive).readinto, bytearray(1))
    assert isinstance(caught.value, OSError)
    assert str(caught.value) == (
        "expected the rest of the request's body, but the client has gone. Clean up and return."
    )
