"""Assertions on schedules of real runs: they pass where nothing is wrong, and where something is, they say so."""

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest

from playground import App, Lab, Network, Trace
from playground.assertions import (
    assert_all_answered,
    assert_handoffs,
    assert_never_blocks,
    assert_no_findings,
    assert_nothing_left,
    assert_overlap,
    assert_responds_within,
)
from playground.clock.loop import LabLoop
from playground.trace import Request, Step, Task, Wait
from playground.trace.build import build
from playground.trace.recorder import recording
from tests.judged import OTHER, call, failure, refusal
from tests.recordings import MS, healthy_run

app = App()


@app.get("/ok")
async def ok() -> str:
    await asyncio.sleep(0)
    return "ok"


@app.get("/plain")
def plain() -> str:
    return "plain"


@app.get("/blocks")
async def blocks() -> str:
    time.sleep(0.06)
    return "blocked"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(app) as lab:
        yield lab


# -- hand-offs ------------------------------------------------------------------------------------------------------


def test_handoffs_of_a_real_run_are_counted(lab: Lab) -> None:
    assert_handoffs(lab.burst("/plain", n=5), per_request=1, total=5)
    assert_handoffs(lab.burst("/ok", n=5), per_request=0, total=0)


# -- answers --------------------------------------------------------------------------------------------------------


def test_what_a_network_lost_was_not_answered() -> None:
    with Lab(app, network=Network(loss=0.5, seed=4)) as lab:
        run = lab.burst("/ok", n=8)
    (index, error), *_ = run.lost.items()
    assert isinstance(error, httpx.TransportError)
    first, evidence, *_, advice = failure(assert_all_answered, run).splitlines()
    assert first == (
        f"expected every request to be answered 200, got {len(run.lost)} requests that the simulated network lost in "
        "Run 1 (real clock):"
    )
    assert evidence == f"  - request sent as number {index}: {type(error).__name__}"
    assert advice == "Send again what a network may lose, or take its loss away: Network(loss=0)."


def test_answers_of_a_real_run_are_judged(lab: Lab) -> None:
    run = lab.burst("/ok", n=5)
    assert_all_answered(run)
    assert_responds_within(run, 60)
    assert failure(assert_all_answered, lab.burst("/not-there", n=1), range(200, 300)).splitlines()[0] == (
        "expected every request to be answered 200 to 299, got 1 of 1 request in Run 2 (real clock) that were not:"
    )


# -- nothing left ---------------------------------------------------------------------------------------------------


def test_a_pending_task_and_a_running_call_are_left() -> None:
    run = Trace(
        tasks=[
            Task("lab", "_main", None, 0, None, "pending"),
            Task("r", "report", 0, MS, 9 * MS, "returned"),
            Task("t", "background", 1, 2 * MS, None, "pending"),
            Task("u", "busy", 1, 3 * MS, None, "pending"),
        ],
        steps=[Step(1, MS, MS, None, "waits", OTHER)],
        waits=[Wait(2, 4 * MS, 30 * MS, "timer", OTHER), Wait(3, 4 * MS, 29 * MS, "timer", OTHER)],
        handoffs=[call(1, "slow", 40, 5, None)],
        requests=[Request(0, "GET", "/report", None, 200, MS, 9 * MS, 1, (0,), (), None)],
        duration_ns=30 * MS,
    )
    assert failure(assert_nothing_left, run) == (
        "expected nothing to be left when the run ended, got 2 pending tasks and 1 call in worker threads in Run (real "
        "clock):\n"
        "  - task `background`, made at 2 ms for request 0, GET /report, waits on timer at shop.py, line 20\n"
        "  - task `busy`, made at 3 ms for request 0, GET /report, not waiting\n"
        "  - call of `slow` (shop.py, line 40), from 5 ms until the end of the run\n"
        "Await what a handler starts, in an asyncio.TaskGroup for instance, or cancel it and await that."
    )
    assert failure(assert_nothing_left, Trace()).splitlines()[0] == (
        "expected nothing to be left when the run ended, got a recording without any task in Run (real clock)."
    )


def test_what_one_run_leaves_is_not_laid_at_the_next_ones_door() -> None:
    left = App()
    kept: list[asyncio.Task[None]] = []

    @left.get("/leaves")
    async def leaves() -> str:
        kept.append(asyncio.create_task(asyncio.sleep(3600)))
        return "left"

    @left.get("/ok")
    async def ok() -> str:
        return "ok"

    with Lab(left) as lab:
        leaving, following = lab.burst("/leaves", n=2), lab.burst("/ok", n=2)
    assert_nothing_left(following)
    assert failure(assert_nothing_left, leaving).startswith(
        "expected nothing to be left when the run ended, got 2 pending tasks in Run 1 (real clock):\n  - task `sleep`, "
    )


def test_a_task_that_a_callback_makes_in_the_first_step_is_of_the_run() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: kept.append(loop.create_task(asyncio.sleep(3600))))
        await asyncio.sleep(0)

    kept: list[asyncio.Task[None]] = []
    with Lab(app) as lab:
        assert "task `sleep`" in failure(assert_nothing_left, lab.run(main))


# -- what is judged -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_count_of_handoffs_is_not_taken_from_a_recorder_that_has_forgotten_some() -> None:
    loop = LabLoop()

    async def main() -> Trace:
        with recording(loop, limit=100) as recorder:
            await loop.run_in_executor(None, int)
            await asyncio.gather(*[asyncio.create_task(asyncio.sleep(0)) for _ in range(40_000)])
        return build(recorder)

    trace = loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    assert trace.dropped > 0
    assert ", got a recording that cannot say in Run (real clock): " in failure(assert_handoffs, trace, total=1)
    assert ", got a recording that cannot say in Run (real clock): " in failure(assert_handoffs, trace, per_request=1)
    assert ", got a recording that cannot say in " in failure(assert_overlap, trace, at_least=50_000)
    assert_overlap(trace, at_least=1)


def test_a_healthy_recording_passes_all(lab: Lab) -> None:
    for run in (lab.run(lambda: lab.client.get("/ok")), healthy_run()):
        assert_never_blocks(run)
        assert_no_findings(run)
        assert_all_answered(run)
        assert_responds_within(run, 60)
        assert_overlap(run, at_least=1)


def test_a_handler_that_blocks_is_found_in_a_real_run(lab: Lab) -> None:
    told = failure(assert_never_blocks, lab.burst("/blocks", n=2))
    assert "request 0, GET /blocks, in `time.sleep(0.06)` (tests/test_assertions.py, line " in told
    assert told.endswith("\nMake the handler a plain `def`, or `await asyncio.sleep(0.06)`.")


def test_a_run_that_was_not_recorded_is_refused() -> None:
    with Lab(app, trace=False) as lab:
        run = lab.burst("/ok", n=1)
    assert refusal(assert_never_blocks, run).startswith("expected a run that was recorded, got one of a lab that does")


def test_what_is_no_run_is_refused(lab: Lab) -> None:
    assert refusal(assert_never_blocks, lab) == (
        "expected a Run or a Trace, got Lab: pass what Lab.burst, Lab.load or Lab.run returned"
    )
