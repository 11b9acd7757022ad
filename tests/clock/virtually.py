"""How the tests run something in virtual time, on a loop of its own."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from playground.clock.virtual import VirtualLoop
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording

T = TypeVar("T")


class Ran(NamedTuple):
    result: Any
    time_s: float


def virtually(main: Callable[[], Coroutine[Any, Any, Any]], **settings: Any) -> Ran:
    """What `main()` returns, and the virtual time at its end."""
    loop = VirtualLoop(**settings)

    async def timed() -> Ran:
        return Ran(await main(), loop.time())

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(timed())


def recorded_virtually(main: Callable[[], Coroutine[Any, Any, Any]], **settings: Any) -> Trace:
    """The recording of `main()` in a task of its own."""
    loop = VirtualLoop(**settings)

    async def record() -> Recorder:
        with recording(loop) as recorder:
            await asyncio.create_task(main(), name="main")
        return recorder

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return build(runner.run(record()))
