"""See what your async web app is doing.

An in-process ASGI toolkit, a virtual transport, an event loop that tells what it does, and the pictures to see
it with. Importing this package imports no Jupyter, no widget and no web server, and starts no thread.
"""

from typing import Any

from playground.app import App
from playground.clock.work import work
from playground.errors import (
    Deadlock,
    LabClosed,
    LabError,
    NotInVirtualTime,
    PlaygroundError,
    ProtocolError,
    Runaway,
    TraceError,
)
from playground.lab import Lab
from playground.nesting import allow_asyncio_run
from playground.run import Run
from playground.trace import Trace
from playground.transport import Network
from playground.watch import watch

__version__ = "0.1.0"

__all__ = [
    "App",
    "Deadlock",
    "Lab",
    "LabClosed",
    "LabError",
    "Network",
    "NotInVirtualTime",
    "PlaygroundError",
    "ProtocolError",
    "Run",
    "Runaway",
    "Trace",
    "TraceError",
    "allow_asyncio_run",
    "watch",
    "work",
]


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
