"""What an app sees of a websocket: `receive`, `send`, and a client that may leave.

As `_app_side.py` for a request, it decides when the app must wait and what it is told, runs the app in a task
named like "WS /path", and keeps the exception with which it ends. The client's side is in `session.py`.
"""

from collections import deque
from typing import Any

from playground.asgi import ASGIApp, Message, Scope
from playground.errors import ClientGone
from playground.transport._app_side import BUFFER_BYTES
from playground.transport._crew import Crew
from playground.transport._dialogue import Dialogue, size_of
from playground.transport._hosts import current_host

__all__ = ["WebSocketSide"]


class WebSocketSide:
    """The half of a `Session` that the app talks to; see there for the arguments."""

    def __init__(
        self, app: ASGIApp, scope: Scope, *, buffer_bytes: float = BUFFER_BYTES, grace_s: float | None = None
    ) -> None:
        self.label = f"WS {scope['path']}"
        self._app = app
        self._scope = scope
        self._room = buffer_bytes
        self._grace_s = grace_s
        self._crew = Crew(current_host(), _nothing)
        self._said = Dialogue(self.label)
        self._inbox: deque[Message] = deque([{"type": "websocket.connect"}])
        self._inbox_size = 0
        self._parting: Message | None = None  # the client's `websocket.disconnect`
        self._told_disconnect = False
        self._error: BaseException | None = None
        # Who waits: the client for a message, the app for room to send; the app for a message, the client for room.
        self._readers: list[Any] = []
        self._writers: list[Any] = []
        self._receivers: list[Any] = []
        self._senders: list[Any] = []

    def hang_up(self, code: int = 1000, reason: str | None = "") -> None:
        """Do what `close` does, at once."""
        if self._parting is None:
            self._parting = {"type": "websocket.disconnect", "code": code, "reason": reason}
        for waiting in (self._readers, self._writers, self._receivers, self._senders):
            self._crew.host.ring(waiting)

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except BaseException as error:
            self._error = error
            if self._crew.host.may_fail(error):
                raise
        finally:
            self._crew.left("app")
            self._crew.host.ring(self._readers)
            self._crew.host.ring(self._senders)

    async def _receive(self) -> Message:
        while not self._inbox:
            if self._parting is not None or self._said.closed:
                return await self._disconnect()
            await self._crew.host.wait(self._receivers)
        message = self._inbox.popleft()
        if message["type"] == "websocket.receive":
            self._inbox_size -= size_of(message)
            if self._senders and self._inbox_size < self._room:
                self._crew.host.ring(self._senders)
        return message

    async def _disconnect(self) -> Message:
        if self._told_disconnect:
            await self._crew.host.let_others_run()  # an app that asks on and on would hold the loop
        self._told_disconnect = True
        closed = {"type": "websocket.disconnect", "code": self._said.close_code, "reason": ""}
        return closed if self._parting is None else dict(self._parting)

    async def _send(self, message: Message) -> None:
        while self._said.buffered >= self._room and self._parting is None:
            await self._crew.host.wait(self._writers)
        if self._parting is not None and not self._said.closed:
            await self._crew.host.let_others_run()  # as above
            raise ClientGone(
                f"{self.label}: expected an open connection to send to, but the client has closed it. "
                "Clean up and return."
            )
        self._said.take(message)
        self._crew.host.ring(self._readers)
        if self._said.closed:
            self._crew.host.ring(self._receivers)
            self._crew.host.ring(self._senders)


def _nothing() -> None:
    """The end of the crew is of no interest to anyone else."""
