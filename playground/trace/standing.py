"""Where tasks stand: how to know, without a search, that a task stopped where tasks like it have stopped before.

A search looks at every coroutine in a task's chain of awaits (`Sites.search` is the specification). But a coroutine
that has begun and not ended stays where it is in its chain. So what awaits the place where a task stood needs no
second look while that place lives; below it only a library's coroutines follow, and whether these are the expected
ones is said by their code objects. Nothing here is taken for granted: a guess that does not fit is searched anew.
"""

import functools
import operator
from collections.abc import Callable
from types import CodeType, CoroutineType
from typing import Any, Final

from playground.trace.sites import Sites

__all__ = ["NOBODY", "NOWHERE", "WAITING", "Standing", "Way", "Ways"]

YIELDING: Final = 1
WAITING: Final = 2
"""How a step ends after which its task is not over: numbers among `recorder.OUTCOMES`."""


_FAR: Final = 100
"""Coroutines in a chain: more than any framework stacks; what recurses deeper is searched each time, not kept."""


_GUESSES: Final = 4
"""Places remembered for one outermost coroutine: a loop with a few awaits goes round them, and to try them all costs
less than a search."""


class Way:
    """From a coroutine in which a task stopped down to the end of its chain of awaits.

    Attributes:
        kind: what the task waits for there (see `WAITS`); 0 if its code does not say.
        number, code: of the code object of that coroutine, and that itself.
        below: those of the coroutines below.
        yields, waits: how a step ends there that yields, or that waits, as one integer (see `clock.recorder.parted`);
            0 where it waits for what its code does not say.
        next: the way by which tasks that had stopped there stopped the next time: mostly, they do so again.
    """

    __slots__ = ("below", "code", "kind", "next", "number", "waits", "yields")

    def __init__(self, kind: int, number: int, code: CodeType | None, below: tuple[CodeType | None, ...]) -> None:
        self.kind = kind
        self.number = number
        self.code = code
        self.below = below
        self.yields = YIELDING | kind << 8 | number << 16
        self.waits = WAITING | kind << 8 | number << 16 if kind else 0
        self.next = self

    def leads(self, place: Any) -> bool:
        """Whether the coroutines below `place` are these, and no more."""
        for code in self.below:
            place = place.cr_await
            if type(place) is not CoroutineType or place.cr_code is not code:
                return False
        return type(place.cr_await) is not CoroutineType


_Guess = tuple[Callable[[Any], Any], Way]


@functools.cache
def _reach(depth: int) -> Callable[[Any], Any]:
    """What takes a coroutine to the one so many awaits below: in C, for below a framework that is far."""
    return operator.attrgetter(".".join(["cr_await"] * depth)) if depth else _itself


def _itself(coro: Any) -> Any:
    return coro


class Ways:
    """The ways by which tasks have stopped so far.

    Args:
        sites: what code stands for.
    """

    def __init__(self, sites: Sites) -> None:
        self._sites = sites
        self._ways: dict[tuple[int, ...], Way] = {}  # by the codes' `id`: the sites keep the code
        # where tasks stopped, by the `id` of their outermost coroutine's code: the way there, its number, and on; what
        # was searched for last comes first
        self._guesses: dict[int, list[_Guess]] = {}

    def find(self, coro: Any) -> tuple[Any, Way]:
        """Where a task stopped, as `Sites.search` says it, so that it is known again when it stops there the next time.

        Args:
            coro: the outermost coroutine, or the one that this gave before, if that has not ended: what awaits it
                cannot have changed.

        Returns:
            the coroutine, and the way from there to the end of the chain.
        """
        for reach, way in self._guesses.get(id(coro.cr_code), ()):
            try:
                place = reach(coro)
            except AttributeError:  # the chain is shorter
                continue
            if type(place) is CoroutineType and place.cr_code is way.code and way.leads(place):
                return place, way
        return self._search(coro)

    def _search(self, coro: Any) -> tuple[Any, Way]:
        sites = self._sites
        chain = []
        link = coro
        while type(link) is CoroutineType:
            chain.append(link)
            link = link.cr_await
        kind = 0
        for depth in range(len(chain) - 1, -1, -1):
            place = chain[depth]
            means, number, own = sites.codes.get(id(place.cr_code)) or sites.meet(place.cr_code)
            if own:
                way = self._way_of(kind, number, chain[depth:])
                if len(chain) <= _FAR:
                    guesses = self._guesses.setdefault(id(coro.cr_code), [])
                    guesses.insert(0, (_reach(depth), way))
                    del guesses[_GUESSES:]
                return place, way
            kind = means or kind
        kind, number, place = sites.search(coro)
        depth = next(at for at, link in enumerate(chain) if link is place)
        return place, self._way_of(kind, number, chain[depth:])

    def _way_of(self, kind: int, number: int, chain: list[Any]) -> Way:
        codes = tuple([link.cr_code for link in chain])
        key = tuple(map(id, codes))
        way = self._ways.get(key) or Way(kind, number, codes[0], codes[1:])
        if len(codes) <= _FAR:
            self._ways[key] = way
        return way


async def _nobody() -> None: ...


NOBODY: Final = _nobody()
NOBODY.close()
"""A coroutine that has ended: a task with this one stands at no place that is known."""
NOWHERE: Final = Way(0, 0, None, (None,))


class Standing:
    """A task's number, and where it stopped last. The task holds it as `_playground`.

    Attributes:
        place: the coroutine in which it stopped, as `Sites.search` finds it.
        way: from there to the end of the chain of awaits.
    """

    __slots__ = ("number", "place", "way")

    def __init__(self, number: int) -> None:
        self.number = number
        self.place: Any = NOBODY
        self.way = NOWHERE
