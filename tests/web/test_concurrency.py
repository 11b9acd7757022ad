"""Where code runs: on the loop, or in a worker thread by exactly one hand-off."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.to_thread
import pytest

from playground.web.concurrency import iterate_in_threadpool, run_in_threadpool, run_until_first_complete
from playground.web.exceptions import StarletteDeprecationWarning
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response
from playground.web.routing import Route

from .exchange import Backend, call, run

BACKENDS: list[Backend] = ["asyncio", "trio"]


@pytest.fixture
def handoffs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was handed to worker threads, in order."""
    made: list[Any] = []
    original = anyio.to_thread.run_sync

    async def counted(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        made.append(function)
        return await original(function, *args, **options)

    monkeypatch.setattr(anyio.to_thread, "run_sync", counted)
    return made


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_plain_handler_costs_one_hand_off_and_an_async_one_none(handoffs: list[Any], backend: Backend) -> None:
    threads: list[int] = []

    def plain(request: Request[Any]) -> Response:
        threads.append(threading.get_ident())
        return PlainTextResponse("plain")

    async def asynchronous(request: Request[Any]) -> Response:
        threads.append(threading.get_ident())
        return PlainTextResponse("async")

    assert call(Route("/", plain), backend=backend).text == "plain"
    assert handoffs == [plain]
    assert call(Route("/", asynchronous), backend=backend).text == "async"
    assert handoffs == [plain]
    assert [thread == threading.get_ident() for thread in threads] == [False, True]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_call_in_a_thread_returns_or_raises_here(handoffs: list[Any], backend: Backend) -> None:
    def divide(numerator: float, *, by: float) -> float:
        return numerator / by

    assert run(lambda: run_in_threadpool(divide, 1, by=4), backend) == 0.25
    with pytest.raises(ZeroDivisionError):
        run(lambda: run_in_threadpool(divide, 1, by=0), backend)
    assert len(handoffs) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_blocking_iterator_is_stepped_in_threads(handoffs: list[Any], backend: Backend) -> None:
    threads: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(3):
            threads.append(threading.get_ident())
            yield number

    async def collect() -> list[int]:
        return [number async for number in iterate_in_threadpool(numbers())]

    assert run(collect, backend) == [0, 1, 2]
    assert threading.get_ident() not in threads
    assert len(handoffs) == 4  # three numbers, and the end


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_first_to_end_cancels_the_others(backend: Backend) -> None:
    ended: list[str] = []

    async def wait(name: str, event: anyio.Event) -> None:
        await event.wait()
        ended.append(name)

    async def main() -> None:
        now, never = anyio.Event(), anyio.Event()
        now.set()
        expected = (
            r"^run_until_first_complete is deprecated and will be removed in a future version\. "
            r"Open an anyio task group and cancel its scope instead\.$"
        )
        with pytest.warns(StarletteDeprecationWarning, match=expected):
            await run_until_first_complete(
                (wait, {"name": "now", "event": now}), (wait, {"name": "never", "event": never})
            )

    run(main, backend)
    assert ended == ["now"]
