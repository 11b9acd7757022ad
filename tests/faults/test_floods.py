"""Floods: an app that makes tasks without end can be interrupted, in whatever way it makes them; the lab goes on.

That a recording of ever more tasks does not grow is shown in `tests/trace/test_kept.py`, and how a million tasks are
recorded, shown and saved within bounded memory by `python -m tests.faults.flood`, which is no test: it takes a minute.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, Final

import pytest

from playground import Lab
from playground.asgi import Receive, Send
from playground.trace import Clock
from tests.faults.apps import WELL, house_of
from tests.faults.test_apps import check_the_recording

MANY: Final = 2_000
"""Tasks after which the flood is interrupted: some hundredth of a second of it."""
ENOUGH: Final = 3 * MANY
"""Tasks after which it only goes on: a busy machine may need seconds to interrupt it, and all of them to end."""

kept: set["asyncio.Future[None]"] = set()
"""The tasks that are not over yet, as a careful app keeps them."""


@pytest.fixture(autouse=True)
def nobody_is_kept() -> Iterator[None]:
    yield
    kept.clear()


async def waits_for_ever() -> None:
    while True:  # for ever, and yet no deadlock where time is virtual
        await asyncio.sleep(3600)


async def ends_at_once() -> None: ...


def keep(one: "asyncio.Future[None]") -> None:
    kept.add(one)
    one.add_done_callback(kept.discard)


def flood(
    task: Callable[[], Coroutine[Any, Any, None]], *, awaits: bool
) -> Callable[[Receive, Send], Awaitable[object]]:
    async def floods(receive: Receive, send: Send) -> None:
        made = 0
        while True:
            if made < ENOUGH:
                keep(asyncio.ensure_future(task()))
            made += 1
            if made == MANY:
                os.kill(os.getpid(), signal.SIGINT)
            if awaits:
                await asyncio.sleep(0)

    return floods


async def breeds(receive: Receive, send: Send) -> None:
    """Each of the tasks makes two."""
    made = 0

    async def doubles() -> None:
        nonlocal made
        made += 2
        keep(asyncio.ensure_future(doubles()))
        keep(asyncio.ensure_future(doubles()))
        if MANY <= made < MANY + 2:
            os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0)

    await asyncio.gather(doubles(), waits_for_ever())


FLOODS: Final = {
    "of tasks that wait, in one step": flood(waits_for_ever, awaits=False),
    "of tasks that wait, in steps": flood(waits_for_ever, awaits=True),
    "of tasks that end, in one step": flood(ends_at_once, awaits=False),
    "of tasks that end, in steps": flood(ends_at_once, awaits=True),
    "of tasks that make two each": breeds,
}


@pytest.mark.parametrize("clock", ["real", "virtual"])
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_tasks_is_interrupted_recorded_and_left_behind(name: str, clock: Clock) -> None:
    with Lab(house_of("bare", {"flood": FLOODS[name]}), clock=clock) as lab:
        with pytest.raises(KeyboardInterrupt):
            lab.burst("/flood", 1)
        for run in lab.runs:
            assert len(run.trace.tasks) >= MANY
            check_the_recording(run)
        assert lab.get(WELL).content == b"x"
    assert [one for one in kept if not one.done()] == []
