"""The site in Quart's words."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from quart import Blueprint, Quart, Response, abort, redirect, request, websocket

from tests.conformance.frameworks import pages

__all__ = ["LACKS", "make"]

LACKS = {
    "latin-1 headers": "Quart writes headers in UTF-8",
    "ranges from the end": "Quart 0.22 fails at them",
    "empty messages of bytes": "Quart 0.22 fails at them",
}

site = Blueprint("site", __name__)


def make() -> Quart:
    """Make the site."""
    app = Quart("site", static_folder=str(pages.FOLDER))
    app.register_blueprint(site)
    return app


@site.get("/hello")
async def hello() -> Response:
    return Response(pages.HELLO, headers={"x-mine": "yes"}, content_type="text/plain; charset=utf-8")


@site.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def echo() -> Any:
    data: bytes = await request.get_data()  # type: ignore[assignment]  # it is bytes unless text is asked for
    return pages.echoed(request.method, request.args.items(multi=True), request.headers.items(), data)


@site.get("/numbers/<int:number>")
@site.get("/words/<word>")
@site.get("/paths/<path:path>")
async def parameters(**parameters: Any) -> Any:
    return parameters


@site.get("/url")
def url() -> Any:
    return {"url": request.url}


@site.post("/json")
async def json() -> Any:
    return {"got": await request.json}


@site.post("/form")
async def form() -> Any:
    form, sent = await request.form, await request.files
    files = [(name, file.filename, file.content_type, file.read()) for name, file in sent.items(multi=True)]
    return pages.sent(form.items(multi=True), files)


@site.post("/received")
async def received() -> Any:
    tally = pages.Tally()
    async for piece in request.body:
        tally.add(piece)
    return tally.told()


@site.get("/empty")
def empty() -> Any:
    return ""


@site.get("/large")
async def large() -> Response:
    return Response(pages.LARGE, content_type="application/octet-stream")


async def each(pieces: list[Any]) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


@site.get("/stream")
async def stream() -> Response:
    return Response(each(pages.CHUNKS), content_type="application/x-own")


@site.get("/events")
async def events() -> Response:
    return Response(each(pages.EVENTS), headers={"cache-control": "no-store"}, content_type="text/event-stream")


@site.get("/waiting/<name>")
async def waiting(name: str) -> Response:
    async def events() -> AsyncIterator[str]:
        yield "data: first\n\n"
        yield await asyncio.to_thread(pages.gate, name)

    return Response(events(), content_type="text/event-stream")


@site.get("/gate/<name>")
async def gate(name: str) -> Any:
    pages.GATES[name].set()
    return ""


@site.get("/status/<int:code>")
async def status(code: int) -> Any:
    return "", code


@site.get("/headers")
async def headers() -> Response:
    return Response(b"\x00", headers={"x-empty": "", "x-spaced": "a  b"}, content_type="application/x-own")


@site.get("/latin")
async def latin() -> Response:
    return Response("", headers={"x-latin": pages.LATIN})


@site.get("/twice")
async def twice() -> Response:
    response = Response("")
    response.headers.add("x-two", "a")
    response.headers.add("x-two", "b")
    return response


@site.get("/refused")
async def refused() -> Any:
    abort(403, "not for you")


@site.get("/error")
async def error() -> Any:
    pages.fail()


@site.route("/redirect/<int:code>", methods=["GET", "POST"])
async def redirected(code: int) -> Any:
    return redirect(pages.MOVED, code)


@site.get("/cookies/set")
async def set_cookies() -> Response:
    response = Response("")
    response.set_cookie("a", "one", httponly=True, samesite="Strict")
    response.set_cookie("b", "two words", path="/cookies")
    return response


@site.get("/cookies/delete")
async def delete_cookie() -> Response:
    response = Response("")
    response.delete_cookie("a")
    return response


@site.get("/cookies")
async def cookies() -> Any:
    return request.cookies


@site.websocket("/ws/echo")
async def ws_echo() -> None:
    while True:
        await websocket.send(await websocket.receive())


@site.websocket("/ws/json")
async def ws_json() -> None:
    await websocket.send_json({"got": await websocket.receive_json()})


@site.websocket("/ws/words/<word>")
async def ws_words(word: str) -> None:
    await websocket.send_json({"word": word, "q": websocket.args["q"]})


@site.websocket("/ws/chosen")
async def ws_chosen() -> None:
    await websocket.accept(headers={"x-mine": "yes"}, subprotocol=websocket.requested_subprotocols[1])
    await websocket.close(1000)


@site.websocket("/ws/three")
async def ws_three() -> None:
    for number in "123":
        await websocket.send(number)
    await websocket.close(1000)


@site.websocket("/ws/over")
async def ws_over() -> None:
    await websocket.accept()
    await websocket.close(4001, "that was all")


@site.websocket("/ws/denied")
async def ws_denied() -> Any:
    return Response("closed on Mondays", 451, headers={"x-mine": "no"})
