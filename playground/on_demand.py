"""Names that a package offers and whose modules are loaded when a name is first asked for.

It decides when, and how a name that is not there is told: as Python tells it. Which names there are, the package says.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["on_demand"]


def on_demand(
    namespace: dict[str, Any], homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's `__getattr__` and `__dir__` (PEP 562).

    Args:
        namespace: the package's own, as `globals()` gives it; what was asked for once is kept there.
        homes: for each name, the module that holds it, counted from the package: `models.workload`.
    """
    package: str = namespace["__name__"]

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = namespace[name] = getattr(import_module(f"{package}.{homes[name]}"), name)
        return value

    return get, lambda: sorted({*namespace, *homes})
