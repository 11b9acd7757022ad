"""An exception raised in another thread, at a line of somebody's own code and nowhere else.

Python can raise one wherever a thread happens to be, and that may be within asyncio: where a future has just been
marked as done and `call_soon` is to wake who waits for it, the wake-up is lost and some task waits for ever, be it the
one that was meant or another. So this module sees to it that the exception lands in a frame that is neither asyncio's
nor ours; who is hit, and when, is `held`'s affair.

From Python 3.12 on it asks `sys.monitoring` for the next line, or jump within a line, of the functions that the thread
is in (PEP 669), and raises there. Before, it raises at once where the thread stands, which is at a look for such
exceptions, if that is in a function of the kind; only where a call of C code was under way and nothing looks at its
end (an operator, not a call) can it still land elsewhere. Nothing is watched unless somebody throws.
"""

import ctypes
import itertools
import operator
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, Final

__all__ = ["IS_KEPT", "forget", "throw"]

Asked = Callable[[], Iterable[bool]]

IS_KEPT: Final = sys.version_info >= (3, 12)
"""Whether what is thrown is kept for a line to come, so that it can be forgotten."""

_KEPT_WHOLE: Final = frozenset(
    ("_thread", "anyio", "asyncio", "concurrent", "contextvars", "queue", "selectors", "sniffio", "threading")
)
"""Packages whose functions leave something half done when they are broken off."""
_OURS_KEPT_WHOLE: Final = ("playground.clock", "playground.trace")

_lines: Final[Any] = getattr(sys, "monitoring", None)
_TOOL_IDS: Final = (4, 3)
"""Those of `sys.monitoring`'s numbers that are nobody's by agreement (PEP 669); `preempt` begins with the other."""


def throw(error: type[BaseException], ident: int, is_so: Asked, within: FrameType | None = None) -> bool:
    """Raise an exception in a thread, if it is so.

    Args:
        error: its type.
        ident: the thread, by `threading.get_ident`; another than the caller's.
        is_so: gives something lazy in C, such as a `map` of C functions: it is asked when nothing can come in between.
        within: the frame within which the thread must be, then and when it is raised; by default the outermost in
            which it may be raised.

    Returns:
        Whether it is raised, or will be at the next line of a function that the thread is in now. It will not be if
        the thread leaves them all before, or if `forget` is called.
    """
    own, outermost = _own_frames(ident, within)
    if not own or outermost is None:
        return False
    codes = {frame.f_code for frame in own}
    if sys.version_info >= (3, 12):
        return _breaker.throw(_Thrown(error, outermost, codes), ident, is_so)
    return _throw_at_once(error, ident, codes, is_so)


def forget(ident: int) -> None:
    """Raise nothing in a thread that has not been raised yet. To be called when that is past what was meant."""
    if sys.version_info >= (3, 12):
        _breaker.forget(ident)


def _own_frames(ident: int, within: FrameType | None) -> tuple[list[FrameType], FrameType | None]:
    """The frames of a thread in which something may be raised, and `within`, or else the outermost of them.

    None at all if the thread is not within that frame.
    """
    frame = sys._current_frames().get(ident)
    own = []
    while frame is not None:
        if _is_breakable(frame):
            own.append(frame)
        if frame is within:
            return own, within
        frame = frame.f_back
    return (own, own[-1]) if own and within is None else ([], None)


def _is_breakable(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__"))
    return module.partition(".")[0] not in _KEPT_WHOLE and not module.startswith(_OURS_KEPT_WHOLE)


def _throw_at_once(error: type[BaseException], ident: int, codes: set[CodeType], is_so: Asked) -> bool:
    """Raise it where the thread stands, if that is in one of these functions, or is soon.

    Looking and raising are one call of C code from end to end, within which no other thread gets the GIL.
    """
    for _ in range(_LOOKS):
        innermost = map(operator.itemgetter(ident), itertools.starmap(sys._current_frames, ((),)))
        stands = map(codes.__contains__, map(operator.attrgetter("f_code"), innermost))
        fits = map(_both, stands, is_so())
        if any(itertools.starmap(_set_async_exc, itertools.compress(((ident, error),), fits))):
            return True
        time.sleep(_APART_S)
    return False


_both: Final = operator.and_
_set_async_exc: Final = ctypes.pythonapi.PyThreadState_SetAsyncExc
_set_async_exc.argtypes = (ctypes.c_ulong, ctypes.py_object)


_LOOKS: Final = 20
_APART_S: Final = 0.001
"""Where it is raised at once, how often to look whether the thread is in a function of its own, not in `Event.is_set`
or the like, and how long apart: less than anybody notices."""


@dataclass(slots=True)
class _Thrown:
    """What will be raised in a thread.

    Attributes:
        within: a frame: while the thread is within that, it is still what was meant.
        codes: the functions of which the next line is waited for.
    """

    error: type[BaseException]
    within: FrameType
    codes: set[CodeType]
    raised: bool = False


class _Breaker:
    """The one watch over lines, while something is to be raised at one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thrown: dict[int, _Thrown] = {}
        self._tool: int | None = None

    def throw(self, thrown: _Thrown, ident: int, is_so: Asked) -> bool:
        with self._lock:
            if not any(is_so()) or not self._has_tool():
                return False
            found = self._thrown.get(ident)
            if found is not None and (found.raised or found.within is not thrown.within):
                self._drop(ident)
                found = None
            watched = found.codes if found is not None else set()
            for code in thrown.codes - watched:
                _lines.set_local_events(self._tool, code, _lines.events.LINE | _lines.events.JUMP)
            thrown.codes |= watched
            self._thrown[ident] = thrown
        return True

    def forget(self, ident: int) -> None:
        with self._lock:
            if ident in self._thrown:
                self._drop(ident)
            if not self._thrown and self._tool is not None:
                self._tell(None)
                _lines.free_tool_id(self._tool)
                self._tool = None

    def _has_tool(self) -> bool:
        """Whether there is a place to watch lines from: other tools may have taken both."""
        if self._tool is None:
            self._tool = next((number for number in _TOOL_IDS if _lines.get_tool(number) is None), None)
            if self._tool is not None:
                _lines.use_tool_id(self._tool, "playground")
                self._tell(self._at_line)
        return self._tool is not None

    def _tell(self, callback: Callable[..., None] | None) -> None:
        for event in (_lines.events.LINE, _lines.events.JUMP):
            _lines.register_callback(self._tool, event, callback)

    def _drop(self, ident: int) -> None:
        codes = self._thrown.pop(ident).codes
        for code in codes.difference(*(other.codes for other in self._thrown.values())):
            _lines.set_local_events(self._tool, code, 0)

    def _at_line(self, code: CodeType, *line: int) -> None:
        thrown = self._thrown.get(threading.get_ident())
        if thrown is None or thrown.raised:
            return
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame is not thrown.within:
            frame = frame.f_back
        if frame is not None:
            thrown.raised = True
            raise thrown.error


_breaker: Final = _Breaker()
