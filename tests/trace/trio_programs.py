"""Programs on trio that note their own steps and calls, and how one is recorded."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import anyio.to_thread
import trio
import trio.testing
from hypothesis import strategies as st

from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder
from playground.watching import Session
from tests.trace.programs import Action, Watched


def record(function: Callable[[], Awaitable[Any]], **options: Any) -> tuple[Trace, Recorder]:
    """Run an async function on trio, recorded."""
    session = Session()
    try:
        trio.run(function, **options)
    finally:
        session.close()
    ((recorder, _),) = session.recorders()
    return build(recorder), recorder


ACTIONS: Final = st.one_of(
    st.tuples(st.just("work"), st.integers(0, 300)),  # µs of busy work within the step
    st.tuples(st.just("yield"), st.just(0)),
    st.tuples(st.just("sleep"), st.integers(1, 3)),  # ms
    st.tuples(st.just("lock"), st.integers(0, 1)),
    st.tuples(st.just("get"), st.integers(0, 1)),
    st.tuples(st.just("thread"), st.integers(0, 2)),  # ms in a worker, through anyio
    st.tuples(st.just("worker"), st.integers(0, 2)),  # the same, through trio
)


class Program(Watched):
    """Programs on trio."""

    def __init__(self) -> None:
        super().__init__()
        self.locks = [trio.Lock(), trio.Lock()]
        self.channels = [trio.open_memory_channel[int](0) for _ in range(2)]

    async def act(self, action: str, amount: int, name: str, index: int) -> None:
        match action:
            case "yield":
                await trio.lowlevel.checkpoint()
            case "sleep":
                await trio.sleep(amount / 1000)
            case "lock":
                async with self.locks[amount]:
                    await trio.lowlevel.checkpoint()
            case "get":
                with trio.move_on_after(0.003):
                    await self.channels[amount][1].receive()
            case "thread":
                await anyio.to_thread.run_sync(self.witness.worker, name, amount)
            case "worker":
                await trio.to_thread.run_sync(self.witness.worker, name, amount)

    async def main(self, programs: list[list[Action]]) -> None:
        async with trio.open_nursery() as nursery:
            for index, actions in enumerate(programs):
                nursery.start_soon(self.run, str(index), actions, name=str(index))
