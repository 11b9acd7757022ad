"""What a request tells, and how its body is read."""

import json
from typing import Any

import anyio
import pytest
import trio

from playground.asgi import Message, Receive
from playground.errors import StreamConsumed, UsageError
from playground.web.requests import ClientDisconnect, HTTPConnection, Request, cookie_parser

from .exchange import Backend, exactly, http_scope, request_message, run

GONE: Message = {"type": "http.disconnect"}
BACKENDS: list[Backend] = ["asyncio", "trio"]


def scripted(*messages: Message) -> Receive:
    script = iter(messages)

    async def receive() -> Message:
        message = next(script, None)
        if message is None:
            await anyio.sleep_forever()
            raise AssertionError
        return message

    return receive


def body_request(*pieces: bytes) -> Request[Any]:
    messages = [request_message(piece, more_body=True) for piece in pieces[:-1]]
    return Request(http_scope(), scripted(*messages, request_message(pieces[-1])))


async def pieces_of(request: Request[Any]) -> list[bytes]:
    return [piece async for piece in request.stream()]


def test_a_request_tells_what_its_scope_says() -> None:
    scope = http_scope(
        "/x",
        "PUT",
        query_string=b"a=1&b=%20",
        client=["1.2.3.4", 5],
        headers=[(b"x-a", b"1"), (b"cookie", b"a=1"), (b"cookie", b"b=2; a=3")],
        path_params={"key": 7},
        app="the app",
    )
    request: Request[Any] = Request(scope)
    assert (request.method, request.app, request["path"], dict(request)) == ("PUT", "the app", "/x", scope)
    assert (request.headers["X-A"], request.query_params["b"]) == ("1", " ")
    assert request.cookies == {"a": "3", "b": "2"}
    assert request.path_params == {"key": 7}
    assert request.client == ("1.2.3.4", 5)
    assert request.client is not None
    assert request.client.host == "1.2.3.4"
    assert str(request.url) == "http://testserver/x?a=1&b=%20"
    assert str(request.base_url) == "http://testserver/"
    assert len(request) == len(scope)
    assert Request(http_scope()).client is None


def test_the_base_url_is_where_the_outermost_app_is_mounted() -> None:
    assert str(Request(http_scope("/api/x", root_path="/api")).base_url) == "http://testserver/api/"
    scope = http_scope("/api/sub/x", root_path="/api/sub", app_root_path="/api")
    assert str(Request(scope).base_url) == "http://testserver/api/"


def test_requests_are_equal_only_to_themselves() -> None:
    scope = http_scope()
    request: Request[Any] = Request(scope)
    assert request == request
    assert request != Request(scope)
    assert {request: 1}[request] == 1


def test_the_state_of_a_request_is_kept_in_its_scope() -> None:
    scope = http_scope(state={"db": "open"})
    request: Request[Any] = Request(scope)
    request.state.user = "Ada"
    assert request.state["db"] == "open"
    assert Request(scope).state.user == "Ada"
    assert scope["state"] == {"db": "open", "user": "Ada"}


@pytest.mark.parametrize(
    ("attribute", "middleware"),
    [
        ("session", "SessionMiddleware"),
        ("auth", "AuthenticationMiddleware"),
        ("user", "AuthenticationMiddleware"),
    ],
)
def test_what_middleware_brings_is_missed_by_name(attribute: str, middleware: str) -> None:
    with pytest.raises(UsageError, match=exactly(f"{middleware} must be installed to access request.{attribute}")):
        getattr(Request(http_scope()), attribute)
    assert getattr(Request(http_scope(**{attribute: "here"})), attribute) == "here"


def test_url_for_needs_a_router() -> None:
    message = "The `url_for` method can only be used inside a Starlette application or with a router."
    with pytest.raises(RuntimeError, match=exactly(f"{message}")):
        Request(http_scope()).url_for("home")


def test_a_request_is_made_of_an_http_scope() -> None:
    websocket = {**http_scope(), "type": "websocket"}
    with pytest.raises(UsageError, match=exactly("Expected a scope of type 'http', got 'websocket'.")):
        Request(websocket)
    assert HTTPConnection(websocket)["type"] == "websocket"
    with pytest.raises(UsageError, match=exactly("Expected a scope of type 'http' or 'websocket', got 'lifespan'.")):
        HTTPConnection({"type": "lifespan"})


def test_a_stream_gives_the_pieces_and_an_empty_one_at_the_end() -> None:
    assert run(lambda: pieces_of(body_request(b"a", b"", b"b"))) == [b"a", b"b", b""]
    assert run(lambda: pieces_of(body_request(b""))) == [b""]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_body_is_kept_for_every_later_reader(backend: Backend) -> None:
    async def read() -> tuple[Any, ...]:
        request = body_request(b'{"a":', b" 1}")
        first = await request.json()
        return first, await request.json() is first, await request.body(), await pieces_of(request)

    assert run(read, backend) == ({"a": 1}, True, b'{"a": 1}', [b'{"a": 1}', b""])


def test_a_stream_passes_once() -> None:
    async def read_twice() -> str:
        request = body_request(b"a")
        await pieces_of(request)
        with pytest.raises(StreamConsumed) as caught:
            await request.body()
        return str(caught.value)

    assert run(read_twice) == (
        "Stream consumed: the body of this request was streamed before, and a stream passes once. "
        "Call `await request.body()` first, which keeps the body for every later reader."
    )


def test_a_body_that_is_no_json_is_a_decode_error() -> None:
    with pytest.raises(json.JSONDecodeError):
        run(body_request(b"{").json)


def test_a_client_that_leaves_ends_the_reading() -> None:
    async def read() -> bool:
        request: Request[Any] = Request(http_scope(), scripted(request_message(b"a", more_body=True), GONE))
        with pytest.raises(ClientDisconnect):
            await request.body()
        return await request.is_disconnected()

    assert run(read)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_body_that_a_middleware_has_read_is_there_for_the_endpoint(backend: Backend) -> None:
    async def both() -> list[Any]:
        scope = http_scope()
        receive = scripted(request_message(b"[1,", more_body=True), request_message(b"2]"))
        in_middleware = await Request(scope, receive).body()
        inner = {**scope, "path": "/inner"}  # as a router passes it on
        in_endpoint: Request[Any] = Request(inner, receive)
        return [in_middleware, await pieces_of(in_endpoint), await in_endpoint.json()]

    assert run(both, backend) == [b"[1,2]", [b"[1,2]", b""], [1, 2]]


def test_who_wraps_receive_decides_what_the_inner_body_is() -> None:
    async def main() -> bytes:
        scope = http_scope()
        await Request(scope, scripted(request_message(b"outer"))).body()
        return await Request(scope, scripted(request_message(b"inner"))).body()

    assert run(main) == b"inner"


@pytest.mark.parametrize("backend", BACKENDS)
def test_asking_for_the_clients_leaving_loses_nothing_of_the_body(backend: Backend) -> None:
    async def ask_then_read() -> tuple[Any, ...]:
        request: Request[Any] = Request(
            http_scope(), scripted(request_message(b"a", more_body=True), request_message(b"b"), GONE)
        )
        asked = [await request.is_disconnected(), await request.is_disconnected()]
        return asked, await request.body(), await request.is_disconnected()

    assert run(ask_then_read, backend) == ([False, False], b"ab", True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_is_disconnected_does_not_wait(backend: Backend) -> None:
    async def ask() -> list[bool]:
        return [await Request(http_scope(), scripted(*script)).is_disconnected() for script in ([], [GONE])]

    assert run(ask, backend) == [False, True]


def test_is_disconnected_hears_what_lies_in_a_channel_of_trio() -> None:
    async def ask() -> list[bool]:
        sender, channel = trio.open_memory_channel[Message](1)  # what hypercorn gives an app on trio
        request: Request[Any] = Request(http_scope(), channel.receive)
        before = await request.is_disconnected()
        await sender.send(GONE)
        return [before, await request.is_disconnected()]

    assert run(ask, "trio") == [False, True]


def test_a_request_without_channels_says_so() -> None:
    with pytest.raises(RuntimeError, match=exactly("Receive channel has not been made available")):
        run(Request(http_scope()).body)
    hints: Request[Any] = Request(http_scope(extensions={"http.response.early_hint": {}}))
    with pytest.raises(RuntimeError, match=exactly("Send channel has not been made available")):
        run(lambda: hints.send_early_hints("</a.css>; rel=preload"))


def test_pushes_and_hints_are_sent_to_servers_that_can() -> None:
    async def send_both(**extensions: Any) -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(b"accept", b"text/css"), (b"cookie", b"secret"), (b"user-agent", b"test")]
        request: Request[Any] = Request(http_scope(headers=headers, extensions=extensions), send=send)
        await request.send_push_promise("/style.css")
        await request.send_early_hints("</a.css>", "</b.css>")
        return sent

    assert run(send_both) == []
    able: dict[str, Any] = {"http.response.push": {}, "http.response.early_hint": {}}
    assert run(lambda: send_both(**able)) == [
        {
            "type": "http.response.push",
            "path": "/style.css",
            "headers": [(b"accept", b"text/css"), (b"user-agent", b"test")],
        },
        {"type": "http.response.early_hint", "links": [b"</a.css>", b"</b.css>"]},
    ]


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("a=b=c ; d = e", {"a": "b=c", "d": "e"}),
        ('a="x y"', {"a": "x y"}),
        (r'a="\073\"\\"', {"a": ';"\\'}),
        ("lonely; =", {"": "lonely"}),
        ("a=1; a=2", {"a": "2"}),
        ('a="', {"a": '"'}),
        ("", {}),
    ],
)
def test_cookies_are_read_as_browsers_write_them(header: str, cookies: dict[str, str]) -> None:
    assert cookie_parser(header) == cookies
