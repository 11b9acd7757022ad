"""How an interrupt reaches what goes on in virtual time, whose end nobody waits for any more.

Whoever waits in virtual time is told when the baton is next handed over, and raises where it is parked; whoever
computes has it thrown at; and a worker within one long call of C is left behind. That somebody was interrupted, and how
long it may take, is for `thread` to say.
"""

import asyncio
import operator
import time
from functools import partial
from typing import Any, Final

from playground.clock.baton import Baton
from playground.clock.held import Interrupted, forget_between_steps, runs, throw_while
from playground.clock.loop import LabLoop
from playground.clock.runner import Aborted, Runner
from playground.clock.workers import is_at_work, lose

__all__ = ["Interruptible"]

_HEARD_MS: Final = 5
"""How long an interrupt waits for the baton to be handed over, before somebody is taken to compute."""


class Interruptible(LabLoop):
    """The part of a virtual loop that is called by an interrupted thread."""

    baton: Baton

    def break_in(self, task: "asyncio.Task[Any] | None", mark: object = None, orphans: bool = False) -> bool:
        """End what goes on for ever: where it is parked, when the baton is next handed over; else where it computes."""
        self.baton.given_up |= {mark} - {None}
        heard: list[bool] = []
        self.baton.knock(lambda: heard.append(self._abort_parked(task, mark, orphans)))
        self._write_to_self()  # type: ignore[attr-defined]  # or nobody might be there to hear
        for _ in range(_HEARD_MS):
            if heard:
                return heard[0]
            time.sleep(0.001)
        holder = self.baton.holder
        computes = partial(self.baton.held_by, holder)
        if holder is self.baton.loop:
            if task is not None:  # if it is parked, it will hear of it there
                throw_while(lambda: map(operator.and_, runs(task), computes()), holder.ident, task)
            return task is not None
        concerned = _works_for(holder, mark, orphans) and throw_while(computes, holder.ident)
        if concerned:
            forget_between_steps(self, holder.ident)  # the loop's next comes when the worker has given up the baton
        return concerned

    def let_go(self, mark: object, orphans: bool) -> None:
        """Go on without a worker that computes in C, where nothing can be thrown at it. It ends when it returns."""
        holder = self.baton.holder
        if holder is not self.baton.loop and _works_for(holder, mark, orphans):
            lose(holder)

    def _abort_parked(self, task: "asyncio.Task[Any] | None", mark: object, orphans: bool) -> bool:
        loop = self.baton.loop
        found = task is not None and loop.ticket != 0 and asyncio.current_task(self) is task
        if found:
            self.baton.abort(loop, Interrupted())
        for runner in list(self.baton.workers):
            if _works_for(runner, mark, orphans) and is_at_work(runner):
                self.baton.abort(runner, Aborted())
                found = True
        return found


def _works_for(runner: Runner, mark: object, orphans: bool) -> bool:
    """Whether a worker does something for the call of that mark; `orphans`: or for nobody knows whom."""
    return runner.on_behalf is mark or (orphans and runner.on_behalf is None)
