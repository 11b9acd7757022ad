"""Our toolkit beside Starlette: the same apps, built from each one's modules, called by bare ASGI."""

import functools
import importlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from playground.asgi import ASGIApp, Message, Scope
from tests.benchmarks.harness import Case, Operation

__all__ = ["cases"]

BODY = {"hello": "world", "numbers": [1, 2, 3], "nested": {"a": None, "b": True}}
HEADERS = [
    (b"host", b"example.org"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-US,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"connection", b"keep-alive"),
    (b"cookie", b"session=abc; theme=dark; seen=1"),
    (b"cache-control", b"no-cache"),
]


class Toolkit:
    """A toolkit's modules by their names within it."""

    def __init__(self, package: str) -> None:
        self._package = package

    def __getattr__(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self._package}.{name.replace('__', '.')}")


OURS, THEIRS = Toolkit("playground.web"), Toolkit("starlette")


def scope(path: str, method: str = "GET", headers: list[tuple[bytes, bytes]] = HEADERS, **more: Any) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"page=1&q=search+words",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
        **more,
    }


async def send(message: Message) -> None:
    pass


def call(app: ASGIApp, template: Scope, messages: tuple[Message, ...] = ({"type": "http.request"},)) -> Operation:
    """An operation: one request to the app, its body in these messages, its answer dropped."""

    async def operation() -> None:
        left = iter(messages)

        async def receive() -> Message:
            return next(left, {"type": "http.disconnect"})

        await app(dict(template), receive, send)

    return operation


def app_with(kit: Any, path: str, endpoint: Callable[..., Any], **options: Any) -> ASGIApp:
    app: ASGIApp = kit.applications.Starlette(
        routes=[kit.routing.Route(path, endpoint, methods=["GET", "POST"])], **options
    )
    return app


# -- one maker a case: a toolkit in, an operation out -----------------------------------------------------------------


def hello_json(kit: Any) -> Operation:
    async def endpoint(request: Any) -> Any:
        return kit.responses.JSONResponse(BODY)

    return call(app_with(kit, "/", endpoint), scope("/"))


def plain_text(kit: Any) -> Operation:
    async def endpoint(request: Any) -> Any:
        return kit.responses.PlainTextResponse("Hello, world!")

    return call(app_with(kit, "/", endpoint), scope("/"))


def bare_response(kit: Any) -> Operation:
    """Making and sending a response, no app around it."""
    make = kit.responses.PlainTextResponse
    template = scope("/")

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def operation() -> None:
        await make("Hello, world!", headers={"x-one": "1"})(template, receive, send)

    return operation


def routing(kit: Any, count: int, where: str, parameterised: bool) -> Operation:
    response = kit.responses.Response(b"")
    route = kit.routing.Route

    async def endpoint(request: Any) -> Any:
        return response

    end = "/{name}" if parameterised else "/list"
    app = kit.applications.Starlette(routes=[route(f"/api/things{index}{end}", endpoint) for index in range(count)])
    index = {"first": 0, "middle": count // 2, "last": count - 1}.get(where)
    path = "/api/nothing/here" if index is None else f"/api/things{index}" + ("/ada" if parameterised else "/list")
    return call(app, scope(path))


def read_headers(kit: Any) -> Operation:
    template = scope("/")
    make = kit.requests.Request

    async def operation() -> None:
        headers = make(template).headers
        assert headers["user-agent"]
        assert headers.get("accept")
        assert headers.get("x-missing") is None
        assert "Host" in headers
        assert len(headers.items()) == len(HEADERS)

    return operation


def read_query_and_cookies(kit: Any) -> Operation:
    template = scope("/")
    make = kit.requests.Request

    async def operation() -> None:
        request = make(template)
        assert request.query_params["page"] == "1"
        assert request.cookies["theme"] == "dark"

    return operation


def read_json(kit: Any) -> Operation:
    async def endpoint(request: Any) -> Any:
        await request.json()
        return kit.responses.Response(b"")

    body = kit.responses.JSONResponse(BODY).body
    return call(app_with(kit, "/", endpoint), scope("/", "POST"), ({"type": "http.request", "body": body},))


def read_form(kit: Any) -> Operation:
    async def endpoint(request: Any) -> Any:
        async with request.form() as form:
            assert form["b"] == "two words"
        return kit.responses.Response(b"")

    headers = [*HEADERS, (b"content-type", b"application/x-www-form-urlencoded")]
    body = b"&".join([b"a=1", b"b=two+words", *(b"field%d=value%%20%d" % (i, i) for i in range(10))])
    return call(app_with(kit, "/", endpoint), scope("/", "POST", headers), ({"type": "http.request", "body": body},))


def upload(kit: Any) -> Operation:
    async def endpoint(request: Any) -> Any:
        async with request.form() as form:
            assert form["file"].size == 1 << 20
        return kit.responses.Response(b"")

    edge = b"----edge"
    body = b"\r\n".join(
        [
            b"--" + edge,
            b'Content-Disposition: form-data; name="file"; filename="a.bin"',
            b"Content-Type: application/octet-stream",
            b"",
            bytes(range(256)) * 4096,
            b"--" + edge + b"--",
            b"",
        ]
    )
    pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)]
    messages = tuple(
        {"type": "http.request", "body": piece, "more_body": index + 1 < len(pieces)}
        for index, piece in enumerate(pieces)
    )
    headers = [*HEADERS, (b"content-type", b"multipart/form-data; boundary=" + edge)]
    return call(app_with(kit, "/", endpoint), scope("/", "POST", headers), messages)


def stream(kit: Any) -> Operation:
    async def chunks() -> Any:
        for _ in range(1000):
            yield b"a chunk of some bytes"

    async def endpoint(request: Any) -> Any:
        return kit.responses.StreamingResponse(chunks())

    return call(app_with(kit, "/", endpoint), scope("/"))


def file(kit: Any, ranged: bool) -> Operation:
    path = _file()

    async def endpoint(request: Any) -> Any:
        return kit.responses.FileResponse(path)

    headers = [*HEADERS, (b"range", b"bytes=1000-9999")] if ranged else HEADERS
    return call(app_with(kit, "/", endpoint), scope("/", headers=headers))


@functools.cache
def _file() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="playground-benchmark-")
    path = Path(folder.name) / "file.bin"
    path.write_bytes(bytes(range(256)) * 1024)
    _folders.append(folder)  # lives as long as the run
    return path


_folders: list[tempfile.TemporaryDirectory[str]] = []


def gzip(kit: Any) -> Operation:
    async def endpoint(request: Any) -> Any:
        return kit.responses.PlainTextResponse("some text to compress, " * 400)

    middleware = [kit.middleware.Middleware(kit.middleware__gzip.GZipMiddleware)]
    return call(app_with(kit, "/", endpoint, middleware=middleware), scope("/"))


def five_middleware(kit: Any) -> Operation:
    async def endpoint(request: Any) -> Any:
        return kit.responses.PlainTextResponse("through five layers")

    wrap = kit.middleware.Middleware
    middleware = [
        wrap(kit.middleware__trustedhost.TrustedHostMiddleware, allowed_hosts=["example.org", "*.example.org"]),
        wrap(kit.middleware__cors.CORSMiddleware, allow_origins=["https://example.org"]),
        wrap(kit.middleware__sessions.SessionMiddleware, secret_key="benchmark"),
        wrap(kit.middleware__gzip.GZipMiddleware, minimum_size=500),
        wrap(kit.middleware__base.BaseHTTPMiddleware, dispatch=_pass_on),
    ]
    return call(app_with(kit, "/", endpoint, middleware=middleware), scope("/"))


async def _pass_on(request: Any, call_next: Any) -> Any:
    return await call_next(request)


def websocket(kit: Any) -> Operation:
    async def endpoint(socket: Any) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text)

    app = kit.applications.Starlette(routes=[kit.routing.WebSocketRoute("/", endpoint)])
    messages: tuple[Message, ...] = (
        {"type": "websocket.connect"},
        *({"type": "websocket.receive", "text": f"message {index}"} for index in range(100)),
        {"type": "websocket.disconnect", "code": 1000},
    )
    return call(app, {**scope("/"), "type": "websocket", "subprotocols": []}, messages)


def cases() -> Iterator[Case]:
    """All cases, in the order of the table."""
    yield _case("hello JSON", hello_json)
    yield _case("plain text", plain_text, own=True)
    yield _case("a response, made and sent", bare_response, own=True)
    for count in (10, 100, 1000, 10_000):
        for parameterised in (False, True):
            for where in ("first", "middle", "last", "missing"):
                kind = "parameter" if parameterised else "static"
                maker = functools.partial(routing, count=count, where=where, parameterised=parameterised)
                yield _case(f"routing: {count:,} {kind}, {where}", maker, own=True)
    yield _case("reading headers", read_headers, own=True)
    yield _case("reading query and cookies", read_query_and_cookies, own=True)
    yield _case("reading JSON", read_json)
    yield _case("reading a form", read_form)
    yield _case("uploading 1 MiB, multipart", upload)
    yield _case("streaming 1,000 chunks", stream)
    yield _case("a file of 256 KiB", functools.partial(file, ranged=False))
    yield _case("a range of a file", functools.partial(file, ranged=True))
    yield _case("GZip of 9 kB", gzip)
    yield _case("five middleware", five_middleware)
    yield _case("100 websocket messages", websocket)


def _case(name: str, maker: Callable[[Any], Operation], *, own: bool = False) -> Case:
    return Case(name, (functools.partial(maker, OURS), functools.partial(maker, THEIRS)), own)
