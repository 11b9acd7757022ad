"""What a response sends, and when."""

import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from http.cookies import CookieError
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from playground.asgi import Message
from playground.errors import HandlerError, UsageError
from playground.web.background import BackgroundTask, BackgroundTasks
from playground.web.datastructures import URL
from playground.web.requests import ClientDisconnect
from playground.web.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

from .exchange import Backend, call, call_scope, exactly, http_scope, request_message, run

BACKENDS: list[Backend] = ["asyncio", "trio"]
NEW_SERVER: dict[str, Any] = {"asgi": {"version": "3.0", "spec_version": "2.4"}}
OLD_SERVER: dict[str, Any] = {"asgi": {"version": "3.0", "spec_version": "2.3"}}
PLAIN = (b"content-type", b"text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("response", "body", "headers"),
    [
        (Response(), b"", [(b"content-length", b"0")]),
        (Response(b"x"), b"x", [(b"content-length", b"1")]),
        (Response(memoryview(b"xy")), b"xy", [(b"content-length", b"2")]),
        (PlainTextResponse("é"), "é".encode(), [(b"content-length", b"2"), PLAIN]),
        (
            Response("x", media_type="text/x; charset=l"),
            b"x",
            [(b"content-length", b"1"), (b"content-type", b"text/x; charset=l")],
        ),
        (HTMLResponse("<b>"), b"<b>", [(b"content-length", b"3"), (b"content-type", b"text/html; charset=utf-8")]),
        (
            JSONResponse({"a": "é"}),
            '{"a":"é"}'.encode(),
            [(b"content-length", b"10"), (b"content-type", b"application/json")],
        ),
        (
            PlainTextResponse("x", headers={"Content-Type": "a/b", "X": "1"}),
            b"x",
            [(b"content-type", b"a/b"), (b"x", b"1"), (b"content-length", b"1")],
        ),
        (PlainTextResponse("x", headers={"content-length": "9"}), b"x", [(b"content-length", b"9"), PLAIN]),
    ],
)
def test_a_response_sends_its_headers_and_body(response: Response, body: bytes, headers: list[Any]) -> None:
    assert call(response).sent == [
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": body},
    ]


def test_what_a_subclass_decides_stands() -> None:
    class Latin(PlainTextResponse):
        charset = "latin-1"

    class Shouted(PlainTextResponse):
        def render(self, content: Any) -> bytes:
            return bytes(content.upper(), "utf-8")

    class Bare(PlainTextResponse):
        def init_headers(self, headers: Any = None) -> None:
            self.raw_headers = []

    class Own(Response):
        def __init__(self, content: str) -> None:
            self.media_type = "text/own"
            super().__init__(content)

    assert (Latin("é").body, Latin("é").headers["content-type"]) == (b"\xe9", "text/plain; charset=latin-1")
    assert (Shouted("é").body, Shouted("é").headers["content-length"]) == ("É".encode(), "2")
    assert (Bare("x").body, Bare("x").raw_headers) == (b"x", [])
    assert Own("x").headers["content-type"] == "text/own; charset=utf-8"
    assert Own("x").media_type == "text/own"


@pytest.mark.parametrize("length", [0, 1, 4095, 4096, 100_000])
def test_the_length_is_that_of_the_body(length: int) -> None:
    for response in (Response(b"x" * length), PlainTextResponse("x" * length), Response(b"x" * length, 404)):
        assert response.headers["content-length"] == str(length)


@pytest.mark.parametrize("content", [{"a": 1}, 3, ["x"]])
def test_a_content_that_is_no_text_is_refused_in_words(content: Any) -> None:
    message = (
        f"PlainTextResponse expects text or bytes as its content, got {type(content).__name__}. "
        "Make a text of it, or return JSONResponse(...), which takes whatever has a form in JSON."
    )
    with pytest.raises(HandlerError, match=exactly(message)):
        PlainTextResponse(content)


def test_no_two_responses_share_their_headers() -> None:
    PlainTextResponse("x").headers["content-type"] = "a/b"
    PlainTextResponse("x").raw_headers.clear()
    assert PlainTextResponse("x").raw_headers == [(b"content-length", b"1"), PLAIN]


@pytest.mark.parametrize("view", [memoryview(b"01234567").cast("I"), memoryview(b"0123456789abcdef")[::2]])
def test_a_view_is_sent_as_its_bytes(view: memoryview) -> None:
    answer = call(Response(view))
    assert (answer.headers["content-length"], answer.body) == ("8", view.tobytes())
    assert call(StreamingResponse(iter([view]))).body == view.tobytes()


@pytest.mark.parametrize("break_", ["\r", "\n", "\0"])
def test_a_header_cannot_be_split(break_: str) -> None:
    message = (
        f"The header 'x' was given the value {f'a{break_}b'!r}, which holds {break_!r}: it would end the header "
        "and begin another. Remove line breaks and zero bytes from the value, or encode them."
    )
    for _ in range(2):  # names that have been seen are looked up in a table
        with pytest.raises(ValueError, match=exactly(message)):
            Response("x", headers={"x": f"a{break_}b"})
        Response("x", headers={"x": "a"})


@pytest.mark.parametrize("status", [100, 204, 304])
def test_a_status_without_a_body_has_no_length(status: int) -> None:
    assert Response(status_code=status).raw_headers == []


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(_json)
def test_json_is_what_the_standard_library_writes(content: Any) -> None:
    try:
        expected = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8
        with pytest.raises(UnicodeEncodeError):
            JSONResponse(content)
        return
    assert JSONResponse(content).body == expected


def test_what_json_cannot_say_is_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match=exactly("Circular reference detected")):
        JSONResponse(circle)
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"^Out of range float values are not JSON compliant"):
            JSONResponse([number])
    with pytest.raises(TypeError, match=r"^Object of type set is not JSON serializable"):
        JSONResponse({"a": {1}})


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("/a b?q=ü&x=[1]#f%20", "/a%20b?q=%C3%BC&x=[1]#f%20"),
        (URL("http://h/"), "http://h/"),
        ("/a\r\nX: y", "/a%0D%0AX:%20y"),
    ],
)
def test_a_redirect_quotes_its_url(url: str | URL, location: str) -> None:
    answer = call(RedirectResponse(url))
    assert (answer.status, answer.headers["location"], answer.body) == (307, location, b"")


def test_headers_are_changed_until_they_are_sent() -> None:
    response = PlainTextResponse("x")
    response.headers["x-a"] = "1"
    response.raw_headers.append((b"x-b", b"2"))
    response.headers["x-c"] = "3"
    assert list(call(response).headers)[2:] == ["x-a", "x-b", "x-c"]
    response.raw_headers = [(b"x-d", b"4")]
    assert response.headers.items() == [("x-d", "4")]


@pytest.mark.parametrize(
    ("arguments", "header"),
    [
        ({"value": "b"}, "a=b; Path=/; SameSite=lax"),
        ({"value": "b c"}, 'a="b c"; Path=/; SameSite=lax'),
        ({"max_age": 0, "path": None, "samesite": None}, 'a=""; Max-Age=0'),
        ({"secure": True, "httponly": True, "domain": "d"}, 'a=""; Domain=d; HttpOnly; Path=/; SameSite=lax; Secure'),
        (
            {"expires": datetime(2037, 1, 22, 12, tzinfo=UTC)},
            'a=""; expires=Thu, 22 Jan 2037 12:00:00 GMT; Path=/; SameSite=lax',
        ),
        ({"expires": "whenever", "samesite": "none"}, 'a=""; expires=whenever; Path=/; SameSite=none'),
    ],
)
def test_a_cookie_is_set_with_its_attributes(arguments: dict[str, Any], header: str) -> None:
    response = Response()
    response.set_cookie("a", **arguments)
    assert response.headers["set-cookie"] == header


def test_a_cookie_is_deleted_by_having_ended() -> None:
    response = Response()
    response.delete_cookie("a", path="/p", domain="d")
    pattern = r'^a=""; Domain=d; expires=\w{3}, [\w :]+ GMT; Max-Age=0; Path=/p; SameSite=lax$'
    assert re.match(pattern, response.headers["set-cookie"])


def test_a_cookie_that_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match=exactly("samesite must be either 'strict', 'lax' or 'none', got 'maybe'")):
        Response().set_cookie("a", samesite="maybe")  # type: ignore[arg-type]
    with pytest.raises(CookieError):
        Response().set_cookie("a b")
    with pytest.raises((ValueError, CookieError)):
        Response().set_cookie("a", domain="d\r\nX: y")


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the standard library knows partitioned cookies")
def test_partitioned_cookies_need_a_newer_python() -> None:
    with pytest.raises(ValueError, match=exactly("Partitioned cookies are only supported in Python 3.14 and above.")):
        Response().set_cookie("a", partitioned=True)


def test_a_response_refuses_a_websocket() -> None:
    scope = {**http_scope(), "type": "websocket"}
    sent = call_scope(StreamingResponse(iter(["no"]), 403), scope).sent
    assert [message["type"] for message in sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
        "websocket.http.response.body",
    ]
    assert [message["type"] for message in call_scope(Response("no", 403), scope).sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]


async def silence() -> Message:
    """A client that neither says anything nor leaves."""
    await anyio.sleep_forever()
    raise AssertionError("forever has an end")


def _numbers() -> Iterator[str]:
    yield "1"
    yield "2"


async def _async_numbers() -> AsyncIterator[str | bytes]:
    yield "1"
    yield b"2"


async def _broken() -> AsyncIterator[str]:
    yield "1"
    raise LookupError("no more")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("server", [NEW_SERVER, OLD_SERVER])
@pytest.mark.parametrize("content", [_numbers, _async_numbers, lambda: ["1", "2"]])
def test_a_stream_is_sent_piece_by_piece(content: Callable[[], Any], server: dict[str, Any], backend: Backend) -> None:
    async def stay(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(content(), media_type="text/plain")(scope, silence, send)

    answer = call(stay, backend=backend, **server)
    assert answer.error is None
    assert answer.sent[0]["headers"] == [PLAIN]
    assert [(message["body"], message["more_body"]) for message in answer.sent[1:]] == [
        (b"1", True),
        (b"2", True),
        (b"", False),
    ]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("server", [NEW_SERVER, OLD_SERVER])
def test_an_error_in_a_stream_is_raised_as_it_is(server: dict[str, Any], backend: Backend) -> None:
    async def stay(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(_broken())(scope, silence, send)

    answer = call(stay, backend=backend, **server)
    assert repr(answer.error) == "LookupError('no more')"
    assert len(answer.sent) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_client_that_leaves_an_old_server_ends_the_stream(backend: Backend) -> None:
    ended: list[str] = []

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "x"
                await checkpoint()
        finally:
            ended.append("the stream")

    response = StreamingResponse(endless(), background=BackgroundTask(ended.append, "the background task"))
    assert call(response, messages=[request_message()], backend=backend, **OLD_SERVER).error is None
    assert "the background task" in ended


def test_a_client_that_leaves_a_new_server_is_a_disconnect() -> None:
    async def send(message: Message) -> None:
        raise OSError("gone")

    async def answer() -> None:
        with pytest.raises(ClientDisconnect):
            await StreamingResponse(_numbers())(http_scope(), silence, send)

    run(answer)


@pytest.mark.parametrize("backend", BACKENDS)
def test_background_tasks_run_in_order_after_the_response(backend: Backend) -> None:
    done: list[str] = []

    async def later(name: str) -> None:
        done.append(name)

    tasks = BackgroundTasks([BackgroundTask(later, "1")])
    tasks.add_task(done.append, "2")
    tasks.add_task(later, name="3")
    answer = call(Response("x", background=tasks), backend=backend)
    assert answer.error is None
    assert done == ["1", "2", "3"]


def test_a_background_task_that_fails_ends_the_sequence() -> None:
    done: list[int] = []

    def fail() -> None:
        raise LookupError("failed")

    tasks = BackgroundTasks()
    tasks.add_task(fail)
    tasks.add_task(done.append, 1)
    assert repr(call(Response("x", background=tasks)).error) == "LookupError('failed')"
    assert done == []
