"""What fuzzing once found stays mended."""

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules

import pytest

from tests.fuzz import regressions


def _found() -> Iterator[tuple[str, Callable[[], None]]]:
    for module in iter_modules(regressions.__path__):
        for name, check in inspect.getmembers(
            import_module(f"{regressions.__name__}.{module.name}"), inspect.isfunction
        ):
            if name.startswith("test_"):
                yield f"{module.name}: {name}", check


_FOUND = dict(_found())


@pytest.mark.parametrize("finding", sorted(_FOUND))
def test_what_was_found_stays_mended(finding: str) -> None:
    _FOUND[finding]()
