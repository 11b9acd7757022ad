"""How a websocket ends: who closes it, who is told, and what the app raises."""

import logging

import anyio
import pytest

from playground.asgi import Receive, Send
from playground.errors import ClientGone, ConnectionClosed
from playground.transport import Session, connect, websocket_scope
from playground.transport._app_side import BUFFER_BYTES
from tests.transport.helpers import running_tasks, settle
from tests.transport.sockets import ACCEPT, GONE, app_of, echo, nothing, text, until_gone

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]


async def fail(receive: Receive, send: Send) -> None:
    raise ValueError("broken")


async def test_leaving_the_block_tells_the_app() -> None:
    told = []

    async def handler(receive: Receive, send: Send) -> None:
        told.append(await until_gone(receive, send))
        told.append(await receive())

    async with connect(app_of(handler, ACCEPT), "/"):
        pass
    assert told == [{"type": GONE, "code": 1000, "reason": ""}] * 2


async def test_the_client_may_close_with_a_code_and_a_reason() -> None:
    told = []

    async def handler(receive: Receive, send: Send) -> None:
        told.append(await until_gone(receive, send))

    async with connect(app_of(handler, ACCEPT), "/x") as ws:
        await ws.close(4000, "bye")
        await ws.close(1000)
        with pytest.raises(ConnectionClosed) as caught:
            await ws.send_text("late")
        assert (caught.value.code, caught.value.reason) == (4000, "bye")
        assert str(caught.value) == (
            "WS /x: expected an open connection, but the client has closed it with code 4000. "
            "Send and receive before closing it."
        )
    assert told == [{"type": GONE, "code": 4000, "reason": "bye"}]


async def test_what_the_app_sent_before_it_closed_can_still_be_read() -> None:
    app = app_of(nothing, ACCEPT, text("last"), {"type": "websocket.close", "code": 1011, "reason": "tired"})
    async with connect(app, "/x") as ws:
        assert await ws.receive_text() == "last"
        for _ in range(2):
            with pytest.raises(ConnectionClosed) as caught:
                await ws.receive_text()
            assert str(caught.value) == (
                "WS /x: expected a message, but the app has closed the connection with code 1011 (tired)."
            )


async def test_an_app_that_has_closed_is_told_of_its_own_code() -> None:
    told = []

    async def handler(receive: Receive, send: Send) -> None:
        told.append(await receive())

    async with connect(app_of(handler, ACCEPT, {"type": "websocket.close", "code": 4002}), "/"):
        pass
    assert told == [{"type": GONE, "code": 4002, "reason": ""}]


async def test_an_app_that_returns_closes_the_connection() -> None:
    async with connect(app_of(nothing, ACCEPT), "/x") as ws:
        with pytest.raises(ConnectionClosed) as caught:
            await ws.receive_text()
    assert caught.value.code == 1000
    assert str(caught.value) == ("WS /x: expected a message, but the app has returned, which closes the connection.")


async def test_an_app_that_sends_to_a_client_that_left_is_told_so() -> None:
    errors = []

    async def handler(receive: Receive, send: Send) -> None:
        await until_gone(receive, send)
        try:
            await send(text("late"))
        except OSError as error:
            errors.append(error)
            raise

    async with connect(app_of(handler, ACCEPT), "/x"):
        pass
    assert [type(error) for error in errors] == [ClientGone]
    assert str(errors[0]) == (
        "WS /x: expected an open connection to send to, but the client has closed it. Clean up and return."
    )


async def test_an_app_that_waits_to_send_is_freed_when_the_client_leaves() -> None:
    async def flood(receive: Receive, send: Send) -> None:
        while True:
            await send({"type": "websocket.send", "bytes": bytes(BUFFER_BYTES)})

    before = running_tasks()
    async with connect(app_of(flood, ACCEPT), "/"):
        await settle()
    assert running_tasks() == before


async def test_an_app_that_ignores_its_client_is_cancelled(short_grace: float) -> None:
    cancelled = []

    async def deaf(receive: Receive, send: Send) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append(True)

    async with connect(app_of(deaf, ACCEPT), "/"):
        pass
    assert cancelled == [True]


async def test_what_the_app_raises_instead_of_accepting_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match=r"^broken$"):
        await connect(app_of(fail), "/").__aenter__()


async def test_what_the_app_raises_reaches_the_caller_once() -> None:
    async with connect(app_of(fail, ACCEPT), "/") as ws:
        await settle()
        with pytest.raises(ValueError, match=r"^broken$"):
            await ws.receive_text()
        with pytest.raises(ConnectionClosed):
            await ws.receive_text()


async def test_what_the_app_raises_unheard_is_raised_at_the_end() -> None:
    with pytest.raises(ValueError, match=r"^broken$"):
        async with connect(app_of(fail, ACCEPT), "/"):
            await settle()


async def test_the_callers_own_error_goes_before_the_apps(caplog: pytest.LogCaptureFixture) -> None:
    async def caller() -> None:
        async with connect(app_of(fail, ACCEPT), "/x"):
            await settle()
            raise KeyError("the caller's")

    with pytest.raises(KeyError):
        await caller()
    (record,) = caplog.records
    assert (record.name, record.levelno, record.getMessage()) == (
        "playground.transport",
        logging.ERROR,
        "WS /x: the app raised this.",
    )


@pytest.mark.parametrize("moment", ["opening", "receiving"])
async def test_a_caller_that_is_cancelled_takes_the_app_with_it(moment: str) -> None:
    before = running_tasks()
    with anyio.move_on_after(0.01) as scope:
        async with connect(app_of(until_gone, *[ACCEPT] * (moment == "receiving")), "/") as ws:
            await ws.receive()
    assert scope.cancelled_caught
    assert running_tasks() == before


async def test_opening_and_closing_may_be_in_two_tasks() -> None:
    session = Session(app_of(echo, ACCEPT), websocket_scope(b"/"))
    for step in (session.open, session.aclose):
        async with anyio.create_task_group() as group:
            group.start_soon(step)
