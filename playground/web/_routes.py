"""The list of a router's routes: a list that remembers having been changed.

Users append to `app.router.routes`, and the compiled matcher must notice. Looking at ten thousand routes
for each request would cost more than matching, so the list says so itself.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

__all__ = ["RouteList"]

T = TypeVar("T")

_CHANGING = (
    "__delitem__",
    "__iadd__",
    "__imul__",
    "__setitem__",
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "remove",
    "reverse",
    "sort",
)


class RouteList(list[T]):
    """A list; `changed` becomes true with every change, and whoever has caught up sets it to false."""

    changed: bool

    def __init__(self, items: Iterable[T] = ()) -> None:
        super().__init__(items)
        self.changed = True


def _noting(name: str) -> Callable[..., Any]:
    original = getattr(list, name)

    @wraps(original)
    def change(self: RouteList[Any], *args: Any, **kwargs: Any) -> Any:
        self.changed = True
        return original(self, *args, **kwargs)

    return change


for _name in _CHANGING:
    setattr(RouteList, _name, _noting(_name))
