"""Putting something of ours in the place of an attribute, for a while.

What is given back is what was found, and only where ours still stands: another tool may have put its own over ours
meanwhile, and will itself put ours back. So whatever is put there must be harmless after its time.
"""

from collections.abc import Callable
from typing import Any, Final

__all__ = ["swap"]

_NOTHING: Final = object()


def swap(owner: Any, name: str, ours: Any) -> Callable[[], None]:
    """Put `ours` in the place of `owner`'s own attribute, or beside what it inherits.

    Returns:
        a function that gives back what was found; it may be called twice.
    """
    found = vars(owner).get(name, _NOTHING)
    setattr(owner, name, ours)

    def give_back() -> None:
        if vars(owner).get(name) is not ours:
            return
        if found is _NOTHING:
            delattr(owner, name)
        else:
            setattr(owner, name, found)

    return give_back
