"""The baton: in virtual time exactly one thread runs, and whoever gives up says who is next and what time it is.

The runners are the loop's thread and the worker threads that were started from it. A runner that has nothing to
do until some moment, or until another wakes it, parks; then the next in the queue runs, and if there is none, time
jumps to the earliest moment for which somebody waits. All that is here is touched only by the thread that holds
the baton, but for `knock`, with which threads outside virtual time ask to be heard. Which functions park is for
`borrowed` to say, and what a loop does when it is its turn for `virtual`.
"""

import heapq
import itertools
import operator
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, Protocol

from playground.clock.affinity import pin, unpin
from playground.clock.runner import Aborted, Runner, become

__all__ = ["NEVER_NS", "Baton"]

NEVER_NS: Final = (1 << 63) - 1
"""A moment that does not come: nobody waits for it."""
_SPIN_LIMIT: Final = 1_000_000
"""Changes of runner at one moment, with nobody else to run, after which somebody is taken to be running in circles:
some ten seconds of real time."""

_HOLDING: Final = operator.attrgetter("holder", "passing")


class Preemption(Protocol):
    """What may take the baton from a worker in the middle of its code."""

    def begin(self) -> None:
        """The calling worker begins to run."""

    def cut(self) -> None:
        """The calling worker is at a place where it may lose its turn."""

    def end(self) -> None:
        """There are no more workers."""


class Baton:
    """Who runs, and what time it is.

    Args:
        may_pass: asked before time jumps: whether anybody waits for it to pass.
        no_way_out: makes what is raised in a step of the loop that nobody can ever wake.
        rng: decides among those who could run; `None` for first come, first served.

    Attributes:
        now_ns: virtual time since the beginning, in nanoseconds.
        loop: the runner that is the event loop.
        holder: who runs.
        switches: how often the baton went from one to another.
        deadline: the moment and serial number of the loop's first timer, while it is at rest.
        resting: whether the loop has nothing to do, so that it may be woken; else it stands in a step.
        passing: whether the holder is at handing over, or has not yet been woken: nobody may break in then.
        spinning: whether time stood still for so long that somebody must be running in circles.
    """

    def __init__(
        self,
        may_pass: Callable[[], bool],
        no_way_out: Callable[[], BaseException],
        rng: random.Random | None = None,
    ) -> None:
        self.may_pass = may_pass
        self._no_way_out = no_way_out
        self._rng = rng
        self._serial = 0
        self._queue: deque[Runner] = deque()
        self._sleepers: list[tuple[int, int, Runner]] = []
        self._knocks: deque[Callable[[], object]] = deque()
        self._spins = 0
        self._loop_queued = False
        self.now_ns = 0
        self.loop = Runner(self, "the event loop")
        self.holder = self.loop
        self.switches = 0
        self.deadline: tuple[int, int] | None = None
        self.resting = False
        self.passing = False
        self.spinning = False
        self.workers: dict[Runner, None] = {}  # in the order in which they came
        self.given_up: set[object] = set()  # marks of calls for which nothing is begun any more
        self.preemption: Preemption | None = None
        self._allowed: set[int] | None = None  # the processors that the loop's thread may use elsewhere
        self.refused_at: set[str] = set()  # lines that asked for what cannot be in virtual time
        self.computing: Runner | None = None  # who holds the simulated interpreter lock, and who waits for it
        self.to_compute: deque[Runner] = deque()
        self.on_block: Callable[[], None] | None = None  # called before and after the loop parks within a step

    def charged_ns(self, runner: Runner) -> int:
        """Processor time that a runner has been charged, in nanoseconds."""
        return runner.charged_ns

    # -- for runners ------------------------------------------------------------------------------------------

    refuse: Callable[[str], BaseException] | None = None
    """Makes the error for what cannot be where there are no threads, and breaks off what asked for it."""

    launch: Callable[[threading.Thread, Runner], None] | None = None
    """How a runner's thread is begun where there are none (see `simulated`); `None`: as threads are."""

    def serial(self) -> int:
        """A number greater than all before: what is due at one moment comes in this order."""
        self._serial += 1
        return self._serial

    def park(self, me: Runner, until_ns: int | None = None) -> bool:
        """Let others run until a moment, or until one of them wakes `me`.

        Returns:
            whether it was woken; `False` if the time was over.
        """
        if me.lost:
            raise Aborted
        self.passing = True
        me.ticket = ticket = self.serial()
        me.woken = False
        if until_ns is not None and until_ns < NEVER_NS:
            heapq.heappush(self._sleepers, (until_ns, ticket, me))
        tell = self.on_block if me is self.loop else None
        if tell is not None:
            tell()
        try:
            self._hand_over(me)
        finally:
            if tell is not None:
                tell()
        self._raise_error(me)
        return me.woken

    wait = park
    """The same for who expects to be woken, which is another matter where there are no threads (see `simulated`)."""

    def give_way(self, me: Runner) -> None:
        """Let all run who could, and then go on."""
        self.passing = True
        self._queue.append(me)
        self._hand_over(me)
        self._raise_error(me)

    def wake(self, runner: Runner) -> None:
        """Let a parked runner run when its turn comes. Nothing happens if it is awake."""
        if runner.ticket:
            runner.ticket = 0
            runner.woken = True
            self._queue.append(runner)

    def wake_loop(self) -> None:
        """Let the loop run when its turn comes: there is something in its ready queue."""
        if self.resting and not self._loop_queued:
            self._loop_queued = True
            self._queue.append(self.loop)

    def knock(self, action: Callable[[], object]) -> None:
        """Have `action` called by whoever holds the baton, from a thread that does not."""
        self._knocks.append(action)

    def join_in(self, name: str) -> Runner:
        """A new runner, which stands in the queue."""
        if self._allowed is None:
            self._allowed = pin(self.loop.native_id)
        runner = Runner(self, name)
        self.workers[runner] = None
        self._queue.append(runner)
        return runner

    def forget(self, runner: Runner) -> None:
        """A new runner's thread could not be started."""
        self.workers.pop(runner, None)
        if runner in self._queue:
            self._queue.remove(runner)

    def begin(self, runner: Runner) -> None:
        """Make the calling thread that runner, when it is its turn. Raises what it is to be ended with, if it is."""
        runner.ident = threading.get_ident()
        runner.native_id = threading.get_native_id()
        runner.lock.acquire()
        self.passing = False
        become(runner)
        if runner.error is not None:
            raise runner.error

    def leave(self, runner: Runner) -> None:
        """The calling thread leaves virtual time for good."""
        become(None)
        if runner.lost:
            return
        self.passing = runner.over = True
        self.workers.pop(runner, None)
        for waiting in runner.joining:
            self.wake(waiting)
        self._give(self._next())

    def abort(self, runner: Runner, error: BaseException) -> None:
        """Have `error` raised where a worker is parked, when its turn comes."""
        runner.error = error
        self.wake(runner)

    def held_by(self, runner: Runner) -> Iterator[bool]:
        """Whether a runner holds the baton and is not handing it over: asked, and acted upon, within one call of C."""
        return map(partial(operator.eq, (runner, False)), map(_HOLDING, (self,)))

    def lose(self, runner: Runner) -> None:
        """Go on without a worker that holds the baton and keeps it, if it still does. From any thread."""
        any(itertools.starmap(setattr, itertools.compress(((runner, "lost", True),), self.held_by(runner))))
        if not runner.lost:
            return
        runner.over = True
        self.workers.pop(runner, None)
        self._give(self._next())

    # -- for the loop -----------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Make the calling thread the loop's."""
        self.loop.ident = threading.get_ident()
        self.loop.native_id = threading.get_native_id()
        self.holder = self.loop
        become(self.loop)

    def exit(self) -> None:
        """The calling thread is the loop's no more."""
        become(None)
        if self._allowed is not None:
            unpin(self.loop.native_id, self._allowed)
            self._allowed = None

    @property
    def busy(self) -> bool:
        """Whether a worker could run, or a thread outside wants to be heard."""
        return bool(self._queue or self._knocks)

    @property
    def quiet(self) -> bool:
        """Whether no worker could run now or later, unless the loop wakes it."""
        return not (self._queue or self._sleepers or self._knocks)

    def first_sleeper(self) -> tuple[int, int] | None:
        """The moment and serial number of the first worker that waits for a moment."""
        self._forget_woken()
        return self._sleepers[0][:2] if self._sleepers else None

    def is_idle_until(self, moment_ns: int) -> bool:
        """Whether none but the holder could run before that moment, nor at it."""
        sleeper = self.first_sleeper()
        timer = self.deadline if self.resting else None
        return not self.busy and all(due is None or due[0] > moment_ns for due in (sleeper, timer))

    def rest(self, deadline: tuple[int, int] | None) -> None:
        """Let workers run until the loop has something to do, its first timer is due, or nobody can run."""
        self.deadline = deadline
        self.passing = self.resting = True
        try:
            self._hand_over(self.loop)
        finally:
            self.resting = self._loop_queued = False

    def yield_turn(self) -> None:
        """Let every worker that could run now have its turn."""
        self.passing = self.resting = self._loop_queued = True
        self._queue.append(self.loop)
        try:
            self._hand_over(self.loop)
        finally:
            self.resting = self._loop_queued = False

    def jump(self, moment_ns: int) -> None:
        """Let time pass."""
        if moment_ns > self.now_ns:
            self.now_ns = moment_ns
            self._spins = 0

    # -- inside -----------------------------------------------------------------------------------------------

    def _hand_over(self, me: Runner) -> None:
        following = self._next()
        if following is not me:
            self._give(following)
            me.lock.acquire()
        self.passing = False

    def _raise_error(self, me: Runner) -> None:
        if me.error is not None:
            error, me.error = me.error, None
            raise error

    def _give(self, runner: Runner) -> None:
        self.holder = runner
        self.switches += 1
        runner.lock.release()

    def _next(self) -> Runner:
        """Who runs now. Where nobody else can, it is the loop, which then sees that nobody can."""
        while self._knocks:
            self._knocks.popleft()()
        self._spins += 1
        if self._spins > _SPIN_LIMIT:
            self.spinning = True
            return self._the_loop()
        if self._queue:
            return self._from_queue()
        self._forget_woken()
        sleepers = self._sleepers
        if not sleepers or not self.may_pass():
            return self._the_loop()
        if self.resting and self.deadline is not None and self.deadline < sleepers[0][:2]:
            return self.loop
        when, _, runner = heapq.heappop(sleepers)
        runner.ticket = 0
        self.jump(when)
        if self._rng is not None:
            runner = self._one_of_those_due(runner)
        return runner

    def _the_loop(self) -> Runner:
        """The loop, because nobody else can run. If it is parked within a step, nobody will ever wake it."""
        loop = self.loop
        if loop.ticket:
            loop.ticket = 0
            loop.error = loop.error or self._no_way_out()
        if loop in self._queue:
            self._queue.remove(loop)
        return loop

    def calm(self) -> None:
        """Whoever ran in circles has been told; or nobody waits for time to pass."""
        self._spins = 0
        self.spinning = False

    def _from_queue(self) -> Runner:
        if self._rng is not None and len(self._queue) > 1:
            self._queue.rotate(-self._rng.randrange(len(self._queue)))
        return self._queue.popleft()

    def _one_of_those_due(self, first: Runner) -> Runner:
        """With chance deciding, all who wait for this moment, the loop too, are in the queue at once."""
        self._queue.append(first)
        while self._sleepers and self._sleepers[0][0] <= self.now_ns:
            _, ticket, runner = heapq.heappop(self._sleepers)
            if runner.ticket == ticket:
                runner.ticket = 0
                self._queue.append(runner)
        if self.resting and self.deadline is not None and self.deadline[0] <= self.now_ns:
            self.wake_loop()
        return self._from_queue()

    def _forget_woken(self) -> None:
        sleepers = self._sleepers
        while sleepers and sleepers[0][2].ticket != sleepers[0][1]:
            heapq.heappop(sleepers)
