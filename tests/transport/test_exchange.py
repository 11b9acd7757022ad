"""Who waits for whom between an app and its client, and how it ends."""

import asyncio
import contextvars
import gc
import logging
import re
import traceback
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from playground.asgi import Message, Receive, Send
from playground.errors import ClientGone, NoAnswer, ProtocolError
from playground.transport import Exchange, http_scope
from playground.transport.exchange import BUFFER_BYTES
from tests.transport.helpers import START, body, echo, exchange, hello, running_tasks, settle

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]

VAR: contextvars.ContextVar[str] = contextvars.ContextVar("VAR", default="unset")


async def read(one: Exchange, timeout_s: float | None = None) -> list[bytes]:
    pieces = []
    while (piece := await one.chunk(timeout_s)) is not None:
        pieces.append(piece)
    return pieces


async def start_and_read(one: Exchange, timeout_s: float | None = None) -> list[bytes]:
    await one.start(timeout_s)
    return await read(one, timeout_s)


async def pieces_of(*pieces: Any) -> AsyncIterator[bytes]:
    for piece in pieces:
        await anyio.lowlevel.checkpoint()
        yield piece


# The response.


async def test_the_answer_begins_with_the_start_message_and_not_with_the_end() -> None:
    go_on = anyio.Event()

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await go_on.wait()
        await send(body(b"late"))

    one = exchange(handler)
    await one.start()
    assert (one.reply.status, one.reply.headers) == (200, [(b"x-a", b"1")])
    go_on.set()
    assert await read(one) == [b"late"]
    await one.aclose()


async def test_a_piece_arrives_while_the_app_is_still_sending() -> None:
    seen = anyio.Event()

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"first", more=True))
        await seen.wait()  # would never end if the client got the pieces only at the end
        await send(body(b"second"))

    one = exchange(handler)
    await one.start()
    assert await one.chunk() == b"first"
    seen.set()
    assert await read(one) == [b"second"]
    await one.aclose()


async def test_an_app_that_sends_without_end_waits_for_its_client() -> None:
    sent = 0
    piece = bytes(1000)

    async def handler(receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(START)
        while True:
            await send(body(piece, more=True))
            sent += 1

    one = exchange(handler)
    await one.start()
    await settle()
    assert sent * len(piece) == one.reply.buffered
    assert BUFFER_BYTES <= one.reply.buffered < BUFFER_BYTES + len(piece)
    full = sent
    for _ in range(100):
        assert await one.chunk() == piece
        assert one.reply.buffered < BUFFER_BYTES + len(piece)
    await settle()
    assert sent == full + 100
    await one.aclose()


async def test_pieces_of_nothing_do_not_hold_the_loop() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        while True:
            await send(body(b"", more=True))

    one = exchange(handler)
    await one.start()
    await one.aclose()


async def test_the_answer_to_head_ends_with_its_headers_but_the_app_may_finish(short_grace: float) -> None:
    done = []

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
            await send(body(b"unseen", more=True))
        await send(body())
        done.append(True)

    one = exchange(handler, method="HEAD")
    await one.start()
    assert await one.chunk() is None
    await one.aclose()
    assert done == [True]


async def test_the_caller_may_start_read_and_close_in_three_tasks() -> None:
    one = exchange(lambda receive, send: echo({}, receive, send), b"abc")
    got: list[bytes] = []

    async def reading() -> None:
        got.extend(await read(one))

    for step in (one.start, reading, one.aclose):
        async with anyio.create_task_group() as group:
            group.start_soon(step)
    assert got == [b"abc"]


async def test_the_context_of_the_caller_is_the_apps_and_not_the_other_way_round() -> None:
    seen = []

    async def handler(receive: Receive, send: Send) -> None:
        seen.append(VAR.get())
        VAR.set("the app's")
        await hello({}, receive, send)

    VAR.set("the caller's")
    one = exchange(handler)
    await one.start()
    await one.aclose()
    assert (seen, VAR.get()) == (["the caller's"], "the caller's")


async def test_the_app_runs_in_a_task_named_after_the_request(anyio_backend: str) -> None:
    names = []

    async def handler(receive: Receive, send: Send) -> None:
        names.append(anyio.get_current_task().name)
        await hello({}, receive, send)

    one = exchange(handler)
    await one.start()
    await one.aclose()
    assert names == ["GET /x"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_task_ends_as_the_app_did() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def handler(receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        raise ValueError("broken")

    with pytest.raises(ValueError, match=r"^broken$"):
        await exchange(handler).start()
    await settle()
    assert isinstance(tasks[0].exception(), ValueError)


@pytest.mark.slow
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_exchange_leaves_no_cycle_for_the_garbage_collector() -> None:
    async def once() -> None:
        one = exchange(lambda receive, send: hello({}, receive, send))
        await one.start(5.0)
        assert await read(one) == [b"hello"]
        await one.aclose()

    await once()
    gc.collect()
    gc.disable()
    try:
        await once()
        await settle()
        assert gc.collect() == 0
    finally:
        gc.enable()


# The request.


async def test_a_body_of_bytes_is_one_message_and_then_the_app_waits() -> None:
    messages: list[Message] = []

    async def handler(receive: Receive, send: Send) -> None:
        messages.append(await receive())
        await send(START)
        messages.append(await receive())

    one = exchange(handler, b"abc")
    await one.start()
    await settle()
    assert messages == [{"type": "http.request", "body": b"abc", "more_body": False}]
    await one.aclose()
    assert messages[1:] == [{"type": "http.disconnect"}]


@pytest.mark.parametrize("kind", ["asynchronous", "plain"])
async def test_a_body_in_pieces_arrives_in_those_pieces(kind: str) -> None:
    pieces = [b"ab", b"", b"c"]
    one = exchange(
        lambda receive, send: echo({}, receive, send), pieces_of(*pieces) if kind == "asynchronous" else iter(pieces)
    )
    await one.start()
    assert await read(one) == [b"ab", b"c"]
    await one.aclose()


async def test_a_body_is_pulled_one_piece_ahead_of_the_app() -> None:
    pulled = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(9):
            pulled.append(number)
            yield b"x"

    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await receive()
        await anyio.sleep_forever()

    one = exchange(handler, pieces())
    await one.start()
    await settle()
    assert pulled == [0, 1]
    one.hang_up()
    with anyio.move_on_after(0):
        await one.aclose()


async def test_the_answer_may_begin_while_the_client_still_sends() -> None:
    begun = anyio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await begun.wait()  # would never end if the answer waited for the end of the body
        yield b"second"

    one = exchange(lambda receive, send: echo({}, receive, send), pieces())
    await one.start()
    assert await one.chunk() == b"first"
    begun.set()
    assert await read(one) == [b"second"]
    await one.aclose()


async def test_an_app_that_gives_up_a_receive_loses_nothing() -> None:
    ready = anyio.Event()
    got = []

    async def pieces() -> AsyncIterator[bytes]:
        await ready.wait()
        yield b"kept"

    async def handler(receive: Receive, send: Send) -> None:
        with anyio.move_on_after(0):
            await receive()
        ready.set()
        got.append(await receive())
        await hello({}, receive, send)

    one = exchange(handler, pieces())
    await one.start()
    await one.aclose()
    assert got == [{"type": "http.request", "body": b"kept", "more_body": True}]


async def test_what_the_body_raises_reaches_the_caller_and_the_app_is_disconnected() -> None:
    messages = []
    closed = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            raise ValueError("the client's own")
        finally:
            closed.append(True)

    async def handler(receive: Receive, send: Send) -> None:
        messages.append((await receive())["type"])
        messages.append((await receive())["type"])

    one = exchange(handler, pieces())
    with pytest.raises(ValueError, match=r"^the client's own$"):
        await one.start()
    assert (messages, closed) == (["http.request", "http.disconnect"], [True])
    assert one.failure is None


async def test_a_body_that_is_not_read_to_its_end_is_closed() -> None:
    closed = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append(True)

    one = exchange(lambda receive, send: hello({}, receive, send), pieces())
    await one.start()
    await one.aclose()
    assert closed == [True]


async def test_a_body_that_fails_frees_an_app_that_waits_to_send() -> None:
    errors = []
    fail = anyio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await fail.wait()
        raise ValueError("the client's own")

    async def handler(receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        try:
            while True:
                await send(body(bytes(BUFFER_BYTES), more=True))
        except OSError as error:
            errors.append(error)

    one = exchange(handler, pieces())
    await one.start()
    fail.set()
    await settle()
    assert [type(error) for error in errors] == [ClientGone]
    assert str(one.untold()) == "the client's own"


@pytest.mark.parametrize("fails", [False, True])
async def test_a_body_is_not_sent_on_when_its_app_has_ended(fails: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        await anyio.sleep_forever()
        yield b""

    async def handler(receive: Receive, send: Send) -> None:
        if fails:
            raise ValueError("broken")
        await hello({}, receive, send)

    before = running_tasks()
    one = exchange(handler, pieces())
    try:
        await one.start()
    except ValueError:
        assert fails
    else:
        await settle()  # nobody closes this one
    assert running_tasks() == before


async def test_a_body_of_text_is_refused_in_words() -> None:
    one = exchange(lambda receive, send: echo({}, receive, send), pieces_of("text"))
    message = "expected a request body that yields bytes, but it yielded a str. Encode text before sending it."
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        await start_and_read(one)


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


# What goes wrong in the app.


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
async def test_an_exception_reaches_the_caller_once_and_in_its_place(sent: int) -> None:
    messages = [START, body(b"a", more=True), body(b"b")]

    async def handler(receive: Receive, send: Send) -> None:
        for message in messages[:sent]:
            await send(message)
        raise ValueError("broken")

    one = exchange(handler)
    seen: list[Any] = []
    try:
        await one.start()
        seen.append("start")
        while (piece := await one.chunk()) is not None:
            seen.append(piece)
        seen.append("end")
    except ValueError as error:
        seen.append(error)
    await one.aclose()
    late = one.untold()
    seen += [late] if late is not None else []
    assert seen[:-1] == ["start", b"a", b"b", "end"][: sent + (sent == 3)]
    assert isinstance(seen[-1], ValueError)
    assert one.failure is seen[-1]
    assert one.untold() is None
    assert "handler" in [frame.name for frame in traceback.extract_tb(seen[-1].__traceback__)]


async def test_an_exception_before_the_client_left_is_kept_for_it() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        raise ValueError("broken")

    one = exchange(handler)
    await one.start()
    await settle()
    await one.aclose()
    assert str(one.untold()) == "broken"
    assert one.untold() is None


async def test_an_app_that_returns_without_a_word_is_told_what_is_missing() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await receive()

    with pytest.raises(ProtocolError) as caught:
        await exchange(handler).start()
    assert str(caught.value) == (
        "GET /x: expected `http.response.start`, but the app returned without sending one. "
        "Send a response in every branch of the app."
    )


async def test_an_app_that_returns_in_the_middle_is_told_what_is_missing() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"abc", more=True))

    one = exchange(handler)
    await one.start()
    assert await one.chunk() == b"abc"
    with pytest.raises(ProtocolError) as caught:
        await one.chunk()
    assert str(caught.value) == (
        "GET /x: expected `http.response.body` with `more_body=False`, but the app returned after 3 bytes of body. "
        "Send a last body message, one without `more_body=True`."
    )
    await one.aclose()
    assert one.untold() is None


async def test_a_message_out_of_order_is_raised_where_it_was_sent_and_in_the_caller() -> None:
    lines = []

    async def handler(receive: Receive, send: Send) -> None:
        try:
            await send(body(b"abc"))
        except ProtocolError as error:
            lines.append(error)
            raise

    with pytest.raises(ProtocolError) as caught:
        await exchange(handler).start()
    assert lines == [caught.value]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_app_that_is_cancelled_by_somebody_else_does_not_cancel_the_caller() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    with pytest.raises(ProtocolError) as caught:
        await exchange(handler).start()
    assert str(caught.value) == (
        "GET /x: expected `http.response.start`, but the app was cancelled, and not by its client. "
        "Look for what cancels its task or lets a `CancelledError` out."
    )


# Time.


async def silence(one: Exchange) -> str:
    with pytest.raises(NoAnswer) as caught:
        await start_and_read(one, 0.01)
    return str(caught.value)


async def test_a_silent_app_is_told_what_is_missing() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await receive()
        await anyio.sleep_forever()

    assert await silence(exchange(handler)) == (
        "GET /x: expected `http.response.start` from the app within 0.01 s, but nothing came. "
        "Send it sooner, or give the client a longer timeout."
    )


async def test_an_app_that_falls_silent_is_told_what_is_missing() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"abc", more=True))
        await anyio.sleep_forever()

    assert await silence(exchange(handler)) == (
        "GET /x: expected `http.response.body` from the app within 0.01 s, but nothing came. "
        "Send it sooner, or give the client a longer timeout."
    )


async def test_an_app_that_waits_for_a_message_too_many_is_told_so() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await receive()
        await receive()

    assert await silence(exchange(handler)) == (
        "GET /x: expected `http.response.start` from the app within 0.01 s, but it waits in `receive()` for a message "
        "that is not due. The request's body was at its end; after that there is only `http.disconnect`."
    )


async def test_an_app_that_does_not_read_the_body_is_told_so() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await anyio.sleep_forever()

    assert await silence(exchange(handler, pieces_of(b"abc"))) == (
        "GET /x: expected `http.response.start` from the app within 0.01 s, but nothing came, and it has not read the "
        "request's body. Send it sooner, or give the client a longer timeout."
    )


@pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})])
async def test_the_time_that_the_client_takes_to_send_is_not_the_apps() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            await anyio.sleep(100)
            yield b"a"

    async def handler(receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        await anyio.sleep(9)
        await hello({}, receive, send)

    one = exchange(handler, pieces())
    await one.start(10)
    assert await read(one) == [b"hello"]
    await one.aclose()


# In the calling task.


async def test_an_app_can_run_in_the_calling_task() -> None:
    before = running_tasks()
    seen = []

    async def handler(receive: Receive, send: Send) -> None:
        seen.append(running_tasks() - before)
        await echo({}, receive, send)

    answer = await exchange(handler, b"abc").complete()
    assert (answer.status, answer.headers, answer.body) == (200, [(b"x-a", b"1")], b"abc")
    assert seen == [set()]


async def test_a_whole_answer_may_be_larger_than_what_a_stream_holds() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)
        for _ in range(4):
            await send(body(bytes(BUFFER_BYTES), more=True))
        await send(body())

    assert len((await exchange(handler).complete()).body) == 4 * BUFFER_BYTES


async def test_a_body_in_pieces_reaches_an_app_in_the_calling_task() -> None:
    one = exchange(lambda receive, send: echo({}, receive, send), pieces_of(b"a", b"b"))
    assert (await one.complete()).body == b"ab"


async def test_what_the_body_raises_is_raised_in_place_of_what_the_app_makes_of_it() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        raise ValueError("the client's own")

    with pytest.raises(ValueError, match=r"^the client's own$"):
        await exchange(lambda receive, send: echo({}, receive, send), pieces()).complete()


async def test_an_unfinished_answer_is_an_error_in_the_calling_task_too() -> None:
    async def handler(receive: Receive, send: Send) -> None:
        await send(START)

    with pytest.raises(ProtocolError) as caught:
        await exchange(handler).complete()
    assert str(caught.value) == (
        "GET /x: expected `http.response.body` with `more_body=False`, but the app returned after 0 bytes of body. "
        "Send a last body message, one without `more_body=True`."
    )


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@given(uploaded=st.lists(st.binary(max_size=30)), as_bytes=st.booleans(), inline=st.booleans())
async def test_any_body_in_any_pieces_comes_back_whole(uploaded: list[bytes], as_bytes: bool, inline: bool) -> None:
    content: Any = b"".join(uploaded) if as_bytes else pieces_of(*uploaded)
    one = Exchange(echo, http_scope("POST", b"/x"), content)
    if inline:
        assert (await one.complete()).body == b"".join(uploaded)
        return
    await one.start()
    got = await read(one)
    await one.aclose()
    assert b"".join(got) == b"".join(uploaded)
    if not as_bytes:
        assert got == [piece for piece in uploaded if piece]
