"""Virtual time where there are no threads: worker threads are simulated on the one that there is.

In a browser (Pyodide) nothing can run beside the loop, and a function that sleeps cannot be left half-way. So what is
handed to a worker is called to its end at the moment at which a worker would begin it; its sleeps only move its own
clock on. Then the loop goes on where it was, and at the moments at which the worker would have slept, woken somebody
and ended, that is done. Queues of work, limits on threads and the times of all this are as with real workers. What a
function changes is there from its beginning, though, and how two workers meet in the middle cannot be known: whoever
waits there for another is refused, in words, at that line.

This decides when a worker's pieces have their turn. What workers do all their life is for `simulated_lives` to say.
"""

import heapq
import itertools
import threading

# by its own name: while a virtual loop is open, `threading` has another
from _thread import get_ident
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Any, Final

from playground.clock.aside import loop_aside
from playground.clock.baton import NEVER_NS, Baton
from playground.clock.lines import place_of
from playground.clock.runner import Aborted, Runner, become

__all__ = ["Life", "Simulated", "SimulatedBaton"]

Life = Generator[int | None, None, None]
"""What a worker does: it yields when it parks, the moment until which, or `None` for "until I am woken"."""

_FIRST_IDENT: Final = 1 << 48
"""The identifiers of simulated threads begin beyond those of real ones in a browser, whose addresses have 32 bits."""


class Simulated(Runner):
    """A worker without a thread.

    Attributes:
        life: what it does, a turn at a time.
        thread: the thread object that stands for it, which is never started.
        number: what it has for a thread's identifier.
        began_ns: when what it is calling now began; only `baton.now_ns` moves on while that is called.
        script: what is to be done for that afterwards: moments to park until, and functions to call in between.
            `None` while it calls nothing.
        seat: what others keep for each thread (see `SimulatedBaton.on_turn`).
    """

    __slots__ = ("began_ns", "life", "number", "script", "seat", "thread")

    def __init__(self, baton: "SimulatedBaton", name: str, number: int) -> None:
        super().__init__(baton, name)
        self.number = number
        self.life: Life | None = None
        self.thread: threading.Thread | None = None
        self.began_ns = 0
        self.script: list[int | Callable[[], object]] | None = None
        self.seat: object = None

    def play(self, function: Callable[..., Any], *args: Any) -> Generator[int | None, None, Any]:
        """Call `function(*args)` at once, and then let the time pass that it took."""
        baton, result, error = self.baton, None, None
        self.began_ns, self.script = baton.now_ns, []
        try:
            result = function(*args)
        except BaseException as raised:  # noqa: BLE001 (it is raised again when its time has come)
            error = raised
        script, self.script = self.script, None
        baton.now_ns = self.began_ns
        for entry in script:
            if isinstance(entry, int):
                yield entry
            else:
                entry()
        if error is not None:
            raise error
        return result


class SimulatedBaton(Baton):
    """Who runs, and what time it is, where all run on one thread; see `Baton`.

    Args:
        lives: for each function that threads of a pool live in, what a simulated thread does in its place.
        refuse: see `Baton`.

    Attributes:
        playing: the worker whose turn it is; `None` while it is the loop's.
        on_turn: told of a worker's seat when its turn begins, and of what it gave then when that ends: so that what is
            kept for each thread can be kept for each worker. Gives what was kept before.
    """

    refuse: Callable[[str], BaseException]

    def __init__(
        self,
        *args: Any,
        lives: Mapping[Any, Callable[[Simulated, Any], Life]],
        refuse: Callable[[str], BaseException],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.refuse = refuse
        self.lives = lives
        self.launch = self._launch
        self.playing: Simulated | None = None
        self.on_turn: Callable[[object], object] | None = None
        self._numbers = itertools.count(_FIRST_IDENT)
        self._computed_until_ns = 0

    # -- for runners ------------------------------------------------------------------------------------------

    def park(self, me: Runner, until_ns: int | None = None) -> bool:
        """For the loop, as with real workers; for a worker, a wait for time to pass, and for nothing else."""
        if self.computing is me:
            self._compute_alone(me, until_ns)
        if not isinstance(me, Simulated):
            return super().park(me, until_ns)
        if until_ns is None or until_ns >= NEVER_NS:
            return self.wait(me)
        if me.script is None:
            raise Aborted  # it is being ended, and waits once more
        me.script.append(until_ns)
        self.now_ns = max(self.now_ns, until_ns)
        return False

    def wait(self, me: Runner, until_ns: int | None = None) -> bool:
        """For a worker: it waits for somebody, and nobody can come."""
        if not isinstance(me, Simulated):
            return super().park(me, until_ns)
        raise self.refuse(
            "expected a worker that waits for time only, got one that waits for another worker or for the event loop, "
            f"at {place_of(get_ident())}: this Python has no threads (as in a browser), so workers are simulated one "
            "after another and cannot meet. Run it where there are threads."
        )

    def give_way(self, me: Runner) -> None:
        if not isinstance(me, Simulated):
            super().give_way(me)

    def wake(self, runner: Runner) -> None:
        self.at_this_moment(partial(super().wake, runner))

    def wake_loop(self) -> None:
        self.at_this_moment(super().wake_loop)

    def at_this_moment(self, action: Callable[[], object]) -> None:
        """Do something, when the loop has come to the moment at which the worker that asks for it is."""
        worker = self.playing
        if worker is None or worker.script is None or self.now_ns == worker.began_ns:
            action()
        else:
            worker.script.append(action)

    def enter(self) -> None:
        self.loop.ident = get_ident()
        self.holder = self.loop
        become(self.loop)

    def join_in(self, name: str) -> Simulated:
        if self._rng is not None:
            raise self.refuse(
                "expected schedule='fifo' with worker threads, got schedule='random', which changes threads in the "
                "middle of a line: this Python has no threads (as in a browser), and simulated workers are never "
                "changed. Look for races where there are threads."
            )
        runner = Simulated(self, name, next(self._numbers))
        self.workers[runner] = None
        self.at_this_moment(partial(self._queue.append, runner))
        return runner

    # -- inside -----------------------------------------------------------------------------------------------

    def _launch(self, thread: threading.Thread, runner: Runner) -> None:
        """Begin a thread: it is only said to have started."""
        assert isinstance(runner, Simulated)
        state: Any = thread
        live = self.lives.get(state._target) or self.lives.get(type(thread).run) or _plain_life
        runner.thread, runner.life = thread, live(runner, thread)
        state._ident = state._native_id = runner.number
        state._started.set()
        state.is_alive = lambda: not runner.over

    def _hand_over(self, me: Runner) -> None:
        while (following := self._next()) is not me:
            self.switches += 1
            self._take_turn(following)
        self.passing = False

    def _take_turn(self, runner: Runner) -> None:
        """Let a worker go on until it parks, as if it had a thread of its own: with no running loop, nor task."""
        assert isinstance(runner, Simulated)
        with loop_aside():
            self.passing = False
            self.playing, self.holder, runner.ident = runner, runner, get_ident()
            active: dict[int, threading.Thread] = threading._active  # type: ignore[attr-defined]
            if runner.thread is not None:
                active[runner.number] = runner.thread
            seat = self.on_turn(runner.seat) if self.on_turn is not None else None
            become(runner)
            try:
                self._go_on(runner)
            finally:
                become(self.loop)
                if self.on_turn is not None:
                    runner.seat = self.on_turn(seat)
                active.pop(runner.number, None)
                self.playing, self.holder, runner.ident = None, self.loop, 0
                self.passing = True

    def _go_on(self, runner: Simulated) -> None:
        error, runner.error = runner.error, None
        life = runner.life
        assert life is not None
        try:
            until_ns = next(life) if error is None else life.throw(error)
        except (StopIteration, Aborted):
            runner.over, runner.life = True, None
            if runner.thread is not None:
                state: Any = runner.thread
                state.join = lambda timeout=None: None  # outside virtual time too: there is nothing to wait for
                runner.thread = None
            self.workers.pop(runner, None)
            for waiting in runner.joining:
                super().wake(waiting)
            return
        runner.ticket, runner.woken = self.serial(), False
        if until_ns is not None:
            heapq.heappush(self._sleepers, (until_ns, runner.ticket, runner))

    def _compute_alone(self, me: Runner, until_ns: int | None) -> None:
        """Refuse to compute while another may: who of them is when on the interpreter lock cannot be known."""
        if self.now_ns < self._computed_until_ns:
            raise self.refuse(
                "expected one thread to compute at a time, got a second that computes while another has the interpreter"
                f" lock, at {place_of(get_ident())}: this Python has no threads (as in a browser), and simulated "
                "workers cannot share a lock slice by slice. Run it where there are threads."
            )
        if isinstance(me, Simulated) and until_ns is not None:
            self._computed_until_ns = until_ns


def _plain_life(me: Simulated, thread: threading.Thread) -> Life:
    """A thread that somebody has started by hand."""
    yield from me.play(thread.run)
