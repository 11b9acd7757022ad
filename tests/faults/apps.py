"""Apps that do wrong, each named after what it does, and the houses in which they stand: bare, or within a framework.

An app here is interested in its messages alone. Whether it stands bare, or as a mounted app behind the layers of
`playground.web` or of Starlette, is the house's affair; `WELL` is a path that answers in each of them.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import anyio.to_thread
import starlette.applications
import starlette.routing

import playground.web.applications
import playground.web.routing
from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from tests.transport.helpers import Handler, app_of

__all__ = ["END", "HOUSES", "RAISED", "START", "WELL", "Bye", "Handler", "Loud", "body", "house_of"]

START: Final[Message] = {"type": "http.response.start", "status": 200, "headers": []}
END: Final[Message] = {"type": "http.response.body", "body": b"x"}
WELL: Final = "/well"


def body(data: bytes) -> Message:
    """A piece of a body, of which more is to come."""
    return {"type": "http.response.body", "body": data, "more_body": True}


class Bye(BaseException):
    """No `Exception`, and nothing that asyncio treats in a way of its own: such as `pytest.fail` raises."""


class Loud(Exception):
    """Whoever asks for its text, or for what it is, goes round without end."""

    def __str__(self) -> str:
        return str(self)

    __repr__ = __str__


RAISED: Final = (ValueError, KeyboardInterrupt, SystemExit, Bye)


class Mount(NamedTuple):
    """How a house takes in an app for each path."""

    application: Any
    mount: Any


HOUSES: Final[Mapping[str, Mount | None]] = {
    "bare": None,
    "playground.web": Mount(playground.web.applications.Starlette, playground.web.routing.Mount),
    "starlette": Mount(starlette.applications.Starlette, starlette.routing.Mount),
}


def house_of(name: str, handlers: Mapping[str, Handler]) -> ASGIApp:
    """A house in which each handler stands under its own name, and one that does well under `WELL`."""
    apps = {f"/{key.replace(' ', '-')}": app_of(handler) for key, handler in handlers.items()}
    apps[WELL] = app_of(_does_well)
    kind = HOUSES[name]
    if kind is not None:
        application: ASGIApp = kind.application(routes=[kind.mount(path, app) for path, app in apps.items()])
        return application

    async def bare(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError  # which says that it has none
        await apps[scope["path"].rstrip("/")](scope, receive, send)

    return bare


async def _does_well(receive: Receive, send: Send) -> None:
    await asyncio.sleep(0)
    await anyio.to_thread.run_sync(len, "as a handler may")
    await send(START)
    await send(END)
