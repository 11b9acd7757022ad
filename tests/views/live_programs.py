"""Apps and programs at random, to be looked at while they are recorded."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.to_thread
from hypothesis import strategies as st

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.clock.work import work
from playground.trace.recorder import Recorder
from playground.trace.requests import recorded_app
from tests.trace.looked_at import act, ask


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    work(0.001)
    await asyncio.sleep(0.2)
    work(0.002)
    await asyncio.sleep(0)
    work(0.001)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await anyio.to_thread.run_sync(work, 0.03)
    work(0.07)


async def family(scope: Scope, receive: Receive, send: Send) -> None:
    """A request whose children run while it waits, and one of them while it is ready."""
    work(0.001)
    children = [asyncio.create_task(napping(times)) for times in (1, 3)]
    await asyncio.sleep(0.2)
    work(0.001)
    await children[1]
    await send({"type": "http.response.start", "status": 500, "headers": []})


async def in_turn(apps: dict[str, ASGIApp]) -> None:
    """A task that works for several requests, one after the other, as a test client's does."""
    for name in ("request", "family", "request"):
        await ask(apps[name])


async def napping(times: int) -> None:
    for _ in range(times):
        work(0.002)
        await asyncio.sleep(0)
        work(0.003)
        await asyncio.sleep(0.07)


ACTIONS = st.lists(
    st.sampled_from(
        ["yield", "sleep", "sleep", "thread", "child", "request", "request", "here", "family", "look", "look"]
    ),
    min_size=1,
    max_size=25,
)


def program(actions: list[str], look: Callable[[Recorder], None]) -> Callable[[Recorder], Coroutine[Any, Any, None]]:
    async def run(recorder: Recorder) -> None:
        apps = {"request": recorded_app(plain, lambda: recorder), "family": recorded_app(family, lambda: recorder)}
        going: list[asyncio.Task[None]] = []
        for action in actions:
            if action == "look":
                await asyncio.sleep(0)  # of the step that looks nothing is known
                look(recorder)
            elif action == "here":
                await asyncio.create_task(in_turn(apps))
            else:
                await act(action, apps, going)
        await asyncio.gather(*going)
        await asyncio.sleep(0)
        look(recorder)

    return run
