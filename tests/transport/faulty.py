"""Apps that break off, fall silent or never end."""

import anyio

from playground.asgi import Receive, Scope, Send
from tests.transport.helpers import START, body, hello


async def broken_before(scope: Scope, receive: Receive, send: Send) -> None:
    raise ValueError("before")


async def broken_within(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await send(body(b"abc", more=True))
    raise ValueError("within")


async def broken_after(scope: Scope, receive: Receive, send: Send) -> None:
    await hello(scope, receive, send)
    raise ValueError("after")


async def wordless(scope: Scope, receive: Receive, send: Send) -> None:
    pass


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    await anyio.sleep_forever()


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    while True:
        await send(body(bytes(1024), more=True))
