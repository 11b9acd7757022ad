"""A long recording made, built, saved and loaded, and how much memory and time each took.

To be run by itself, for it measures its own process: `python -m tests.trace.bounded 10000000`. Prints a JSON object
for each stage: seconds of processor time, and the most memory that the process has had so far beyond what it had
before the recording, in bytes an event.
"""

import asyncio
import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playground.clock.loop import LabLoop
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording

WORKERS = 100


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB


async def child(done: "asyncio.Queue[int]") -> None:
    await asyncio.sleep(0)
    await done.put(1)


async def worker(rounds: int) -> None:
    """Of twenty rounds one makes a task, three wait for a timer, and the others for a future that a callback sets."""
    loop = asyncio.get_running_loop()
    done: asyncio.Queue[int] = asyncio.Queue()
    for turn in range(rounds):
        if turn % 20 == 0:
            making = loop.create_task(child(done))
            await done.get()
            await making
        elif turn % 5 == 0:
            await asyncio.sleep(1e-5)
        else:
            future: asyncio.Future[None] = loop.create_future()
            loop.call_soon(future.set_result, None)
            await future


def recorded(events: int) -> Recorder:
    loop = LabLoop()

    async def main() -> Recorder:
        with recording(loop, limit=events) as recorder:
            # a round is two events, and a few more where a task is made
            await asyncio.gather(*[worker(round(events / 2.2 / WORKERS)) for _ in range(WORKERS)])
        return recorder

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main())


def main(events: int) -> None:
    recorded(10_000)  # what is imported and made once
    before = peak_bytes()
    count = events

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        started = time.process_time()
        yield
        told = {"stage": name, "cpu_s": time.process_time() - started, "bytes": (peak_bytes() - before) / count}
        print(json.dumps({**told, "events": count}), flush=True)

    with stage("record"):
        recorder = recorded(events)
    count = len(recorder.log)
    with stage("build"):
        trace = build(recorder)
    tasks = len(recorder.tasks)
    del recorder
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.trace")
        with stage("save"):
            trace.save(path)
        del trace
        gc.collect()
        with stage("load"):
            trace = Trace.load(path)
        size = path.stat().st_size
    with stage("ask"):
        trace.blocks()
        _ = trace.max_overlap, trace.steps_of, trace.waits_of, trace.request_of
        trace.ready_ns(tasks // 2)
    print(json.dumps({"stage": "file", "bytes": size / count, "tasks": len(trace.tasks), "steps": len(trace.steps)}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
