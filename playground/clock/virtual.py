"""The virtual loop: the lab's event loop where time jumps to the next timer when nothing can run.

It shares its turn and its recording with the real one and differs in how it waits: instead of sleeping in a selector
it lets worker threads run (`baton`), and when all are parked it sets the clock to the earliest timer. Timers due
together run in the order in which they were set. Where nothing can run and no timer is left while somebody waits for
the loop, that is a `Deadlock`; where nobody waits, time stands still until someone does.
"""

import asyncio
import concurrent.futures
import functools
import itertools
import logging
import random
from collections.abc import Callable
from contextvars import Context
from types import BuiltinFunctionType
from typing import Any, Final, Literal, NoReturn

from playground.clock import borrowed, stuck, workers
from playground.clock.baton import NEVER_NS, Baton
from playground.clock.charged import ChargedBaton
from playground.clock.collector import Collector
from playground.clock.handles import NOTHING, arguments
from playground.clock.interruptible import Interruptible
from playground.clock.lines import place_of
from playground.clock.pool import Pool
from playground.clock.preempt import Preemption
from playground.clock.recorder import Recorder
from playground.clock.runner import Aborted, Runner, current
from playground.clock.sealed import Sealed
from playground.clock.timers import TimerHeap, VirtualTask, VirtualTimer, moment_ns
from playground.clock.turns import TASK_STEP
from playground.clock.watchdog import Watchdog
from playground.errors import Deadlock, LabError, NotInVirtualTime, Runaway

__all__ = ["Schedule", "VirtualLoop"]

Schedule = Literal["fifo", "random"]

_TURNS_AT_ONCE: Final = 1_000_000
"""Turns of the loop at one moment after which it is taken to run in circles: a few seconds of real time."""
_TURNS_TOGETHER: Final = 64
"""Turns that are taken without looking up: some 0.2 ms."""
_GRACE_S: Final = 0.1
"""Real time for which a thread outside may still wake a loop that is about to be called stuck."""

log: Final = logging.getLogger("playground.clock")


class VirtualLoop(Interruptible, Sealed):
    """An event loop in virtual time.

    Args:
        schedule: `fifo`: what could run at one moment runs in the order in which it became able to; `random`: in an
            order drawn from the seed, to find races.
        seed: of that order; the same seed gives the same order again.
        charge_cpu: whether computing takes the time that it took here: not the same in each run.

    Attributes:
        baton: who runs, and what time it is.
        on_stuck: takes the error when nothing can go on. By default it is raised out of `run_forever`.
    """

    clock = "virtual"

    def __init__(self, *, schedule: Schedule = "fifo", seed: int = 0, charge_cpu: bool = False) -> None:
        super().__init__()
        self._sealed = True
        self._rng = random.Random(seed) if schedule == "random" else None
        self.on_stuck: Callable[[LabError], None] = _raise
        self.baton = self._new_baton(charge_cpu)
        self.runner = self.baton.loop
        self.baton.on_block = self._note_block
        self.baton.preemption = self._new_preemption()
        self._task_numbers = itertools.count(1)
        self._instant_ns = 0
        self._turns_here = 0
        self._batches = 0
        self._clock_resolution = 1e-9
        self._pool = Pool(self)
        self._refusal: LabError | None = None
        self._told: set[tuple[Runner, object]] = set()  # workers of calls that were given up, and whom they worked for
        self._progress = 0
        self._timers = TimerHeap(self._rng)
        self._scheduled = self._timers.entries  # type: ignore[assignment]
        self._default_executor: concurrent.futures.Executor | None
        self._watchdog = self._new_watchdog()
        self.collector: Collector | None = None
        borrowed.borrow(self)

    # what is another matter where there are no threads (see `simulated_loop`)

    def _new_baton(self, charge_cpu: bool) -> Baton:
        kind = ChargedBaton if charge_cpu else Baton
        return kind(self._may_pass, self._blocked_for_ever, self._rng)

    def _new_preemption(self) -> Preemption | None:
        return None if self._rng is None else Preemption(self.baton, self._rng)

    def _new_watchdog(self) -> Watchdog:
        return Watchdog(lambda: self._progress + self.baton.switches, lambda: self.baton.holder, self._lose)

    def attend(self, waited_for: Callable[[], bool] | None, on_stuck: Callable[[LabError], None] | None) -> None:
        super().attend(waited_for, on_stuck)
        self.on_stuck = on_stuck or _raise

    # -- time -------------------------------------------------------------------------------------------------

    def time(self) -> float:
        return self.baton.now_ns / 1e9

    @property
    def now_ns(self) -> Callable[[], int]:
        """Tells the virtual time since the loop was made, in nanoseconds: without a call of Python's, for a recording
        asks three times a step."""
        return functools.partial(getattr, self.baton, "now_ns")

    def lock_ns(self) -> int:
        """How long the loop's thread has waited for the simulated interpreter lock since the loop was made."""
        return self.baton.loop.locked_out_ns

    def cpu_ns(self) -> int:
        """Processor time that the calling thread was charged in virtual time, in nanoseconds."""
        me = current()
        return self.baton.charged_ns(me) if me is not None else 0

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        # from the delay itself: a sum of floats could miss the nanosecond
        due_ns = self.baton.now_ns + round(delay * 1e9) if delay < NEVER_NS / 1e9 else NEVER_NS
        self._check_closed()  # type: ignore[attr-defined]
        timer = VirtualTimer(due_ns / 1e9, callback, args, self, context)
        self._timers.add(due_ns, self.baton.serial(), timer)
        return timer

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self._check_closed()  # type: ignore[attr-defined]
        timer = VirtualTimer(when, callback, args, self, context)
        self._timers.add(moment_ns(when), self.baton.serial(), timer)
        return timer

    # -- running ----------------------------------------------------------------------------------------------

    def run_forever(self) -> None:
        self.baton.enter()
        self._watchdog.resume()
        try:
            super().run_forever()
        finally:
            self._watchdog.pause()
            self.baton.exit()

    def _make_task(self, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        if self.get_task_factory() is None:
            self._check_closed()  # type: ignore[attr-defined]
            # asyncio's own numbers go on from one loop to the next
            name = kwargs.pop("name", None) or f"Task-{next(self._task_numbers)}"
            return VirtualTask(coro, serial=self.baton.serial(), loop=self, name=name, **kwargs)
        return super()._make_task(coro, **kwargs)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        executor = executor or self._default_executor
        if executor is None:
            self._check_closed()  # type: ignore[attr-defined]
            return self._pool.submit(func, args)
        workers.check_executor(executor)
        return super().run_in_executor(executor, func, *args)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        self._pool.close()
        await super().shutdown_default_executor()

    def close(self) -> None:
        if not self.is_running() and not self.is_closed():
            self.dismiss_workers()
        super().close()
        self._watchdog.close()
        if self.baton.preemption is not None:
            self.baton.preemption.end()
        borrowed.give_back(self)

    def dismiss_workers(self) -> None:
        """End all worker threads, where they are parked. To be called when the loop does not run."""
        baton = self.baton
        here = current()
        if here is None:
            baton.enter()
        try:
            for _ in range(workers.PATIENCE):
                parked = [runner for runner in baton.workers if runner is not here]
                if not parked:
                    break
                for runner in parked:
                    workers.dismiss(runner)
                baton.yield_turn()
        finally:
            if here is None:
                baton.exit()

    def abort_calls(self) -> None:
        """Raise `Aborted` in the calls that pools' workers are parked in."""
        for runner in self.baton.workers:
            if runner.ticket and workers.is_at_work(runner):
                self.baton.abort(runner, Aborted())

    @property
    def holder_ident(self) -> int:
        return self.baton.holder.ident

    # -- inside: the turn -------------------------------------------------------------------------------------

    def call_soon(  # type: ignore[override]
        self, callback: Any, arg: Any = NOTHING, *more: Any, context: Context | None = None
    ) -> asyncio.Handle | None:
        # a task's wake-ups as tuples, as while recording (see `turns`): simulating is mostly this
        kind = type(callback)
        if kind is TASK_STEP or (kind is BuiltinFunctionType and callback.__name__ == "task_wakeup"):
            self._ready.append((callback, arg, context, 0, self.baton.now_ns))
            return None  # a task never looks at what call_soon gives it
        args = (*arguments(arg), *more)
        return super().call_soon(callback, *args, context=context)

    def _run_once(self) -> None:
        """Run until there is nothing to do at this moment: with no I/O to look for, turns need no pauses."""
        self._poll(None)
        ready = self._ready
        for _ in range(_TURNS_TOGETHER):
            for _ in range(len(ready)):
                entry = ready.popleft()
                if type(entry) is tuple:
                    self._run_step(*entry)
                elif not entry._cancelled:
                    entry._run()
            if not ready or self._stopping or self.baton.busy or self.recorder is not None:
                break  # the last: one of these steps has begun a recording, which starts with the next turn

    def _goes_on(self) -> bool:
        """The same, while recording."""
        self._batches += 1
        return bool(self._batches % _TURNS_TOGETHER) and not (self._stopping or self.baton.busy)

    def _run_step(self, callback: Any, arg: Any, context: Context, by: int, at_ns: int) -> None:
        try:
            if arg is NOTHING:
                context.run(callback)
            else:
                context.run(callback, arg)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 (as Handle._run does)
            self._complain(callback, error)

    def _poll(self, recorder: Recorder | None) -> None:
        baton = self.baton
        self._progress += 1
        if self.collector is not None:
            self.collector.turn()
        if self._refusal is not None:
            error, self._refusal = self._refusal, None
            self._give_up(error)
        if self._ready or self._stopping:
            if baton.busy:
                baton.yield_turn()
        else:
            if recorder is not None:
                recorder.idle()
            self._wait()
        first = self._timers.first()
        if first is not None and first[0] <= baton.now_ns:
            self._ready.extend(self._timers.take_due(baton.now_ns, baton.first_sleeper()))
        if baton.now_ns != self._instant_ns:
            self._instant_ns = baton.now_ns
            self._turns_here = 0
        else:
            self._turns_here += 1
            if self._turns_here > _TURNS_AT_ONCE:
                self._give_up(Runaway(stuck.running_in_circles(self)))

    def _wait(self) -> None:
        """Let workers run and time pass until there is something to do."""
        baton = self.baton
        while not (self._ready or self._stopping):
            deadline = self._timers.first()
            if deadline is not None and baton.quiet and (deadline[0] <= baton.now_ns or self.waited_for()):
                baton.jump(deadline[0])
                return
            baton.rest(deadline)
            if self._ready:
                return
            if baton.spinning:
                self._give_up(Runaway(stuck.running_in_circles(self)))
            elif not self.waited_for():
                baton.calm()
                self._watchdog.pause()
                self._wait_outside(None)
                self._watchdog.resume()
            elif deadline is not None:
                baton.jump(deadline[0])
                return
            elif not self._wait_outside(_GRACE_S) and not baton.busy:
                self._give_up(Deadlock(stuck.nobody_can_run(self)))

    def _give_up(self, error: LabError) -> None:
        self._turns_here = 0
        self.baton.calm()
        self._told = {(runner, runner.on_behalf) for runner in self.baton.workers}
        self.abort_calls()
        self.on_stuck(error)

    def _timer_handle_cancelled(self, handle: Any) -> None:
        if handle._scheduled:
            self._timers.cancelled += 1

    # -- inside: those who wait for ever -----------------------------------------------------------------------

    def _may_pass(self) -> bool:
        return self.waited_for()

    def _blocked_for_ever(self) -> LabError:
        return Deadlock(stuck.loop_blocked(self))

    def _lose(self, runner: Runner) -> None:
        """The watchdog has found a runner that really waits."""
        error = NotInVirtualTime(
            f"expected waits of Python's own in virtual time, but {runner.name} really waits, at "
            f"{place_of(runner.ident)}. A lock made before the lab, or a wait in C, cannot be in virtual time: make "
            "locks, queues and pools after the lab, or make the lab with clock='real'."
        )
        if runner is not self.baton.loop:
            if (runner, runner.on_behalf) in self._told:
                # left over from a call that has ended in an error already: not the fault of whoever waits now
                log.warning("%s", error)
            else:
                self._refusal = self._refusal or error
            self.call_soon_threadsafe(_nothing)  # the loop is next, and not whoever is due next
            workers.lose(runner)
        elif self.on_stuck is _raise:
            self._refusal = error
        else:
            self.on_stuck(error)  # its callers are told now; the loop goes on when the wait is over

    def _note_block(self) -> None:
        if self.recorder is not None:
            self.recorder.blocked(self.step)


def _nothing() -> None:
    pass


def _raise(error: LabError) -> NoReturn:
    raise error
