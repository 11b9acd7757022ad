"""How an exchange ends when its client leaves, or when whoever waits for it is cancelled."""

import asyncio
import logging

import anyio
import pytest

from playground.asgi import Receive, Send
from playground.errors import ClientGone, ProtocolError
from playground.transport.exchange import BUFFER_BYTES
from tests.transport.helpers import START, body, exchange, hello, pieces_of, read, running_tasks, settle

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]


# Leaving early.


async def test_closing_early_tells_the_app_that_waits_for_it() -> None:
    messages = []

    async def handler(receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        messages.append(await receive())

    one = exchange(handler)
    await one.start()
    await one.aclose()
    assert messages == [{"type": "http.disconnect"}]


async def test_closing_early_tells_the_app_that_waits_to_send() -> None:
    errors = []

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        try:
            while True:
                await send(body(bytes(BUFFER_BYTES), more=True))
        except OSError as error:
            errors.append(error)
            raise

    one = exchange(handler)
    await one.start()
    await one.aclose()
    assert [str(error) for error in errors] == [
        "GET /x: expected an open connection to send to, but the client has closed it. Clean up and return."
    ]
    assert isinstance(errors[0], ClientGone)
    assert one.untold() is None


async def test_an_app_that_ignores_the_disconnect_is_cancelled_after_the_grace_time(short_grace: float) -> None:
    ends = []

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        try:
            await anyio.sleep_forever()
        finally:
            ends.append(anyio.current_time())

    one = exchange(handler)
    await one.start()
    before = anyio.current_time()
    await one.aclose()
    assert ends[0] - before >= short_grace * 0.9


async def test_an_app_that_only_asks_on_and_on_is_cancelled_too(short_grace: float) -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        while True:
            await receive()

    one = exchange(handler)
    await one.start()
    await one.aclose()


async def test_an_app_that_only_sends_on_and_on_is_cancelled_too(short_grace: float) -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        while True:
            try:
                await send(body(b"x", more=True))
            except OSError:
                continue

    one = exchange(handler)
    await one.start()
    await one.aclose()


async def test_a_reader_is_told_when_somebody_else_closes() -> None:
    errors: list[str] = []

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await receive()
        await receive()

    async def reading() -> None:
        with pytest.raises(ClientGone) as caught:
            await one.chunk()
        errors.append(str(caught.value))

    one = exchange(handler)
    await one.start()
    async with anyio.create_task_group() as group:
        group.start_soon(reading)
        await settle()
        await one.aclose()
    (error,) = errors
    assert error == (
        "GET /x: expected an open connection to read from, but the client has closed it. "
        "Read the response before closing it."
    )


async def test_what_an_app_raises_after_its_client_has_left_is_logged_and_not_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        await receive()
        raise ValueError("in the clean-up")

    one = exchange(handler)
    await one.start()
    await one.aclose()
    assert one.untold() is None
    [record] = caplog.records
    assert (record.name, record.levelno) == ("playground.transport", logging.ERROR)
    assert record.getMessage() == "GET /x: the app raised this after its client had left."
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "in the clean-up"


async def test_that_the_client_has_gone_is_no_news_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        try:
            raise BaseExceptionGroup("as task groups do", [await refused(send)])
        except BaseExceptionGroup as error:
            raise RuntimeError("as frameworks do") from error

    async def refused(send: Send) -> Exception:
        while True:
            try:
                await send(body(bytes(BUFFER_BYTES), more=True))
            except OSError as error:
                return error

    one = exchange(handler)
    await one.start()
    await one.aclose()
    assert caplog.records == []


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_app_that_swallows_every_cancellation_is_reported(short_grace: float) -> None:
    release = asyncio.Event()

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    one = exchange(handler)
    await one.start()
    with pytest.raises(ProtocolError) as caught:
        await one.aclose()
    assert str(caught.value) == (
        "GET /x: expected the app to end when it is cancelled, but it outlasted 3 cancellations, 0.02 s apart. "
        "Let `CancelledError` pass, and shield from it only what ends soon."
    )
    release.set()
    await settle()


async def test_an_app_may_go_on_after_its_response_and_closing_waits_for_it() -> None:
    done = []

    async def handler(receive: Receive, send: Send) -> None:
        await hello({}, receive, send)
        await settle()
        done.append(await receive())

    one = exchange(handler)
    await one.start()
    assert await read(one) == [b"hello"]
    assert done == []
    await one.aclose()
    assert done == [{"type": "http.disconnect"}]


async def test_closing_need_not_wait_for_what_an_app_does_after_its_response(
    short_grace: float, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await hello({}, receive, send)
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("late")

    before = running_tasks()
    one = exchange(handler)
    await one.start()
    assert await read(one) == [b"hello"]
    await one.aclose(wait_for_app=False)
    assert len(running_tasks() - before) == 1
    one.hang_up()
    await one.aclose()
    assert [record.getMessage() for record in caplog.records] == [
        "GET /x: the app raised this after its client had left."
    ]


async def test_what_an_app_raises_long_after_its_response_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    fail = anyio.Event()

    async def handler(receive: Receive, send: Send) -> None:
        await hello({}, receive, send)
        await fail.wait()
        raise ValueError("late")

    one = exchange(handler)
    await one.start()
    await one.aclose(wait_for_app=False)
    fail.set()
    await settle()
    assert one.untold() is None
    assert [record.getMessage() for record in caplog.records] == [
        "GET /x: the app raised this after its client had left."
    ]


# Cancelling the caller.


@pytest.mark.parametrize("phase", ["before the start", "in the body", "after the end"])
async def test_cancelling_the_caller_cancels_the_app(phase: str) -> None:
    ends = []

    async def handler(receive: Receive, send: Send) -> None:
        try:
            if phase != "before the start":
                await send(START)
            if phase == "after the end":
                await send(body(b"all"))
            await anyio.sleep_forever()
        finally:
            ends.append(phase)

    one = exchange(handler, pieces_of(b"a", b"b"))
    with anyio.move_on_after(0.01) as scope:
        await one.start()
        await read(one)
        await one.aclose()
    assert scope.cancelled_caught
    assert ends == [phase]


async def test_a_caller_may_be_cancelled_before_the_app_has_begun() -> None:
    one = exchange(lambda receive, send: hello({}, receive, send), pieces_of(b"a"))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await one.start()
    await one.aclose()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_task_may_be_cancelled_in_the_way_of_asyncio() -> None:
    ends = []

    async def handler(receive: Receive, send: Send) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ends.append(True)

    for rounds in range(4):
        one = exchange(handler)
        task = asyncio.create_task(one.start())
        for _ in range(rounds):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ends == [True] * 3  # in the first round not even `start` had begun


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_when_the_loop_cancels_everything_an_app_may_not_have_begun(
    short_grace: float, caplog: pytest.LogCaptureFixture
) -> None:
    begun = []

    async def handler(receive: Receive, send: Send) -> None:
        begun.append(True)

    before = running_tasks()
    starting = asyncio.create_task(exchange(handler, pieces_of(b"a")).start())  # which begins with the upload
    await asyncio.sleep(0)
    tasks = running_tasks() - before
    assert len(tasks) == 3
    for task in tasks:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert (begun, caplog.records) == ([], [])


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_caller_may_be_thrown_away_with_its_loop() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await receive()
        await receive()

    one = exchange(handler)
    starting = one.start()
    starting.send(None)
    starting.close()
    await settle()
    await one.aclose()
