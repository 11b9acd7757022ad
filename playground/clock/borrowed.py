"""What virtual time borrows: the functions with which Python code waits, or asks what time it is.

While a virtual loop is open they stand replaced by ones that ask who calls: a thread in virtual time parks, or is
told that what it asks for cannot be; every other thread gets the real thing. The last loop to close gives all of it
back as it was found. What the replacements do is for `places`; this decides only where they stand.
"""

import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final

from playground.clock import places
from playground.code import is_own
from playground.forked import in_child, lock

__all__ = ["borrow", "give_back"]

_lock: Final = lock()
_open: Final[list[object]] = []
_found: Final[list[tuple[Any, str, Any, Any]]] = []
"""Owner, name, what stood there (`_ABSENT`: nothing of its own), what we put there."""
_ABSENT: Final = object()


def borrow(borrower: object) -> None:
    """Put the replacements in place, unless another loop has done so."""
    with _lock:
        if not _open:
            try:
                for owner, name, ours in places.replacements():
                    _replace(owner, name, ours)
                _replace_imported(places.by_original())
            except BaseException:
                _restore()
                raise
        _open.append(borrower)


def give_back(borrower: object) -> None:
    """Restore what was found, if no other loop needs the replacements."""
    with _lock:
        if borrower in _open:
            _open.remove(borrower)
            if not _open:
                _restore()


def _replace(owner: Any, name: str, ours: Any) -> None:
    _found.append((owner, name, vars(owner).get(name, _ABSENT), ours))
    setattr(owner, name, ours)


def _replace_imported(by_original: dict[int, Callable[..., Any]]) -> None:
    """`from time import sleep` has left the function itself in a module of the user's: replace it there too."""
    for module in _own_modules():
        for name, value in list(vars(module).items()):
            ours = by_original.get(id(value))
            if ours is not None:
                _replace(module, name, ours)


def _own_modules() -> Iterable[ModuleType]:
    loaded: list[tuple[str, object]] = list(sys.modules.items())  # anything may stand there in a module's place
    for name, module in loaded:
        if not isinstance(module, ModuleType):
            continue
        file = vars(module).get("__file__")  # by attribute, a module that loads itself lazily would do so now
        if name == "__main__" or (isinstance(file, str) and is_own(file)):
            yield module


def _restore() -> None:
    while _found:
        owner, name, found, ours = _found.pop()
        if vars(owner).get(name) is not ours:
            continue  # another tool has put its own there meanwhile, and will give back what it found
        if found is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, found)


def _give_all_back() -> None:
    """In a process that was forked, which has none of the loops' threads and so no virtual time."""
    _open.clear()
    _restore()


in_child(_give_all_back)
