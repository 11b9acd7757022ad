"""What is often said of concurrency and of async web frameworks, as experiments.

Each is a function that tries one such claim on this machine and gives its verdict in words: that it holds, that it does
not, or that it cannot be told here. Here it is decided what is measured, how often, and from which figures on a verdict
is given (each claim's module says why). How jobs run is for the models to know, and how a verdict is drawn, for
`views`.

* `latency_ladder()`: input and output take far longer than computing, rung by rung.
* `threads_and_processes()`: threads are for input and output, processes for computing.
* `async_speed()`: async does not make code run faster.
* `long_waits()`: what async gains, it gains where waits are long beside the computing.
* `handlers_in_threads()`: plain `def` handlers run in worker threads, `async def` handlers on the loop.
* `weights()`: a process weighs more than a thread, that more than a green thread, and that more than a task.
* `web_benchmark()`: async methods answer more requests than sync ones do.

A claim is loaded when its name is asked for: a child that measures one has no use for the others.
"""

from typing import TYPE_CHECKING, Final

from playground.on_demand import on_demand

if TYPE_CHECKING:
    from playground.models.claims.claim import Claim, Measured, Picture
    from playground.models.claims.handlers import handlers_in_threads
    from playground.models.claims.ladder import latency_ladder
    from playground.models.claims.parallel import threads_and_processes
    from playground.models.claims.speed import async_speed
    from playground.models.claims.waits import long_waits
    from playground.models.claims.web import web_benchmark
    from playground.models.claims.weight import weights

__all__ = [
    "Claim",
    "Measured",
    "Picture",
    "async_speed",
    "handlers_in_threads",
    "latency_ladder",
    "long_waits",
    "threads_and_processes",
    "web_benchmark",
    "weights",
]

_HOMES: Final = {
    "Claim": "claim",
    "Measured": "claim",
    "Picture": "claim",
    "async_speed": "speed",
    "handlers_in_threads": "handlers",
    "latency_ladder": "ladder",
    "long_waits": "waits",
    "threads_and_processes": "parallel",
    "web_benchmark": "web",
    "weights": "weight",
}

__getattr__, __dir__ = on_demand(globals(), _HOMES)
