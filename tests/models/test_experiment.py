"""What `experiment` takes, gives and refuses, and in which words."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from playground import ModelError, Workload, experiment
from playground.models import units
from playground.models.experiment import MODELS
from playground.models.processes import Processes, ProcessPool
from playground.models.run import ModelRun
from playground.models.threads import ThreadPool
from playground.models.units import Senses

SMALL = Workload(jobs=2, cpu_s=0.001, wait_s=0.001)


def plain(number: int) -> int:
    return number


async def awaited(number: int) -> int:
    return number


def test_the_models_are_those_of_the_lesson_in_its_order() -> None:
    assert list(MODELS) == [
        *("sequential", "threads", "thread_pool", "processes", "process_pool", "interpreters"),
        *("asyncio", "asyncio_blocking", "anyio", "trio", "to_thread", "greenlet", "gevent", "eventlet"),
    ]
    assert all(name == model.name for name, model in MODELS.items())


def test_an_experiment_is_a_mapping_in_the_order_asked_for() -> None:
    done = experiment(SMALL, ["threads", "sequential"])
    assert list(done) == ["threads", "sequential"]
    assert len(done) == 2
    assert all(isinstance(run, ModelRun) for run in done.values())
    assert done.workload is SMALL
    assert repr(done) == "<Experiment: 2 jobs of 1 ms of computing and 1 ms of waiting; threads, sequential>"


def test_one_model_may_be_named_alone() -> None:
    assert list(experiment(SMALL, "sequential")) == ["sequential"]
    assert list(experiment(SMALL, MODELS["threads"])) == ["threads"]


@pytest.mark.slow
def test_without_names_all_are_run_that_work_here() -> None:
    here = [name for name, model in MODELS.items() if model.missing() is None]
    done = experiment(SMALL)
    assert list(done) == here
    assert all(run.results == [0, 1] for run in done.values())


@pytest.mark.slow
def test_without_names_only_those_are_run_that_can_carry_out_the_function() -> None:
    assert {"asyncio", "anyio", "trio"}.isdisjoint(experiment(lambda number: number, jobs=1))

    async def one(number: int) -> int:
        return number

    assert list(experiment(one, jobs=1)) == [
        name for name in ("asyncio", "anyio", "trio") if not MODELS[name].missing()
    ]


def test_a_run_tells_its_times() -> None:
    run = experiment(SMALL, "sequential")["sequential"]
    assert run.wall_s > 0
    assert run.wall_s >= 2 * SMALL.wait_s
    assert run.overhead_s > 0
    assert run.cpu_s is not None
    assert run.trace.duration_ns == pytest.approx(run.wall_s * 1e9)
    assert repr(run) == f"<ModelRun 'sequential': 2 of 2 jobs returned in {run.wall_s * 1e3:.0f} ms>"


def test_options_are_told_by_the_name() -> None:
    done = experiment(SMALL, [Processes(method="spawn"), ThreadPool(workers=1)])
    assert list(done) == ["processes (spawn)", "thread_pool"]
    assert done["processes (spawn)"].results == [0, 1]
    assert done["thread_pool"].max_overlap == 1


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("kind", [Processes, ProcessPool])
def test_processes_that_are_not_forked_tell_the_same(kind: Any, method: Any) -> None:
    from time import sleep  # as a cell may have it: what it calls is found again by its name

    def job(number: int) -> int:
        sleep(0.002)
        return number

    (run,) = experiment(Workload(job, jobs=2), kind(method=method)).values()
    assert (run.model, run.results) == (f"{kind.name} ({method})", [0, 1])
    for number in range(2):
        told = [segment.kind for segment in run.trace.segments if segment.job == number]
        assert [each for each in told if each != "ready"] == ["queue", "run", "wait", "run", "handoff"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["threads", "processes", "asyncio", "gevent"])
def test_where_no_process_can_be_forked_for_an_experiment_it_tells_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fork")
    run = experiment(SMALL, name)[name]
    assert (run.ending, run.results) == ("returned", [0, 1])
    assert {segment.kind for segment in run.trace.segments} >= {"queue", "run", "wait"}


def test_workers_are_how_many_a_pool_has() -> None:
    done = experiment(Workload(jobs=6, cpu_s=0, wait_s=0.005), ["thread_pool", "to_thread", "process_pool"], workers=2)
    assert [len(run.trace.workers) <= 2 for run in done.values()] == [True] * 3


def test_two_that_compute_in_processes_have_a_processor_each_and_two_threads_half_of_one() -> None:
    done = experiment(Workload(jobs=2, cpu_s=0.1, wait_s=0), ["threads", "processes"])
    assert done["threads"].parallel_share is not None
    assert done["threads"].parallel_share <= 0.05
    assert done["processes"].gil_share is not None
    assert done["processes"].gil_share <= 0.02
    assert {worker.process for worker in done["processes"].trace.workers} == {1, 2}


@pytest.mark.parametrize("known", [Senses(True, False), Senses(False, False)], ids=["macos", "windows"])
def test_what_cannot_be_told_here_is_none(known: Senses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.models.experiment.senses", lambda: known)
    run = experiment(Workload(jobs=2, cpu_s=0.1, wait_s=0), "threads")["threads"]
    assert {segment.kind for segment in run.trace.segments} <= {"queue", "run", "wait", "ready", "off_cpu"}
    assert (run.parallel_share, run.gil_share) == (None, None)
    assert run.max_overlap == 2
    assert run.results == [0, 1]


def test_the_function_of_a_cell_takes_what_is_around_it_along() -> None:
    factor, asked = 7, []

    class Answer:
        def __init__(self, value: int) -> None:
            self.value = value

    def job(number: int) -> int:
        asked.append(number)  # of the other process: what is changed there stays there
        return Answer(number * factor).value

    assert experiment(job, "processes", jobs=3)["processes"].results == [0, 7, 14]
    assert asked == []


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: experiment(SMALL, ["fibres"]),
        f"expected models among {', '.join(MODELS)}, got 'fibres': see playground.models",
    ),
    (
        lambda: experiment(SMALL, []),
        "expected models, each of them once, got none: leave models out for all that work here",
    ),
    (
        lambda: experiment(SMALL, ["threads", "threads"]),
        "expected models, each of them once, got 'threads' twice: leave models out for all that work here",
    ),
    (
        lambda: experiment(SMALL, workers=0),
        "expected a number of workers, 1 or more, got 0: leave it out for the default",
    ),
    (
        lambda: experiment(SMALL, timeout_s=0),
        "expected timeout_s to be a number of seconds above 0, got 0: write timeout_s=30",
    ),
    (
        lambda: experiment(plain, ["threads", "asyncio"]),
        (
            "expected an async def, which the model 'asyncio' awaits, got a plain function: give both, as "
            "Workload(function, async_function=...), or use asyncio_blocking, which calls it on the loop, or "
            "to_thread, which calls it in a thread"
        ),
    ),
    (
        lambda: experiment(awaited, ["threads"]),
        (
            "expected a plain function, which the model 'threads' calls, got an async def: give both, as "
            "Workload(function, async_function=...), or use asyncio, anyio or trio"
        ),
    ),
    (
        lambda: Processes(method="clone"),  # type: ignore[arg-type]
        (
            "expected a way to start processes that this platform has, fork, spawn, forkserver, got 'clone': leave it "
            "out for the platform's own"
        ),
    ),
]


@pytest.mark.parametrize(("make", "words"), REFUSED)
def test_what_cannot_work_is_refused_in_words(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        make()
    assert str(caught.value) == words


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python has interpreters")
def test_interpreters_say_which_python_has_them() -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(ModelError) as caught:
        experiment(SMALL, "interpreters")
    assert str(caught.value) == (
        "expected Python 3.14 or later, whose concurrent.futures has a pool of interpreters, got Python "
        f"{version}: use process_pool, which has an interpreter in each process"
    )


def test_a_missing_library_names_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.models.base._is_installed", lambda package: package != "greenlet")
    with pytest.raises(ModelError) as caught:
        experiment(SMALL, ["sequential", "greenlet"])
    assert str(caught.value) == (
        "expected greenlet, which the model 'greenlet' needs, got none installed: run pip install 'playground[models]'"
    )


def test_where_there_are_no_processes_models_that_need_them_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.models.base.has_processes", lambda: False)
    missing = [name for name, model in MODELS.items() if model.missing() is not None]
    assert {"threads", "thread_pool", "processes", "process_pool", "to_thread", "gevent", "eventlet"} <= set(missing)
    assert {"sequential", "asyncio", "asyncio_blocking", "anyio"}.isdisjoint(missing)
    assert str(MODELS["threads"].missing()) == (
        "expected a platform with threads and processes, which the model 'threads' needs, got linux, which has none: "
        "use sequential, asyncio, asyncio_blocking or anyio"
    )


@pytest.mark.parametrize("name", ["sequential", "asyncio", "asyncio_blocking", "anyio"])
def test_where_there_are_no_processes_the_others_run_in_this_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **options: object) -> None:
        raise AssertionError("a process was asked for")

    monkeypatch.setattr("playground.models.base.has_processes", lambda: False)
    monkeypatch.setattr("playground.models.experiment.has_processes", lambda: False)
    monkeypatch.setattr("playground.models.experiment.run_apart", refused)
    found, variables = time.sleep, dict(os.environ)

    def job(number: int) -> int:
        time.sleep(0.001)
        return os.getpid() if number else 1 // number

    async def awaited(number: int) -> int:
        return os.getpid() if number else 1 // number

    run = experiment(Workload(job, jobs=2, async_function=awaited), name)[name]
    assert (run.ending, run.results, list(run.errors)) == ("returned", [None, os.getpid()], [0])
    assert [job.outcome for job in run.trace.jobs] == ["raised", "returned"]
    assert {segment.kind for segment in run.trace.segments} >= {"run"}
    assert (time.sleep, dict(os.environ)) == (found, variables)


@pytest.mark.slow
def test_the_notebooks_process_imports_nothing_for_any_model() -> None:
    program = """
import sys
from playground import Workload, experiment
experiment(Workload(jobs=1, cpu_s=0, wait_s=0), "sequential")
before = set(sys.modules)
done = experiment(Workload(jobs=2, cpu_s=0.001, wait_s=0.001))
assert {"gevent", "eventlet", "greenlet", "trio"} <= set(done)
print(sorted(set(sys.modules) ^ before), {"gevent", "eventlet", "greenlet", "trio"} & before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "[] set()\n"


def test_the_process_of_the_notebook_keeps_its_own_sleep() -> None:
    found = time.sleep
    experiment(lambda number: time.sleep(0), "greenlet", jobs=1)
    assert time.sleep is found


def test_a_unit_is_the_same_for_all_models() -> None:
    loops = units.loops_of_a_unit()
    experiment(SMALL, ["sequential", "threads"])
    assert units.loops_of_a_unit() == loops


@pytest.mark.slow
def test_a_model_that_was_killed_is_not_the_fastest_and_its_sleep_lasts_until_then() -> None:
    def sleepy(number: int) -> None:
        time.sleep(30 * number)

    told = experiment(sleepy, ["sequential", "threads", "process_pool"], jobs=2, timeout_s=0.5)
    for run in told.values():
        assert run.trace.ending == "timed out after 0.5 s, 1 of 2 jobs over"
        assert run.trace.duration_ns == pytest.approx(run.wall_s * 1e9)
        last = [segment for segment in run.trace.segments if segment.job == 1][-1]
        assert (last.kind, last.end_ns) == ("wait", run.trace.duration_ns)
    assert "3 ways · none of them came to its end" in str(told)


@pytest.mark.slow
def test_jobs_of_ours_that_were_killed_asleep_are_seen_to_sleep() -> None:
    told = experiment(Workload(jobs=2, cpu_s=0, wait_s=30), ["threads", "asyncio"], timeout_s=1.5)
    for run in told.values():
        waits = [segment.job for segment in run.trace.segments if segment.kind == "wait"]
        assert waits == [0, 1]


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (lambda: os._exit(0), "crashed: exit code 0, 0 of 1 job over"),
        (lambda: os._exit(3), "crashed: exit code 3, 0 of 1 job over"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "crashed: killed by SIGSEGV, 0 of 1 job over"),
    ],
)
def test_how_a_process_crashed_is_told_in_words(end: Callable[[], object], words: str) -> None:
    (run,) = experiment(lambda _: end(), "sequential", jobs=1).values()
    assert run.trace.ending == words
    assert words in str(run.trace)
