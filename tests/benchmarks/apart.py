"""What an experiment costs besides its own work: a process of its own, and each row that it records.

A process is timed from the call to its result, of a function that does nothing, once its zygote is warm; the first
call, for which the zygote is started, is told beside it. A row is timed by the processor time of the thread that writes
it, 20,000 at a time. Of each the best round counts, and for a process also the median: what disturbs only ever adds.
"""

import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from playground.models.apart import run_apart
from playground.models.flavours import Flavour
from playground.models.rows import Rows
from playground.models.zygotes import end_all, scratch
from tests.benchmarks.harness import verdict

__all__ = ["main"]

FLAVOURS: Final[tuple[Flavour, ...]] = ("plain", "gevent", "eventlet")
MOST_MS: Final = 30.0
"""What an experiment may cost over its own work: the issue's figure."""
MOST_ROW_NS: Final = 1000.0
"""What a row may cost: the issue's figure too."""
ROWS: Final = 20_000


def main(rounds: int, only: str) -> int:
    """Time all, print what it took, and judge it; the number of this process's end."""
    missed = _row(rounds) if only in "a row" else []
    for flavour in FLAVOURS:
        if only in f"a process, {flavour}":
            missed += _process(flavour, rounds)
    end_all()
    return verdict(missed)


def _process(flavour: Flavour, rounds: int) -> list[str]:
    end_all()
    first_ms = _call_ms(flavour)
    took_ms = [_call_ms(flavour) for _ in range(rounds)]
    best_ms, median_ms = min(took_ms), statistics.median(took_ms)
    print(f"a process, {flavour:9} best {best_ms:6.2f} ms, median {median_ms:6.2f} ms, the first {first_ms:6.0f} ms")
    return [f"a process, {flavour}: {median_ms:.1f} ms, not {MOST_MS:g}"] if median_ms > MOST_MS else []


def _call_ms(flavour: Flavour) -> float:
    begin_ns = time.perf_counter_ns()
    run_apart(int, flavour=flavour)
    return (time.perf_counter_ns() - begin_ns) / 1e6


def _row(rounds: int) -> list[str]:
    folder = Path(tempfile.mkdtemp(dir=scratch()))
    try:
        best_ns = min(_rows_ns(Rows(folder, ROWS)) for _ in range(rounds))
    finally:
        shutil.rmtree(folder)
    print(f"a row               best {best_ns:6.0f} ns")
    return [f"a row: {best_ns:.0f} ns, not {MOST_ROW_NS:g}"] if best_ns > MOST_ROW_NS else []


def _rows_ns(rows: Rows) -> float:
    begin_ns = time.thread_time_ns()
    for job in range(ROWS):
        rows.add(1, job, begin_ns, begin_ns, 5000)
    return (time.thread_time_ns() - begin_ns) / ROWS
