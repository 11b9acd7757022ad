"""See what your async web app is doing.

An in-process ASGI toolkit, a virtual transport, an event loop that tells what it does, and the pictures to see
it with. Importing this package imports no Jupyter, no widget and no web server, and starts no thread.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from playground.app import App
    from playground.clock.work import work
    from playground.comparing import compare
    from playground.errors import (
        Deadlock,
        LabClosed,
        LabError,
        ModelError,
        NotInVirtualTime,
        PlaygroundError,
        ProtocolError,
        Runaway,
        TraceError,
    )
    from playground.lab import Lab
    from playground.models.experiment import experiment
    from playground.models.workload import Workload
    from playground.nesting import allow_asyncio_run
    from playground.run import Run
    from playground.trace import Trace
    from playground.transport import Network
    from playground.watching.watch import watch

__version__ = "0.1.0"

__all__ = [
    "App",
    "Deadlock",
    "Lab",
    "LabClosed",
    "LabError",
    "ModelError",
    "Network",
    "NotInVirtualTime",
    "PlaygroundError",
    "ProtocolError",
    "Run",
    "Runaway",
    "Trace",
    "TraceError",
    "Workload",
    "allow_asyncio_run",
    "compare",
    "experiment",
    "watch",
    "work",
]

# pytest imports this package, for its plugin, in every environment that has it: what a name needs is loaded when
# the name is asked for
_HOMES: Final = {
    "App": "app",
    "Deadlock": "errors",
    "Lab": "lab",
    "LabClosed": "errors",
    "LabError": "errors",
    "ModelError": "errors",
    "Network": "transport",
    "NotInVirtualTime": "errors",
    "PlaygroundError": "errors",
    "ProtocolError": "errors",
    "Run": "run",
    "Runaway": "errors",
    "Trace": "trace",
    "TraceError": "errors",
    "Workload": "models.workload",
    "allow_asyncio_run": "nesting",
    "compare": "comparing",
    "experiment": "models.experiment",
    "watch": "watching.watch",
    "work": "clock.work",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext playground` does: the cell magic `%%watch`, and responses that are readable."""
    from playground.magics import load
    from playground.notebook import register

    load(shell)
    register(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext playground` does: the magic is gone."""
    from playground.magics import unload

    unload(shell)
