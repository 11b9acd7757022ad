"""The tasks of one exchange, at most two: the app's, and the one that feeds it the request's body.

A `Crew` starts them, knows which still run, and ends them: by waiting, or by cancelling until they are
gone. Why they should end is the exchange's affair; what they do, nobody's here.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Literal

import anyio

from playground.transport._hosts import Host

__all__ = ["CANCEL_TRIES", "GRACE_S", "Crew"]

GRACE_S = 1.0
"""How long an app that was told of a disconnect may take to end before it is cancelled: ample for rolling
back or closing a file, and short enough for a person who waits at a cell."""

CANCEL_TRIES = 3
"""How often an app is cancelled, each a grace time apart, before it is given up. Library code is known to
swallow one `CancelledError` (a timeout that fires at the same moment does); three in a row is intent."""

TURNS = 10
"""How many turns of the loop an app without a grace time gets: enough for a message to reach it through a
few layers of task groups and queues."""

Role = Literal["app", "upload"]


class Crew:
    """The running tasks of an exchange.

    Attributes:
        host: the loop they run on.
        running: those that have not ended, by their role.
    """

    __slots__ = ("_on_end", "_waiting", "host", "running")

    def __init__(self, host: Host, on_end: Callable[[], object]) -> None:
        self.host = host
        self._on_end: Callable[[], object] | None = on_end
        self.running: dict[Role, Any] = {}
        self._waiting: list[Any] | None = None  # made when somebody waits

    def __contains__(self, role: Role) -> bool:
        return role in self.running

    def __len__(self) -> int:
        return len(self.running)

    def start(
        self, role: Role, function: Callable[[], Coroutine[Any, Any, None]], name: str, *, at_once: bool = False
    ) -> None:
        """Start a task. Its function must call `left(role)` when it ends.

        Args:
            at_once: it may run up to its first wait before this returns, or even to its end.
        """
        self.running[role] = None
        running = self.host.spawn(function, name, at_once=at_once)
        if role in self.running:
            self.running[role] = running

    def left(self, role: Role) -> None:
        """Note that a task is at its end."""
        if self.running.pop(role, self) is not self and not self.running:
            if self._waiting:
                self.host.ring(self._waiting)
            on_end, self._on_end = self._on_end, None  # and so the crew lets go of its exchange
            if on_end is not None:
                on_end()

    def cancel(self, role: Role) -> None:
        """Cancel a task if it runs."""
        running = self.running.get(role)
        if running is not None:
            self.host.cancel(running, lambda: self.left(role))

    async def wait(self, timeout_s: float | None = None) -> None:
        """Wait until all have ended, or the time is over."""
        if self.running:
            if self._waiting is None:
                self._waiting = []
            await self.host.wait(self._waiting, timeout_s)

    async def linger(self, grace_s: float | None) -> None:
        """Wait for a grace time (`None` for `GRACE_S`); if that is 0, for `TURNS` turns of the loop."""
        if grace_s != 0:
            await self.wait(GRACE_S if grace_s is None else grace_s)
            return
        for _ in range(TURNS):
            if self.running:
                await self.host.let_others_run()

    async def stop(self, *, in_haste: bool = False) -> bool:
        """Cancel all and wait until they have ended, even if the caller is being cancelled itself.

        Args:
            in_haste: do not wait for worker threads, which cannot be cancelled. What waits for one is left to end
                when it comes back.

        Returns:
            Whether they have ended, or will then. An app that keeps swallowing the cancellation is left running.
        """
        with anyio.CancelScope(shield=True):
            for _ in range(CANCEL_TRIES):
                if not self.running:
                    break
                self.cancel("upload")
                self.cancel("app")
                if in_haste:
                    await self.linger(0)
                    if self.in_thread() is not None:
                        return True
                await self.wait(GRACE_S)
        return not self.running

    def in_thread(self) -> str | None:
        """Return the name of a function for whose worker thread one of the tasks waits, or `None`."""
        names = (self.host.in_thread(running) for running in self.running.values() if running is not None)
        return next((name for name in names if name is not None), None)
