"""Runs of requests written by hand, one held against another."""

from playground import Trace
from playground.trace.trace import Clock
from playground.views.compare import Compared
from tests.by_hand import request


def run(*lengths_ms: float, clock: Clock = "virtual", path: str = "/items", title: str = "Run") -> Trace:
    """A run of requests that came one after the other and took so long."""
    rows = [request(n, 1000 * n, 1000 * n + length, path=path) for n, length in enumerate(lengths_ms)]
    return Trace(requests=rows, clock=clock, title=title)


def compared(*traces: Trace) -> Compared:
    return Compared({f"run {number}": trace for number, trace in enumerate(traces)})
