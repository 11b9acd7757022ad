"""A loop that is not ours, recorded for a while: the kernel's own, one that a script makes.

asyncio's selector loop looks up each turn by attribute, so a recorded turn can be lent to it: four methods are put
on the instance and taken off again, and all that the recording needs to remember stands on an object beside the
loop. A loop that has other turns (uvloop), or whose methods somebody else has replaced, has its callbacks wrapped
instead (`wrapped`), which tells less and costs more. This module decides which of the two; when to record, and which
loop, is for others to say.
"""

import asyncio
from types import BuiltinFunctionType, MethodType
from typing import Any, Final

from playground.clock.recorder import Outcome, Recorder
from playground.clock.turns import _TASK_STEP, Turns
from playground.clock.wrapped import WrappedCalls

__all__ = ["Borrowed", "borrow"]

_SWAPPED: Final = ("_run_once", "call_soon", "call_soon_threadsafe", "create_task")
_STOCK: Final = asyncio.BaseEventLoop


class LentTurns(Turns):
    """Takes the turns of a stock loop. It is no loop: what it does not know itself, it asks the loop.

    Args:
        loop: one for which `takes_turns` holds.
    """

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self._ready = loop._ready
        self._selector = loop._selector
        self._borrowed: dict[str, Any] = {}
        self._lend()

    def record(self, recorder: Recorder, steps: int = 0, last_ns: int | None = None) -> None:
        """Tell `recorder` of every step from the next turn on; on the loop's thread, or when it does not run.

        Args:
            recorder: whom to tell.
            steps: how many steps it was told of before, by another loop.
            last_ns: when the last of these ended.
        """
        self.recorder = recorder
        self._steps = steps
        self._last_ns = recorder.started_ns if last_ns is None else last_ns
        self._offset_ns = recorder.now() - round(self.loop.time() * 1e9)
        methods = (
            self._recorded_turn,
            self._recording_call_soon(recorder),
            self._recorded_call_soon_threadsafe,
            self._recorded_create_task,
        )
        self._borrowed = dict(zip(_SWAPPED, methods, strict=True))
        if not self.loop.is_running():  # a turn that is under way has counted its handles, and takes them as they are
            self._take_steps(recorder.now())
        vars(self.loop).update(self._borrowed)

    def stop_recording(self) -> None:
        """Give back what was found; on the loop's thread, or when it does not run."""
        own = vars(self.loop)
        for name, method in self._borrowed.items():
            if own.get(name) is method:  # else somebody has put another in its place, and will put this one back
                del own[name]
        self.recorder = None
        self.step = 0
        self._give_steps()

    @property
    def told(self) -> tuple[int, int]:
        """How many steps the recorder was told of, and when the last of them ended."""
        return self._steps, self._last_ns

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)["loop"], name)
