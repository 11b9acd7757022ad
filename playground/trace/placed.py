"""Rows that know where they stand: which recording they are of, and their index in it.

That is no part of what a row says: two rows are equal whose fields are, whatever their recordings, and a row is shown,
copied and saved without its place. A trace holds its rows; if they held the trace in turn, both would stay, with all
their columns, until somebody collects the garbage. So a row holds what its trace was made of, of which it is no part.
"""

from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from weakref import ref

from playground.errors import TraceError

if TYPE_CHECKING:
    from playground.trace.trace import Trace

__all__ = ["Origin", "Place", "Placed", "place_of", "put", "put_copy"]

R = TypeVar("R")


class Origin:
    """Gives the trace that rows are of: itself, or another of the same rows where nobody holds it any more.

    Args:
        trace: the trace.
        again: makes it again, from what it was made of.
    """

    def __init__(self, trace: "Trace", again: "Callable[[], Trace]") -> None:
        self._trace = ref(trace)
        self._again = again

    def __call__(self) -> "Trace":
        trace = self._trace()
        return self._again() if trace is None else trace


class Place(NamedTuple):
    """Where a row stands: what gives its trace, and its index there."""

    origin: Origin
    at: int


class Placed:
    """The base of rows that may know where they stand."""

    __slots__ = ("_place",)

    _place: Place


def put(row: R, place: Place) -> R:
    """Tell a row that nobody else holds where it stands."""
    if isinstance(row, Placed):
        object.__setattr__(row, "_place", place)  # rows are frozen, and their place is no field of theirs
    return row


def put_copy(row: R, place: Place) -> R:
    """A copy of a row, which stands there; the row itself may be of another trace too."""
    return put(copy(row), place) if isinstance(row, Placed) else row


def place_of(row: Placed) -> Place:
    """Where a row stands.

    Raises:
        TraceError: nobody has told it, for it was made by hand, or copied from one of a recording.
    """
    place: Place | None = getattr(row, "_place", None)
    if place is None:
        kind = type(row).__name__.lower()
        raise TraceError(
            f"expected a {kind} of a recording, got one that was made or copied by hand: take it from the "
            f"recording's own, such as trace.{kind}s[0]"
        )
    return place
