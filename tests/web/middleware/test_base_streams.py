"""Streams and background tasks pass through middleware as through none, and nothing of them is left over."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.web.background import BackgroundTask
from playground.web.middleware.base import RequestResponseEndpoint
from playground.web.requests import ClientDisconnect, Request
from playground.web.responses import PlainTextResponse, Response, StreamingResponse
from tests.web.exchange import Backend, call, http_scope, request_message, run
from tests.web.middleware.functions import BACKENDS, both, discard, endpoint, layers, pass_on, pass_piecewise, silence

# Backpressure and background tasks.


@both
@pytest.mark.parametrize("functions", [(pass_on,) * 3, (pass_piecewise,) * 3])
def test_a_stream_is_never_ahead_of_its_client(backend: Backend, functions: tuple[Any, ...]) -> None:
    log: list[str] = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(4):
            log.append(f"make {number}")
            yield b"%d" % number

    async def stream(request: Request) -> Response:
        return StreamingResponse(pieces())

    async def send(message: Message) -> None:
        if body := message.get("body"):
            for _ in range(20):  # a slow client: much could happen meanwhile
                await anyio.lowlevel.checkpoint()
            log.append(f"sent {body.decode()}")

    async def main() -> None:
        await layers(endpoint(stream), *functions)(http_scope(), silence, send)

    run(main, backend)
    assert log == [f"{verb} {number}" for number in range(4) for verb in ("make", "sent")]


@both
@pytest.mark.parametrize("function", [pass_on, pass_piecewise, discard])
def test_background_tasks_run_after_the_response(backend: Backend, function: Any) -> None:
    log: list[str] = []

    async def task() -> None:
        log.append("task")

    async def answer(request: Request) -> Response:
        return PlainTextResponse("body", background=BackgroundTask(task))

    async def send(message: Message) -> None:
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        log.append("end" if message["type"] != "http.response.start" and not message.get("more_body") else "more")

    async def main() -> None:
        await layers(endpoint(answer), function, function)(http_scope(), silence, send)

    run(main, backend)
    assert log[-2:] == ["end", "task"]
    assert log.count("task") == 1


@both
@pytest.mark.parametrize("function", [pass_on, pass_piecewise])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_background_task_survives_a_client_that_leaves(backend: Backend, function: Any, at: int) -> None:
    done = []

    async def task() -> None:
        await anyio.lowlevel.checkpoint()
        done.append(True)

    async def answer(request: Request) -> Response:
        return PlainTextResponse("body", background=BackgroundTask(task))

    error = OSError("the client has left")
    assert leave(layers(endpoint(answer), function, function), at, error, backend) is error
    assert done == [True]


@both
@pytest.mark.parametrize("functions", [(pass_on,), (pass_on, pass_on), (pass_piecewise,)])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_error_of_send_is_raised_where_the_app_sent(backend: Backend, functions: tuple[Any, ...], at: int) -> None:
    heard: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"piece", "more_body": True})
        except OSError as told:
            heard.append(told)

    error = OSError("the client has left")
    raised = leave(layers(app, *functions), at, error, backend)
    assert heard == [error]
    assert raised in (None, error)


@both
def test_a_background_task_of_the_middlewares_own_runs_beside_the_apps(backend: Backend) -> None:
    done: list[str] = []

    async def answer(request: Request) -> Response:
        return PlainTextResponse("body", background=BackgroundTask(done.append, "app"))

    async def add(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.background = BackgroundTask(done.append, "middleware")
        return response

    assert call(layers(endpoint(answer), add), backend=backend).error is None
    assert sorted(done) == ["app", "middleware"]


def leave(app: ASGIApp, at: int, error: OSError, backend: Backend) -> BaseException | None:
    """Call an app for a client that leaves with the message of this number; return what the app raises."""

    async def main() -> BaseException | None:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            if len(sent) == at:
                raise error
            sent.append(message)

        try:
            await app(http_scope(), silence, send)
        except Exception as raised:  # noqa: BLE001  it is what a test looks at
            return raised
        return None

    return run(main, backend)


# Nothing is left over.


def living() -> int:
    """How many tasks there are."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return trio.lowlevel.current_statistics().tasks_living


async def small(request: Request) -> Response:
    return PlainTextResponse(await request.body(), background=BackgroundTask(anyio.lowlevel.checkpoint))


async def long(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
            yield b"piece"

    return StreamingResponse(pieces(), background=BackgroundTask(anyio.lowlevel.checkpoint))


async def watching(request: Request) -> Response:
    async def watch() -> None:
        await request.receive()

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    return await long(request)


@given(
    functions=st.lists(st.sampled_from([pass_on, pass_piecewise, discard]), max_size=3),
    answer=st.sampled_from([small, long, watching]),
    how=st.sampled_from(["send raises", "receive tells", "cancelled"]),
    at=st.integers(0, 12),
    version=st.sampled_from(["2.0", "2.4"]),
    backend=st.sampled_from(BACKENDS),
)
def test_no_task_is_left_wherever_the_client_leaves(
    functions: list[Any], answer: Any, how: str, at: int, version: str, backend: Backend
) -> None:
    async def main() -> None:
        before = living()
        steps = 0
        left = anyio.Event()

        async def step() -> None:
            nonlocal steps
            steps += 1
            await anyio.lowlevel.checkpoint()
            if steps > at and how == "cancelled":
                whole.cancel()
            if steps > at and how == "receive tells":
                left.set()

        async def send(message: Message) -> None:
            await step()
            if steps > at and how == "send raises":
                raise OSError("the client has left")

        async def receive() -> Message:
            await step()
            if steps == 1 and at >= 1:
                return request_message(b"body")
            await left.wait()
            return {"type": "http.disconnect"}

        scope = http_scope(method="POST", asgi={"version": "3.0", "spec_version": version})
        with anyio.move_on_after(30) as whole:
            if how == "send raises":
                left.set()
            try:
                await layers(endpoint(answer), *functions)(scope, receive, send)
            except (OSError, ClientDisconnect):
                assert how != "cancelled"
        assert not whole.cancelled_caught or how == "cancelled"
        await anyio.lowlevel.checkpoint()
        assert living() == before

    anyio.run(main, backend=backend)
