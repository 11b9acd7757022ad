"""This project beside its peers: what each can do, and what each costs, in one run, as the tables that README shows.

Features come first, and every probe of a peer that is installed is done: the table is not printed as true if one of
them finds otherwise. Then costs, each as a ratio of neighbours in one run: of a recorder to the stock loop, of a client
to ours, of a simulated clock to looptime. A peer that is not installed is skipped with a word.
"""

import asyncio
import gc
import importlib.metadata
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from playground.clock.virtual import VirtualLoop
from playground.trace.recorder import recording
from tests.benchmarks import clock
from tests.benchmarks.harness import Case, Operation, measure
from tests.benchmarks.probes.features import FEATURES, PEERS, matrix
from tests.benchmarks.transport import (
    AT_ONCE,
    burst_of_httpx,
    burst_of_the_lab,
    burst_of_the_test_client,
)

__all__ = ["INSTALL", "disagreements", "main"]

INSTALL: Final = "pip install viztracer wigglystuff asyncviz looptime"
"""What brings all peers; AsyncViz and AsyncFlow need Python 3.12. Only what the tests use is in an extra of ours."""

# -- what each can do -----------------------------------------------------------------------------------------------


def installed(peer: str) -> bool:
    """Whether a peer can be tried here; AsyncFlow also needs a Python that lets itself be monitored."""
    if peer == "AsyncFlow" and not hasattr(sys, "monitoring"):
        return False
    return importlib.util.find_spec(PEERS[peer]) is not None


def disagreements(peers: Sequence[str]) -> Iterator[str]:
    """Do all probes of these peers; the cells that found otherwise than they say, in words."""
    for feature in FEATURES:
        for peer in peers:
            for probe, expected in feature.cells[peer].probes if peer in feature.cells else ():
                found = probe()
                if found is not expected:
                    says = feature.cells[peer].says
                    name = getattr(probe, "__name__", "its probe")
                    yield f"{feature.name}, {peer}: says {says!r}, but {name} is {found}"


def versions() -> str:
    """What is compared, in a line."""
    here = [f"{peer} {importlib.metadata.version(PEERS[peer])}" for peer in PEERS if installed(peer)]
    return f"Python {sys.version.split()[0]}; " + ", ".join(here)


# -- what a recording costs -----------------------------------------------------------------------------------------

_WORKLOADS: Final = ("sleep(0)", "ping-pong", "Starlette", "hand-off")
_RECORDERS: Final = {
    "playground": "LabLoop, recorded",
    "AsyncViz": "AsyncViz",
    "AsyncFlow": "wigglystuff AsyncFlow",
    "VizTracer": "viztracer",
}


def recorders(rounds: int) -> str:
    """Times the stock loop's, a recorder a line."""
    ways = {way.name: way for way in clock.WAYS}
    here = {peer: ways[name] for peer, name in _RECORDERS.items() if installed(peer)}
    stock = clock.WAYS[0]
    lines = ["| | " + " | ".join(_WORKLOADS) + " |", "|---" * (len(_WORKLOADS) + 1) + "|"]
    times = {}
    for name in _WORKLOADS:
        workload = next(each for each in clock.WORKLOADS if each.name == name)
        times[name] = clock.measured(workload, [stock, *here.values()], rounds)
        print(f"{name}: measured", file=sys.stderr)
    for peer, way in here.items():
        lines.append(
            f"| {peer} | " + " | ".join(f"{each[way.name] / each[stock.name]:.2f}" for each in times.values()) + " |"
        )
    return "\n".join(lines)


# -- what a request costs -------------------------------------------------------------------------------------------

_CLIENTS: Final[dict[str, Callable[[], Operation]]] = {
    "playground, recorded": burst_of_the_lab,
    "playground, `trace=False`": lambda: burst_of_the_lab(trace=False),
    "ASGITransport": burst_of_httpx,
    "TestClient": burst_of_the_test_client,
}


def clients(rounds: int) -> str:
    """Requests a second of each client, and how many times as many as the recorded lab's, measured in pairs with it."""
    first, *others = _CLIENTS
    lines = ["| | requests a second | times ours |", "|---|---|---|"]
    ours_ns = []
    for name in others:
        result = measure(Case(name, (_CLIENTS[name], _CLIENTS[first])), rounds)
        ours_ns.append(result.theirs_ns)
        lines.append(f"| {name} | {AT_ONCE * 1e9 / result.ours_ns:,.0f} | {1 / result.ratio:.2f} |")
        print(f"{name}: measured", file=sys.stderr)
    lines.insert(2, f"| {first} | {AT_ONCE * 1e9 / min(ours_ns):,.0f} | 1 |")
    return "\n".join(lines)


# -- what simulated time costs --------------------------------------------------------------------------------------

_SLEEPS: Final = 20_000
_SLEEPERS: Final = 100


async def _sleeps() -> None:
    async def one() -> None:
        for _ in range(_SLEEPS // _SLEEPERS):
            await asyncio.sleep(1)

    await asyncio.gather(*(one() for _ in range(_SLEEPERS)))


def _on(loop: Any, main: Callable[[], Any]) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())


def by_looptime() -> None:
    import looptime  # type: ignore[import-not-found, unused-ignore]  # no dependency of ours: measured where it is there

    _on(looptime.new_event_loop(), _sleeps)


def by_ours() -> None:
    _on(VirtualLoop(), _sleeps)


def by_ours_recorded() -> None:
    loop = VirtualLoop()

    async def main() -> None:
        with recording(loop):
            await loop.create_task(_sleeps())

    _on(loop, main)


_CLOCKS: Final[dict[str, Callable[[], None]]] = {
    "looptime": by_looptime,
    "playground": by_ours,
    "playground, recorded": by_ours_recorded,
}


def clocks(rounds: int) -> str:
    """Simulated sleeps for a second of processor time, the best of some rounds, which take turns."""
    here = [name for name in _CLOCKS if name != "looptime" or installed("looptime")]
    best = dict.fromkeys(here, float("inf"))
    for number in range(rounds):
        for name in here if number % 2 else reversed(here):
            gc.collect()
            began_s = time.process_time()
            _CLOCKS[name]()
            best[name] = min(best[name], time.process_time() - began_s)
    lines = ["| | simulated sleeps a second | times looptime's |", "|---|---|---|"]
    for name, took_s in best.items():
        ratio = f"{best['looptime'] / took_s:.2f}" if "looptime" in best else "not here"
        lines.append(f"| {name} | {_SLEEPS / took_s:,.0f} | {ratio} |")
    return "\n".join(lines)


# -- all of it ------------------------------------------------------------------------------------------------------


def main(rounds: int, only: str) -> int:
    """Print the tables as Markdown, those whose name has `only` in it; 1 if the first one says what is not so."""
    here, wrong = [peer for peer in PEERS if installed(peer)], []
    for peer in PEERS.keys() - set(here):
        print(f"{peer}: not on this Python, or not installed; its probes and costs are skipped", file=sys.stderr)
    if only in "features":
        print(f"{matrix()}\n")
        wrong = list(disagreements(here))
        print("\n".join(["Not so:", *wrong]) if wrong else "Every probe found what its cell says.", file=sys.stderr)
    tables: dict[str, tuple[str, Callable[[], str]]] = {
        "recorders": ("Times the stock loop's processor time", lambda: recorders(max(2, rounds // 5))),
        "clients": ("A burst of 200 requests to an app that does nothing", lambda: clients(rounds)),
        "clocks": ("20,000 sleeps in virtual time", lambda: clocks(max(3, rounds // 3))),
    }
    for name, (title, made) in tables.items():
        if only in name:
            print(f"{title}:\n\n{made()}\n")
    print(versions())
    return 1 if wrong else 0
