"""The site in FastAPI's words: parameters by annotation, and what it shares with Starlette as Starlette has it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import (
    APIRouter,
    Body,
    Cookie,
    FastAPI,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
    WebSocket,
    WebSocketDisconnect,
)
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles

from tests.conformance.frameworks import pages

__all__ = ["LACKS", "make"]

LACKS: dict[str, str] = {}

router = APIRouter()


def make() -> FastAPI:
    """Make the site."""
    app = FastAPI()
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=pages.FOLDER))
    app.add_exception_handler(RequestValidationError, no_json)
    return app


async def no_json(request: Request, error: Exception) -> Response:
    return JSONResponse({"path": request.url.path}, 400)


@router.api_route("/hello", methods=["GET", "HEAD"])
async def hello() -> Response:
    return PlainTextResponse(pages.HELLO, headers={"x-mine": "yes"})


@router.api_route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def echo(request: Request) -> Any:
    query = request.query_params.multi_items()
    return pages.echoed(request.method, query, request.headers.items(), await request.body())


@router.get("/numbers/{number}")
def numbers(number: int) -> Any:
    return {"number": number}


@router.get("/words/{word}")
def words(word: Annotated[str, Path(min_length=1)]) -> Any:
    return {"word": word}


@router.get("/paths/{path:path}")
async def paths(path: str) -> Any:
    return {"path": path}


@router.get("/url")
async def url(request: Request) -> Any:
    return {"url": str(request.url)}


@router.post("/json")
async def json(got: Annotated[dict[str, Any], Body()]) -> Any:
    return {"got": got}


@router.post("/form")
async def form(request: Request) -> Any:
    async with request.form() as form:
        items = form.multi_items()
        fields = [(name, value) for name, value in items if isinstance(value, str)]
        files = [
            (name, value.filename, value.content_type, await value.read())
            for name, value in items
            if not isinstance(value, str)
        ]
    return pages.sent(fields, files)


@router.post("/received")
async def received(request: Request) -> Any:
    tally = pages.Tally()
    async for piece in request.stream():
        tally.add(piece)
    return tally.told()


@router.get("/empty", response_class=Response)
def empty() -> None:
    pass


@router.get("/large")
def large() -> Response:
    return Response(pages.LARGE, media_type="application/octet-stream")


@router.api_route("/stream", methods=["GET", "HEAD"])
async def stream() -> Response:
    return StreamingResponse(iter(pages.CHUNKS), media_type="application/x-own")


@router.get("/events")
def events() -> Response:
    headers = {"cache-control": "no-store"}
    return StreamingResponse(iter(pages.EVENTS), headers=headers, media_type="text/event-stream")


@router.get("/waiting/{name}")
async def waiting(name: str) -> Response:
    async def events() -> AsyncIterator[str]:
        yield "data: first\n\n"
        yield await asyncio.to_thread(pages.gate, name)

    return StreamingResponse(events(), media_type="text/event-stream")


@router.get("/gate/{name}", response_class=Response)
async def gate(name: str) -> None:
    pages.GATES[name].set()


@router.get("/status/{code}", response_class=Response)
async def status(code: int, response: Response) -> None:
    response.status_code = code


@router.get("/headers")
async def headers() -> Response:
    return Response(b"\x00", headers={"x-empty": "", "x-spaced": "a  b", "content-type": "application/x-own"})


@router.get("/latin", response_class=Response)
async def latin(response: Response) -> None:
    response.headers["x-latin"] = pages.LATIN


@router.get("/twice", response_class=Response)
async def twice(response: Response) -> None:
    response.headers.append("x-two", "a")
    response.headers.append("x-two", "b")


@router.get("/refused")
async def refused() -> None:
    raise HTTPException(403, {"why": "not for you"}, {"x-why": "me"})


@router.get("/error")
def error() -> None:
    pages.fail()


@router.api_route("/redirect/{code}", methods=["GET", "POST"])
async def redirect(code: int) -> Response:
    return RedirectResponse(pages.MOVED, code)


@router.get("/cookies/set")
async def set_cookies(response: Response) -> str:
    response.set_cookie("a", "one", httponly=True, samesite="strict")
    response.set_cookie("b", "two words", path="/cookies")
    return "set"


@router.get("/cookies/delete")
async def delete_cookie(response: Response) -> None:
    response.delete_cookie("a")


@router.get("/cookies", response_model_exclude_none=True)
async def cookies(a: Annotated[str | None, Cookie()] = None, b: Annotated[str | None, Cookie()] = None) -> Any:
    return {name: value for name, value in (("a", a), ("b", b)) if value is not None}


@router.websocket("/ws/echo")
async def ws_echo(websocket: WebSocket) -> None:
    await websocket.accept()
    while (message := await websocket.receive())["type"] == "websocket.receive":
        text = message.get("text")
        await (websocket.send_bytes(message["bytes"]) if text is None else websocket.send_text(text))


@router.websocket("/ws/json")
async def ws_json(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_json({"got": await websocket.receive_json()})
    except WebSocketDisconnect:
        pass


@router.websocket("/ws/words/{word}")
async def ws_words(websocket: WebSocket, word: str, q: Annotated[str, Query()]) -> None:
    await websocket.accept()
    await websocket.send_json({"word": word, "q": q})


@router.websocket("/ws/chosen")
async def ws_chosen(websocket: WebSocket) -> None:
    await websocket.accept(websocket.scope["subprotocols"][1], [(b"x-mine", b"yes")])
    await websocket.close()


@router.websocket("/ws/three")
async def ws_three(websocket: WebSocket) -> None:
    await websocket.accept()
    for number in "123":
        await websocket.send_text(number)
    await websocket.close()


@router.websocket("/ws/over")
async def ws_over(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close(4001, "that was all")


@router.websocket("/ws/denied")
async def ws_denied(websocket: WebSocket) -> None:
    await websocket.send_denial_response(PlainTextResponse("closed on Mondays", 451, headers={"x-mine": "no"}))
