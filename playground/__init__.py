"""See what your async web app is doing.

    from playground import App, Lab

    app = App()

    @app.get("/hello/{name}")
    async def hello(name: str):
        return {"hello": name}

    with Lab(app) as lab:
        lab.get("/hello/Ada").json()             # one request, without a server or a port
        run = lab.burst("/hello/Ada", n=50)      # fifty at once, recorded
    print(run)                                   # what the event loop did; in a notebook, a picture of it
    run.diagnosis                                # what went wrong, in words

What is here:

* `Lab` runs any ASGI or WSGI app on an event loop of its own and sends it requests, perhaps over a `Network`.
* `Run` is what that did: responses, recording, findings. `compare` sets several side by side.
* `Trace` is the recording: rows to query, pictures, files. Its rows are in `playground.trace`.
* `watch` records code that is no web app. `experiment` runs one `Workload` in threads, processes, on event loops ...
* `App` is a small framework to write an app in, `work` computes, `allow_asyncio_run` is for scripts pasted into a cell.
* All exceptions are a `PlaygroundError`; `playground.errors` shows their tree.

More is in modules of their own: `playground.web` (a toolkit with Starlette's names), `playground.transport` (apps as
the far end of an httpx client), `playground.assertions` (for tests), `playground.sweep` (many scenarios),
`playground.course` (the lessons' checks), `playground.models.claims` (what is said of concurrency, tried).

This module decides which names those are, and refuses to know what they mean: it holds no logic. Importing it imports
no Jupyter, no widget and no web server, and starts no thread.
"""

from typing import TYPE_CHECKING, Any

from playground.on_demand import on_demand

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
_HOMES = {
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

__getattr__, __dir__ = on_demand(globals(), _HOMES)


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
