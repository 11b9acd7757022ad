"""`playground.web` in Starlette's place, for a whole process: an alias of modules, and nothing else."""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Alias(MetaPathFinder, Loader):
    """Answers every import of `starlette...` by the module of the same name below `playground.web`."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] == "starlette" else None

    def exec_module(self, module: ModuleType) -> None:
        ours = module.__name__.replace("starlette", "playground.web", 1)
        sys.modules[module.__name__] = importlib.import_module(ours)


def take() -> None:
    """Take Starlette's place; called before anything imports Starlette."""
    sys.meta_path.insert(0, _Alias())
