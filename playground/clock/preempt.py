"""Changing threads in the middle of a line: with a random schedule, a worker may lose its turn between two bytecodes.

The language promises no more than that, and a program that is wrong only now and then is wrong; so where chance
decides, it decides here too, in the user's own code and in worker threads only. Python tells of bytecodes through
`sys.monitoring`, or before 3.12 through a trace function, as a debugger uses it: there, a thread that is cut into
cannot be debugged at the same time.
"""

import random
import sys
from types import CodeType, FrameType
from typing import Any, Final

from playground.clock.baton import Baton
from playground.clock.runner import current
from playground.code import is_own
from playground.errors import LabError
from playground.forked import in_child, lock

__all__ = ["Preemption"]

_bytecodes: Final[Any] = getattr(sys, "monitoring", None)

_ONE_IN: Final = 8
"""Bytecodes between two changes, on average: a line has about as many, so most lines are cut somewhere."""
_TOOL_IDS: Final = (3, 4)
"""Those of `sys.monitoring`'s numbers that are nobody's by agreement (PEP 669)."""


class Preemption:
    """Cuts into workers of one baton, as often as chance says.

    Args:
        baton: whose workers.
        rng: chance, from a seed.

    Raises:
        LabError: other tools have taken all that Python has for watching bytecodes.
    """

    def __init__(self, baton: Baton, rng: random.Random) -> None:
        self._baton = baton
        self._rng = rng
        if sys.version_info >= (3, 12):
            _monitoring.begin(self)

    def end(self) -> None:
        """Cut into nobody any more."""
        if sys.version_info >= (3, 12):
            _monitoring.end(self)

    def begin(self) -> None:
        """The calling thread begins to run."""
        if sys.version_info < (3, 12):
            sys.settrace(_enter)

    def cut(self) -> None:
        """The calling thread is between two bytecodes of the user's own."""
        me = current()
        if me is not None and self._baton.busy and self._rng.randrange(_ONE_IN) == 0:
            self._baton.give_way(me)


def _cut_here() -> None:
    """Cut into the calling thread, if it is a worker of a baton that is cut into."""
    me = current()
    if me is not None and me is not me.baton.loop and me.baton.preemption is not None:
        me.baton.preemption.cut()


def _enter(frame: FrameType, event: str, argument: Any) -> Any:
    if not is_own(frame.f_code.co_filename):
        return None
    frame.f_trace_lines = False
    frame.f_trace_opcodes = True
    return _at_bytecode


def _at_bytecode(frame: FrameType, event: str, argument: Any) -> Any:
    if event == "opcode":
        _cut_here()
    return _at_bytecode


class _Monitoring:
    """The one watch over bytecodes that all loops with a random schedule share."""

    def __init__(self) -> None:
        self._lock = lock()
        self._users: list[Preemption] = []
        self._tool = 0

    def begin(self, user: Preemption) -> None:
        with self._lock:
            if not self._users:
                self._tool = self._free_tool()
                _bytecodes.use_tool_id(self._tool, "playground")
                _bytecodes.register_callback(self._tool, _bytecodes.events.INSTRUCTION, _seen)
                _bytecodes.set_events(self._tool, _bytecodes.events.INSTRUCTION)
                _bytecodes.restart_events()  # what an earlier watch has asked not to be told of again
            self._users.append(user)

    def end(self, user: Preemption) -> None:
        with self._lock:
            if user in self._users:
                self._users.remove(user)
                if not self._users:
                    _bytecodes.set_events(self._tool, 0)
                    _bytecodes.register_callback(self._tool, _bytecodes.events.INSTRUCTION, None)
                    _bytecodes.free_tool_id(self._tool)

    def end_all(self) -> None:
        """In a process that was forked, none of those whose workers are cut into is left."""
        for user in list(self._users):
            self.end(user)

    def _free_tool(self) -> int:
        for number in _TOOL_IDS:
            if _bytecodes.get_tool(number) is None:
                return number
        names = " and ".join(str(_bytecodes.get_tool(number)) for number in _TOOL_IDS)
        raise LabError(
            f"expected a free place to watch bytecodes from, got them taken by {names}: switch one of these off, or "
            "use schedule='fifo'"
        )


def _seen(code: CodeType, offset: int) -> Any:
    if not is_own(code.co_filename):
        return _bytecodes.DISABLE
    _cut_here()
    return None


_monitoring: Final = _Monitoring()

in_child(_monitoring.end_all)
