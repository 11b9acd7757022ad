"""Context variables, carried from one task to another and back.

A task runs in a copy of its maker's context, so what it sets stays with it. This module decides what its
maker takes over: the variables that the task changed since the last time, and no others. It refuses to
know what they mean.
"""

from contextvars import Context, ContextVar, Token, copy_context
from typing import Any, Final

__all__ = ["Borrowed"]

_UNSET: Final = object()


class Borrowed:
    """The context of a task, as seen by the task that made it; made just before the task is."""

    __slots__ = ("_latest", "_seen", "_tokens")

    def __init__(self) -> None:
        self._seen = copy_context()
        self._latest: Context | None = None
        # How to unset what had no value here.
        self._tokens: dict[ContextVar[Any], Token[Any]] = {}

    def note(self) -> None:
        """Called by the task: from now on its maker may take over what is set."""
        self._latest = copy_context()

    def adopt(self) -> None:
        """Called by the maker: take over what the task changed up to its last note."""
        latest, seen = self._latest, self._seen
        if latest is None:
            return
        for var, value in latest.items():
            if seen.get(var, _UNSET) is not value:
                token = var.set(value)
                if token.old_value is Token.MISSING:
                    self._tokens[var] = token
        if self._tokens:
            self._unset(latest)
        self._seen, self._latest = latest, None

    def _unset(self, latest: Context) -> None:
        """Unset what the task has unset: it had no value before either."""
        for var in [var for var in self._tokens if var not in latest]:
            token = self._tokens.pop(var)
            try:
                var.reset(token)
            except ValueError:
                # A token works only where it was made. It was made elsewhere if `call_next` was awaited in
                # a task of its own; that task's context is gone, and with it what is to be unset.
                continue
