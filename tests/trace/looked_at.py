"""Programs that are looked at while they are recorded: the loop that runs one, and what it does and asks meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import anyio.to_thread

from playground.asgi import ASGIApp, Message
from playground.trace.recorder import Recorder, recording


def recorded_on(
    loop: asyncio.AbstractEventLoop, program: Callable[[Recorder], Coroutine[Any, Any, Any]], limit: int = 10**6
) -> Recorder:
    """Run a program in a task named `program` of a loop that is recorded meanwhile."""

    async def main() -> Recorder:
        with recording(loop, limit=limit) as recorder:
            await loop.create_task(program(recorder), name="program")
        return recorder

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main())


async def receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Message) -> None: ...


async def ask(asked: ASGIApp, path: str = "/") -> None:
    await asked({"type": "http", "method": "GET", "path": path}, receive, send)


async def act(action: str, apps: Mapping[str, ASGIApp], going: "list[asyncio.Task[None]]") -> None:
    """Do as an action says, or ask the app of that name; what takes its time is left to itself, in `going`."""
    match action:
        case "yield":
            await asyncio.sleep(0)
        case "sleep":
            await asyncio.sleep(0.1)
        case "thread":
            await anyio.to_thread.run_sync(int)
        case "child":
            going.append(asyncio.create_task(asyncio.sleep(0.25)))
        case _:
            going.append(asyncio.create_task(ask(apps[action])))
