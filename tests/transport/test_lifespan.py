"""Start-up and shut-down, as an app's author and a caller see them."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette

from playground.asgi import Message, Receive, Scope, Send
from playground.errors import LifespanError, ProtocolError
from playground.transport import lifespan
from tests.transport.helpers import running_tasks

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]

UP = {"type": "lifespan.startup.complete"}
DOWN = {"type": "lifespan.shutdown.complete"}


def app_that_says(*messages: Message, error: Exception | None = None) -> Callable[..., Any]:
    """An app that answers each message with the next of `messages`, and then ends."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await receive()
            await send(message)
        if error is not None:
            raise error

    return app


async def test_an_app_is_started_up_and_shut_down_in_one_task_of_its_own() -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group():  # which only the task that enters it may leave
            seen.append((scope["type"], scope["asgi"], await receive()))
            scope["state"]["db"] = 1
            await send(UP)
            seen.append(await receive())
        await send(DOWN)

    async with lifespan(app, state={"given": True}) as state:
        assert seen == [("lifespan", {"version": "3.0", "spec_version": "2.0"}, {"type": "lifespan.startup"})]
        assert (state, state.supported) == ({"given": True, "db": 1}, True)
    assert seen[1:] == [{"type": "lifespan.shutdown"}]


async def test_it_may_be_entered_in_one_task_and_left_in_another() -> None:
    @asynccontextmanager
    async def of_app(app: Starlette) -> AsyncIterator[None]:
        with anyio.CancelScope():
            yield

    life = lifespan(Starlette(lifespan=of_app))
    async with anyio.create_task_group() as group:
        group.start_soon(life.__aenter__)
    async with anyio.create_task_group() as group:
        group.start_soon(life.__aexit__, None, None, None)


async def test_an_error_in_the_block_still_shuts_the_app_down() -> None:
    ended = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await app_that_says(UP, DOWN)(scope, receive, send)
        ended.append(True)

    with pytest.raises(KeyError):
        async with lifespan(app):
            raise KeyError("the caller's")
    assert ended == [True]


@pytest.mark.parametrize("error", [None, ValueError("knows only http")])
async def test_an_app_without_a_lifespan_goes_on_without(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "playground.transport")
    async with lifespan(app_that_says(error=error)) as state:
        assert (state, state.supported) == ({}, False)
    assert [record.getMessage() for record in caplog.records] == [
        "The app has no lifespan, for it raised this."
        if error
        else "The app returned without an answer to `lifespan.startup`: it has no lifespan."
    ]


async def test_what_an_app_raises_before_it_answers_is_raised_where_a_lifespan_is_required() -> None:
    with pytest.raises(ValueError, match=r"^broken$"):
        async with lifespan(app_that_says(error=ValueError("broken")), required=True):
            pytest.fail("it was never up")


async def test_a_start_up_that_fails_is_told_with_the_apps_words_and_its_exception() -> None:
    app = app_that_says({"type": "lifespan.startup.failed", "message": "no database"}, error=ValueError("refused"))
    with pytest.raises(LifespanError) as caught:
        async with lifespan(app):
            pytest.fail("it was never up")
    assert str(caught.value) == "lifespan: expected the app's startup to succeed, but it failed: no database"
    assert isinstance(caught.value.__cause__, ValueError)


async def test_a_shut_down_that_fails_is_told_and_may_have_no_reason() -> None:
    with pytest.raises(LifespanError) as caught:
        async with lifespan(app_that_says(UP, {"type": "lifespan.shutdown.failed"})):
            pass
    assert str(caught.value) == "lifespan: expected the app's shutdown to succeed, but it failed: it gave no reason"
    assert caught.value.__cause__ is None


async def test_what_the_app_raises_while_it_is_up_is_raised_at_the_end() -> None:
    with pytest.raises(ValueError, match=r"^later$"):
        async with lifespan(app_that_says(UP, error=ValueError("later"))):
            pass


async def test_an_app_that_ends_while_it_is_up_is_left_in_peace() -> None:
    async with lifespan(app_that_says(UP)):
        pass


async def test_a_message_out_of_turn_is_a_named_error() -> None:
    async def twice(scope: Scope, receive: Receive, send: Send) -> None:
        await send(UP)
        await send(UP)

    with pytest.raises(ProtocolError) as caught:
        async with lifespan(app_that_says(DOWN), required=True):
            pass
    assert str(caught.value) == (
        "lifespan: expected `lifespan.startup.complete` or `lifespan.startup.failed`, but the app sent "
        "`lifespan.shutdown.complete`. Answer each message that `receive` gives once."
    )
    with pytest.raises(ProtocolError) as caught:
        async with lifespan(twice):
            pass
    assert str(caught.value) == (
        "lifespan: expected nothing now, but the app sent `lifespan.startup.complete`. "
        "Answer each message that `receive` gives once."
    )


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_a_caller_that_is_cancelled_takes_the_app_with_it(phase: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if phase == "shutdown":
            await app_that_says(UP)(scope, receive, send)
            await receive()
        await anyio.sleep_forever()

    before = running_tasks()
    with anyio.move_on_after(0.01) as scope:
        async with lifespan(app):
            pass
    assert scope.cancelled_caught
    assert running_tasks() == before
