"""Changing threads in the middle of a line: with a random schedule, a worker may lose its turn between two bytecodes.

The language promises no more than that, and a program that is wrong only now and then is wrong; so where chance
decides, it decides here too, in the user's own code and in worker threads only. It is seen by a trace function, as a
debugger's is, so a thread that is preempted cannot be debugged or covered at the same time.
"""

import random
import sys
from types import FrameType
from typing import Any, Final

from playground.clock.baton import Baton, current
from playground.code import is_own

__all__ = ["Preemption"]

_ONE_IN: Final = 8
"""Bytecodes between two changes, on average: a line has about as many, so most lines are cut somewhere."""


class Preemption:
    """Cuts into workers of one baton, as often as chance says.

    Args:
        baton: whose workers.
        rng: chance, from a seed.
    """

    def __init__(self, baton: Baton, rng: random.Random) -> None:
        self._baton = baton
        self._rng = rng

    def begin(self) -> None:
        """From now on, cut into the calling thread."""
        # CPython 3.12 and later tell of bytecodes only if some frame has asked for them before this call
        sys._getframe().f_trace_opcodes = True
        sys.settrace(self._enter)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not is_own(frame.f_code.co_filename):
            return None
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self._cut

    def _cut(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode" and self._baton.busy and self._rng.randrange(_ONE_IN) == 0:
            me = current()
            if me is not None:
                self._baton.give_way(me)
        return self._cut
