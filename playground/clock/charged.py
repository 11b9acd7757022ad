"""A baton in whose time computing takes as long as it took here, on this machine, at this moment.

The clock runs while somebody computes, by the processor time of whoever holds the baton, and jumps over waits as
ever. No two runs are the same.
"""

from _thread import get_ident

from playground.clock.baton import Baton
from playground.clock.native import thread_time_ns
from playground.clock.runner import Runner

__all__ = ["ChargedBaton"]


class ChargedBaton(Baton):
    """See `Baton`; `now_ns` also moves while a runner computes."""

    _base_ns = 0
    _since_ns = 0
    _told_ns = 0  # what it last was for who computes
    _ident = 0  # whose processor time that is
    _running = False

    @property
    def now_ns(self) -> int:
        """Virtual time since the beginning, in nanoseconds; for a thread outside, what whoever computes last took it
        for: it has processor time of its own, of which this clock knows nothing."""
        if not self._running:
            return self._base_ns
        if get_ident() != self._ident:
            return max(self._base_ns, self._told_ns)
        self._told_ns = now_ns = self._base_ns + max(0, thread_time_ns() - self._since_ns)
        return now_ns

    @now_ns.setter
    def now_ns(self, moment_ns: int) -> None:
        self._base_ns = moment_ns
        self._since_ns = thread_time_ns()

    def charged_ns(self, runner: Runner) -> int:
        return runner.charged_ns + (self.now_ns - self._base_ns if runner is self.holder else 0)

    def enter(self) -> None:
        super().enter()
        self._resume()

    def exit(self) -> None:
        self._pause(self.loop)
        super().exit()

    def begin(self, runner: Runner) -> None:
        super().begin(runner)
        self._resume()

    def leave(self, runner: Runner) -> None:
        if not runner.lost:
            self._pause(runner)
        super().leave(runner)

    def _hand_over(self, me: Runner) -> None:
        self._pause(me)
        super()._hand_over(me)
        self._resume()

    def _pause(self, runner: Runner) -> None:
        now_ns = self.now_ns
        runner.charged_ns += now_ns - self._base_ns
        self._base_ns = now_ns
        self._running = False

    def _resume(self) -> None:
        self._ident = get_ident()
        self._since_ns = thread_time_ns()
        self._running = True
