"""How a response reaches its client, whatever kind of response it is.

It decides the protocol's side: how a response refuses a websocket, how a server tells that the client has
left, and how two things are done until one of them ends. What is sent is the response's affair.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache

import anyio

from playground.asgi import Message, Receive, Scope, Send

__all__ = ["denial", "send_raises_on_disconnect", "until_disconnected", "until_one_ends"]


def denial(send: Send) -> Send:
    """A `send` by which a response refuses a websocket (ASGI extension `websocket.http.response`)."""

    def send_denial(message: Message) -> Awaitable[None]:
        if message["type"].startswith("http.response."):
            message = {**message, "type": f"websocket.{message['type']}"}
        return send(message)

    return send_denial


def send_raises_on_disconnect(scope: Scope) -> bool:
    """From version 2.4 of the HTTP specification a server tells by an error that the client has left."""
    return _is_2_4(scope.get("asgi", {}).get("spec_version", "2.0"))


# A process has one server, and tests a few.
@lru_cache(maxsize=16)
def _is_2_4(version: str) -> bool:
    return tuple(int(part) for part in version.split(".")[:2]) >= (2, 4)


async def until_disconnected(receive: Receive) -> None:
    """Return once the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def until_one_ends(*functions: Callable[[], Awaitable[None]]) -> None:
    """Run all until one returns, cancel the others; an error of one is raised as it is."""
    failures: list[Exception] = []
    async with anyio.create_task_group() as group:

        async def run(function: Callable[[], Awaitable[None]]) -> None:
            try:
                await function()
            except Exception as error:  # noqa: BLE001  raised below, outside of an exception group
                failures.append(error)
            group.cancel_scope.cancel()

        for function in functions[1:]:
            group.start_soon(run, function)
        await run(functions[0])
    if failures:
        raise failures[0]
