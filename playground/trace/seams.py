"""Seams: places of somebody else's program in which a stand-in is put while a recording is on.

A place is an attribute: of a layer, a route, a module, or the contents of a closure's cell. Several recordings
may borrow the same place at once, from several threads; what stood there comes back with the last of them.
What is put there, and why, is the borrower's affair (`onion`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from playground.forked import rlock

__all__ = ["borrow", "borrow_method", "found"]


@dataclass(slots=True)
class _Seam:
    """One borrowed place: whose it is, what stood there, what stands there now, and for how many recordings."""

    holder: Any
    name: str
    found: Any
    put: Any
    users: int


_lock: Final = rlock()
_seams: Final[dict[tuple[int, str], _Seam]] = {}


def found(holder: Any, name: str) -> Any:
    """What stands in a place when nobody records."""
    with _lock:
        present = getattr(holder, name)
        seam = _seams.get((id(holder), name))
        return seam.found if seam is not None and seam.put is present else present


def borrow(holder: Any, name: str, stand_in: Callable[[Any], Any]) -> Callable[[], None] | None:
    """Put a stand-in in a place, or share the one that is there for another recording.

    Args:
        holder, name: whose attribute, and which.
        stand_in: makes it, of what is found there.

    Returns:
        what gives the place back; `None` if the place cannot be changed.
    """
    key = (id(holder), name)
    with _lock:
        present = getattr(holder, name)
        seam = _seams.get(key)
        if seam is None or seam.put is not present:  # not borrowed, or since then the program has put something else
            put = stand_in(present)
            try:
                setattr(holder, name, put)
            except AttributeError:  # read-only, as in a frozen dataclass
                return None
            if seam is None:
                seam = _seams[key] = _Seam(holder, name, present, put, 0)
            seam.found, seam.put = present, put
        seam.users += 1
    return lambda: _give_back(key)


def _give_back(key: tuple[int, str]) -> None:
    with _lock:
        seam = _seams[key]
        seam.users -= 1
        if seam.users:
            return
        del _seams[key]
        if getattr(seam.holder, seam.name, None) is seam.put:  # what the program has put there since is its own
            setattr(seam.holder, seam.name, seam.found)


def borrow_method(loop: Any, name: str, stand_in: Callable[[Any], Any]) -> Callable[[], None]:
    """Put a stand-in in the place of a method of one loop, which one recording alone borrows.

    Args:
        loop, name: whose method, and which.
        stand_in: makes it, of what is found there.

    Returns:
        what gives the place back: an attribute of the loop's own is set again, what its class has is only uncovered.
    """
    # by name: `vars()` would have CPython keep the loop's attributes in a slower way from then on
    present = getattr(loop, name)
    is_own = getattr(present, "__func__", None) is not getattr(type(loop), name, None)
    put = stand_in(present)
    setattr(loop, name, put)

    def give_back() -> None:
        if getattr(loop, name) is not put:
            return  # what the program has put there since is its own
        if is_own:
            setattr(loop, name, present)
        else:
            delattr(loop, name)

    return give_back
