"""Which apps a lab takes, how they start up and shut down, and what serves them."""

import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from playground import App, Lab, LabError, Network
from playground.errors import LifespanError
from playground.web.applications import Starlette
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse
from playground.web.routing import Route
from tests.lab.app import app


def test_what_is_no_app_is_refused() -> None:
    with pytest.raises(LabError) as refused:
        Lab("app")  # type: ignore[arg-type]
    assert (
        str(refused.value) == "expected an app, which is callable, but got 'app'. Import the app, and pass it itself."
    )


def test_a_class_is_no_app() -> None:
    with pytest.raises(LabError) as refused:
        Lab(App)
    assert str(refused.value) == "expected an app, but got the class App. Make an instance of it, and pass that."


def test_a_wsgi_app_runs_in_a_worker_thread() -> None:
    def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("content-type", "text/plain")])
        return [environ["PATH_INFO"].encode()]

    with Lab(wsgi) as lab:
        assert lab.get("/hello").text == "/hello"
        run = lab.burst("/again", n=3)
    assert [response.text for response in run.responses] == ["/again"] * 3
    assert [len(request.handoffs) for request in run.requests] == [1, 1, 1]


def test_an_asgi_2_app_runs_too() -> None:
    class Two:
        def __init__(self, scope: Any) -> None:
            self.path = scope["path"]

        async def __call__(self, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": self.path.encode()})

    with Lab(Two) as lab:
        assert lab.get("/hello").text == "/hello"


def test_the_app_is_started_up_and_shut_down_and_its_state_reaches_requests() -> None:
    told: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, str]]:
        told.append("up")
        yield {"database": "connected"}
        told.append("down")

    async def endpoint(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.state.database)

    with Lab(Starlette(routes=[Route("/", endpoint)], lifespan=lifespan)) as lab:
        assert told == ["up"]
        assert lab.get("/").text == "connected"
        assert [response.text for response in lab.burst("/", n=2).responses] == ["connected"] * 2
    assert told == ["up", "down"]


def test_an_app_that_cannot_start_up_says_why_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        if app is not None:
            raise ValueError("no database")
        yield

    with pytest.raises(LifespanError, match="no database"):
        Lab(Starlette(lifespan=lifespan))
    assert set(threading.enumerate()) == before


def test_the_same_app_is_served_on_a_real_socket_and_recorded(lab: Lab) -> None:
    async def browse() -> list[str]:
        async with httpx.AsyncClient(base_url=server.url) as browser:
            return [(await browser.get(path)).text for path in ("/hello/Ada", "/report")]

    with lab.serve() as server:
        assert httpx.get(f"{server.url}/hello/Ada").json() == {"hello": "Ada"}
        run = lab.run(browse)
    assert run.result == ['{"hello":"Ada"}', "done"]
    assert [(request.path, request.status) for request in run.requests] == [("/hello/Ada", 200), ("/report", 200)]
    assert [len(request.handoffs) for request in run.requests] == [0, 1]
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def test_a_port_that_is_taken_is_refused(lab: Lab) -> None:
    with lab.serve() as server:
        port = int(server.url.rpartition(":")[2])
        taken = rf"^expected a free port on 127\.0\.0\.1, got {port}, which cannot be had"
        with pytest.raises(LabError, match=taken), lab.serve(port):
            pass


def test_a_network_delays_and_loses() -> None:
    with Lab(app, network=Network(latency_s=0.02, loss=0.5, seed=4)) as lab:
        run = lab.burst("/hello/Ada", n=20)
    assert len(run.responses) + len(run.lost) == 20
    assert run.responses
    assert run.lost
    assert all(isinstance(error, httpx.TransportError) for error in run.lost.values())
    assert all(response.elapsed.total_seconds() >= 0.04 for response in run.responses)


def test_a_clock_that_does_not_exist_is_refused() -> None:
    with pytest.raises(LabError) as refused:
        Lab(app, clock="sundial")  # type: ignore[arg-type]
    assert str(refused.value) == ("expected clock='real' or clock='virtual', got 'sundial': choose one of these")


@pytest.mark.parametrize("threads", [0, -1, "4", True])
def test_a_lab_without_threads_is_refused(threads: Any) -> None:
    with pytest.raises(LabError) as refused:
        Lab(app, threads=threads)
    assert str(refused.value) == (
        f"expected a number of threads from 1, got {threads!r}: plain def handlers run in them"
    )
