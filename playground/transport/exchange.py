"""One HTTP request to an ASGI app and the app's answer, without a server, a socket or an HTTP client.

An `Exchange` decides who waits for whom and how it ends; what a response may be is `Reply`'s affair, where
the request's body comes from is `Upload`'s, and the tasks are its `Crew`'s. There are two ways through it,
and an exchange goes one of them, once:

* `start`, `chunk`, `aclose`: the app runs in a task of its own, named like "GET /path". `start` returns
  with the app's start message, `chunk` hands over the body as it comes, and the app's `send` waits while
  the client has not read what it has. The three may be called from different tasks.
* `complete`: the app runs in the calling task to its end and the whole answer is returned. This is the
  cheap way, for many requests at once; a body of any size is kept, and nobody hangs up on the app.

An exception of the app reaches the caller once. If the caller has left by then, it goes to the log
`playground.transport`, as a server would do; so it is never lost and never told twice.
"""

import itertools
import math
from typing import NoReturn

from playground.transport import _verdicts
from playground.transport._app_side import BUFFER_BYTES, AppSide, log
from playground.transport._crew import Crew
from playground.transport.reply import Answer

__all__ = ["BUFFER_BYTES", "Exchange"]

FAIR = 16
"""Of so many requests one gives the loop a turn, even if its app has answered without one: who sends one after the
other would else hold the loop, and no timeout or cancellation would reach him. At some 0.1 ms a request through a
client, others wait for 2 ms at most, which nobody sees on a screen."""

_started = itertools.count(1)


class Exchange(AppSide):
    """One request and its answer.

    Args:
        app: the ASGI application.
        scope: the scope of an `http` connection (see `playground.transport.scope`).
        body: bytes, or an iterable of bytes, asynchronous or not. One that is not asynchronous is
            iterated on the event loop.
        on_end: called with the exchange once, when no task of it is running any more.
        reply_type: what keeps and checks the response; see `playground.transport.lenient` for the other one.
        buffer_bytes: how much of the response's body may lie unread before the app's next `send` waits. With 0
            each piece waits until the client asks for it.
        grace_s: how long an app that was told of a disconnect may take to end before it is cancelled; `None`
            for `GRACE_S` (one second). With 0 it gets a few turns of the loop.

    Attributes:
        label: method and path: the name of the app's task, and how messages begin.
        reply: the response so far.
        upload: the request's body.
        failure: what the app did wrong: its exception, or a `ProtocolError`; set when the caller is told.
    """

    __slots__ = ()

    async def start(self, timeout_s: float | None = None) -> None:
        """Call the app and return when its `http.response.start` is in `reply`.

        Args:
            timeout_s: how long the app may be silent, in seconds; `None` for any time.

        Raises:
            NoAnswer: it was silent for longer. The app has been cancelled.
            ProtocolError: it ended, or was cancelled, without an answer.
            Exception: what the app raised before its start message, or what `body` raised.
        """
        crew = self._with_crew()
        at_once = self.upload.finished
        if not at_once:
            self._begin_upload()
        crew.start("app", self._run_app, self.label, at_once=at_once)
        if self.reply.status is None or not next(_started) % FAIR:
            try:  # most apps have answered after one turn at most, and need neither a future nor a timer
                await crew.host.let_others_run()
            except BaseException as reason:
                await self._break_off(crew, reason)
                raise
        while self.reply.status is None:
            if self._hung_up or "app" not in crew:
                await self._raise_the_end(crew)
            await self._listen(crew, timeout_s)

    async def chunk(self, timeout_s: float | None = None) -> bytes | None:
        """Return the next piece of the body as soon as there is one, or `None` after the last.

        Args and Raises: as for `start`; and `ClientGone` if the exchange was closed meanwhile.
        """
        while True:
            data = self.reply.pop()
            if data is not None:
                if self._writers and self.reply.buffered < self._room:
                    self._with_crew().host.ring(self._writers)
                return data
            if self.reply.bodiless or self.reply.complete:
                return None
            crew = self._with_crew()
            if self._hung_up or "app" not in crew:
                await self._raise_the_end(crew)
            self._wanted = True
            if self._writers:
                crew.host.ring(self._writers)
            await self._listen(crew, timeout_s)

    @property
    def running(self) -> bool:
        """Whether a task of it is running."""
        return self._crew is not None and len(self._crew) > 0

    def whole(self) -> bytes | None:
        """Return the rest of the body if it is all there as it is meant, and all ended well; else `None`."""
        reply, crew = self.reply, self._crew
        if not reply.complete or reply.encoded or self._error is not None or self.upload.error is not None:
            return None
        return None if crew is not None and crew.running else reply.pop_all()

    async def aclose(self, *, wait_for_app: bool = True) -> None:
        """End the exchange; afterwards no task of it is running.

        On a response that the app has not completed this hangs up, and cancels an app that has not ended
        after the grace time. After a complete response the app may still be at work, as with a background task.

        Args:
            wait_for_app: wait for that work, for as long as it takes. If false, leave the app to it and
                return: it runs on until it ends, or until `hang_up` and a second `aclose`.

        Raises:
            ProtocolError: the app cannot be stopped.
        """
        crew = self._crew
        if crew is None or not len(crew):
            return
        try:
            await self._see_off(crew, wait_for_app)
        except BaseException as reason:
            await self._break_off(crew, reason)
            raise
        if self._hung_up and not await crew.stop():
            raise _verdicts.unstoppable(self.reply, crew.in_thread())

    async def abandon(self, reason: BaseException) -> None:
        """Hang up and cancel the app at once, for the client cannot stay: it is about to raise `reason`."""
        await self._break_off(self._with_crew(), reason)

    def untold(self) -> BaseException | None:
        """Return what the app, or the request's body, has raised and the caller has not seen; once."""
        if self.upload.error is not None:
            error, self.upload.error = self.upload.error, None
            return error
        if self._error is None or self.failure is not None:
            return None
        return self._verdict()

    async def complete(self) -> Answer:
        """Run the app in the calling task to its end and return its answer.

        Raises:
            ProtocolError: it ended without completing the response.
            Exception: what the app raised, or what `body` raised.
        """
        self._room = math.inf
        self._begin_upload()
        try:
            await self._app(self._scope, self.receive, self.send)
        except Exception as error:
            if self.upload.error is not None:
                raise self.upload.error from error
            raise
        finally:
            if self._crew is not None and len(self._crew):
                await self._crew.stop()
        if not self.reply.complete:
            raise self.upload.error or self.reply.left_early()
        return self.reply.answer()

    async def _listen(self, crew: Crew, timeout_s: float | None) -> None:
        """Wait until something has happened that the client may care about."""
        upload, moves = self.upload, self.upload.moves
        try:
            rung = await crew.host.wait(self._readers, timeout_s)
        except BaseException as reason:
            await self._break_off(crew, reason)
            raise
        if rung or timeout_s is None:
            return
        if upload.moves != moves or not (upload.finished or upload.unread):
            return  # the body is under way, or it is the client that keeps the app waiting: time starts anew
        error = _verdicts.no_answer(self.reply, upload, bool(self._receivers), timeout_s)
        await self._break_off(crew, error)
        raise error

    async def _break_off(self, crew: Crew, reason: BaseException) -> None:
        """Hang up and cancel the app at once, for the client cannot stay: it is about to raise `reason`."""
        if isinstance(reason, GeneratorExit):
            return  # the loop is gone, and everything with it
        self.hang_up()
        if not await crew.stop(in_haste=True):
            log.error("%s", _verdicts.unstoppable(self.reply, crew.in_thread()))

    async def _raise_the_end(self, crew: Crew) -> NoReturn:
        error = self.upload.error
        if error is not None:
            self.upload.error = None
            await self._break_off(crew, error)
            raise error
        if self._hung_up:
            raise _verdicts.closed(self.reply)
        if len(crew):
            await crew.stop()  # the upload, for which there is no reader left
        raise self._verdict()

    def _verdict(self) -> BaseException:
        """Say why the app ended, and remember that the client was told."""
        error = self._error
        if self.failure is not None:
            return self.failure
        if error is None:
            self.failure = self.reply.left_early()
        elif _verdicts.was_ended(self._with_crew().host, error):
            self.failure = _verdicts.was_cancelled(self.reply)
            self.failure.__cause__ = error
        else:
            self.failure = error
        return self.failure

    async def _see_off(self, crew: Crew, wait_for_app: bool) -> None:
        """Give the app the time that is its due."""
        crew.cancel("upload")
        if self.reply.bodiless and not self.reply.complete:
            await crew.linger(self._grace_s)  # to finish a body that the client has no use for
        if not self.reply.complete:
            self.hang_up()
        if self._hung_up:
            await crew.linger(self._grace_s)
        elif wait_for_app:
            await crew.wait()
        else:
            self._left = True
