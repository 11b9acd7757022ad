"""Routes by their names: whom to ask for the path of a name.

Only a route that defines `url_path_for` in a way of its own must be asked about every name; that of an
endpoint knows its own name alone, so it lies in a dictionary. What the answer is, and whether the parameters
are right, is the route's affair.
"""

from collections.abc import Sequence
from heapq import merge
from operator import itemgetter

from ._base_route import BaseRoute
from ._route import Route, WebSocketRoute

__all__ = ["Names"]

_rank = itemgetter(0)


class Names:
    """The routes of one router by name, in the declared order."""

    __slots__ = ("_by_name", "_others")

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._by_name: dict[str, list[tuple[int, BaseRoute]]] = {}
        self._others: list[tuple[int, BaseRoute]] = []
        for rank, route in enumerate(routes):
            if isinstance(route, Route | WebSocketRoute) and type(route).url_path_for in _OF_ONE_NAME:
                self._by_name.setdefault(route.name, []).append((rank, route))
            else:
                self._others.append((rank, route))

    def asked(self, name: str) -> list[BaseRoute]:
        """The routes to ask about a name, in order."""
        return [route for _, route in merge(self._by_name.get(name, ()), self._others, key=_rank)]


_OF_ONE_NAME = (Route.url_path_for, WebSocketRoute.url_path_for)
