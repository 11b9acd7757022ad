"""What an app sees of an exchange: `receive`, `send`, and a client that may leave.

An `AppSide` decides when the app must wait and what it is told, runs the app in a task, and keeps the
exception with which it ends. What the client does with the answer, and when it leaves, is decided in
`exchange.py`, which adds the client's side.
"""

import logging
from collections.abc import Callable
from typing import Any

from playground.asgi import ASGIApp, Message, Scope
from playground.transport import _verdicts
from playground.transport._crew import Crew
from playground.transport._hosts import current_host
from playground.transport.reply import Reply
from playground.transport.upload import Body, Upload

__all__ = ["BUFFER_BYTES", "AppSide"]

BUFFER_BYTES = 64 * 1024
"""How much of a body may lie unread before the app's next `send` waits. It is the high-water mark of
asyncio's and of uvicorn's sockets, so an app waits here where it would wait on a server. One piece more
than this is held at most, since a piece is not cut."""

log = logging.getLogger("playground.transport")


class AppSide:
    """The half of an `Exchange` that the app talks to; see there for the arguments."""

    __slots__ = (
        "_app",
        "_crew",
        "_error",
        "_grace_s",
        "_hung_up",
        "_left",
        "_on_end",
        "_readers",
        "_receivers",
        "_room",
        "_scope",
        "_told_disconnect",
        "_wanted",
        "_writers",
        "failure",
        "label",
        "reply",
        "upload",
    )

    def __init__(
        self,
        app: ASGIApp,
        scope: Scope,
        body: Body = b"",
        *,
        on_end: Callable[[Any], object] | None = None,
        reply_type: type[Reply] = Reply,
        buffer_bytes: float = BUFFER_BYTES,
        grace_s: float | None = None,
    ) -> None:
        method = scope["method"]
        self.label = label = f"{method} {scope['path']}"
        self.reply = reply_type(label, method, scope.get("extensions") or ())
        self.upload = Upload(body)
        self.failure: BaseException | None = None
        self._app = app
        self._scope = scope
        self._on_end = on_end
        self._crew: Crew | None = None
        self._room = buffer_bytes
        self._grace_s = grace_s
        self._wanted = False  # the client has read all there is and waits for more
        self._error: BaseException | None = None  # with which the app ended
        self._hung_up = False  # the client has closed the connection
        self._left = False  # the client will not ask again what became of the app
        self._told_disconnect = False
        # Who waits: the client for a message, the app for room to send, the app for a message.
        self._readers: list[Any] = []
        self._writers: list[Any] = []
        self._receivers: list[Any] = []

    def hang_up(self) -> None:
        """Close the connection: the app gets `http.disconnect`, and `ClientGone` if it sends."""
        self._hung_up = self._left = True
        crew = self._with_crew()
        crew.cancel("upload")
        for waiting in (self._readers, self._writers, self._receivers):
            if waiting:
                crew.host.ring(waiting)

    async def receive(self) -> Message:
        """The app's `receive`: the request's body, then `http.disconnect`."""
        while not (self._hung_up or self.reply.complete):
            message = self.upload.take(self._with_crew)
            if message is not None:
                return message
            await self._with_crew().host.wait(self._receivers)
        if self._told_disconnect:
            await self._with_crew().host.let_others_run()  # an app that asks on and on would hold the loop
        self._told_disconnect = True
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The app's `send`. It waits while `BUFFER_BYTES` or more of the body lie unread.

        Raises:
            ClientGone: the client has closed the connection.
            ProtocolError: the message may not come now, or is malformed.
        """
        reply = self.reply
        while reply.buffered >= self._room and self._must_wait(message):
            await self._with_crew().host.wait(self._writers)
        if self._hung_up and not reply.complete:
            await self._with_crew().host.let_others_run()  # as above
            raise _verdicts.gone(reply)
        moved = reply.take(message)
        if reply.buffered:
            self._wanted = False
        if self._readers and moved:
            self._with_crew().host.ring(self._readers)
        if reply.complete:
            if self._receivers:
                self._with_crew().host.ring(self._receivers)
        elif not moved:
            await self._with_crew().host.let_others_run()  # endless empty pieces would hold the loop

    def _must_wait(self, message: Message) -> bool:
        """Whether the app must wait now that there is no room; without any, a body waits for who wants it."""
        if self._hung_up or self.reply.complete:
            return False  # nobody will read what it sends after that
        if self._room:
            return True
        return not self._wanted and self.reply.awaits_reader(message)

    def _with_crew(self) -> Crew:
        """The crew, from the first moment at which a loop is needed."""
        crew = self._crew
        if crew is None:
            crew = self._crew = Crew(current_host(), self._all_ended)
        return crew

    def _all_ended(self) -> None:
        if self._on_end is not None:
            self._on_end(self)

    def _begin_upload(self) -> None:
        if not self.upload.finished:
            self._with_crew().start("upload", self._run_upload, f"body of {self.label}")

    async def _run_upload(self) -> None:
        crew = self._with_crew()
        try:
            await self.upload.pump(crew.host, self._body_moved)
        finally:
            crew.left("upload")

    def _body_moved(self) -> None:
        """A piece of the request's body lies ready, or the body has ended or failed."""
        host = self._with_crew().host
        if self.upload.error is not None:
            self._hung_up = self._left = True  # a client that fails while it sends takes the line with it
            host.ring(self._writers)
        host.ring(self._receivers)
        if self.upload.finished or self._hung_up:
            host.ring(self._readers)

    async def _run_app(self) -> None:
        crew = self._with_crew()
        try:
            await self._app(self._scope, self.receive, self.send)
        except BaseException as error:
            self._app_ended(crew, error)
            if crew.host.may_fail(error):
                raise
        else:
            self._app_ended(crew, None)

    def _app_ended(self, crew: Crew, error: BaseException | None) -> None:
        if error is None:
            self.reply.app_returned()
        if not self._left:
            self._error = error
        elif error is not None and not (_verdicts.was_ended(crew.host, error) or _verdicts.is_of_leaving(error)):
            log.error("%s: the app raised this after its client had left.", self.label, exc_info=error)
        if not self.upload.finished:
            crew.cancel("upload")
        crew.left("app")
        if self._readers:
            crew.host.ring(self._readers)
