"""The test clients: what a test sees of an app, over either of the two client libraries, on either event loop."""

import contextlib
import importlib
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from playground.asgi import Message, Receive, Scope, Send
from playground.errors import LifespanError, NoAnswer, ProtocolError, UsageError
from playground.web.applications import Starlette
from playground.web.background import BackgroundTask
from playground.web.exceptions import StarletteDeprecationWarning
from playground.web.requests import Request
from playground.web.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from playground.web.routing import Route, WebSocketRoute
from playground.web.websockets import WebSocket, WebSocketDisconnect

START: Message = {"type": "http.response.start", "status": 200, "headers": []}

MODULES = ("playground.web.testclient", "playground.web._testing")


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def app_that_sends(*messages: Message, error: Exception | None = None) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        if error is not None:
            raise error

    return app


@pytest.fixture(params=["httpx2", "httpx"])
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, as it is where httpx2 is installed, and as it is where it is not."""
    if request.param == "httpx2":
        pytest.importorskip("httpx2", reason="httpx2 is not installed")
    else:
        monkeypatch.setitem(sys.modules, "httpx2", None)
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    found = importlib.import_module(MODULES[0])
    assert found.TestClient.__mro__[1].__module__.partition(".")[0] == request.param
    return found


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client_of(module: Any, backend: str) -> Iterator[Callable[..., Any]]:
    """Makes clients; afterwards no thread of theirs may be left."""
    before = threading.active_count()
    yield lambda app, **options: module.TestClient(app, backend=backend, **options)
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.001)  # anyio's worker threads end a moment after their loop
    assert threading.active_count() <= before


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


# What an app does wrong.


@pytest.mark.parametrize("first", [(), (START,), (START, body(b"a", more=True)), (START, body(b"a"))])
def test_what_the_app_raises_is_raised_in_the_test_or_ends_the_response(client_of: Any, first: Any) -> None:
    app = app_that_sends(*first, error=ValueError("broken"))
    with pytest.raises(ValueError, match=r"^broken$"):
        client_of(app).get("/")
    response = client_of(app, raise_server_exceptions=False).get("/")
    assert (response.status_code, response.content) == (200 if first else 500, b"a" if len(first) > 1 else b"")


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (
            [],
            (
                "TestClient did not receive any response. GET /: expected `http.response.start`, but the app returned "
                "without sending one. Send a response in every branch of the app."
            ),
        ),
        (
            [body()],
            (
                'Received "http.response.body" without "http.response.start". GET /: expected `http.response.start`, '
                "but the app sent `http.response.body`. Send the status and the headers first, then the body."
            ),
        ),
        (
            [START, START],
            (
                'Received multiple "http.response.start" messages. GET /: expected `http.response.body`, but the '
                "app sent `http.response.start`. Send the status and the headers once, then only the body."
            ),
        ),
        (
            [START, body(b"a"), body()],
            (
                'Received "http.response.body" after response completed. GET /: expected nothing more, but the app '
                "sent `http.response.body`. A body message without `more_body=True` ends the response; "
                "send nothing after it."
            ),
        ),
    ],
)
def test_a_message_out_of_turn_fails_in_starlettes_words_and_ours(
    client_of: Any, messages: list[Message], words: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        client_of(app_that_sends(*messages)).get("/")
    assert isinstance(caught.value, ProtocolError)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    "messages",
    [
        [START, {"type": "of.another.world"}, body(b"a")],
        [{**START, "headers": [(b"content-length", b"9")]}, body(b"a")],
        [{**START, "status": 204}, body(b"a")],
        [START, body(b"a", more=True)],
        [{**START, "trailers": True}, body(b"a")],
    ],
)
def test_what_starlettes_client_forgives_is_forgiven(client_of: Any, messages: list[Message]) -> None:
    assert client_of(app_that_sends(*messages)).get("/").content == b"a"


def test_trailers_and_debug_information_are_on_the_response(client_of: Any) -> None:
    trailer = {"type": "http.response.trailers", "headers": [(b"x", b"1")]}
    debug = {"type": "http.response.debug", "info": {"template": "t", "context": {"a": 1}}}
    response = client_of(app_that_sends({**START, "trailers": True}, debug, body(b"a"), trailer)).get("/")
    assert response.extensions["http.response.trailers"] == [(b"x", b"1")]
    assert response.extensions["http.response.debug"] == debug["info"]
    assert (response.template, response.context) == ("t", {"a": 1})
    plain = client_of(app_that_sends(START, body())).get("/")
    assert "http.response.trailers" not in plain.extensions


# The lifespan.


def test_a_block_runs_the_lifespan_and_keeps_one_loop(client_of: Any) -> None:
    seen: list[Any] = []

    @asynccontextmanager
    async def of_app(app: Any) -> AsyncIterator[dict[str, Any]]:
        seen.append(threading.current_thread())
        yield {"db": 1}
        seen.append(threading.current_thread())

    async def home(request: Request[Any]) -> Response:
        seen.append(threading.current_thread())
        return JSONResponse(request.state.db)

    client = client_of(Starlette(routes=[Route("/", home)], lifespan=of_app))
    for _ in range(2):  # a client may be entered again
        seen.clear()
        with client:
            assert client.app_state == {"db": 1}
            assert client.get("/").json() == 1
        assert len(seen) == 3
        assert len(set(seen)) == 1
    assert client.portal is None


def test_a_lifespan_that_fails_raises_what_the_app_raised(client_of: Any) -> None:
    @asynccontextmanager
    async def of_app(app: Any) -> AsyncIterator[None]:
        if app is not None:
            raise ValueError("no database")
        yield

    with pytest.raises(ValueError, match=r"^no database$"), client_of(Starlette(lifespan=of_app)):
        pytest.fail("it was never up")


def test_a_lifespan_that_only_says_that_it_fails_is_a_named_error(client_of: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(LifespanError) as caught, client_of(app):
        pytest.fail("it was never up")
    assert str(caught.value) == "lifespan: expected the app's startup to succeed, but it failed: no database"


# Websockets.


async def talk(websocket: WebSocket[Any]) -> None:
    await websocket.accept(subprotocol="b", headers=[(b"x-b", b"2")])
    async for data in websocket.iter_text():
        await websocket.send_text(f"you said {data}")


async def refuse(websocket: WebSocket[Any]) -> None:
    await websocket.send_denial_response(PlainTextResponse("not you", status_code=403))


async def close(websocket: WebSocket[Any]) -> None:
    await websocket.accept()
    await websocket.close(4001, "enough")


SOCKETS = Starlette(
    routes=[WebSocketRoute("/talk", talk), WebSocketRoute("/refuse", refuse), WebSocketRoute("/close", close)]
)


def test_a_websocket_talks(client_of: Any) -> None:
    with client_of(SOCKETS).websocket_connect("/talk", subprotocols=["a", "b"]) as websocket:
        assert (websocket.accepted_subprotocol, websocket.extra_headers) == ("b", [(b"x-b", b"2")])
        websocket.send_text("one")
        websocket.send_text("two")
        assert [websocket.receive_text(), websocket.receive_text()] == ["you said one", "you said two"]
        websocket.close(1001)


def test_json_goes_as_text_or_as_bytes(client_of: Any) -> None:
    async def echo(websocket: WebSocket[Any]) -> None:
        await websocket.accept()
        for mode in ("text", "binary"):
            await websocket.send_json(await websocket.receive_json(mode=mode), mode=mode)

    client = client_of(Starlette(routes=[WebSocketRoute("/", echo)]))
    with client.websocket_connect("/") as websocket:
        websocket.send_json({"a": 1})
        assert websocket.receive_json() == {"a": 1}
        websocket.send_json([1], mode="binary")
        assert websocket.receive_bytes() == b"[1]"


def test_a_deadline_for_receive_that_passes_leaves_the_websocket_open(client_of: Any) -> None:
    with client_of(SOCKETS).websocket_connect("/talk") as websocket:
        with pytest.raises(NoAnswer, match=r"^WS /talk: expected `websocket.send` from the app within 0.01 s, but"):
            websocket.receive_text(timeout=0.01)
        websocket.send_text("still here")
        assert websocket.receive_text(timeout=5) == "you said still here"


def test_a_refusal_is_the_response_and_a_disconnect(client_of: Any, module: Any) -> None:
    with pytest.raises(module.WebSocketDenialResponse) as caught:
        client_of(SOCKETS).websocket_connect("/refuse").__enter__()
    assert (caught.value.status_code, caught.value.text, caught.value.code) == (403, "not you", 1006)
    assert isinstance(caught.value, WebSocketDisconnect)


def test_a_close_is_a_disconnect_with_its_code_and_reason(client_of: Any) -> None:
    with client_of(SOCKETS).websocket_connect("/close") as websocket:
        with pytest.raises(WebSocketDisconnect) as caught:
            websocket.receive_text()
        assert websocket.receive() == {"type": "websocket.close", "code": 4001, "reason": "enough"}
    assert (caught.value.code, caught.value.reason) == (4001, "enough")


def test_a_websocket_that_was_not_entered_or_is_none_is_refused_in_words(client_of: Any) -> None:
    client = client_of(SOCKETS)
    with pytest.raises(UsageError) as caught:
        client.websocket_connect("/talk").receive()
    assert str(caught.value) == (
        "expected a websocket that was entered, but this one was not. "
        'Write `with client.websocket_connect("/path") as websocket:`.'
    )
    with pytest.raises(UsageError) as caught:
        client.websocket_connect("http://testserver/talk")
    assert str(caught.value) == (
        "Expected WebSocket upgrade, but 'http://testserver/talk' is not of one. Give a path, or a ws:// URL."
    )


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
