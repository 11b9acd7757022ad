"""What goes wrong in an app or a body, as an `httpx.AsyncClient` tells of it."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from playground.asgi import Receive, Scope, Send
from playground.errors import ProtocolError
from tests.transport.faulty import broken_after, broken_before, broken_within, silent, wordless
from tests.transport.helpers import START, app_of, client, echo

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]


@pytest.mark.parametrize(
    ("app", "words"), [(broken_before, "before"), (broken_within, "within"), (broken_after, "after")]
)
async def test_what_an_app_raises_is_raised_by_the_client_and_once(app: Any, words: str) -> None:
    async with client(app) as http:
        with pytest.raises(ValueError, match=f"^{words}$") as caught:
            await http.get("/")
    assert caught.value.__cause__ is None
    assert caught.traceback[-1].name == app.__name__


async def test_a_response_may_be_looked_at_before_its_app_fails() -> None:
    async with client(broken_within) as http:
        response = await http.send(http.build_request("GET", "/"), stream=True)
        assert response.status_code == 200
        with pytest.raises(ValueError, match=r"^within$"):
            await response.aread()
        await response.aclose()


async def test_the_cause_of_an_apps_exception_stays() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        raise ValueError("outer") from KeyError("inner")

    async with client(app_of(handler)) as http:
        with pytest.raises(ValueError, match=r"^outer$") as caught:
            await http.get("/")
    assert isinstance(caught.value.__cause__, KeyError)


async def test_an_exception_of_starlettes_arrives_after_the_500_that_it_sends() -> None:
    def fail(request: Request) -> PlainTextResponse:
        raise ValueError("in a worker thread")

    app = Starlette(routes=[Route("/", fail)])
    async with client(app) as http:
        with pytest.raises(ValueError, match=r"^in a worker thread$"):
            await http.get("/")
    async with client(app, raise_app_exceptions=False) as http:
        assert (await http.get("/")).status_code == 500


@pytest.mark.parametrize("app", [broken_before, wordless])
async def test_a_failed_app_may_be_answered_for_as_a_server_does(app: Any) -> None:
    async with client(app, raise_app_exceptions=False) as http:
        response = await http.get("/")
        assert (response.status_code, response.text) == (500, "Internal Server Error")
        response = await http.head("/")
        assert (response.status_code, response.content) == (500, b"")


async def test_a_body_that_breaks_off_is_a_protocol_error_of_the_clients() -> None:
    async with client(broken_within, raise_app_exceptions=False) as http:
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await http.get("/")
    assert str(caught.value) == (
        "GET /: expected `http.response.body`, but the app raised ValueError after 3 bytes of body. "
        "Its traceback stands above, as the cause."
    )
    assert isinstance(caught.value.__cause__, ValueError)


async def test_what_an_app_raises_after_its_response_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with client(broken_after, raise_app_exceptions=False) as http:
        assert (await http.get("/")).text == "hello"
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("playground.transport", logging.ERROR)
    assert record.getMessage() == "GET /: the app raised this after its response."


async def test_an_app_that_does_not_answer_is_a_named_error() -> None:
    async with client(wordless) as http:
        with pytest.raises(ProtocolError) as caught:
            await http.get("/")
    assert str(caught.value) == (
        "GET /: expected `http.response.start`, but the app returned without sending one. "
        "Send a response in every branch of the app."
    )


async def test_the_clients_timeout_names_what_is_missing() -> None:
    async with client(silent) as http:
        with pytest.raises(httpx.ReadTimeout) as caught:
            await http.get("/", timeout=0.01)
    assert str(caught.value) == (
        "GET /: expected `http.response.start` from the app within 0.01 s, but nothing came. "
        "Send it sooner, or give the client a longer timeout."
    )
    assert caught.value.request.url.path == "/"


async def test_the_clients_timeout_holds_for_each_piece() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await anyio.sleep_forever()

    async with client(app_of(handler)) as http:
        with pytest.raises(httpx.ReadTimeout) as caught:
            await http.get("/", timeout=0.01)
    assert str(caught.value) == (
        "GET /: expected `http.response.body` from the app within 0.01 s, but nothing came. "
        "Send it sooner, or give the client a longer timeout."
    )


async def test_a_timeout_that_the_app_itself_ran_into_is_the_apps_exception() -> None:
    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        async with client(silent) as http:
            await http.get("/behind", timeout=0.01)

    async with client(proxy) as http:
        with pytest.raises(httpx.ReadTimeout, match=r"^GET /behind: "):
            await http.get("/")
    async with client(proxy, raise_app_exceptions=False) as http:
        assert (await http.get("/")).status_code == 500


async def wait_for_the_body(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass


@pytest.mark.parametrize("app", [echo, wait_for_the_body])
async def test_what_the_clients_body_raises_is_the_clients(app: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        raise ValueError("the client's own")

    async with client(app, raise_app_exceptions=False) as http:
        with pytest.raises(ValueError, match=r"^the client's own$"):
            await http.post("/", content=pieces())
