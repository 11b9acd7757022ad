"""An `httpx.AsyncClient` that leaves early, is cancelled, or is closed ends what it asked for."""

import random
from collections.abc import Callable

import anyio
import httpx
import pytest
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from playground.asgi import Receive, Scope, Send
from tests.transport.faulty import endless
from tests.transport.helpers import START, app_of, body, client, dropped_by_httpx, running_tasks, settle

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]


@dropped_by_httpx
async def test_leaving_a_stream_early_ends_the_app() -> None:
    before = running_tasks()
    async with client(endless) as http:
        async with http.stream("GET", "/") as response:
            assert await first_piece(response) == bytes(1024)
        assert running_tasks() == before


class Zeros:
    """A stream without end."""

    def __aiter__(self) -> "Zeros":
        return self

    async def __anext__(self) -> bytes:
        await anyio.lowlevel.checkpoint()
        return bytes(1024)


@dropped_by_httpx
async def test_a_stream_of_starlettes_may_be_left_early() -> None:
    left: list[type] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await StreamingResponse(Zeros())(scope, receive, send)
        except Exception as error:
            left.append(type(error))
            raise

    async with client(app) as http, http.stream("GET", "/") as response:
        assert await first_piece(response) == bytes(1024)
    assert left == [ClientDisconnect]  # which is what Starlette makes of our ClientGone


async def test_closing_the_client_ends_what_was_left_open(short_grace: float) -> None:
    before = running_tasks()
    async with client(endless) as http:
        for _ in range(3):
            await http.send(http.build_request("GET", "/"), stream=True)
        await settle()
        assert len(running_tasks() - before) == 3


async def test_closing_the_client_ends_what_apps_do_after_their_responses(short_grace: float) -> None:
    ended: list[bool] = []

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"hello"))
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async with client(app_of(handler), wait_for_app=False) as http:
        assert (await http.get("/")).text == "hello"
        assert ended == []
    assert ended == [True]


async def test_cancelling_a_request_cancels_the_app() -> None:
    ended: list[bool] = []

    async def handler(receive: Receive, send: Send) -> None:
        group.cancel_scope.cancel()
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async with client(app_of(handler)) as http, anyio.create_task_group() as group:
        group.start_soon(http.get, "/")
    assert ended == [True]


@pytest.mark.slow
@dropped_by_httpx
@pytest.mark.parametrize("seed", range(3))
async def test_many_requests_with_clients_that_leave_at_any_moment_leave_nothing(seed: int, short_grace: float) -> None:
    choose = random.Random(seed)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            more = (await receive()).get("more_body", False)
            await _some_turns(choose)
        await send(START)
        for _ in range(5):
            await _some_turns(choose)
            await send(body(bytes(30_000), more=True))
        await send(body())
        await _some_turns(choose)

    async def one_client(http: httpx.AsyncClient) -> None:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_after, choose.randrange(40), scope.cancel)
                async with http.stream("POST", "/", content=Upload(choose)) as response:
                    leave_at = choose.randrange(8)
                    async for _ in response.aiter_raw():
                        leave_at -= 1
                        if leave_at < 0:
                            break
                scope.cancel()

    async with client(app) as http, anyio.create_task_group() as group:
        for _ in range(150):
            group.start_soon(one_client, http)


async def first_piece(response: httpx.Response) -> bytes:
    async for piece in response.aiter_raw():
        return piece
    return b""


class Upload:
    """A body in three pieces. It is no generator, since httpx would drop it half-way, and trio minds."""

    def __init__(self, choose: random.Random) -> None:
        self.left = 3
        self.choose = choose

    def __aiter__(self) -> "Upload":
        return self

    async def __anext__(self) -> bytes:
        await _some_turns(self.choose)
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return b"abc"


async def _some_turns(choose: random.Random) -> None:
    for _ in range(choose.randrange(4)):
        await anyio.lowlevel.checkpoint()


async def _cancel_after(turns: int, cancel: Callable[[], object]) -> None:
    for _ in range(turns):
        await anyio.lowlevel.checkpoint()
    if turns % 2:
        cancel()
