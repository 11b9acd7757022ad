"""A million tasks in one request, recorded: how much memory, how much of it is kept, and whether the lab goes on.

    python -m tests.faults.flood          # a thousand at a time, as a busy app makes them
    python -m tests.faults.flood at-once  # all before the first of them runs; their memory is the app's own

It prints figures and judges nothing; that a recording does not grow for ever is a test's affair (see `test_floods`).
"""

import asyncio
import os
import resource
import sys
import tempfile
import time
from typing import Final

from playground import App, Lab

TASKS: Final = 1_000_000


async def ends_at_once() -> None: ...


def flooded(at_a_time: int) -> App:
    app = App()

    @app.get("/flood")
    async def flood() -> str:
        for _ in range(TASKS // at_a_time):
            await asyncio.gather(*(ends_at_once() for _ in range(at_a_time)))
        return "done"

    @app.get("/well")
    async def well() -> str:
        return "well"

    return app


def peak_mb() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)


def main(at_a_time: int) -> None:
    for recorded in (False, True):
        with Lab(flooded(at_a_time), trace=recorded) as lab:
            before_mb, began_s = peak_mb(), time.perf_counter()
            run = lab.burst("/flood", 1)
            print(f"recorded: {recorded}; {time.perf_counter() - began_s:.1f} s, {peak_mb() - before_mb:.0f} MB more")
            if recorded:
                print(run.trace.summary)
                with tempfile.TemporaryDirectory() as folder:
                    path = os.path.join(folder, "flood.trace")
                    run.trace.save(path)
                    print(f"{len(run.trace.tasks):,} tasks kept, {run.trace.dropped:,} events dropped")
                    print(f"saved in {os.path.getsize(path) / 1e6:.1f} MB; peak {peak_mb():.0f} MB")
            print(lab.get("/well", timeout=None).text)


if __name__ == "__main__":
    main(TASKS if sys.argv[1:] == ["at-once"] else 1_000)
