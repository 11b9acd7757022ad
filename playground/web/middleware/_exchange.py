"""One run of an app in a task of its own, and the messages between it and the middleware around it.

It decides who waits for whom. The app's messages go one of three ways, and which one is settled by what
becomes of its response: straight on to the client, if the response is sent as it is, so that the client's
slowness and the errors of `send` are felt by the app as if there were no middleware; one by one to whoever
reads the body, each when the one before is done with; or nowhere, if the response is thrown away. It
refuses to know what a middleware does, and what is in a response.
"""

from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from playground.asgi import ASGIApp, Message, Scope, Send
from playground.web._responding import send_raises_on_disconnect
from playground.web.requests import Request

from ._context import Borrowed
from ._discarded import Discarded, is_said_back
from ._inbox import Inbox

__all__ = ["Exchange"]


class Signal:
    """Something has changed: whoever waits should look again."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: anyio.Event | None = None

    async def wait(self) -> None:
        if self._event is None:
            self._event = anyio.Event()
        await self._event.wait()

    def wake(self) -> None:
        if self._event is not None:
            self._event.set()
            self._event = None


class Exchange:
    """A run of `app`, to be started by `run` in a task group.

    Attributes:
        start: the start message of the response, once it is there.
        asides: debug messages that came before it.
        error: what the app raised; kept until someone has been told.
        lost: what `send` raised for the last message of a response, of which the app was not told.
    """

    __slots__ = (
        "_app",
        "_cancel",
        "_client_gone",
        "_context",
        "_ended",
        "_inbox",
        "_is_complete",
        "_is_over",
        "_news",
        "_offer",
        "_outlet",
        "_read",
        "_refusal",
        "_scope",
        "_send",
        "_taken",
        "_turn",
        "asides",
        "error",
        "lost",
        "start",
    )

    def __init__(self, app: ASGIApp, request: Request[Any], scope: Scope, send: Send) -> None:
        self._app = app
        self._scope = scope
        self._send = send
        self._inbox = Inbox(request)
        self._context = Borrowed()
        self._cancel = anyio.CancelScope()
        self._news = Signal()  # for the middleware
        self._turn = Signal()  # for the app
        self._offer: Message | None = None  # what a reader of the body may take
        self._taken: Message | None = None  # what a reader has taken
        self._read: Message | None = None  # what a reader has taken and is done with
        self._outlet: Send | None = None
        self._client_gone: OSError | None = None
        self._is_complete = self._is_over = self._ended = False
        self._refusal: Exception | None = None  # what the client's side had against the message that was taken
        self.start: Message | None = None
        self.asides: list[Message] = []
        self.error: Exception | None = None
        self.lost: OSError | None = None

    # What the app's side does.

    async def run(self) -> None:
        """Run the app to its end; what it raises is kept."""
        try:
            with self._cancel:
                await self._app(self._scope, self._inbox.receive, self.send)
        except Exception as error:  # noqa: BLE001  kept, and raised by the middleware, once
            if not is_said_back(error, self._client_gone):
                self.error = error
        finally:
            self._ended = True
            self._context.note()
            self._news.wake()

    async def send(self, message: Message) -> None:
        """The app's `send`."""
        if self.start is None:
            await self._send_ahead(message)
            return
        if self._outlet is None and await self._is_read(message):
            return
        if self._outlet is None:
            await self._drop(message)
        else:
            await self._forward(message, self._outlet)
            if self._is_complete and not _is_exchange(self._outlet):
                await checkpoint()  # the responses that wait go out before this one's background tasks begin

    async def _send_ahead(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            self._context.note()
            self._news.wake()
        elif message["type"] == "http.response.debug":
            self.asides.append(message)
        else:  # early hints and pushes help only if they go out before the response
            await self._send(message)

    async def _is_read(self, message: Message) -> bool:
        """Offer a message until it is read, and say whether it was."""
        while self._outlet is None and not self._is_over:
            if self._offer is None and self._taken is None:
                self._offer = message
                self._context.note()
                self._news.wake()
            await self._turn.wait()
            if self._read is message:
                self._read = None
                self._raise_refusal()
                return True
        return False

    async def _forward(self, message: Message, outlet: Send) -> None:
        """Send a message on; the body's last piece in two messages, as Starlette does."""
        if not self._is_last(message):
            await outlet(message)
            return
        try:
            if message["type"] == "http.response.body":
                if message.get("body"):
                    await outlet({**message, "more_body": True})
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await outlet(message)
        except OSError as error:  # the app has no more to say, but maybe a background task to run
            self.lost = error
        self._complete()

    async def _drop(self, message: Message) -> None:
        """Do what a server does with messages for a client that has left."""
        if not self._is_last(message):
            if self._client_gone is not None:
                raise self._client_gone
            if send_raises_on_disconnect(self._scope):
                raise Discarded("A middleware has answered this request in its own words: stop sending.")
        await checkpoint()

    def _is_last(self, message: Message) -> bool:
        has_trailers = self.start is not None and self.start.get("trailers", False)
        kind = message["type"]
        if kind == "http.response.body":
            return not (has_trailers or message.get("more_body", False))
        if kind == "http.response.pathsend":
            return not has_trailers
        return kind == "http.response.trailers" and not message.get("more_trailers", False)

    def _complete(self) -> None:
        self._is_complete = True
        self._inbox.close()
        self._news.wake()

    # What the middleware's side does.

    async def started(self) -> Message:
        """Wait for the start message.

        Raises:
            RuntimeError: the app ended without one.
            Exception: what the app raised.
        """
        try:
            while self.start is None and not self._ended:
                await self._news.wait()
        except BaseException:  # nobody waits for this response any more, so nobody can use it
            self._cancel.cancel()
            raise
        self._context.adopt()
        if self.start is None:
            self._raise_error()
            raise RuntimeError("No response returned.")
        return self.start

    async def next_message(self) -> Message | None:
        """The next message after the start, `None` at the end. The app waits until it is asked for another."""
        self._let_go()
        while self._offer is None and not self._ended:
            await self._news.wait()
        self._context.adopt()
        self._taken, self._offer = self._offer, None
        if self._taken is None:
            self._raise_error()
        return self._taken

    def _let_go(self) -> None:
        """Tell the app that what was taken is done with."""
        self._read, self._taken = self._taken, None
        self._turn.wake()

    async def open(self, outlet: Send) -> None:
        """Let the messages from now on go straight to the client."""
        if self._offer is not None and not _is_exchange(outlet):
            # One is there already: to send it from here spares a round of the loop.
            self._context.adopt()
            self._taken, self._offer = self._offer, None
            try:
                await self._forward(self._taken, outlet)
            except Exception as error:  # noqa: BLE001  raised where the message was sent from
                self._refusal = error
        self._outlet, self._offer = outlet, None
        self._let_go()

    async def completed(self) -> None:
        """Wait until the app has sent its last message, or has ended without."""
        while not (self._is_complete or self._ended):
            await self._news.wait()
        if self._ended:
            self._raise_error()

    def release(self, client_gone: OSError | None = None) -> None:
        """Nobody wants what the app has still to send: tell it, and let it end."""
        self._client_gone = client_gone
        self._is_over = True
        self._inbox.close()
        self._turn.wake()

    def finish(self) -> None:
        """Called when the app's task has ended: take over its context, raise what it raised."""
        self._context.adopt()
        self._raise_error()

    @property
    def is_cut_short(self) -> bool:
        """Whether the app ended in the midst of a response that goes straight to the client."""
        return self._outlet is not None and not self._is_complete and not self._inbox.is_client_gone

    def _raise_refusal(self) -> None:
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise refusal

    def _raise_error(self) -> None:
        """Raise what the app raised, if no one has been told yet."""
        error, self.error = self.error, None
        if error is None:
            return
        try:
            raise LookupError("The app has no more messages.")
        except LookupError:
            # Raised here, it gets this context; its own stays visible as the cause.
            raise error from error.__cause__ if error.__suppress_context__ else error.__context__


def _is_exchange(outlet: Send) -> bool:
    """Whether a `send` is that of an app behind another of these middlewares."""
    return isinstance(getattr(outlet, "__self__", None), Exchange)
