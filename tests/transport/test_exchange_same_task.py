"""An app that runs in the task that asks it: whole answers, and no other task."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.asgi import Receive, Send
from playground.errors import ProtocolError
from playground.transport import Exchange, http_scope
from playground.transport.exchange import BUFFER_BYTES
from tests.transport.helpers import START, body, echo, exchange, pieces_of, read, running_tasks

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]


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
