"""Apps as FastAPI's tutorial teaches them, and what they answer, without what differs from run to run.

FastAPI is used as it is installed; which toolkit lies under it is decided by whoever imports this module.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import httpx
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
    UploadFile,
    WebSocket,
    WebSocketDisconnect,
    WebSocketException,
)
from fastapi import (
    Path as PathParam,
)
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials, OAuth2PasswordBearer, OAuth2PasswordRequestForm
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

NOTES: list[str] = []


class Item(BaseModel):
    name: str
    price: float
    tags: list[str] = []


class Shown(BaseModel):
    name: str


class Unicorn(Exception):
    pass


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    NOTES.append("up")
    yield {"model": 42}
    NOTES.append("down")


async def session() -> AsyncIterator[str]:
    NOTES.append("session opened")
    try:
        yield "session"
    finally:
        NOTES.append("session closed")


def page(skip: int = 0, limit: int = 100) -> dict[str, int]:
    return {"skip": skip, "limit": limit}


def add_parameters(app: FastAPI) -> None:
    """Tutorial: path and query parameters, bodies, headers and cookies, forms and files."""

    @app.get("/items/{item_id}")
    async def read(item_id: int, q: str | None = None, short: bool = False) -> Any:
        return {"item_id": item_id, "q": q, "short": short}

    @app.get("/files/{path:path}")
    def read_file(path: str) -> Any:
        return path

    @app.post("/items/", response_model=Shown, status_code=201)
    async def create(item: Item) -> Any:
        return item

    @app.put("/items/{item_id}")
    def update(
        item_id: Annotated[int, PathParam(le=10)],
        item: Annotated[Item, Body(embed=True)],
        q: Annotated[list[str] | None, Query()] = None,
    ) -> Any:
        return {"item_id": item_id, "q": q, **item.model_dump()}

    @app.get("/headers")
    async def headers(
        user_agent: Annotated[str, Header()], x_token: Annotated[list[str], Header()], ads: Annotated[str, Cookie()]
    ) -> Any:
        return [user_agent, x_token, ads]

    @app.post("/form")
    async def form(name: Annotated[str, Form()]) -> Any:
        return name

    @app.post("/upload")
    async def upload(file: UploadFile, raw: Annotated[bytes, File()], note: Annotated[str, Form()] = "") -> Any:
        return [file.filename, file.content_type, len(await file.read()), len(raw), note]


def add_dependencies(app: FastAPI) -> None:
    """Tutorial: dependencies, security, errors, background tasks, middleware."""
    bearer, basic = OAuth2PasswordBearer(tokenUrl="token"), HTTPBasic()

    @app.get("/dependencies")
    async def dependencies(a: Annotated[str, Depends(session)], b: Annotated[dict[str, int], Depends(page)]) -> Any:
        return {"a": a, **b}

    @app.get("/me")
    async def me(token: Annotated[str, Depends(bearer)]) -> Any:
        return token

    @app.post("/token")
    async def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Any:
        return {"access_token": form.username, "token_type": "bearer"}

    @app.get("/basic")
    def basic_user(credentials: Annotated[HTTPBasicCredentials, Depends(basic)]) -> Any:
        return credentials.username

    @app.exception_handler(Unicorn)
    async def explain(request: Request, error: Exception) -> Response:
        return JSONResponse({"unicorn": str(error)}, status_code=418)

    @app.get("/fail/{how}")
    async def fail(how: str) -> Any:
        raise Unicorn(how) if how == "unicorn" else HTTPException(404, detail={"how": how}, headers={"x-error": "1"})

    @app.get("/bug")
    def bug() -> Any:
        raise RuntimeError("bug")

    @app.post("/background")
    async def background(tasks: BackgroundTasks) -> Any:
        tasks.add_task(NOTES.append, "task done")
        return "soon"

    @app.middleware("http")
    async def stamp(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["x-stamp"] = request.url.path
        return response


def add_responses(app: FastAPI, folder: Path) -> None:
    """Advanced guide: kinds of responses, state, cookies, static files, sub-applications."""

    @app.get("/html", response_class=HTMLResponse)
    async def html() -> Any:
        return "<b>bold</b>"

    @app.get("/redirect")
    async def redirect() -> Any:
        return RedirectResponse("/html")

    @app.get("/stream")
    def stream() -> Any:
        return StreamingResponse(iter(["a", "b"]), media_type="text/plain")

    @app.get("/file")
    async def file() -> Any:
        return FileResponse(folder / "a.txt", filename="b.txt")

    @app.get("/long")
    def long() -> Any:
        return "long " * 1_000

    @app.get("/changed")
    def changed(response: Response) -> Any:
        response.set_cookie("key", "value", httponly=True)
        response.status_code = 202
        return {}

    @app.get("/request")
    async def request(request: Request) -> Any:
        return [str(request.url), str(request.base_url), request.state.model, (request.scope["route"]).path]

    inside = FastAPI()

    @inside.get("/place")
    def place(request: Request) -> Any:
        return [request.scope["root_path"], str(request.url_for("place"))]

    app.mount("/inside", inside)
    app.mount("/static", StaticFiles(directory=folder), name="static")


def add_routers(app: FastAPI) -> None:
    """Tutorial: bigger applications. Advanced guide: websockets."""
    router = APIRouter(prefix="/router", dependencies=[Depends(page)])

    @router.get("/{x}", name="named")
    async def named(x: str, request: Request) -> Any:
        return [str(request.url_for("named", x=x)), str(app.url_path_for("named", x="y"))]

    @router.websocket("/ws/{room}")
    async def chat(websocket: WebSocket, room: str, q: int | None = None) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(f"{room} {q} {await websocket.receive_text()}")
        except WebSocketDisconnect as left:
            NOTES.append(f"left with {left.code}")

    @app.websocket("/guarded")
    async def guarded(websocket: WebSocket, token: Annotated[str | None, Query()] = None) -> None:
        if token is None:
            raise WebSocketException(code=1008, reason="no token")
        await websocket.accept()
        await websocket.send_json({"token": token})
        await websocket.close()

    app.include_router(router)
    app.include_router(router, prefix="/v2")


def build(folder: Path) -> FastAPI:
    app = FastAPI(title="Tutorial", lifespan=lifespan)
    add_parameters(app)
    add_dependencies(app)
    add_responses(app, folder)
    add_routers(app)
    app.add_middleware(CORSMiddleware, allow_origins=["https://x.org"], allow_methods=["*"])
    app.add_middleware(GZipMiddleware, minimum_size=1_000)
    return app


_ITEM = {"name": "tea", "price": 2}
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/items/5?q=a&short=yes", {}),
    ("GET", "/items/x", {}),
    ("GET", "/items/5/", {}),
    ("GET", "/files/a/b.txt", {}),
    ("POST", "/items/", {"json": _ITEM}),
    ("POST", "/items", {"json": _ITEM}),
    ("POST", "/items/", {"json": {"name": "tea"}}),
    ("POST", "/items/", {"content": b"{", "headers": {"content-type": "application/json"}}),
    ("PUT", "/items/3?q=1&q=2", {"json": {"item": _ITEM}}),
    ("PUT", "/items/30", {"json": {"item": _ITEM}}),
    ("GET", "/headers", {"headers": [("x-token", "a"), ("x-token", "b"), ("cookie", "ads=c"), ("user-agent", "me")]}),
    ("GET", "/headers", {"headers": {"user-agent": "me"}}),
    ("POST", "/form", {"data": {"name": "Ada"}}),
    ("POST", "/form", {}),
    ("POST", "/upload", {"files": {"file": ("a.txt", b"abc", "text/plain"), "raw": b"12"}, "data": {"note": "n"}}),
    ("POST", "/upload", {"files": {"raw": b"12"}}),
    ("GET", "/dependencies?skip=3", {}),
    ("GET", "/me", {}),
    ("GET", "/me", {"headers": {"authorization": "Bearer abc"}}),
    ("POST", "/token", {"data": {"username": "Ada", "password": "b"}}),
    ("GET", "/basic", {}),
    ("GET", "/basic", {"auth": ("Ada", "b")}),
    ("GET", "/fail/unicorn", {}),
    ("GET", "/fail/else", {}),
    ("GET", "/bug", {}),
    ("POST", "/background", {}),
    ("GET", "/html", {}),
    ("GET", "/redirect", {}),
    ("GET", "/stream", {}),
    ("GET", "/file", {}),
    ("GET", "/file", {"headers": {"range": "bytes=1-2"}}),
    ("GET", "/long", {}),
    ("GET", "/changed", {}),
    ("GET", "/request", {}),
    ("GET", "/inside/place", {}),
    ("GET", "/inside/openapi.json", {}),
    ("GET", "/static/a.txt", {}),
    ("GET", "/static/none", {}),
    ("GET", "/router/a", {}),
    ("GET", "/v2/router/a", {}),
    ("GET", "/openapi.json", {}),
    ("GET", "/docs", {}),
    ("GET", "/nowhere", {}),
    ("DELETE", "/html", {}),
    ("GET", "/html", {"headers": {"origin": "https://x.org"}}),
    ("OPTIONS", "/html", {"headers": {"origin": "https://x.org", "access-control-request-method": "GET"}}),
]
WEBSOCKETS = [("/router/ws/a", b"q=3"), ("/v2/router/ws/a", b""), ("/router/ws/a", b"q=x"), ("/guarded", b"token=a")]
WEBSOCKETS += [("/guarded", b""), ("/nowhere", b"")]


async def ask(app: FastAPI, state: dict[str, Any]) -> list[Any]:
    """What each request is answered, without what differs from run to run."""

    async def with_state(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    answers: list[Any] = []
    transport = httpx.ASGITransport(with_state, raise_app_exceptions=False)
    for method, url, more in REQUESTS:
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            response = await client.request(method, url, **more)
        headers = {name: value for name, value in response.headers.items() if name not in ("last-modified", "etag")}
        if method == "GET" and url == "/bug":
            headers.pop("vary", None)  # ours answers errors within CORS too, which is meant
        answers.append([method, url, response.status_code, response.text, headers])
    return answers


async def converse(app: FastAPI, path: str, query: bytes, state: dict[str, Any]) -> list[Any]:
    incoming = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hi"}]
    script, sent = iter(incoming), []

    async def receive() -> Any:
        return next(script, {"type": "websocket.disconnect", "code": 1001})

    async def send(message: Any) -> None:
        sent.append(repr(message))

    scope = {"type": "websocket", "path": path, "root_path": "", "headers": [], "query_string": query}
    await app({**scope, "state": dict(state)}, receive, send)
    return [path, *sent]


async def live(app: FastAPI, during: Callable[[dict[str, Any]], Awaitable[list[Any]]]) -> list[Any]:
    """What comes of an app between its start-up and its shut-down."""
    state: dict[str, Any] = {}
    answers: list[Any] = []
    script = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Any:
        kind = next(script)
        if kind == "lifespan.shutdown":
            answers.extend(await during(state))
        return {"type": kind}

    async def send(message: Any) -> None:
        answers.append(message)

    await app({"type": "lifespan", "state": state}, receive, send)
    return answers


async def main() -> list[Any]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.txt").write_text("static")
        app = build(folder)

        async def during(state: dict[str, Any]) -> list[Any]:
            answers = await ask(app, state)
            return answers + [await converse(app, path, query, state) for path, query in WEBSOCKETS]

        return [*await live(app, during), NOTES]


def tell() -> None:
    """Print all answers."""
    print(json.dumps(asyncio.run(main()), indent=1))
