"""One site for every server and both toolkits: a page for each thing that a server has a part in.

`make_site` takes the toolkit as a name, so the pages are written once. Its pages stand twice: bare, and below
`/layered` behind middleware of every kind, a `BaseHTTPMiddleware` outermost. Where a test must know how far the app has
come, the app says so in `Notes`; where the app must wait for a test, it waits for a gate that another request
opens. Nothing waits for a length of time.
"""

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from tests.conformance.servers_kit import Notes, Toolkit
from tests.conformance.servers_sockets import Sockets

__all__ = ["FILE", "LAYERED", "make_site"]

LAYERED = "/layered"
FILE = bytes(range(256)) * 300  # more than one piece of a file response
LONG = "a line of text that shrinks\n" * 200

SESSION_KEY = "no secret"


def make_site(package: str, folder: Path, notes: Notes) -> Any:
    """Build the site.

    Args:
        package: `playground.web` or `starlette`.
        folder: where `file.bin` lies.
        notes: what the app has to say goes here.
    """
    kit = Toolkit(package)
    routes = [*Pages(kit, folder, notes).routes(), *Sockets(kit, notes).routes()]
    layered = kit.routing.Mount(LAYERED, routes=routes, middleware=_layers(kit))

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
        notes.say("lifespan", "up")
        yield {"greeting": "hello from the start"}
        notes.say("lifespan", "down")

    return kit.applications.Starlette(routes=[*routes, layered], lifespan=lifespan)


def _layers(kit: Toolkit) -> list[Any]:
    async def stamp(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-stamped"] = request.method
        return response

    Middleware = kit.middleware.Middleware
    return [
        Middleware(kit.middleware__base.BaseHTTPMiddleware, dispatch=stamp),
        Middleware(kit.middleware__cors.CORSMiddleware, allow_origins=["https://a.org"], allow_methods=["PUT"]),
        Middleware(kit.middleware__gzip.GZipMiddleware),
        Middleware(kit.middleware__sessions.SessionMiddleware, secret_key=SESSION_KEY),
    ]


class Pages:
    """The pages that answer requests."""

    def __init__(self, kit: Toolkit, folder: Path, notes: Notes) -> None:
        self.kit = kit
        self.folder = folder
        self.notes = notes
        self.gates: defaultdict[str, anyio.Event] = defaultdict(anyio.Event)

    def routes(self) -> list[Any]:
        Route, Mount = self.kit.routing.Route, self.kit.routing.Mount
        return [
            Route("/scope/{word}/{number:int}", self.scope, methods=["GET", "POST"]),
            Route("/state", self.state),
            Route("/thread", self.in_a_thread),
            Route("/slash/", self.state),
            Route("/headers", self.headers),
            Route("/cookies", self.cookies),
            Route("/session", self.session),
            Route("/long", self.long),
            Route("/empty", self.empty),
            Route("/file", self.file),
            Mount("/static", self.kit.staticfiles.StaticFiles(directory=self.folder)),
            Route("/form", self.form, methods=["POST"]),
            Route("/error", self.error),
            Route("/refused", self.refused),
            Route("/stream/{name}", self.stream),
            Route("/gate/{name}", self.gate),
            Route("/upload/{name}", self.upload, methods=["POST"]),
            Route("/endless/{name}", self.endless),
            Route("/patient/{name}", self.patient),
            Route("/background/{name}", self.background),
        ]

    async def scope(self, request: Any) -> Any:
        """Everything of the scope that a server fills in and that is the same for each of them."""
        scope = request.scope
        return self.kit.responses.JSONResponse(
            {
                "method": request.method,
                "path": scope["path"],
                "raw_path": scope["raw_path"].decode("latin-1"),
                "root_path": scope["root_path"],
                "url": str(request.url),
                "made": str(request.url_for("state")) if "/layered" not in scope["path"] else None,
                "path_params": request.path_params,
                "query": request.query_params.multi_items(),
                "headers": [pair for pair in request.headers.items() if pair[0] != "connection"],
                "client": request.client.host,
                "body": (await request.body()).decode(),
            }
        )

    async def state(self, request: Any) -> Any:
        return self.kit.responses.JSONResponse({"greeting": request.state.greeting})

    def in_a_thread(self, request: Any) -> Any:
        return self.kit.responses.PlainTextResponse(request.state.greeting)

    async def headers(self, request: Any) -> Any:
        response = self.kit.responses.PlainTextResponse("said", status_code=203)
        response.headers.append("x-twice", "one")
        response.headers.append("X-Twice", "two")
        response.headers["x-latin"] = "caf\xe9"
        return response

    async def cookies(self, request: Any) -> Any:
        response = self.kit.responses.JSONResponse(request.cookies)
        response.set_cookie("a", "1", httponly=True, samesite="strict", path="/")
        response.set_cookie("b", "two words", max_age=60)
        response.delete_cookie("c")
        return response

    async def session(self, request: Any) -> Any:
        request.session["visits"] = request.session.get("visits", 0) + 1
        return self.kit.responses.JSONResponse(request.session)

    async def long(self, request: Any) -> Any:
        return self.kit.responses.PlainTextResponse(LONG)

    async def empty(self, request: Any) -> Any:
        return self.kit.responses.Response(status_code=204)

    async def file(self, request: Any) -> Any:
        return self.kit.responses.FileResponse(self.folder / "file.bin", filename="file.bin")

    async def form(self, request: Any) -> Any:
        async with request.form() as form:
            answer = {"words": form.getlist("word")}
            if (upload := form.get("file")) is not None:
                digest = hashlib.sha256(await upload.read()).hexdigest()
                answer |= {"name": upload.filename, "size": upload.size, "sha256": digest}
        return self.kit.responses.JSONResponse(answer)

    async def error(self, request: Any) -> Any:
        raise LookupError("a fault of the app's")

    async def refused(self, request: Any) -> Any:
        raise self.kit.exceptions.HTTPException(418, "tea only", headers={"x-pot": "brown"})

    async def stream(self, request: Any) -> Any:
        gate = self.gates[request.path_params["name"]]

        async def pieces() -> AsyncIterator[str]:
            yield "first\n"
            await gate.wait()
            yield "second\n"

        return self.kit.responses.StreamingResponse(pieces(), media_type="text/plain")

    async def gate(self, request: Any) -> Any:
        self.gates[request.path_params["name"]].set()
        return self.kit.responses.Response()

    async def upload(self, request: Any) -> Any:
        name, content = request.path_params["name"], b""
        try:
            async for piece in request.stream():
                content += piece
                self.notes.say(name, len(content))
        except self.kit.requests.ClientDisconnect:
            self.notes.say(name, "gone")
        return self.kit.responses.PlainTextResponse(content)

    async def endless(self, request: Any) -> Any:
        name = request.path_params["name"]

        async def pieces() -> AsyncIterator[str]:
            try:
                yield "first\n"
                await anyio.sleep_forever()
            finally:
                self.notes.say(name, "ended")

        return self.kit.responses.StreamingResponse(pieces())

    async def patient(self, request: Any) -> Any:
        """Answer nobody: look after the client, once it is known to be there, until it has left."""
        name = request.path_params["name"]
        self.notes.say(name, await request.is_disconnected())
        while not await request.is_disconnected():
            await anyio.sleep(0.001)
        self.notes.say(name, "gone")
        return self.kit.responses.Response()

    async def background(self, request: Any) -> Any:
        name = request.path_params["name"]

        async def work() -> None:
            await self.gates[name].wait()
            self.notes.say(name, "worked")

        task = self.kit.background.BackgroundTask(work)
        return self.kit.responses.PlainTextResponse("answered", background=task)
