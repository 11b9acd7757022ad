"""An app at the far end of an `httpx.AsyncClient`."""

import contextvars
import gc
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from playground.asgi import Receive, Scope, Send
from playground.transport import ASGITransport, http_scope
from playground.transport.exchange import BUFFER_BYTES, Exchange
from tests.transport.helpers import START, app_of, body, client, echo, hello

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]

VAR: contextvars.ContextVar[str] = contextvars.ContextVar("VAR", default="unset")


async def test_a_request_and_its_answer() -> None:
    scopes = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await echo(scope, receive, send)

    async with client(app, root_path="/sub", client=("10.0.0.1", 9), state={"db": 1}) as http:
        response = await http.post("https://lab:99/a%20b?q=1", content=b"abc", headers={"X-Upper": "Kept"})
    assert (response.status_code, response.headers["x-a"], response.content) == (200, "1", b"abc")
    assert response.http_version == "HTTP/1.1"
    assert response.elapsed.total_seconds() > 0
    (scope,) = scopes
    headers = dict(scope["headers"])
    assert (headers[b"host"], headers[b"x-upper"], headers[b"content-length"]) == (b"lab:99", b"Kept", b"3")
    assert {**scope, "headers": []} == http_scope(
        "POST",
        b"/a%20b?q=1",
        scheme="https",
        host="lab",
        port=99,
        client=("10.0.0.1", 9),
        root_path="/sub",
        state={"db": 1},
    )


async def test_the_response_is_there_before_its_body() -> None:
    go_on = anyio.Event()

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await go_on.wait()
        await send(body(b"late"))

    async with client(app_of(handler)) as http, http.stream("GET", "/") as response:
        assert response.status_code == 200
        go_on.set()
        assert await response.aread() == b"late"


async def test_a_form_with_a_file_arrives_in_pieces() -> None:
    async with client(echo) as http:
        response = await http.post("/", data={"a": "1"}, files={"f": ("f.txt", bytes(3 * BUFFER_BYTES))})
    assert response.request.headers["content-length"] == str(len(response.content))
    assert bytes(3 * BUFFER_BYTES) in response.content


async def test_an_asynchronous_body_arrives_in_pieces() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    async with client(echo) as http, http.stream("POST", "/", content=pieces()) as response:
        assert [piece async for piece in response.aiter_raw()] == [b"ab", b"c"]


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_what_streams_through_is_not_kept(direction: str) -> None:
    piece, count = bytes(64 * 1024), 400  # 25 MiB

    async def upload() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield bytes(len(piece))

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        while direction == "up" and (await receive())["more_body"]:
            pass
        for _ in range(count if direction == "down" else 0):
            await send(body(bytes(len(piece)), more=True))
        await send(body())

    content = upload() if direction == "up" else None
    tracemalloc.start()
    try:
        async with client(app_of(handler)) as http, http.stream("POST", "/", content=content) as response:
            got = 0
            async for part in response.aiter_raw():
                got += len(part)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert got == (count * len(piece) if direction == "down" else 0)
    assert peak < 16 * len(piece)


async def test_context_variables_of_the_caller_are_seen_by_the_app() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(VAR.get().encode()))

    VAR.set("the caller's")
    async with client(app_of(handler)) as http:
        assert (await http.get("/")).text == "the caller's"


async def test_trailers_and_early_hints_are_extensions_of_the_response() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send({"type": "http.response.early_hint", "links": [b"</a>"]})
        await send({**START, "trailers": True})
        await send(body(b"abc"))
        await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"7")]})

    async with client(app_of(handler)) as http:
        response = await http.get("/")
    assert response.extensions["early_hints"] == [b"</a>"]
    assert response.extensions["trailers"] == [(b"x-sum", b"7")]


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_a_bodiless_answer_keeps_its_headers(method: str) -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send({**START, "status": 200 if method == "HEAD" else 304, "headers": [(b"content-length", b"5")]})
        await send(body(b"hello" if method == "HEAD" else b""))

    async with client(app_of(handler)) as http:
        response = await http.request(method, "/")
    assert (response.headers["content-length"], response.content) == ("5", b"")


async def test_redirects_and_cookies_are_the_clients_own() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/":
            await send({**START, "status": 307, "headers": [(b"location", b"/to"), (b"set-cookie", b"a=1")]})
            await send(body())
        else:
            headers = dict(scope["headers"])
            await send({**START, "headers": []})
            await send(body(headers.get(b"cookie", b"")))

    async with client(app) as http:
        response = await http.get("/", follow_redirects=True)
    assert (response.text, len(response.history)) == ("a=1", 1)


# Leaving early.


async def test_a_request_of_no_known_library_is_refused_in_words() -> None:
    request: Any = object()
    with pytest.raises(TypeError) as caught:
        await ASGITransport(hello).handle_async_request(request)
    assert str(caught.value) == (
        "expected a request of httpx or httpx2, but got a object. Send it with httpx.AsyncClient(transport=...)."
    )


@pytest.mark.parametrize(("status", "phrase"), [(200, "OK"), (404, "Not Found"), (299, "")])
async def test_a_status_has_the_phrase_that_a_server_writes(status: int, phrase: str) -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status})
        await send(body())

    async with client(app_of(handler)) as http:
        response = await http.get("/")
    assert response.reason_phrase == phrase


def exchanges() -> list[Exchange]:
    return [one for one in gc.get_objects() if type(one) is Exchange]


@pytest.mark.slow
async def test_a_response_that_was_read_holds_nothing_of_its_exchange() -> None:
    async with client(hello) as http:
        gc.collect()
        of_others = set(map(id, exchanges()))
        gc.disable()  # which would find what hangs in the client library's own cycle
        try:
            responses = [await http.get("/") for _ in range(3)]
            assert [one for one in exchanges() if id(one) not in of_others] == []
        finally:
            gc.enable()
    stream: Any = responses[0].stream
    assert [piece async for piece in stream] == []
    await stream.aclose()
