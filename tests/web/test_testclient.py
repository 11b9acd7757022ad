"""The test clients: requests and streams as a test sees them, over either client library, on either event loop."""

import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from playground.asgi import Receive, Scope, Send
from playground.web.applications import Starlette
from playground.web.background import BackgroundTask
from playground.web.exceptions import StarletteDeprecationWarning
from playground.web.requests import Request
from playground.web.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from playground.web.routing import Route
from playground.web.websockets import WebSocketDisconnect
from tests.transport.helpers import body
from tests.web.tested import SOCKETS, START, app_that_sends

# Requests.


def test_a_request_and_its_answer(client_of: Any) -> None:
    async def show(request: Request[Any]) -> Response:
        return JSONResponse(
            {
                "method": request.method,
                "url": str(request.url),
                "agent": request.headers["user-agent"],
                "body": (await request.body()).decode(),
                "client": request.client,
                "root_path": request.scope["root_path"],
            }
        )

    app = Starlette(routes=[Route("/{path:path}", show, methods=["POST"])])
    client = client_of(app, client=("lab", 9), headers={"x-a": "1"})
    assert client.post("/a?q=1", content=b"abc").json() == {
        "method": "POST",
        "url": "http://testserver/a?q=1",
        "agent": "testclient",
        "body": "abc",
        "client": ["lab", 9],
        "root_path": "",
    }


def test_redirects_are_followed_and_cookies_kept(client_of: Any) -> None:
    async def login(request: Request[Any]) -> Response:
        response = RedirectResponse("/home", 303)
        response.set_cookie("user", "ada")
        return response

    async def home(request: Request[Any]) -> Response:
        return PlainTextResponse(request.cookies["user"])

    client = client_of(Starlette(routes=[Route("/login", login), Route("/home", home)]))
    assert client.get("/login").text == "ada"
    assert client.get("/login", follow_redirects=False).status_code == 303
    assert client.cookies["user"] == "ada"


def test_a_body_made_of_pieces_is_made_in_the_tests_own_thread(client_of: Any) -> None:
    threads = []

    def pieces() -> Iterator[bytes]:
        threads.append(threading.current_thread())
        yield b"a"
        yield b"b"

    async def echo(request: Request[Any]) -> Response:
        return Response(await request.body())

    client = client_of(Starlette(routes=[Route("/", echo, methods=["POST"])]))
    assert client.post("/", content=pieces()).content == b"ab"
    assert threads == [threading.current_thread()]


def test_an_app_of_asgi_2_is_called_twice(client_of: Any) -> None:
    def app(scope: Scope) -> Any:
        async def answer(receive: Receive, send: Send) -> None:
            await send(START)
            await send(body(scope["path"].encode()))

        return answer

    class App:
        def __init__(self, scope: Scope) -> None:
            self.answer = app(scope)

        def __call__(self, receive: Receive, send: Send) -> Any:
            return self.answer(receive, send)

    assert client_of(app).get("/x").content == b"/x"
    assert client_of(App).get("/x").content == b"/x"


def test_a_timeout_counts_for_nothing_and_is_deprecated(client_of: Any) -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep(0.02)
        await app_that_sends(START, body(b"late"))(scope, receive, send)

    with pytest.warns(StarletteDeprecationWarning, match=r"^You should not use the 'timeout' argument") as caught:
        assert client_of(slow).get("/", timeout=0.001).text == "late"
    assert caught[0].filename == __file__


# What streams, and how it ends.


def test_a_response_is_there_before_its_body(client_of: Any) -> None:
    go_on = threading.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        while not go_on.is_set():
            await anyio.sleep(0.001)
        yield b"second"

    async def stream(request: Request[Any]) -> Response:
        return StreamingResponse(pieces())

    client = client_of(Starlette(routes=[Route("/", stream)]))
    with client.stream("GET", "/") as response:
        got = response.iter_raw()
        assert next(got) == b"first"
        go_on.set()
        assert list(got) == [b"second"]


def test_an_app_does_not_run_ahead_of_the_test(client_of: Any) -> None:
    sent = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        for number in range(3):
            await send(body(b"%d" % number, more=True))
            sent.append(number)
        await send(body())

    with client_of(app).stream("GET", "/") as response:
        assert sent == []
        assert response.read() == b"012"
    assert sent == [0, 1, 2]


def test_closing_a_response_that_has_not_ended_ends_its_app(client_of: Any) -> None:
    told: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        await send(body(b"a", more=True))
        try:
            told.append((await receive())["type"])
            await anyio.sleep_forever()
        finally:
            told.append("cancelled")

    with client_of(app).stream("GET", "/") as response:
        got = response.iter_raw()
        assert next(got) == b"a"
    assert told == ["http.disconnect", "cancelled"]


def test_background_tasks_are_waited_for(client_of: Any) -> None:
    done = []

    async def later() -> None:
        await anyio.sleep(0.01)
        done.append(True)

    async def home(request: Request[Any]) -> Response:
        return PlainTextResponse("a", background=BackgroundTask(later))

    assert client_of(Starlette(routes=[Route("/", home)])).get("/").text == "a"
    assert done == [True]


@pytest.mark.parametrize("how", ["the block", "close"])
def test_closing_the_client_ends_what_was_left_open(client_of: Any, how: str) -> None:
    ended = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        await send(START)
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    client = client_of(app)
    with client if how == "the block" else contextlib.closing(client):
        response = client.send(client.build_request("GET", "/"), stream=True)
        assert response.status_code == 200
    assert ended.is_set()
    response.close()  # which finds nothing left to do


# The one that awaits.


@pytest.fixture
def anyio_backend(backend: str) -> str:
    return backend


@pytest.mark.anyio
async def test_the_asynchronous_client_runs_the_app_on_the_tests_own_loop(module: Any) -> None:
    seen: list[Any] = []

    @asynccontextmanager
    async def of_app(app: Any) -> AsyncIterator[dict[str, Any]]:
        seen.append("up")
        yield {"event": anyio.Event()}
        seen.append("down")

    async def home(request: Request[Any]) -> Response:
        request.state.event.set()
        return PlainTextResponse("a")

    app = Starlette(routes=[Route("/", home), *SOCKETS.routes], lifespan=of_app)
    async with module.AsyncTestClient(app) as client:
        assert (await client.get("/")).text == "a"
        await client.app_state["event"].wait()
        async with client.websocket_connect("/talk") as websocket:
            await websocket.send_text("hi")
            assert await websocket.receive_text() == "you said hi"
        async with client.websocket_connect("/close") as websocket:
            with pytest.raises(WebSocketDisconnect) as caught:
                await websocket.receive_text()
        with pytest.raises(module.WebSocketDenialResponse):
            await client.websocket_connect("/refuse").__aenter__()
    assert caught.value.code == 4001
    assert seen == ["up", "down"]
