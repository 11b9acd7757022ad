"""The apps that are soaked: each has a handler for every way in which one can begin, wait, end and go wrong.

One Starlette app is written once, and made of our toolkit or of Starlette itself, whose names are the same; the others
are FastAPI's and a bare WSGI app. Nothing here knows who asks.
"""

import asyncio
import contextlib
import functools
import importlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Final

import anyio
import anyio.lowlevel
from fastapi import BackgroundTasks, Depends, FastAPI, UploadFile

__all__ = ["APPS", "starlette_app"]

CHUNKS: Final = 5
LARGE_BYTES: Final = 1_200_000
"""More than form parsers keep in memory (1 MiB): such an upload goes to a temporary file."""


# Long, for it is an app as its author would write it: routes, handlers and layers, a few lines each.
def starlette_app(toolkit: str) -> Any:
    """The app made of the modules of `starlette` or of `playground.web`."""

    def module(name: str) -> Any:
        return importlib.import_module(f"{toolkit}.{name}")

    routing, responses, middleware = module("routing"), module("responses"), module("middleware")
    background, gzip = module("background"), module("middleware.gzip")
    left = module("websockets").WebSocketDisconnect

    async def quick(request: Any) -> Any:
        await anyio.sleep(0.001)
        return responses.JSONResponse({"path": request.url.path, "query": dict(request.query_params)})

    def thread(request: Any) -> Any:
        time.sleep(0.002)
        return responses.PlainTextResponse("from a thread" * 100)

    async def stream(request: Any) -> Any:
        return responses.StreamingResponse(_chunks(), media_type="text/plain")

    def thread_stream(request: Any) -> Any:
        return responses.StreamingResponse(_blocking_chunks(), media_type="text/plain")

    async def endless(request: Any) -> Any:
        return responses.StreamingResponse(_endless(), media_type="text/plain")

    async def upload(request: Any) -> Any:
        async with request.form() as form:
            return responses.JSONResponse({"bytes": len(await form["file"].read())})

    async def behind(request: Any) -> Any:
        tasks = background.BackgroundTasks()
        tasks.add_task(anyio.sleep, 0.002)
        tasks.add_task(time.sleep, 0.001)
        return responses.PlainTextResponse("more to come", background=tasks)

    async def late(request: Any) -> Any:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.002):
                await asyncio.gather(asyncio.sleep(5), asyncio.Event().wait())
        return responses.PlainTextResponse("too late", status_code=504)

    async def slow(request: Any) -> Any:
        await anyio.sleep(5)
        return responses.PlainTextResponse("at last")

    async def wrong(request: Any) -> Any:
        await anyio.lowlevel.checkpoint()
        raise ValueError("the soak's own mistake")

    async def echo(websocket: Any) -> None:
        await websocket.accept()
        with contextlib.suppress(left):
            while True:
                await websocket.send_text(await websocket.receive_text())

    named = (quick, thread, stream, thread_stream, endless, behind, late, slow, wrong)
    return module("applications").Starlette(
        routes=[
            *(routing.Route(f"/{handler.__name__}", handler) for handler in named),
            routing.Route("/upload", upload, methods=["POST"]),
            routing.WebSocketRoute("/echo", echo),
        ],
        middleware=[middleware.Middleware(gzip.GZipMiddleware, minimum_size=500)],
        lifespan=_lifespan,
    )


async def _session() -> AsyncIterator[str]:
    await anyio.sleep(0.001)
    yield "session"


def _connection() -> Iterator[str]:
    yield "connection"


async def _quick(
    session: Annotated[str, Depends(_session)], connection: Annotated[str, Depends(_connection)]
) -> dict[str, str]:
    return {session: connection}


def _thread() -> dict[str, int]:
    time.sleep(0.002)
    return {"done": 1}


async def _upload(file: UploadFile) -> dict[str, int]:
    return {"bytes": len(await file.read())}


async def _behind(tasks: BackgroundTasks) -> str:
    tasks.add_task(time.sleep, 0.001)
    return "more to come"


@functools.cache
def fastapi_app() -> Any:
    """The same few paths with FastAPI's own ways: dependencies that are cleaned up, models, background tasks.

    It is made once: for every app that was ever made, about a hundred objects stay in the caches of FastAPI, pydantic
    and typing (measured with FastAPI 0.165, with nothing of ours beside it).
    """
    app = FastAPI(lifespan=_lifespan)
    for handler in (_quick, _thread, _behind):
        app.get(handler.__name__.replace("_", "/"))(handler)
    app.post("/upload")(_upload)
    return app


def wsgi_app() -> Any:
    """A WSGI app, whose answers come in pieces from a worker thread."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        if environ["PATH_INFO"] == "/wrong":
            raise ValueError("the soak's own mistake")
        size = len(environ["wsgi.input"].read())
        start_response("200 OK", [("content-type", "text/plain")])
        return iter([b"read ", str(size).encode()])

    return app


APPS: Final[dict[str, Callable[[], Any]]] = {
    "playground.web": lambda: starlette_app("playground.web"),
    "starlette": lambda: starlette_app("starlette"),
    "fastapi": fastapi_app,
    "wsgi": wsgi_app,
}
"""Makers of an app, by what it is made of."""


@contextlib.asynccontextmanager
async def _lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep_forever)
        yield {"started": True}
        group.cancel_scope.cancel()


async def _chunks() -> AsyncIterator[bytes]:
    for number in range(CHUNKS):
        await anyio.sleep(0.001)
        yield b"chunk %d\n" % number


def _blocking_chunks() -> Iterator[bytes]:
    for number in range(CHUNKS):
        time.sleep(0.001)
        yield b"chunk %d\n" % number


async def _endless() -> AsyncIterator[bytes]:
    while True:
        await anyio.sleep(0.01)
        yield b"and on\n"
