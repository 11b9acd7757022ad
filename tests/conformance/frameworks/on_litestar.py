"""The site in Litestar's words."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from litestar import Litestar, MediaType, Request, Response, WebSocket, get, head, post, route, websocket
from litestar.datastructures import Cookie, ResponseHeader, UploadFile
from litestar.exceptions import ClientException, PermissionDeniedException
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Redirect, Stream
from litestar.static_files import create_static_files_router

from tests.conformance.frameworks import pages

__all__ = ["LACKS", "make"]

LACKS = {
    "ranges": "Litestar's files have none",
    "ranges from the end": "Litestar's files have none",
    "repeated headers": "a response of Litestar's holds each header once",
    "denials": "Litestar closes the websocket where others answer by HTTP",
    "tags": "Litestar gives files a tag, and takes no note of it in a request",
    "dates": "Litestar gives files a date, and takes no note of it in a request",
}

TEXT = MediaType.TEXT


def make() -> Litestar:
    """Make the site."""
    static = create_static_files_router("/static", [pages.FOLDER])
    return Litestar([*HANDLERS, static], openapi_config=None, logging_config=None)  # the logging is pytest's


@get("/hello", media_type="text/plain; charset=utf-8", response_headers={"x-mine": "yes"})
async def hello() -> str:
    return pages.HELLO


@head("/hello", media_type="text/plain; charset=utf-8", response_headers={"x-mine": "yes"})
async def hello_head() -> None:
    pass


@route("/echo", http_method=["GET", "POST", "PUT", "PATCH", "DELETE"], status_code=200)
async def echo(request: Request[Any, Any, Any]) -> Any:
    query = request.query_params.multi_items()
    return pages.echoed(request.method, query, request.headers.multi_items(), await request.body())


@get("/numbers/{number:int}")
async def numbers(number: FromPath[int]) -> Any:
    return {"number": number}


@get("/words/{word:str}")
async def words(word: FromPath[str]) -> Any:
    return {"word": word}


@get("/paths/{path:path}", sync_to_thread=False)
def paths(request: Request[Any, Any, Any]) -> Any:
    return {"path": request.path_params["path"].removeprefix("/")}


@get("/url")
async def url(request: Request[Any, Any, Any]) -> Any:
    return {"url": str(request.url)}


@post("/json", status_code=200)
async def json(data: JSONBody[dict[str, Any]]) -> Any:
    return {"got": data}


@post("/form", status_code=200)
async def form(request: Request[Any, Any, Any]) -> Any:
    items = list((await request.form()).multi_items())
    fields = [(name, value) for name, value in items if not isinstance(value, UploadFile)]
    files = [
        (name, value.filename, value.content_type, await value.read())
        for name, value in items
        if isinstance(value, UploadFile)
    ]
    return pages.sent(fields, files)


@post("/received", status_code=200)
async def received(request: Request[Any, Any, Any]) -> Any:
    tally = pages.Tally()
    async for piece in request.stream():
        tally.add(piece)
    return tally.told()


@get("/empty", media_type=TEXT, sync_to_thread=True)
def empty() -> str:
    return ""


@get("/large", media_type="application/octet-stream", sync_to_thread=True)
def large() -> bytes:
    return pages.LARGE


@get("/stream")
async def stream() -> Stream:
    return Stream(iter(pages.CHUNKS), media_type="application/x-own")


@head("/stream")
async def stream_head() -> None:
    pass


@get("/events")
async def events() -> Stream:
    return Stream(iter(pages.EVENTS), headers={"cache-control": "no-store"}, media_type="text/event-stream")


@get("/waiting/{name:str}")
async def waiting(name: FromPath[str]) -> Stream:
    async def events() -> AsyncIterator[str]:
        yield "data: first\n\n"
        yield await asyncio.to_thread(pages.gate, name)

    return Stream(events(), media_type="text/event-stream")


@get("/gate/{name:str}")
async def gate(name: FromPath[str]) -> None:
    pages.GATES[name].set()


@get("/status/{code:int}")
async def status(code: FromPath[int]) -> Response[None]:
    return Response(None, status_code=code)


@get("/headers")
async def headers() -> Response[bytes]:
    return Response(b"\x00", headers={"x-empty": "", "x-spaced": "a  b"}, media_type="application/x-own")


@get("/latin")
async def latin() -> Response[None]:
    return Response(None, headers={"x-latin": pages.LATIN})


@get("/twice")
async def twice() -> Response[None]:
    return Response(None, headers=[ResponseHeader("x-two", value="a"), ResponseHeader("x-two", value="b")])


@get("/refused")
async def refused() -> None:
    raise PermissionDeniedException("not for you", headers={"x-why": "me"})


@get("/error")
async def error() -> None:
    pages.fail()


@route("/redirect/{code:int}", http_method=["GET", "POST"], status_code=302)
async def redirect(code: FromPath[int]) -> Redirect:
    return Redirect(pages.MOVED, status_code=code)  # type: ignore[arg-type]  # any that redirects


@get("/cookies/set")
async def set_cookies() -> Response[None]:
    cookies = [Cookie("a", value="one", httponly=True, samesite="strict"), Cookie("b", "/cookies", "two words")]
    return Response(None, cookies=cookies)


@get("/cookies/delete")
async def delete_cookie() -> Response[None]:
    response: Response[None] = Response(None)
    response.delete_cookie("a")
    return response


@get("/cookies")
async def cookies(request: Request[Any, Any, Any]) -> Any:
    return request.cookies


Socket = WebSocket[Any, Any, Any]


@websocket("/ws/echo")
async def ws_echo(socket: Socket) -> None:
    await socket.accept()
    async for data in each(socket):
        await (socket.send_text(data) if isinstance(data, str) else socket.send_bytes(data))


async def each(socket: Socket) -> AsyncIterator[str | bytes]:
    while (message := await socket.receive())["type"] == "websocket.receive":
        text = message.get("text")
        yield message["bytes"] if text is None else text  # type: ignore[misc]  # one of them is there


@websocket("/ws/json")
async def ws_json(socket: Socket) -> None:
    await socket.accept()
    await socket.send_json({"got": await socket.receive_json()})


@websocket("/ws/words/{word:str}")
async def ws_words(socket: Socket, word: FromPath[str], q: FromQuery[str]) -> None:
    await socket.accept()
    await socket.send_json({"word": word, "q": q})


@websocket("/ws/chosen")
async def ws_chosen(socket: Socket) -> None:
    await socket.accept(subprotocols=socket.scope["subprotocols"][1], headers={"x-mine": "yes"})
    await socket.close()


@websocket("/ws/three")
async def ws_three(socket: Socket) -> None:
    await socket.accept()
    for number in "123":
        await socket.send_text(number)
    await socket.close()


@websocket("/ws/over")
async def ws_over(socket: Socket) -> None:
    await socket.accept()
    await socket.close(4001, "that was all")


@websocket("/ws/denied")
async def ws_denied(socket: Socket) -> None:
    raise ClientException("closed on Mondays", status_code=451, headers={"x-mine": "no"})


HANDLERS: list[Any] = [
    hello,
    hello_head,
    echo,
    numbers,
    words,
    paths,
    url,
    json,
    form,
    received,
    empty,
    large,
    stream,
    stream_head,
    events,
    waiting,
    gate,
    status,
    headers,
    latin,
    twice,
    refused,
    error,
    redirect,
    set_cookies,
    delete_cookie,
    cookies,
    ws_echo,
    ws_json,
    ws_words,
    ws_chosen,
    ws_three,
    ws_over,
    ws_denied,
]
