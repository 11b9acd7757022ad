"""Cancelling a task of asyncio so that anyio's shields hold.

`Task.cancel()` knows nothing of cancel scopes: it goes through `to_thread.run_sync`, which then gives its limiter's
token back while its thread still runs, so that more threads are at work than there are tokens. A scope around every
app would mend that, at 2 µs a request; here only who cancels pays. anyio has no public way to ask in which scopes
another task stands, so its own table is read, and never written; with an anyio that has none, nothing is shielded.
"""

import asyncio
import sys
from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

__all__ = ["cancel_outside_shields", "tasks_within"]

_put_off: "WeakSet[asyncio.Task[Any]]" = WeakSet()  # to be cancelled when their shields are gone


def cancel_outside_shields(task: "asyncio.Task[Any]") -> None:
    """Cancel a task now, or as soon as it waits outside of every shielded scope."""
    if task not in _put_off:
        _cancel(task)


def _cancel(task: "asyncio.Task[Any]") -> None:
    _put_off.discard(task)
    if task.done():
        return
    if not any(scope.shield for scope in _scopes_around(task)):
        task.cancel()
        return
    _put_off.add(task)
    awaited: Any = task._fut_waiter  # type: ignore[attr-defined]  # where anyio, too, looks for it
    if awaited is None or awaited.done():
        task.get_loop().call_soon(_cancel, task)  # it is about to run
    else:
        awaited.add_done_callback(lambda _: _cancel(task))  # after the task's own: it has had its step by then


def tasks_within(task: "asyncio.Task[Any]") -> Iterator["asyncio.Task[Any]"]:
    """Yield a task and all that run in task groups of anyio that it has opened."""
    yield task
    outermost: Any = None
    for outermost in _scopes_around(task):  # noqa: B007 - the last is wanted
        pass
    scopes = [outermost] if outermost is not None else []
    while scopes:
        scope = scopes.pop()
        yield from (one for one in getattr(scope, "_tasks", ()) if one is not task)
        scopes += getattr(scope, "_child_scopes", ())


def _scopes_around(task: "asyncio.Task[Any]") -> Iterator[Any]:
    """Yield the cancel scopes in which a task stands, from the inside out."""
    states = getattr(sys.modules.get("anyio._backends._asyncio"), "_task_states", {})
    scope = getattr(states.get(task), "cancel_scope", None)
    while scope is not None:
        yield scope
        scope = getattr(scope, "_parent_scope", None)
