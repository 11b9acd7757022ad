"""The life of an app around its requests: started before the first, shut down after the last.

`lifespan` decides what the app's messages mean: that it is up, that it failed and why, or that it knows
nothing of lifespans, which the ASGI specification lets it say by raising. The app runs in one task from
start-up to shut-down, so a task group that it enters in one it can leave in the other; that task belongs to
no scope of the caller's, who may enter and leave in two tasks.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playground.asgi import ASGIApp, Message
from playground.errors import LifespanError, ProtocolError
from playground.transport import _crew, _verdicts
from playground.transport._crew import Crew
from playground.transport._hosts import current_host

__all__ = ["State", "lifespan"]

log = logging.getLogger("playground.transport")

PHASES = ("startup", "shutdown")


class State(dict[str, Any]):
    """What an app keeps from start-up on; give each request a shallow copy.

    Attributes:
        supported: whether the app has a lifespan. One that raises before it has answered has none.
    """

    supported = True


@asynccontextmanager
async def lifespan(
    app: ASGIApp, *, state: dict[str, Any] | None = None, required: bool = False
) -> AsyncIterator[State]:
    """Start an app up, and shut it down at the end of the block, also if that fails.

    Args:
        app: the ASGI application.
        state: what the state begins with; it is copied.
        required: raise what the app raises before it answers, instead of taking it for an app without a
            lifespan, as a server does.

    Yields:
        The state, as start-up left it.

    Raises:
        LifespanError: start-up or shut-down failed, with the app's message; its exception is the cause. Or
            the app broke the order of messages.
        Exception: what the app raised while it ran or shut down, or, if `required`, before it answered.
    """
    life = _Life(app, State(state or {}))
    await life.start_up(required)
    try:
        yield life.state
    finally:
        await life.shut_down()


class _Life:
    """One run of the app's lifespan."""

    __slots__ = ("_answered", "_app", "_asked", "_bell", "_crew", "_error", "_failed", "state")

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.state = state
        self._app = app
        self._crew = Crew(current_host(), _nothing)
        self._bell: list[Any] = []
        self._asked = 0  # how many of the phases the app has been told of
        self._answered = 0  # how many it has answered
        self._failed: str | None = None
        self._error: BaseException | None = None

    async def start_up(self, required: bool) -> None:
        try:
            await self._ask()
        except BaseException:
            await self._crew.stop()
            raise
        if self._failed is not None:
            await self._crew.wait(_crew.GRACE_S)  # for the exception that mostly follows
            await self._crew.stop()
            raise self._failure()
        if self._answered:
            return
        if self._error is not None and (required or self._wants_the_end(self._error)):
            raise self._error
        if self._error is None:
            log.debug("The app returned without an answer to `lifespan.startup`: it has no lifespan.")
        else:
            log.debug("The app has no lifespan, for it raised this.", exc_info=self._error)
        self.state.supported = False

    async def shut_down(self) -> None:
        if not self.state.supported:
            return
        try:
            await self._ask()
            await self._crew.wait(_crew.GRACE_S)  # it has said that it is down: what may it still want?
        finally:
            await self._crew.stop()
        if self._failed is not None:
            raise self._failure()
        if self._error is not None:
            raise self._error

    async def _ask(self) -> None:
        """Tell the app of the next phase and wait for its answer, or its end."""
        phase = self._asked = self._asked + 1
        if phase == 1:
            self._crew.start("app", self._run, "lifespan")
        else:
            self._crew.host.ring(self._bell)
        while self._answered < phase and "app" in self._crew:
            await self._crew.host.wait(self._bell)

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self._app(scope, self._receive, self._send)
        except BaseException as error:  # it goes to the caller
            self._error = error
            if not isinstance(error, Exception) and self._crew.host.may_fail(error):
                raise
        finally:
            self._crew.left("app")
            self._crew.host.ring(self._bell)

    async def _receive(self) -> Message:
        while self._asked <= self._answered:
            await self._crew.host.wait(self._bell)
        return {"type": f"lifespan.{PHASES[self._answered]}"}

    async def _send(self, message: Message) -> None:
        kind = str(message.get("type"))
        phase = PHASES[self._answered] if self._answered < self._asked else ""
        if not phase or kind not in (f"lifespan.{phase}.complete", f"lifespan.{phase}.failed"):
            expected = f"`lifespan.{phase}.complete` or `lifespan.{phase}.failed`" if phase else "nothing now"
            raise ProtocolError(
                f"lifespan: expected {expected}, but the app sent `{kind}`. "
                "Answer each message that `receive` gives once."
            )
        if kind.endswith("failed"):
            self._failed = str(message.get("message", ""))
        self._answered += 1
        self._crew.host.ring(self._bell)

    def _wants_the_end(self, error: BaseException) -> bool:
        """Whether an app raised what never says that it has no lifespan, such as a KeyboardInterrupt."""
        return not (isinstance(error, Exception) or _verdicts.was_ended(self._crew.host, error))

    def _failure(self) -> BaseException:
        """Say that a phase failed. An exception that the app let out tells more, and is the cause."""
        phase = PHASES[self._answered - 1]
        reason = (self._failed or "").strip() or "it gave no reason"
        failure = LifespanError(f"lifespan: expected the app's {phase} to succeed, but it failed: {reason}")
        failure.__cause__ = self._error
        return failure


def _nothing() -> None:
    """The end of the crew is of no interest to anyone else."""
