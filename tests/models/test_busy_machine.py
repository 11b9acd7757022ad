"""Runs while eight busy processes compete for the machine: what is said of a model does not depend on them.

There are twenty of each where `PLAYGROUND_BUSY_RUNS=20` asks for them, which takes a minute and a half, and else five.
Each of the eight is in a session of its own, so that Linux, which shares the processors among sessions first, counts it
as a program beside ours.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from playground import Workload, experiment
from playground.trace import Trace

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a wait for the lock from a lost processor"),
]

RUNS = int(os.environ.get("PLAYGROUND_BUSY_RUNS", "5"))


@pytest.fixture
def busy() -> Iterator[None]:
    burn = [sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(burn, start_new_session=True) for _ in range(8)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
        for burner in burners:
            burner.wait()


@pytest.mark.usefixtures("busy")
def test_threads_share_the_lock_and_processes_do_not_however_busy_the_machine_is() -> None:
    workload = Workload(jobs=2, cpu_s=0.1, wait_s=0)
    for _ in range(RUNS):
        done = experiment(workload, ["threads", "processes"], timeout_s=120)
        threads, processes = done["threads"], done["processes"]
        assert threads.parallel_share is not None
        assert threads.parallel_share <= 0.05
        assert threads.gil_share is not None
        assert threads.gil_share >= 0.5
        assert processes.parallel_share is not None
        assert processes.parallel_share >= 0.9
        assert processes.gil_share is not None
        assert processes.gil_share <= 0.02


@pytest.mark.usefixtures("busy")
def test_a_loops_only_thread_waits_for_no_other_of_the_jobs() -> None:
    """Our own sampler has the interpreter's lock now and then, and may be interrupted while it has it."""
    workload = Workload(jobs=8, cpu_s=0.01, wait_s=0.03)
    for _ in range(RUNS):
        done = experiment(workload, ["asyncio", "anyio", "trio"], timeout_s=120)
        for run in done.values():
            assert run.gil_share is not None
            assert run.gil_share <= 0.02


HOLDING = ((1, 2), (4, 5), (6, 8))
"""Which job holds the loop, and in which of its turns."""


def on_a_loop(held_by: str) -> Trace:
    """Eight jobs on a loop that compute in short pieces; three of them may hold the loop for 60 ms."""

    async def job(number: int) -> None:
        import asyncio

        for turn in range(10):
            sum(range(20_000))
            if (number, turn) in HOLDING and held_by == "sleeping":
                time.sleep(0.06)
            if (number, turn) in HOLDING and held_by == "computing":
                until_s = time.thread_time() + 0.06
                while time.thread_time() < until_s:
                    pass
            await asyncio.sleep(0)

    run = experiment(Workload(job, jobs=8), "asyncio", timeout_s=120)["asyncio"]
    assert run.ending == "returned"
    assert run.errors == {}
    return run.trace


def held(trace: Trace, threshold_s: float) -> list[str]:
    return sorted(trace.tasks[block.task].name for block in trace.blocks(threshold_s) if block.task is not None)


@pytest.mark.usefixtures("busy")
def test_no_step_is_said_to_hold_the_loop_that_did_not() -> None:
    assert [on_a_loop("nothing").blocks() for _ in range(RUNS)] == [[]] * RUNS


@pytest.mark.usefixtures("busy")
def test_every_step_that_computes_too_long_is_found() -> None:
    for _ in range(RUNS):
        assert held(on_a_loop("computing"), 0.05) == ["job 1", "job 4", "job 6"]


@pytest.mark.usefixtures("busy")
def test_every_step_that_sleeps_too_long_is_found() -> None:
    """`time.sleep` sets its alarm first: who then queues for a processor, before it sleeps, sleeps so much less, and
    holds the loop for as long."""
    for _ in range(RUNS):
        assert held(on_a_loop("sleeping"), 0.05) == ["job 1", "job 4", "job 6"]
