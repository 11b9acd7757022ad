"""Side-by-side timing: two ways of doing one thing, interleaved in one run, so that only their ratio counts.

A machine's speed changes from second to second; a ratio of neighbours does not. Each round times both ways in
turn (and turns the order around every second round); a way's time is its best round, for what disturbs a
measurement only ever adds to it.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Case", "Operation", "Result", "geometric_mean", "measure", "table", "verdict"]

Operation = Callable[[], Awaitable[object]]
"""One operation, awaited on a running loop."""

_SAMPLE_NS: Final = 8_000_000
"""How long one sample should take: long against the clock and a switch of threads, short against a disturbance."""


@dataclass(frozen=True)
class Case:
    """One thing to do, two ways.

    Attributes:
        name: what is done.
        ways: two makers of an operation, ours first. A maker is called once, on the loop.
        own: whether the work is the toolkit's own (routing, dispatch, headers, plain responses).
    """

    name: str
    ways: tuple[Callable[[], Operation], Callable[[], Operation]]
    own: bool = False


@dataclass(frozen=True)
class Result:
    """What a case took, in nanoseconds an operation."""

    name: str
    own: bool
    ours_ns: float
    theirs_ns: float

    @property
    def ratio(self) -> float:
        return self.ours_ns / self.theirs_ns


async def _sample(operation: Operation, count: int) -> int:
    begin = time.perf_counter_ns()
    for _ in range(count):
        await operation()
    return time.perf_counter_ns() - begin


async def _count(operation: Operation) -> int:
    """How many operations make a sample of the right length, once what is done only once has been done."""
    await _sample(operation, 3)
    count = 1
    while True:
        took_ns = await _sample(operation, count)
        if took_ns >= _SAMPLE_NS:
            return max(1, count * _SAMPLE_NS // took_ns)
        count *= 2 if took_ns < _SAMPLE_NS // 4 else max(2, _SAMPLE_NS // max(1, took_ns))


def measure(case: Case, rounds: int) -> Result:
    """Time a case."""

    async def main() -> Result:
        ours, theirs = (make() for make in case.ways)
        counts = {id(way): await _count(way) for way in (ours, theirs)}
        best = {id(ours): float("inf"), id(theirs): float("inf")}
        for number in range(rounds):
            gc.collect()
            gc.disable()
            for way in (ours, theirs) if number % 2 else (theirs, ours):
                took_ns = await _sample(way, counts[id(way)]) / counts[id(way)]
                best[id(way)] = min(best[id(way)], took_ns)
            gc.enable()
        return Result(case.name, case.own, best[id(ours)], best[id(theirs)])

    return asyncio.run(main())


def geometric_mean(values: Sequence[float]) -> float:
    """The mean of ratios: 2 and 0.5 make 1."""
    product = 1.0
    for value in values:
        product *= value ** (1 / len(values))
    return product


def table(results: Sequence[Result], names: tuple[str, str]) -> str:
    """The results as text, one case a line."""
    width = max(len(result.name) for result in results)
    lines = [f"{'':{width}}  {names[0]:>12}  {names[1]:>12}  ratio"]
    for result in results:
        mark = " own" if result.own else ""
        lines.append(
            f"{result.name:{width}}  {result.ours_ns / 1000:9.2f} µs  {result.theirs_ns / 1000:9.2f} µs  "
            f"{result.ratio:5.2f}{mark}"
        )
    lines.append(f"{'geometric mean':{width}}  {'':12}  {'':12}  {geometric_mean([r.ratio for r in results]):5.2f}")
    return "\n".join(lines)


def verdict(missed: Sequence[str]) -> int:
    """Print the targets that were missed, in words; the number of a process's end."""
    print("\n".join(["", "Missed:", *missed]) if missed else "\nNo target is missed.")
    return 1 if missed else 0
