"""An app that answers without waiting is done before its client looks, and yet runs in a task of its own."""

import asyncio
import contextvars
import itertools
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from playground.asgi import Receive, Send
from playground.transport import _at_once
from playground.transport import exchange as module
from playground.transport._hosts import AsyncioHost
from tests.transport.helpers import START, body, client, exchange, hello, settle

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


@pytest.fixture(autouse=True)
def no_turn_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first requests of a test are not the ones that give the loop a turn."""
    monkeypatch.setattr(module, "_started", itertools.count(1))


def seen_by_the_app(look: Callable[[], object]) -> tuple[list[Any], Callable[[Receive, Send], Awaitable[None]]]:
    """What `look` gives within an app, and the app, which answers at once."""
    seen: list[Any] = []

    async def handler(receive: Receive, send: Send) -> None:
        seen.append(look())
        await send(START)
        await send(body(b"hello"))

    return seen, handler


async def turns_of(start: Callable[[], Awaitable[object]]) -> bool:
    """Whether the loop had a turn meanwhile."""
    turned: list[bool] = []
    asyncio.get_running_loop().call_soon(turned.append, True)
    await start()
    return bool(turned)


async def test_an_app_that_does_not_wait_needs_no_turn_of_the_loop() -> None:
    _, handler = seen_by_the_app(lambda: None)
    assert not await turns_of(exchange(handler).start)


async def test_an_app_that_waits_goes_on_where_it_was() -> None:
    steps = []

    async def handler(receive: Receive, send: Send) -> None:
        steps.append(asyncio.current_task())
        await asyncio.sleep(0)
        steps.append(asyncio.current_task())
        await send(START)
        await asyncio.sleep(0)
        await send(body(b"hello"))

    one = exchange(handler)
    assert await turns_of(one.start)
    assert await one.chunk() == b"hello"
    await one.aclose()
    assert steps[0] is steps[1] is not asyncio.current_task()


async def test_the_app_has_a_task_of_its_own_and_the_caller_his_own_again() -> None:
    seen, handler = seen_by_the_app(asyncio.current_task)
    caller = asyncio.current_task()
    await exchange(handler).start()
    assert asyncio.current_task() is caller
    assert seen[0] is not caller
    assert seen[0].get_name() == "GET /x"
    assert seen[0].done()


async def test_the_app_has_a_copy_of_the_callers_context() -> None:
    variable = contextvars.ContextVar("variable", default="none")

    def look() -> str:
        before = variable.get()
        variable.set("the app's")
        return before

    seen, handler = seen_by_the_app(look)
    variable.set("the caller's")
    await exchange(handler).start()
    assert (seen, variable.get()) == (["the caller's"], "the caller's")


@pytest.mark.parametrize("limit", [asyncio.timeout, anyio.move_on_after], ids=["asyncio", "anyio"])
async def test_a_timeout_that_an_app_sets_in_its_first_step_is_the_apps(limit: Any) -> None:
    ends: list[str] = []

    async def handler(receive: Receive, send: Send) -> None:
        try:
            async with Either(limit(0.001)):
                await asyncio.sleep(10)
        except TimeoutError:
            pass
        ends.append("in time")
        await hello({}, receive, send)

    one = exchange(handler)
    await one.start()
    await one.aclose()
    assert ends == ["in time"]


class Either:
    """Either kind of context manager."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    async def __aenter__(self) -> None:
        if hasattr(self._manager, "__aenter__"):
            await self._manager.__aenter__()
        else:
            self._manager.__enter__()

    async def __aexit__(self, *error: Any) -> Any:
        if hasattr(self._manager, "__aexit__"):
            return await self._manager.__aexit__(*error)
        return self._manager.__exit__(*error)


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
async def test_the_caller_is_the_current_task_again_when_the_app_has_failed(kind: type[BaseException]) -> None:
    async def handler(receive: Receive, send: Send) -> None:
        raise kind("at once")

    caller = asyncio.current_task()
    with pytest.raises(kind, match=r"^at once$"):
        await exchange(handler).start()
    assert asyncio.current_task() is caller


async def test_a_task_factory_is_asked() -> None:
    made: list[str] = []

    def factory(loop: Any, coroutine: Any, **options: Any) -> "asyncio.Task[Any]":
        made.append(coroutine.__qualname__)
        return asyncio.Task(coroutine, loop=loop, **options)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    try:
        assert await turns_of(exchange(seen_by_the_app(lambda: None)[1]).start)
    finally:
        loop.set_task_factory(None)
    assert made == ["AppSide._run_app"]


async def test_a_loop_that_was_patched_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    made: list[Any] = []
    create_task = loop.create_task

    def told(coroutine: Any, **options: Any) -> "asyncio.Task[Any]":
        task = create_task(coroutine, **options)
        made.append(task)
        return task

    monkeypatch.setattr(loop, "create_task", told)
    assert await turns_of(exchange(seen_by_the_app(lambda: None)[1]).start)
    monkeypatch.undo()
    assert [task.get_name() for task in made] == ["GET /x"]


async def test_who_sends_one_request_after_the_other_lets_others_run() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    running = asyncio.create_task(other())
    await asyncio.sleep(0)
    async with client(hello) as lab:
        for _ in range(3 * module.FAIR):
            assert (await lab.get("/")).text == "hello"
    assert turns == 3
    running.cancel()


async def test_a_timeout_around_many_requests_comes() -> None:
    async def send_on_and_on() -> None:
        async with client(hello) as lab:
            while True:
                await lab.get("/")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(send_on_and_on(), 0.01)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python starts such a task by itself")
async def test_an_app_is_started_by_the_loop_when_another_thread_was_quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    others: list[str] = []
    call_soon = asyncio.BaseEventLoop.call_soon

    def disturbed(self: Any, callback: Any, *args: Any, context: Any = None) -> Any:
        handle = call_soon(self, callback, *args, context=context)
        call_soon(self, others.append, "called")
        return handle

    _, handler = seen_by_the_app(lambda: None)
    one = exchange(handler)
    monkeypatch.setattr(asyncio.BaseEventLoop, "call_soon", disturbed)
    monkeypatch.setattr(_at_once, "_CALL_SOON", disturbed)
    running = AsyncioHost().spawn(one._run_app, "GET /x", at_once=True)
    monkeypatch.undo()
    assert not running.done()
    await settle()
    assert running.done()
    assert (one.reply.status, others) == (200, ["called"])
