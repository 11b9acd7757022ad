"""What a recording names of a job: a workload's own lines or the student's, and none of ours."""

import asyncio
import linecache
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from playground import Workload, experiment
from playground.models.written import FILE, as_written
from playground.trace import Trace

PLAIN = Workload(jobs=2, cpu_s=0.02, wait_s=0.06)
LOOPS = ["asyncio", "asyncio_blocking", "anyio", "trio", "to_thread"]


def nothing(seconds: float) -> None:
    pass


async def a_moment(seconds: float) -> None:
    await asyncio.sleep(0)


def text_of(sleep: Callable[[float], Any], *, is_async: bool) -> str:
    as_written(0.005, 0.05, sleep, waits=nothing, computes=nothing, is_async=is_async)
    return "".join(linecache.getlines(FILE))


def test_a_job_reads_as_a_student_would_write_it() -> None:
    assert text_of(time.sleep, is_async=False) == (
        "def job(number):\n    compute(0.0025)\n    time.sleep(0.05)\n    compute(0.0025)\n    return number\n"
    )
    assert text_of(asyncio.sleep, is_async=True) == (
        "async def job(number):\n"
        "    compute(0.0025)\n"
        "    await asyncio.sleep(0.05)\n"
        "    compute(0.0025)\n"
        "    return number\n"
    )


def test_the_mistake_is_a_sleep_within_an_async_def() -> None:
    assert text_of(time.sleep, is_async=True).startswith(
        "async def job(number):\n    compute(0.0025)\n    time.sleep(0.05)\n"
    )


def test_a_sleep_of_our_own_is_called_by_no_library() -> None:
    def hub_sleep(seconds: float) -> None:
        pass

    hub_sleep.__module__ = "playground.models.green"
    assert "    sleep(0.05)\n" in text_of(hub_sleep, is_async=False)


def test_what_computes_and_waits_is_called_in_that_order_with_what_is_written() -> None:
    called: list[tuple[str, float]] = []
    job = as_written(
        0.03,
        0.5,
        time.sleep,
        waits=lambda seconds: called.append(("wait", seconds)),
        computes=lambda seconds: called.append(("compute", seconds)),
        is_async=False,
    )
    assert job(7) == 7
    assert called == [("compute", 0.015), ("wait", 0.5), ("compute", 0.015)]


def test_jobs_that_are_alike_have_one_code() -> None:
    first, second = (
        as_written(0.1, 0.1, asyncio.sleep, waits=a_moment, computes=nothing, is_async=True) for _ in range(2)
    )
    assert first.__code__ is second.__code__


def named(trace: Trace) -> Iterator[str]:
    """All files and names that a recording names."""
    for table in (trace.waits, trace.steps, trace.samples, trace.handoffs):
        for row in table:
            site = getattr(row, "site", None)
            if site is not None:
                yield f"{site.file} {site.function} {site.text}"
    yield from (task.coroutine for task in trace.tasks)
    yield from (f"{handoff.function}" for handoff in trace.handoffs)
    yield from (f"{sample.call}" for sample in trace.samples)
    yield str(trace.diagnosis)


@pytest.mark.parametrize("model", LOOPS)
def test_a_recording_names_the_workloads_own_lines_and_none_of_ours(model: str) -> None:
    if model == "trio":
        pytest.importorskip("trio")
    trace = experiment(PLAIN, model)[model].trace
    names = list(named(trace))
    assert [name for name in names if "playground" in name or "_tasks" in name or "found(" in name] == []
    jobs = [task.coroutine for task in trace.tasks if task.name.startswith("job ")]
    assert jobs == ["job", "job"]
    if model == "to_thread":
        handoff = trace.handoffs[0]
        assert handoff.site is not None
        assert (handoff.function, handoff.site.file, handoff.site.line) == ("job", FILE, 1)


def test_a_loop_that_was_held_is_told_of_by_the_workloads_line() -> None:
    trace = experiment(PLAIN, "asyncio_blocking")["asyncio_blocking"].trace
    text = " ".join(str(trace.diagnosis).split())
    assert "The task `job` ran `time.sleep(0.06)` on the loop" in text
    assert "(workload, line 3" in text


def test_a_loop_that_was_held_by_a_function_is_told_of_by_its_line() -> None:
    def fetch(number: int) -> None:
        time.sleep(0.06)

    trace = experiment(Workload(fetch, jobs=2), "asyncio_blocking")["asyncio_blocking"].trace
    text = " ".join(str(trace.diagnosis).split())
    line = fetch.__code__.co_firstlineno + 1
    assert "The task `fetch()` ran `time.sleep(0.06)` on the loop" in text
    assert f"test_written.py, line {line}" in text
    assert "That line stands in `test_a_loop_that_was_held_by_a_function_is_told_of_by_its_line" in text
    assert "playground" not in text.replace("tests/models", "")


def test_a_task_is_called_as_the_async_function_that_it_runs() -> None:
    def fetch(number: int) -> None:
        pass

    async def afetch(number: int) -> None:
        pass

    done = experiment(Workload(fetch, async_function=afetch, jobs=1), ["asyncio", "anyio", "to_thread"])
    coroutines = {
        name: [task.coroutine for task in run.trace.tasks if task.name == "job 0"] for name, run in done.items()
    }
    assert coroutines == {"asyncio": ["afetch"], "anyio": ["afetch"], "to_thread": ["fetch()"]}
