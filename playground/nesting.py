"""`asyncio.run` in a cell: nest_asyncio, for one loop, on request.

A notebook's cell runs within the kernel's event loop, where `asyncio.run` refuses to work, so a script that is pasted
into one fails at its last line. This module decides what such a call does instead, and where it cannot be allowed. It
knows nothing of labs, which do not need it: a lab's loop has a thread of its own.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from playground.errors import NestingError

__all__ = ["allow_asyncio_run"]

T = TypeVar("T")

_FIRST_WITHOUT: Final = (3, 14)
"""The Python from which nest_asyncio cannot work: asyncio's C code then keeps the running task to itself."""

_Made = set["asyncio.Task[Any]"]
_run_of: ContextVar[_Made | None] = ContextVar("playground_nested_run", default=None)
"""The tasks of the nested run that the code which asks belongs to: who makes a task, passes this on to it."""


def allow_asyncio_run() -> None:
    """Let code in this notebook call `asyncio.run`, so that a script can be pasted into a cell and run.

    From then on `asyncio.run(main())`, called in a cell, runs `main()` on the kernel's own loop and returns when it is
    over; tasks that it leaves behind are cancelled, as they would be at a script's end. `run_until_complete` of the
    kernel's loop works too. Nothing else changes: not the loops of other threads, not the tasks' type, and no lab.
    Calling this twice, or where no event loop runs and `asyncio.run` works anyway, does nothing.

    What it costs, and why a cell that can be changed had better say `await main()`:

    * A run inside a run ends in reverse order: of two tasks that call `asyncio.run`, the first to start goes on only
      when the last is over, and a timeout around such a call strikes only after it.
    * The kernel's loop is turned by nest_asyncio's code, written in Python, until the kernel is restarted.
    * `anyio.run`, `trio.run` and `asyncio.Runner` still refuse to run in a cell.

    Raises:
        NestingError: nest_asyncio does not work here: on Python 3.14 and later, in a browser (Pyodide), on a loop
            that is not asyncio's own (uvloop), or because it is not installed.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    _check(loop, sys.platform, sys.version_info[:2])
    if not _nests(loop):
        _let_nest(loop)
    if not isinstance(asyncio.run, _Run):
        asyncio.run = _Run(asyncio.run)


def _check(loop: asyncio.AbstractEventLoop, platform: str, version: tuple[int, ...]) -> None:
    """Refuse, in words, what nest_asyncio cannot do."""
    instead = "write `await main()` in the cell instead of `asyncio.run(main())`"
    if platform == "emscripten":
        raise NestingError(f"expected a Python that can wait, got one in a browser, where no call can block: {instead}")
    if version >= _FIRST_WITHOUT:
        found = ".".join(map(str, version))
        raise NestingError(f"expected Python 3.13 or earlier, got {found}, where nest_asyncio does not work: {instead}")
    if not isinstance(loop, asyncio.BaseEventLoop):
        kind = f"{type(loop).__module__}.{type(loop).__qualname__}"
        raise NestingError(
            f"expected asyncio's own event loop, got {kind}, which nest_asyncio cannot change: {instead}"
        )


def _nests(loop: asyncio.AbstractEventLoop) -> bool:
    return hasattr(loop, "_nest_patched")


def _let_nest(loop: asyncio.AbstractEventLoop) -> None:
    """Apply nest_asyncio to this one loop.

    Its `apply` would change the class that all loops share, and put asyncio's slow tasks, written in Python, in the
    place of the C ones for the whole process; running one loop within itself needs neither. 1.6 is the last version
    that there will be (its author has died), so the name of its inner function stands.
    """
    try:
        from nest_asyncio import _patch_loop
    except ImportError:
        raise NestingError(
            "expected nest_asyncio to be installed, which lets a loop run within itself: run pip install nest-asyncio"
        ) from None
    stock = type(loop)
    alone = type(stock.__name__, (stock,), {"__module__": stock.__module__, "__qualname__": stock.__qualname__})
    loop.__class__ = alone
    try:
        _patch_loop(loop)
    except BaseException:
        loop.__class__ = stock
        raise


class _Run:
    """What stands in for `asyncio.run`: on a loop that may nest it nests; anywhere else it is the function found."""

    def __init__(self, found: Callable[..., Any]) -> None:
        self._found = found
        self.__doc__ = found.__doc__
        self.__name__ = "run"

    def __call__(self, main: Coroutine[Any, Any, T], *, debug: bool | None = None, **options: Any) -> T:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is None or not _nests(loop):
            result: T = self._found(main, debug=debug, **options)
            return result
        if not asyncio.iscoroutine(main):
            raise ValueError(f"a coroutine was expected, got {main!r}")  # asyncio's own words
        with _debug(loop, debug), _noting_tasks(loop) as made:
            return _run_and_clear(loop, loop.create_task(main), made)


def _run_and_clear(loop: asyncio.AbstractEventLoop, main: "asyncio.Task[T]", made: _Made) -> T:
    """Run a task within the loop's run; then cancel what it has left, as asyncio.run does."""
    try:
        return loop.run_until_complete(main)
    finally:
        # all that is not over, and main too if it is the waiting that was interrupted
        left = list(made)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        for task in left:
            if not task.cancelled() and task is not main and (error := task.exception()) is not None:
                told = {"message": "unhandled exception during asyncio.run() shutdown", "exception": error}
                loop.call_exception_handler({**told, "task": task})


@contextmanager
def _noting_tasks(loop: asyncio.AbstractEventLoop) -> Iterator[_Made]:
    """While this is open, know which tasks the code within makes: the kernel makes some of its own meanwhile."""
    made: _Made = set()
    found = loop.get_task_factory()

    def factory(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> Any:
        task: Any = asyncio.Task(coro, loop=loop, **options) if found is None else found(loop, coro, **options)
        if _run_of.get() is made:
            made.add(task)
            task.add_done_callback(made.discard)
        return task

    token = _run_of.set(made)
    loop.set_task_factory(factory)
    try:
        yield made
    finally:
        loop.set_task_factory(found)
        _run_of.reset(token)


@contextmanager
def _debug(loop: asyncio.AbstractEventLoop, wanted: bool | None) -> Iterator[None]:
    found = loop.get_debug()
    if wanted is not None:
        loop.set_debug(wanted)
    try:
        yield
    finally:
        loop.set_debug(found)
