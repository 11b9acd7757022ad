"""One suite for every model: results, errors, overlap, rows in order, timeouts, crashes and kills, nothing left over.

The jobs are functions within functions, which travel by value as those of a notebook's cell do. No test looks at how
long anything took; where jobs must overlap, they wait for each other.
"""

import os
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from playground.models.experiment import MODELS, experiment
from playground.models.run import ModelRun
from playground.models.workload import Workload
from playground.trace import Segment

HERE = [name for name, model in MODELS.items() if model.missing() is None]

ALONE = {"sequential", "asyncio_blocking"}
"""Those that do one job after another."""
IN_POOLS = {"thread_pool", "process_pool", "to_thread", "interpreters"}
HANDED_BACK = IN_POOLS | {"processes"}
IN_ONE_THREAD = {"asyncio", "asyncio_blocking", "anyio", "trio", "greenlet", "gevent", "eventlet", "sequential"}
IN_PROCESSES = {"processes", "process_pool"}

every_model = pytest.mark.parametrize("name", HERE)


def run_of(name: str, workload: Workload, **options: Any) -> ModelRun:
    workers = 3 if name in IN_POOLS else None
    return experiment(workload, name, workers=workers, **options)[name]


@pytest.fixture(scope="module")
def plain_runs() -> dict[str, ModelRun]:
    """Six jobs of each model, made when a test first asks for that model's."""

    class Made(dict[str, ModelRun]):
        def __missing__(self, name: str) -> ModelRun:
            self[name] = run_of(name, Workload(jobs=6, cpu_s=0.002, wait_s=0.02))
            return self[name]

    return Made()


def by_job(run: ModelRun) -> dict[int, list[Segment]]:
    segments = defaultdict(list)
    for segment in run.trace.segments:
        segments[segment.job].append(segment)
    return segments


# -- what comes of the jobs ------------------------------------------------------------------------------------------


@pytest.mark.slow
@every_model
def test_every_job_has_its_result_under_its_number(name: str, plain_runs: dict[str, ModelRun]) -> None:
    run = plain_runs[name]
    assert (run.ending, run.failure, run.errors) == ("returned", None, {})
    assert run.results == [0, 1, 2, 3, 4, 5]
    assert [(job.number, job.outcome, job.error) for job in run.trace.jobs] == [(n, "returned", None) for n in range(6)]


@every_model
def test_a_job_is_asked_for_then_begun_then_over(name: str, plain_runs: dict[str, ModelRun]) -> None:
    run = plain_runs[name]
    for job in run.trace.jobs:
        assert job.started_ns is not None
        assert job.ended_ns is not None
        assert 0 <= job.submitted_ns <= job.started_ns < job.ended_ns <= run.trace.duration_ns


@every_model
def test_rows_are_in_order_and_a_job_does_one_thing_at_a_time(name: str, plain_runs: dict[str, ModelRun]) -> None:
    run = plain_runs[name]
    starts = [segment.start_ns for segment in run.trace.segments]
    assert starts == sorted(starts)
    for index, segments in by_job(run).items():
        job = run.trace.jobs[index]
        assert segments[0].start_ns >= job.submitted_ns
        assert segments[-1].end_ns <= run.trace.duration_ns
        for segment, following in pairwise(segments):
            assert segment.start_ns < segment.end_ns <= following.start_ns


@every_model
def test_a_job_queues_runs_waits_and_runs_again(name: str, plain_runs: dict[str, ModelRun]) -> None:
    run = plain_runs[name]
    for segments in by_job(run).values():
        kinds = [segment.kind for segment in segments if segment.kind not in ("gil", "preempt", "ready")]
        told = [kind for kind, before in zip(kinds, [None, *kinds], strict=False) if kind != before]
        handed = ["handoff"] if name in HANDED_BACK else []
        assert told == ["queue", "run", "wait", "run", *handed]


@every_model
def test_a_run_tells_its_processor_time_beside_its_wall_time(name: str, plain_runs: dict[str, ModelRun]) -> None:
    for segment in plain_runs[name].trace.segments:
        if segment.kind == "run":
            assert segment.cpu_ns is not None
            # the two clocks are read one after the other, and between the two the processor may be taken away
            assert 0 < segment.cpu_ns <= segment.end_ns - segment.start_ns + 1_000_000
        else:
            assert segment.cpu_ns == 0


@every_model
def test_workers_are_who_the_model_says(name: str, plain_runs: dict[str, ModelRun]) -> None:
    model, workers = MODELS[name], plain_runs[name].trace.workers
    assert {worker.kind for worker in workers} == {model.worker}
    assert len({(worker.process, worker.thread) for worker in workers}) == len(workers)
    if name in IN_ONE_THREAD:
        assert len(workers) == 1
    elif name in IN_POOLS:
        assert 1 <= len(workers) <= 3
    else:
        assert len(workers) == 6
    assert len({worker.process for worker in workers}) == (len(workers) if name in IN_PROCESSES else 1)


@every_model
def test_loops_are_recorded_step_by_step_and_only_they(name: str, plain_runs: dict[str, ModelRun]) -> None:
    trace = plain_runs[name].trace
    if not MODELS[name].is_loop:
        assert (len(trace.steps), len(trace.tasks)) == (0, 0)
        return
    assert {f"job {number}" for number in range(6)} <= {task.name for task in trace.tasks}
    assert len(trace.handoffs) == (6 if name == "to_thread" else 0)
    assert all(step.end_ns <= trace.duration_ns for step in trace.steps)


@pytest.mark.parametrize("name", [name for name in HERE if MODELS[name].is_loop])
def test_a_loop_that_is_not_recorded_tells_its_jobs_all_the_same(name: str) -> None:
    run = run_of(name, Workload(jobs=2, cpu_s=0.001, wait_s=0.001), record=False)
    assert len(run.trace.steps) == 0
    assert {segment.kind for segment in run.trace.segments} >= {"queue", "run", "wait"}


# -- how many at once ------------------------------------------------------------------------------------------------


@every_model
def test_jobs_meet_where_the_model_does_several_at_once(name: str, tmp_path: Path) -> None:
    """Each of three jobs goes on only when all of them have begun; who does one at a time would wait for ever."""
    jobs = 1 if name in ALONE else 3

    def there() -> bool:
        return len(list(tmp_path.iterdir())) >= jobs

    def plain(number: int) -> bool:
        (tmp_path / str(number)).touch()
        while not there():
            time.sleep(0.002)
        return True

    async def awaited(number: int) -> bool:
        import anyio

        (tmp_path / str(number)).touch()
        while not there():
            await anyio.sleep(0.002)
        return True

    run = run_of(name, Workload(plain, jobs=jobs, async_function=awaited))
    assert run.results == [True] * jobs
    assert run.max_overlap == jobs


@pytest.mark.parametrize("name", sorted(ALONE))
def test_a_model_that_does_one_at_a_time_says_so(name: str, plain_runs: dict[str, ModelRun]) -> None:
    assert plain_runs[name].max_overlap == 1
    assert plain_runs[name].switches == 5


@pytest.mark.parametrize("name", sorted(IN_ONE_THREAD & set(HERE)))
def test_one_thread_is_never_parallel(name: str, plain_runs: dict[str, ModelRun]) -> None:
    assert plain_runs[name].parallel_share == 0


# -- functions -------------------------------------------------------------------------------------------------------


@every_model
def test_what_a_function_sleeps_is_a_wait_and_the_rest_a_run(name: str) -> None:
    from time import sleep  # as a cell may have it

    def plain(number: int) -> int:
        sleep(0.003)
        return sum(range(50_000)) + number

    async def awaited(number: int) -> int:
        import anyio

        await anyio.sleep(0.003)
        return sum(range(50_000)) + number

    run = run_of(name, Workload(plain, jobs=3, async_function=awaited))
    assert run.results == [sum(range(50_000)) + number for number in range(3)]
    for index, segments in by_job(run).items():
        (wait,) = [segment for segment in segments if segment.kind == "wait"]
        runs = [segment for segment in segments if segment.kind == "run"]
        assert wait.end_ns <= runs[-1].start_ns
        # a coroutine's wait begins when its step ends, a little after the sleep was asked for
        asked_ns = wait.start_ns if MODELS[name].calls == "function" else run.trace.jobs[index].started_ns
        assert asked_ns is not None
        assert runs[-1].start_ns - asked_ns >= 3_000_000
        assert all(segment.cpu_ns is not None for segment in runs) == (MODELS[name].calls == "function")


@every_model
def test_a_job_that_raises_stops_no_other_and_tells_its_line(name: str) -> None:
    def plain(number: int) -> int:
        if number == 1:
            raise ValueError("no job for me")
        return number

    async def awaited(number: int) -> int:
        if number == 1:
            raise ValueError("no job for me")
        return number

    run = run_of(name, Workload(plain, jobs=3, async_function=awaited))
    assert (run.ending, run.results) == ("returned", [0, None, 2])
    assert list(run.errors) == [1]
    failure = run.errors[1]
    assert str(failure) == "ValueError: no job for me"
    assert 'raise ValueError("no job for me")' in failure.traceback
    assert "playground" not in failure.traceback
    assert [job.outcome for job in run.trace.jobs] == ["returned", "raised", "returned"]
    assert [job.error for job in run.trace.jobs] == [None, "ValueError: no job for me", None]


@every_model
def test_a_result_that_cannot_travel_is_that_jobs_error(name: str) -> None:
    def plain(number: int) -> object:
        return (each for each in "abc") if number else "fine"

    async def awaited(number: int) -> object:
        return (each for each in "abc") if number else "fine"

    run = run_of(name, Workload(plain, jobs=2, async_function=awaited))
    assert run.results == ["fine", None]
    assert run.errors[1].type == "ModelError"
    assert run.errors[1].message.startswith(
        "expected a result that can be sent back to the notebook's process, got one that cannot: "
    )


@every_model
def test_what_jobs_print_is_kept(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    def plain(number: int) -> None:
        print("job", number)

    async def awaited(number: int) -> None:
        print("job", number)

    run = run_of(name, Workload(plain, jobs=2, async_function=awaited))
    assert sorted(run.output.splitlines()) == ["job 0", "job 1"]
    assert sorted(capsys.readouterr().out.splitlines()) == ["job 0", "job 1"]


# -- endings ---------------------------------------------------------------------------------------------------------


def hanging(first: Callable[[], None]) -> Workload:
    """Job 0 returns; after a while job 1 does something, and hangs."""

    def plain(number: int) -> int:
        if number:
            time.sleep(0.1)
            first()
        while number:
            time.sleep(0.01)
        return number

    async def awaited(number: int) -> int:
        import anyio

        if number:
            await anyio.sleep(0.1)
            first()
        while number:
            await anyio.sleep(0.01)
        return number

    return Workload(plain, jobs=2, async_function=awaited)


@pytest.mark.slow
@every_model
def test_a_model_that_takes_too_long_is_killed_and_tells_what_it_did(name: str) -> None:
    run = run_of(name, hanging(lambda: None), timeout_s=0.5)
    assert run.ending == "timed out"
    assert str(run.failure) == "TimeoutError: expected an end within 0.5 s, got none: the process was killed"
    first, second = run.trace.jobs
    assert (first.outcome, second.outcome, second.ended_ns) == ("returned", "pending", None)
    assert second.started_ns is not None
    assert {segment.kind for segment in run.trace.segments} >= {"queue"}
    assert run.results == [0, None]


@every_model
def test_a_job_that_is_killed_leaves_what_was_recorded(name: str) -> None:
    def killed() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    run = run_of(name, hanging(killed))
    first, second = run.trace.jobs
    assert first.outcome == "returned"
    assert second.started_ns is not None
    if name in IN_PROCESSES:
        assert run.ending == "returned"
        assert second.outcome == "raised"
        assert 1 in run.errors
    else:
        assert (run.ending, second.outcome) == ("crashed", "pending")
        assert str(run.failure) == (
            "Crash: killed by SIGKILL, and not by its timeout: by somebody else, or by the system for want of memory"
        )


def test_a_process_that_dies_is_told_with_its_number() -> None:
    def plain(number: int) -> int:
        if number == 1:
            os._exit(3)
        return number

    run = run_of("processes", Workload(plain, jobs=3))
    assert (run.ending, run.results, list(run.errors)) == ("returned", [0, None, 2], [1])
    assert str(run.errors[1]) == (
        "ModelError: expected the job's process to send a result, got none: it ended with exit code 3"
    )
    assert [job.outcome for job in run.trace.jobs] == ["returned", "raised", "returned"]


# -- nothing left over -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="looks for what is left over in /proc")
@every_model
def test_nothing_is_left_over(name: str, plain_runs: dict[str, ModelRun]) -> None:
    assert plain_runs[name].ending == "returned"  # who is asked for the first time starts a zygote, which stays
    threads, files = threading.enumerate(), os.listdir("/proc/self/fd")

    def plain(number: int) -> int:
        return os.getpid()

    async def awaited(number: int) -> int:
        return os.getpid()

    pids = run_of(name, Workload(plain, jobs=2, async_function=awaited)).results
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert threading.enumerate() == threads
    assert len(os.listdir("/proc/self/fd")) == len(files)
