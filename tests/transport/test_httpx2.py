"""The same transport under httpx2, where that is installed."""

from typing import Any

import pytest

from playground.transport import ASGITransport
from tests.transport.faulty import broken_before, broken_within, silent
from tests.transport.helpers import START, app_of, body, echo

httpx2: Any = pytest.importorskip("httpx2", reason="httpx2 is not installed")

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]


def client(app: Any, **options: Any) -> Any:
    return httpx2.AsyncClient(transport=ASGITransport(app, **options), base_url="http://lab")


async def test_a_response_is_one_of_the_librarys_own() -> None:
    async with client(echo) as http:
        response = await http.post("/", content=b"abc")
    assert isinstance(response, httpx2.Response)
    assert response.content == b"abc"


async def test_a_stream_is_read_as_it_comes() -> None:
    async def handler(receive: Any, send: Any) -> None:
        await send(START)
        await send(body(b"a", more=True))
        await send(body(b"b"))

    async with client(app_of(handler)) as http, http.stream("GET", "/") as response:
        assert [piece async for piece in response.aiter_raw()] == [b"a", b"b"]


async def test_errors_are_the_librarys_own() -> None:
    async with client(silent) as http:
        with pytest.raises(httpx2.ReadTimeout, match=r"^GET /: expected `http.response.start` from the app"):
            await http.get("/", timeout=0.01)
    async with client(broken_within, raise_app_exceptions=False) as http:
        with pytest.raises(httpx2.RemoteProtocolError, match=r"^GET /: expected `http.response.body`"):
            await http.get("/")
    async with client(broken_before, raise_app_exceptions=False) as http:
        assert (await http.get("/")).status_code == 500
