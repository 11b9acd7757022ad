"""Pages of other people's frameworks, each handing something to a thread in a way of its own."""

# mypy: disable-error-code="import-untyped, no-untyped-call"
# Asgiref's adapter has no types.

import asyncio
from collections.abc import Iterator
from typing import Any

from asgiref.wsgi import WsgiToAsgi
from fastapi import BackgroundTasks, Depends, FastAPI
from flask import Flask
from flask import request as flask_request
from litestar import Litestar
from litestar import get as litestar_get
from litestar.response import Stream
from pydantic import BaseModel
from quart import Quart
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from playground import App


class Item(BaseModel):
    number: int


def plain_need() -> int:
    return 1


async def async_need() -> int:
    return 1


def held_need() -> Iterator[int]:
    yield 1


def on_fastapi() -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.get("/async")
    async def from_loop() -> Any:
        return {"number": 1}

    @app.get("/def", response_model=None)
    def from_thread() -> Any:
        return {"number": 1}

    @app.get("/async/model", response_model=Item)
    async def modelled_from_loop() -> Any:
        return {"number": 1}

    @app.get("/def/model", response_model=Item)
    def modelled() -> Any:
        return {"number": 1}

    @app.get("/def/annotated")
    def annotated() -> Item:
        return Item(number=1)

    @app.get("/def/needs", response_model=None)
    def needing(number: int = Depends(plain_need)) -> Any:
        return {"number": number}

    @app.get("/async/needs")
    async def needing_from_loop(number: int = Depends(plain_need)) -> Any:
        return {"number": number}

    @app.get("/async/needs-async")
    async def needing_async(number: int = Depends(async_need)) -> Any:
        return {"number": number}

    @app.get("/def/holds", response_model=None)
    def holding(number: int = Depends(held_need)) -> Any:
        return {"number": number}

    @app.get("/def/holds/model", response_model=Item)
    def holding_modelled(number: int = Depends(held_need)) -> Any:
        return {"number": number}

    @app.get("/async/later")
    async def later(tasks: BackgroundTasks) -> Any:
        tasks.add_task(plain_need)
        return {}

    return app


def on_starlette() -> Starlette:
    async def from_loop(request: Request) -> PlainTextResponse:
        return PlainTextResponse("x")

    def from_thread(request: Request) -> PlainTextResponse:
        return PlainTextResponse("x")

    async def streamed(request: Request) -> StreamingResponse:
        return StreamingResponse(iter(["a", "b"]))

    async def file(request: Request) -> FileResponse:
        return FileResponse(__file__)

    async def later(request: Request) -> PlainTextResponse:
        return PlainTextResponse("x", background=BackgroundTask(plain_need))

    pages = {"/async": from_loop, "/def": from_thread, "/stream": streamed, "/file": file, "/later": later}
    return Starlette(routes=[Route(path, page) for path, page in pages.items()])


def on_playground() -> App:
    app = App()

    @app.get("/async")
    async def from_loop() -> str:
        return "x"

    @app.get("/def")
    def from_thread() -> str:
        return "x"

    return app


def on_quart() -> Quart:
    app = Quart("site")

    @app.get("/async")
    async def from_loop() -> str:
        return "x"

    @app.get("/def")
    def from_thread() -> str:
        return "x"

    @app.get("/stream")
    def streamed() -> Iterator[str]:
        yield from "ab"

    return app


def on_litestar() -> Litestar:
    @litestar_get("/async")
    async def from_loop() -> str:
        return "x"

    @litestar_get("/def", sync_to_thread=True)
    def from_thread() -> str:
        return "x"

    @litestar_get("/def/on-the-loop", sync_to_thread=False)
    def kept() -> str:
        return "x"

    @litestar_get("/stream")
    async def streamed() -> Stream:
        return Stream(iter("ab"))

    return Litestar([from_loop, from_thread, kept, streamed], openapi_config=None, logging_config=None)


def on_flask() -> Flask:
    app = Flask("site")

    @app.get("/def")
    def from_thread() -> str:
        return "x"

    @app.get("/async")
    async def from_a_loop_of_its_own() -> str:
        await asyncio.sleep(0)
        return "x"

    @app.get("/stream")
    def streamed() -> Iterator[str]:
        return iter("abc")

    @app.post("/upload")
    def upload() -> str:
        return str(len(flask_request.stream.read()))

    return app


def by_asgirefs_adapter() -> Any:
    return WsgiToAsgi(on_flask())
