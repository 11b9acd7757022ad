"""Apps that make one mistake each, run and not written by hand: on both clocks it is found, and nothing else is.

In virtual time the sentences are the same each time, and stand here whole. On the real clock their numbers are counted
once more from the rows; a machine that is busy may add findings of its own, so the mistake's alone is asked for.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from playground import App, Lab, Run, work
from playground.trace import Clock
from playground.views.findings import Finding
from playground.web.responses import PlainTextResponse, Response
from tests.views.recount import numbers_of, recounted

CLOCKS = pytest.mark.parametrize("clock", ["real", "virtual"])
HERE = Path(__file__).name
pytestmark = pytest.mark.filterwarnings("ignore:coroutine '.*' was never awaited:RuntimeWarning")


async def save(row: int) -> None:
    raise AssertionError(f"nobody awaits it: {row}")


async def forgets_await() -> str:
    save(1)  # type: ignore[unused-coroutine]  # the mistake
    return "saved"


async def fails() -> None:
    raise KeyError("nobody asks")  # the mistake


async def forgets_a_task() -> str:
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    asyncio.create_task(fails())  # noqa: RUF006 (one mistake more)
    await asyncio.sleep(0.01)
    return "begun"


async def lets_a_deadline_out() -> str:
    async with asyncio.timeout(0.03):
        await asyncio.sleep(1)  # the mistake
    return "never"


async def answers_504() -> Response:
    try:
        with anyio.fail_after(0.03):
            await anyio.sleep(1)  # the mistake
    except TimeoutError:
        return PlainTextResponse("too late", status_code=504)
    return PlainTextResponse("never")


LOCKS: list[asyncio.Lock] = []


async def holds_a_lock() -> str:
    async with LOCKS[0]:  # the mistake
        await asyncio.sleep(0.02)
    return "done"


async def fetch() -> None:
    await asyncio.sleep(0.1)  # the mistake


async def asks_one_after_the_other() -> str:
    await fetch()
    await fetch()
    await fetch()
    return "fetched"


async def comes_back_at_once(turns: int = 30) -> str:
    for _ in range(turns):
        work(0.004)
        await asyncio.sleep(0)  # the mistake
    return "done"


async def gives_way() -> str:
    for _ in range(25):
        await asyncio.sleep(0)
    return "at last"


RUNS: dict[Callable[..., Any], tuple[str, str]] = {
    forgets_await: (
        "never-awaited",
        """
        8 coroutines were never awaited. `GET /` called `save`, and what that returned was let go at HERE
        (`save(1) # type: ignore[unused-coroutine] # the mistake`): none of its code ran. Write `await
        save(...)` there, or make it a task and keep that.
        """,
    ),
    forgets_a_task: (
        "never-retrieved",
        """
        8 exceptions were never retrieved. 8 tasks `fails` ended in `KeyError: 'nobody asks'` (HERE), and
        nobody had asked for that when the recording ended. Keep the task and await it, or make it in an
        `asyncio.TaskGroup`, which does both.
        """,
    ),
    lets_a_deadline_out: (
        "deadline",
        """
        All 8 requests were cut short by a deadline. `GET /` had waited 30 ms for a timer (HERE) when it
        passed, and let `TimeoutError` out. See what keeps that so long, or allow it more time.
        """,
    ),
    answers_504: (
        "deadline",
        """
        All 8 requests were cut short by a deadline. `GET /` had waited 30 ms for a timer (HERE) when it
        passed, and answered 504. See what keeps that so long, or allow it more time.
        """,
    ),
    holds_a_lock: (
        "lock-convoy",
        """
        7 requests queued for one lock, for 560 ms in all. The longest wait was 140 ms. `GET /`
        waited for it at HERE (`async with LOCKS[0]: # the mistake`); all of them spent half their time
        there, or more. Hold it for less: do before or after it what needs no lock, above all what is
        awaited; or have a lock for each thing that is guarded.
        """,
    ),
    asks_one_after_the_other: (
        "awaits-in-a-row",
        """
        All 8 requests waited for one thing after another. `GET /` waited 3 times in a row for a timer
        (HERE): at worst for 300 of 300 ms. If none of these needs what one before it gave, they could run
        together, in the time of the longest, 100 ms: `await asyncio.gather(...)`.
        """,
    ),
    comes_back_at_once: (
        "task-starved",
        """
        7 requests were ready to run, but had to wait for turn after turn of another. That took 104 ms of
        the time of each. `GET /` ran 31 steps meanwhile, 120 ms in all, and gave way only to come back at
        once (HERE). Giving way lets each of the others take one step: do less between, or hand what it
        computes to a process: `await anyio.to_process.run_sync(...)`.
        """,
    ),
}


def burst(lab: Lab, handler: Callable[..., Any]) -> Run:
    return lab.burst(lambda index: "/" if index == 0 or handler is not comes_back_at_once else "/other", 8)


def app_of(handler: Callable[..., Any]) -> App:
    app = App()
    if handler is comes_back_at_once:

        @app.get("/")
        async def greedy() -> str:
            return await comes_back_at_once()

    else:
        app.get("/")(handler)
    app.get("/other")(gives_way)
    return app


def at_its_line(finding: Finding) -> str:
    """The sentences, with the place of the mistake as `HERE`."""
    lines = Path(__file__).read_text().splitlines()
    told = str(finding)
    for place, line in re.findall(rf"([^\s(]*{HERE}, line (\d+))", told):
        assert "the mistake" in lines[int(line) - 1]
        told = told.replace(place, "HERE")
    return told


@pytest.mark.slow
@CLOCKS
@pytest.mark.parametrize("handler", RUNS)
def test_each_mistake_is_found_at_its_line_and_alone(handler: Callable[..., Any], clock: Clock) -> None:
    rule, sentences = RUNS[handler]
    sentences = " ".join(sentences.split())
    LOCKS[:] = [asyncio.Lock()]
    with Lab(app_of(handler), clock=clock) as lab:
        run = burst(lab, handler)
    findings = run.diagnosis
    (found,) = (finding for finding in findings if finding.rule == rule)
    assert numbers_of(found) == recounted(run.trace, found)
    assert "HERE" in at_its_line(found)
    if clock == "virtual":
        assert [at_its_line(finding) for finding in findings] == [sentences]


def test_a_synchronous_library_is_told_by_the_files_of_its_code() -> None:
    app = App()

    @app.get("/")
    async def runs_a_program() -> str:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.2)"], check=True)  # noqa: ASYNC221 (the mistake)
        return "done"

    with Lab(app) as lab:
        run = lab.burst("/", 2)
    (found,) = (finding for finding in run.diagnosis if finding.rule == "sync-library")
    assert numbers_of(found) == recounted(run.trace, found)
    assert "on the loop each time (HERE" in at_its_line(found)
    assert "There, `subprocess` was at work, which waits without giving way." in str(found)
    assert found.suggestion == (
        "Instead, await `asyncio.create_subprocess_exec(...)`, or hand the call to a thread: "
        "`await asyncio.to_thread(...)`."
    )
