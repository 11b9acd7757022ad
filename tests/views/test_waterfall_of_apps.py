"""Waterfalls of real runs: layers, handlers, threads and dependencies have their time."""

import asyncio
import time
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from playground import App, Lab
from playground.views.findings import plain
from playground.views.waterfall import Waterfall, part_words, waterfall
from tests.by_hand import ns
from tests.views.falls import told_shares


def falls(app: Any, *paths: str, clock: Any = "virtual") -> list[Waterfall]:
    with Lab(app, clock=clock) as lab:
        trace = lab.burst(lambda index: paths[index], len(paths)).trace
    found = [waterfall(trace, index) for index in range(len(trace.requests))]
    for fall in found:
        assert sum(share.ns for share in fall.shares) == fall.duration_ns
    return found


def shop(framework: Any) -> Any:
    """An app of three middlewares, in a toolkit with Starlette's names."""

    class Slow:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(0.002)
            await self.app(scope, receive, send)
            await asyncio.sleep(0.003)

    def export(request: Any) -> Any:
        time.sleep(0.02)
        return framework.PlainTextResponse("done")

    middleware = [framework.Middleware(framework.GZipMiddleware), framework.Middleware(Slow)]
    middleware.append(framework.Middleware(framework.CORSMiddleware, allow_origins=["*"]))
    return framework.Starlette(routes=[framework.Route("/export", export)], middleware=middleware)


NAMES = {
    "applications": ["Starlette"],
    "middleware": ["Middleware"],
    "middleware.cors": ["CORSMiddleware"],
    "middleware.gzip": ["GZipMiddleware"],
    "responses": ["PlainTextResponse"],
    "routing": ["Route"],
}


def toolkit(package: str) -> Any:
    """What an app is made of, from a toolkit with Starlette's names."""
    pytest.importorskip(package)
    modules = {import_module(f"{package}.{module}"): names for module, names in NAMES.items()}
    return SimpleNamespace(**{name: getattr(module, name) for module, names in modules.items() for name in names})


@pytest.mark.parametrize("package", ["playground.web", "starlette"])
def test_a_real_run_shows_its_middlewares_its_handler_and_its_thread(package: str) -> None:
    (fall,) = falls(shop(toolkit(package)), "/export")
    layers = {lane.name: (lane.kind, lane.aside) for lane in fall.lanes if lane.group == "layer"}
    assert layers["GZipMiddleware"] == ("middleware", "in 0 ms, out 0 ms")
    assert layers["shop.<locals>.Slow"] == ("middleware", "in 2 ms, out 3 ms")
    assert layers["shop.<locals>.export"] == ("handler", "20 ms")
    assert [(lane.name, lane.aside) for lane in fall.lanes if lane.group == "call"] == [
        ("shop.<locals>.export", "20 ms")
    ]
    assert told_shares(fall) == [
        ("In a worker thread, in `shop.<locals>.export`", "80%", 20),
        ("Waiting for a timer", "20%", 5),
    ]
    assert fall.duration_ns == ns(25)


def test_fastapis_dependencies_and_handler_have_their_time() -> None:
    fastapi: Any = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    def database() -> int:
        time.sleep(0.005)
        return 1

    async def user(number: int = fastapi.Depends(database)) -> int:
        await asyncio.sleep(0.01)
        return number

    @app.get("/export")  # type: ignore[untyped-decorator]
    def export(who: int = fastapi.Depends(user)) -> int:
        time.sleep(0.02)
        return who

    (fall,) = falls(app, "/export")
    layers = {lane.kind: (lane.name, lane.aside) for lane in fall.lanes if lane.group == "layer"}
    assert layers["dependency"][1] == "15 ms"
    assert layers["handler"][1] == "20 ms"
    assert [share[2] for share in told_shares(fall)] == [20, 10, 5]


def test_a_bare_app_without_layers_shows_its_messages_and_what_its_task_did() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    (fall,) = falls(app, "/x")
    assert [lane.group for lane in fall.lanes] == ["receive", "request", "send"]
    assert [lane.aside for lane in fall.lanes] == ["1 message", "10 ms", "2 messages"]
    assert told_shares(fall) == [("Waiting for a timer", "100%", 10)]


def test_a_request_held_up_by_another_names_it() -> None:
    app = App()

    @app.get("/slow")
    async def slow() -> str:
        time.sleep(0.2)
        return "slow"

    @app.get("/quick")
    async def quick() -> str:
        return "quick"

    first, second = falls(app, "/slow", "/quick")
    assert plain(first.sentence) == (
        "The request spent 200 of 200 ms holding the loop with `time.sleep(0.2)` in the handler "
        "`test_a_request_held_up_by_another_names_it.<locals>.slow`."
    )
    assert part_words(second.shares[0]) == "Ready, while `GET /slow` (request 0) held the loop with `time.sleep(0.2)`"
