"""Sites: which code is the user's own, what waiting inside library code means, and what a line is called.

Numbers are given out on the hot path; names, lines and source texts are looked up only when a trace is built.
Nothing here calls `repr`, `str` or `==` on an object of the user's: a Django query set would run its query.
"""

import functools
import os

# by its own name: while a virtual loop is open, `threading` has another, for which the loop would park
from _thread import allocate_lock
from contextvars import Context
from time import time as now_s  # by its own name: in virtual time another stands in the module
from types import BuiltinFunctionType, CodeType, CoroutineType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from playground.code import is_own
from playground.trace.rows import Site, WaitOn
from playground.trace.source import locate
from playground.trace.texts import cut

__all__ = ["WAITS", "Sites", "label", "unwrapped"]

WAITS: Final[tuple[WaitOn, ...]] = (
    "future",
    "timer",
    "io",
    "lock",
    "queue",
    "event",
    "thread",
    "task",
    "future",
)
"""What the small integers mean that an event carries as its kind. 0 is "not known from the code"."""

_KIND: Final = {name: number for number, name in enumerate(WAITS) if number}

# (file's end, function) -> what a task waits for while it is suspended inside it; "*" is any function.
# Taken from the modules' documentation of what each of these calls waits for.
_MEANING: Final[dict[tuple[str, str], WaitOn]] = {
    ("asyncio/tasks.py", "sleep"): "timer",
    ("asyncio/tasks.py", "wait"): "task",
    ("asyncio/tasks.py", "_wait"): "task",
    ("asyncio/tasks.py", "_wait_for_one"): "task",
    ("asyncio/taskgroups.py", "__aexit__"): "task",
    ("asyncio/threads.py", "to_thread"): "thread",
    ("asyncio/locks.py", "acquire"): "lock",
    ("asyncio/locks.py", "wait"): "event",
    ("asyncio/locks.py", "wait_for"): "event",
    ("asyncio/queues.py", "*"): "queue",
    ("asyncio/streams.py", "*"): "io",
    ("asyncio/selector_events.py", "*"): "io",
    ("asyncio/sslproto.py", "*"): "io",
    ("asyncio/subprocess.py", "*"): "io",
    ("anyio/_core/_eventloop.py", "sleep"): "timer",
    ("anyio/_core/_eventloop.py", "sleep_until"): "timer",
    ("anyio/_core/_eventloop.py", "sleep_forever"): "timer",
    ("anyio/to_thread.py", "run_sync"): "thread",
    ("anyio/streams/memory.py", "*"): "queue",
    ("anyio/_core/_sockets.py", "*"): "io",
    ("anyio/_core/_synchronization.py", "acquire"): "lock",
    ("anyio/_core/_synchronization.py", "wait"): "event",
    ("anyio/_backends/_asyncio.py", "__aexit__"): "task",
    ("anyio/_backends/_asyncio.py", "acquire"): "lock",
    ("anyio/_backends/_asyncio.py", "acquire_on_behalf_of"): "lock",
    ("anyio/_backends/_asyncio.py", "run_sync_in_worker_thread"): "thread",
    ("anyio/_backends/_trio.py", "__aexit__"): "task",
    ("asgiref/sync.py", "__call__"): "thread",
    ("trio/_timeouts.py", "*"): "timer",
    ("trio/_threads.py", "to_thread_run_sync"): "thread",
    ("trio/_sync.py", "acquire"): "lock",
    ("trio/_sync.py", "acquire_on_behalf_of"): "lock",
    ("trio/_sync.py", "wait"): "event",
    ("trio/_channel.py", "*"): "queue",
    ("trio/_socket.py", "*"): "io",
    ("trio/_ssl.py", "*"): "io",
    ("trio/_dtls.py", "*"): "io",
    ("trio/_unix_pipes.py", "*"): "io",
    ("trio/_windows_pipes.py", "*"): "io",
    ("trio/_subprocess.py", "wait"): "io",
    ("trio/_core/_io_epoll.py", "*"): "io",
    ("trio/_core/_io_kqueue.py", "*"): "io",
    ("trio/_core/_io_windows.py", "*"): "io",
    ("trio/_core/_run.py", "__aexit__"): "task",
    ("trio/_core/_run.py", "_nested_child_finished"): "task",
}


# (file's end, qualified name) of functions that libraries hand over to run somebody else's: where they have that one,
# as the argument of a partial or the attribute of the object whose method they are.
_RUNNERS: Final[dict[tuple[str, str], str]] = {
    ("asgiref/sync.py", "SyncToAsync.thread_handler"): "func",
    ("fastapi/telemetry/_api.py", "_run_sync_endpoint"): "function",
    ("playground/models/loops.py", "_worked"): "job",
    ("playground/transport/wsgi.py", "Call.run"): "runs",
}


_BARE: Final = frozenset((FunctionType, type, BuiltinFunctionType))
"""Types of callables that wrap nothing that we could see."""


def unwrapped(function: object) -> object:
    """The callable inside partials and the runners that are known.

    Also in `partial(context.run, function)`, as asyncio.to_thread makes it.
    """
    while True:
        if type(function) in _BARE:
            return function
        if isinstance(function, functools.partial):
            runner = function.func
            inside = _ran(runner, function.keywords)
            runs_first_argument = (
                function.args and isinstance(runner, BuiltinFunctionType) and isinstance(runner.__self__, Context)
            )
            outside = function.args[0] if runs_first_argument else runner
            function = outside if inside is None else inside
            continue
        inside = _ran(function, {}) if isinstance(function, MethodType) else None
        if inside is None:
            return function
        function = inside


def _ran(runner: object, keywords: dict[str, Any]) -> Any:
    """What a library's runner runs; `None` if it is none."""
    method = runner if isinstance(runner, MethodType) else None
    function = runner if method is None else method.__func__
    if not isinstance(function, FunctionType) or (method is None and not keywords):
        return None
    name = _runner(function.__code__.co_filename, function.__qualname__)
    if not name:
        return None
    return keywords.get(name) if method is None else getattr(method.__self__, name, None)


@functools.lru_cache(maxsize=1024)
def _runner(filename: str, qualname: str) -> str:
    path = filename.replace(os.sep, "/")
    return next((name for (file, known), name in _RUNNERS.items() if known == qualname and path.endswith(file)), "")


def label(function: object) -> str:
    """A callable's name. An object of a class that is not Python's own is not asked for anything but its type."""
    function = unwrapped(function)
    if isinstance(function, FunctionType) or type(function) is type:
        return function.__qualname__
    if isinstance(function, MethodType):
        return label(function.__func__)
    if isinstance(function, BuiltinFunctionType):
        owner = function.__self__
        if "." in function.__qualname__ or owner is None or isinstance(owner, ModuleType):
            return function.__qualname__
        return f"{type(owner).__qualname__}.{function.__qualname__}"
    if isinstance(function, type):
        return function.__qualname__
    return type(function).__qualname__


def _meaning(code: CodeType) -> int:
    path = code.co_filename.replace(os.sep, "/")
    for (file, function), on in _MEANING.items():
        if path.endswith("/" + file) and function in ("*", code.co_name):
            return _KIND[on]
    return 0


class Sites:
    """Numbers for code objects, and the places that they and an instruction's offset stand for.

    Attributes:
        codes: a code object's `id` to (what waiting in it means, its number from 1, whether it is the user's own);
            the code objects are kept, so that no other can have that `id`.
        met_s: when the first of them was met, or before, in seconds since the epoch.
    """

    def __init__(self) -> None:
        self.codes: dict[int, tuple[int, int, bool]] = {}
        self.met_s = now_s()
        self._known: list[CodeType | str | None] = [None]
        self._kept: list[CodeType] = []
        self._names: dict[str, int] = {}
        self._plain: dict[int, int] = {}  # numbers by the `id` of the code of functions that are no runners
        self._sites: dict[tuple[int, int], Site | None] = {}
        self._lock = allocate_lock()  # whoever looks at a recording that goes on may meet code, too

    def meet(self, code: CodeType) -> tuple[int, int, bool]:
        """Number a code object that was not met before."""
        own = is_own(code.co_filename)
        self._kept.append(code)
        entry = self.codes[id(code)] = (0 if own else _meaning(code), self._number(code), own)
        return entry

    def callback(self, function: object) -> int:
        """The number of a callback's code, or of its mere name when it was not written in Python."""
        bare: Any = function.__func__ if type(function) is MethodType else function
        if type(bare) is FunctionType and (number := self._plain.get(id(bare.__code__))):
            return number
        function = unwrapped(function)
        if isinstance(function, MethodType):
            function = function.__func__
        if isinstance(function, FunctionType):
            number = self.number(function.__code__)
            if function is bare and not _runner(function.__code__.co_filename, function.__qualname__):
                self._plain[id(function.__code__)] = number
            return number
        name = cut(label(function))
        if name not in self._names:
            self._names[name] = self._number(name)
        return self._names[name]

    def called(self, function: object) -> tuple[str, int]:
        """The name of what a worker thread is given to call, and the number of its code, or of that mere name."""
        if type(function) is FunctionType and (number := self._plain.get(id(function.__code__))):
            return cut(function.__qualname__), number
        function = unwrapped(function)
        return cut(label(function)), self.callback(function)

    def search(self, coro: Any) -> tuple[int, int, Any]:
        """Where a task stopped whose outermost coroutine is `coro`.

        Returns:
            what it waits for (see `WAITS`), the number of the code in which it stopped, and that coroutine: the last
            in the chain of awaits that is the user's own; where there is none, the first library call that says what
            is waited for. What is waited for is said by the outermost library call below that coroutine.
        """
        kind = code = 0
        place = coro
        found = False
        while type(coro) is CoroutineType:
            means, index, own = self.codes.get(id(coro.cr_code)) or self.meet(coro.cr_code)
            if own:
                kind, code, place, found = 0, index, coro, True
            elif not code or (means and not kind and not found):
                kind, code, place = means, index, coro
            elif not kind:
                kind = means
            coro = coro.cr_await
        return kind, code, place

    def number(self, code: CodeType) -> int:
        """The number of a code object, met before or not."""
        return (self.codes.get(id(code)) or self.meet(code))[1]

    def is_glue(self, number: int) -> bool:
        """Whether a callback's code is a library's, so that it only passes on what has already happened."""
        return not self.is_own(number)

    def site(self, number: int, offset: int) -> Site | None:
        """The place that a code's number and an instruction's offset stand for; offset 0 is its definition."""
        key = (number, offset)
        if key not in self._sites:
            known = self._known[number]
            if isinstance(known, CodeType):
                self._sites[key] = locate(known, offset, self.met_s)
            else:
                self._sites[key] = None if known is None else Site("", 0, known)
        return self._sites[key]

    def is_own(self, number: int) -> bool:
        """Whether a number stands for the user's own code."""
        known = self._known[number]
        return isinstance(known, CodeType) and is_own(known.co_filename)

    def _number(self, known: CodeType | str) -> int:
        if len(self._known) > 0xFFFF:  # an event has 16 bits for it; a program with more loses the names of the rest
            return 0
        with self._lock:
            self._known.append(known)
            return len(self._known) - 1
