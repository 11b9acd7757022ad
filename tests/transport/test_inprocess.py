"""An app at the far end of an `httpx.AsyncClient`."""

import contextvars
import gc
import logging
import random
import tracemalloc
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from playground.asgi import Receive, Scope, Send
from playground.errors import ProtocolError
from playground.transport import ASGITransport, http_scope
from playground.transport.exchange import BUFFER_BYTES, Exchange
from tests.transport.helpers import START, app_of, body, client, echo, hello, running_tasks, settle

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]

VAR: contextvars.ContextVar[str] = contextvars.ContextVar("VAR", default="unset")


# httpx drops its own generators when a caller stops reading, and trio minds.
dropped_by_httpx = pytest.mark.filterwarnings("ignore:Async generator 'httpx:ResourceWarning")


async def broken_before(scope: Scope, receive: Receive, send: Send) -> None:
    raise ValueError("before")


async def broken_within(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await send(body(b"abc", more=True))
    raise ValueError("within")


async def broken_after(scope: Scope, receive: Receive, send: Send) -> None:
    await hello(scope, receive, send)
    raise ValueError("after")


async def wordless(scope: Scope, receive: Receive, send: Send) -> None:
    pass


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    await anyio.sleep_forever()


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    while True:
        await send(body(bytes(1024), more=True))


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


# What goes wrong.


@pytest.mark.parametrize(
    ("app", "words"), [(broken_before, "before"), (broken_within, "within"), (broken_after, "after")]
)
async def test_what_an_app_raises_is_raised_by_the_client_and_once(app: Any, words: str) -> None:
    async with client(app) as http:
        with pytest.raises(ValueError, match=f"^{words}$") as caught:
            await http.get("/")
    assert caught.value.__cause__ is None
    assert caught.traceback[-1].name == app.__name__


async def test_a_response_may_be_looked_at_before_its_app_fails() -> None:
    async with client(broken_within) as http:
        response = await http.send(http.build_request("GET", "/"), stream=True)
        assert response.status_code == 200
        with pytest.raises(ValueError, match=r"^within$"):
            await response.aread()
        await response.aclose()


async def test_the_cause_of_an_apps_exception_stays() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        raise ValueError("outer") from KeyError("inner")

    async with client(app_of(handler)) as http:
        with pytest.raises(ValueError, match=r"^outer$") as caught:
            await http.get("/")
    assert isinstance(caught.value.__cause__, KeyError)


async def test_an_exception_of_starlettes_arrives_after_the_500_that_it_sends() -> None:
    def fail(request: Request) -> PlainTextResponse:
        raise ValueError("in a worker thread")

    app = Starlette(routes=[Route("/", fail)])
    async with client(app) as http:
        with pytest.raises(ValueError, match=r"^in a worker thread$"):
            await http.get("/")
    async with client(app, raise_app_exceptions=False) as http:
        assert (await http.get("/")).status_code == 500


@pytest.mark.parametrize("app", [broken_before, wordless])
async def test_a_failed_app_may_be_answered_for_as_a_server_does(app: Any) -> None:
    async with client(app, raise_app_exceptions=False) as http:
        response = await http.get("/")
        assert (response.status_code, response.text) == (500, "Internal Server Error")
        response = await http.head("/")
        assert (response.status_code, response.content) == (500, b"")


async def test_a_body_that_breaks_off_is_a_protocol_error_of_the_clients() -> None:
    async with client(broken_within, raise_app_exceptions=False) as http:
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await http.get("/")
    assert str(caught.value) == (
        "GET /: expected `http.response.body`, but the app raised ValueError after 3 bytes of body. "
        "Its traceback stands above, as the cause."
    )
    assert isinstance(caught.value.__cause__, ValueError)


async def test_what_an_app_raises_after_its_response_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with client(broken_after, raise_app_exceptions=False) as http:
        assert (await http.get("/")).text == "hello"
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("playground.transport", logging.ERROR)
    assert record.getMessage() == "GET /: the app raised this after its response."


async def test_an_app_that_does_not_answer_is_a_named_error() -> None:
    async with client(wordless) as http:
        with pytest.raises(ProtocolError) as caught:
            await http.get("/")
    assert str(caught.value) == (
        "GET /: expected `http.response.start`, but the app returned without sending one. "
        "Send a response in every branch of the app."
    )


async def test_the_clients_timeout_names_what_is_missing() -> None:
    async with client(silent) as http:
        with pytest.raises(httpx.ReadTimeout) as caught:
            await http.get("/", timeout=0.01)
    assert str(caught.value) == (
        "GET /: expected `http.response.start` from the app within 0.01 s, but nothing came. "
        "Send it sooner, or give the client a longer timeout."
    )
    assert caught.value.request.url.path == "/"


async def test_the_clients_timeout_holds_for_each_piece() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await anyio.sleep_forever()

    async with client(app_of(handler)) as http:
        with pytest.raises(httpx.ReadTimeout) as caught:
            await http.get("/", timeout=0.01)
    assert str(caught.value) == (
        "GET /: expected `http.response.body` from the app within 0.01 s, but nothing came. "
        "Send it sooner, or give the client a longer timeout."
    )


async def test_a_timeout_that_the_app_itself_ran_into_is_the_apps_exception() -> None:
    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        async with client(silent) as http:
            await http.get("/behind", timeout=0.01)

    async with client(proxy) as http:
        with pytest.raises(httpx.ReadTimeout, match=r"^GET /behind: "):
            await http.get("/")
    async with client(proxy, raise_app_exceptions=False) as http:
        assert (await http.get("/")).status_code == 500


async def wait_for_the_body(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass


@pytest.mark.parametrize("app", [echo, wait_for_the_body])
async def test_what_the_clients_body_raises_is_the_clients(app: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        raise ValueError("the client's own")

    async with client(app, raise_app_exceptions=False) as http:
        with pytest.raises(ValueError, match=r"^the client's own$"):
            await http.post("/", content=pieces())


# Leaving early.


@dropped_by_httpx
async def test_leaving_a_stream_early_ends_the_app() -> None:
    before = running_tasks()
    async with client(endless) as http:
        async with http.stream("GET", "/") as response:
            assert await first_piece(response) == bytes(1024)
        assert running_tasks() == before


class Zeros:
    """A stream without end."""

    def __aiter__(self) -> "Zeros":
        return self

    async def __anext__(self) -> bytes:
        await anyio.lowlevel.checkpoint()
        return bytes(1024)


@dropped_by_httpx
async def test_a_stream_of_starlettes_may_be_left_early() -> None:
    left: list[type] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await StreamingResponse(Zeros())(scope, receive, send)
        except Exception as error:
            left.append(type(error))
            raise

    async with client(app) as http, http.stream("GET", "/") as response:
        assert await first_piece(response) == bytes(1024)
    assert left == [ClientDisconnect]  # which is what Starlette makes of our ClientGone


async def test_closing_the_client_ends_what_was_left_open(short_grace: float) -> None:
    before = running_tasks()
    async with client(endless) as http:
        for _ in range(3):
            await http.send(http.build_request("GET", "/"), stream=True)
        await settle()
        assert len(running_tasks() - before) == 3


async def test_closing_the_client_ends_what_apps_do_after_their_responses(short_grace: float) -> None:
    ended: list[bool] = []

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"hello"))
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async with client(app_of(handler), wait_for_app=False) as http:
        assert (await http.get("/")).text == "hello"
        assert ended == []
    assert ended == [True]


async def test_cancelling_a_request_cancels_the_app() -> None:
    ended: list[bool] = []

    async def handler(receive: Receive, send: Send) -> None:
        group.cancel_scope.cancel()
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async with client(app_of(handler)) as http, anyio.create_task_group() as group:
        group.start_soon(http.get, "/")
    assert ended == [True]


@pytest.mark.slow
@dropped_by_httpx
@pytest.mark.parametrize("seed", range(3))
async def test_many_requests_with_clients_that_leave_at_any_moment_leave_nothing(seed: int, short_grace: float) -> None:
    choose = random.Random(seed)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            more = (await receive()).get("more_body", False)
            await _some_turns(choose)
        await send(START)
        for _ in range(5):
            await _some_turns(choose)
            await send(body(bytes(30_000), more=True))
        await send(body())
        await _some_turns(choose)

    async def one_client(http: httpx.AsyncClient) -> None:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_after, choose.randrange(40), scope.cancel)
                async with http.stream("POST", "/", content=Upload(choose)) as response:
                    leave_at = choose.randrange(8)
                    async for _ in response.aiter_raw():
                        leave_at -= 1
                        if leave_at < 0:
                            break
                scope.cancel()

    async with client(app) as http, anyio.create_task_group() as group:
        for _ in range(150):
            group.start_soon(one_client, http)


async def first_piece(response: httpx.Response) -> bytes:
    async for piece in response.aiter_raw():
        return piece
    return b""


class Upload:
    """A body in three pieces. It is no generator, since httpx would drop it half-way, and trio minds."""

    def __init__(self, choose: random.Random) -> None:
        self.left = 3
        self.choose = choose

    def __aiter__(self) -> "Upload":
        return self

    async def __anext__(self) -> bytes:
        await _some_turns(self.choose)
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return b"abc"


async def _some_turns(choose: random.Random) -> None:
    for _ in range(choose.randrange(4)):
        await anyio.lowlevel.checkpoint()


async def _cancel_after(turns: int, cancel: Callable[[], object]) -> None:
    for _ in range(turns):
        await anyio.lowlevel.checkpoint()
    if turns % 2:
        cancel()


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


@pytest.mark.slow
async def test_a_response_that_was_read_holds_nothing_of_its_exchange() -> None:
    async with client(hello) as http:
        gc.collect()
        gc.disable()  # which would find what hangs in the client library's own cycle
        try:
            responses = [await http.get("/") for _ in range(3)]
            assert [one for one in gc.get_objects() if type(one) is Exchange] == []
        finally:
            gc.enable()
    stream: Any = responses[0].stream
    assert [piece async for piece in stream] == []
    await stream.aclose()
