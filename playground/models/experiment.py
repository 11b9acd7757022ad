"""`experiment`: one workload, carried out in one way after another, each in a process of its own.

It decides which models are meant, refuses those that cannot work before any is run, and puts together what came back.
How a process is made is `apart`'s affair, what the rows mean that of `gathered`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from time import perf_counter_ns
from typing import Any, Final

from playground.errors import ModelError
from playground.models.apart import Apart, run_apart
from playground.models.base import Model, has_processes
from playground.models.carry import Report, carry_out
from playground.models.gathered import gathered, span_ns
from playground.models.green import Eventlet, Gevent, Greenlet
from playground.models.here import run_here
from playground.models.interpreters import Interpreters
from playground.models.jobs import Jobs, Outcome, left_of
from playground.models.kinds import Moment
from playground.models.loops import AnyIO, Asyncio, AsyncioBlocking, ToThread, Trio
from playground.models.parcel import Failure, received
from playground.models.processes import Processes, ProcessPool
from playground.models.run import Experiment, ModelRun
from playground.models.sequential import Sequential
from playground.models.threads import ThreadPool, Threads
from playground.models.units import loops_of_a_unit, senses
from playground.models.workload import AsyncFunction, Function, Workload, as_workload
from playground.models.zygotes import warm

__all__ = ["MODELS", "carried_out", "experiment"]

MODELS: Final[dict[str, Model]] = {
    model.name: model
    for model in (
        *(Sequential(), Threads(), ThreadPool(), Processes(), ProcessPool(), Interpreters()),
        *(Asyncio(), AsyncioBlocking(), AnyIO(), Trio(), ToThread()),
        *(Greenlet(), Gevent(), Eventlet()),
    )
}
"""All models, by name, in the order of the lesson."""


def experiment(
    workload: "Workload | Function | AsyncFunction",  # quoted, as help() shows it
    models: "Iterable[str | Model] | str | Model | None" = None,
    *,
    jobs: int | None = None,
    timeout_s: float = 30.0,
    workers: int | None = None,
    record: bool = True,
) -> Experiment:
    """Carry out a workload in several ways, one after another.

        experiment(Workload(jobs=20, cpu_s=0.005, wait_s=0.05), models=["threads", "asyncio"])
        experiment(fetch, jobs=20)

    Args:
        workload: what to do; or a function of the job's number, which may be an async def.
        models: their names, or models made with options, such as `Processes(method="spawn")`; `None`: all that work
            here and can carry out such jobs.
        jobs: how many; by default as many as the workload says.
        timeout_s: how long each model may take, in seconds. What it did until then is kept. Where there are no
            processes, such as in a web page, models run in this one, and nobody could stop them.
        workers: how many threads or processes the pools have; by default as many as their library chooses.
        record: whether event loops are recorded step by step: that takes a few microseconds a step.

    Returns:
        a mapping from the model's name to what it did.

    Raises:
        ModelError: a model is unknown, lacks something here, or cannot carry out such jobs.
    """
    todo = as_workload(workload, jobs)
    if workers is not None and (type(workers) is not int or workers < 1):
        raise ModelError(f"expected a number of workers, 1 or more, got {workers!r}: leave it out for the default")
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not timeout_s > 0:
        raise ModelError(f"expected timeout_s to be a number of seconds above 0, got {timeout_s!r}: write timeout_s=30")
    chosen = _chosen(models, todo)
    if workers is not None:
        chosen = [replace(model, workers=workers) for model in chosen]
    warm(*dict.fromkeys(model.flavour for model in chosen))  # or each would disturb whom it is imported beside
    runs = [carried_out(model, todo, timeout_s=timeout_s, record=record) for model in chosen]
    return Experiment(todo, {run.model: run for run in runs})


def _chosen(models: Iterable[str | Model] | str | Model | None, workload: Workload) -> list[Model]:
    """The models that are meant; none is run if one of them cannot work."""
    if models is None:
        return [model for model in MODELS.values() if model.missing() is None and model.cannot(workload) is None]
    named = [models] if isinstance(models, str | Model) else list(models)
    chosen = [_model(each) for each in named]
    titles = [model.title for model in chosen]
    twice = next((title for title in titles if titles.count(title) > 1), None)
    if twice is not None or not titles:
        got = "none" if not titles else f"{twice!r} twice"
        raise ModelError(f"expected models, each of them once, got {got}: leave models out for all that work here")
    for model in chosen:
        model.check(workload)
    return chosen


def _model(named: str | Model) -> Model:
    if isinstance(named, Model):
        return named
    if named not in MODELS:
        raise ModelError(f"expected models among {', '.join(MODELS)}, got {named!r}: see playground.models")
    return MODELS[named]


def carried_out(model: Model, workload: Workload, *, timeout_s: float, record: bool) -> ModelRun:
    """What a model does with a workload, in a process of its own; see `experiment`."""
    model.check(workload)
    began_ns = perf_counter_ns()
    jobs = Jobs(workload, loops_of_a_unit(), replace(senses(), shares_lock=model.shares_lock))
    if has_processes():
        apart = run_apart(carry_out, model, jobs, record, flavour=model.flavour, timeout_s=timeout_s)
    else:
        apart = run_here(carry_out, model, jobs, record)
    return _run(model, workload, apart, began_ns, timeout_s)


def _run(model: Model, workload: Workload, apart: Apart, began_ns: int, timeout_s: float) -> ModelRun:
    report = apart.result if isinstance(apart.result, Report) else Report(left_of(apart.left), None)
    outcomes = {number: _read(outcome) for number, outcome in report.outcomes.items()}
    trace = gathered(
        model,
        apart.rows,
        {number: outcome for number, (outcome, _) in outcomes.items()},
        report.recording,
        dropped=apart.dropped,
        ending=_ending(apart, workload.jobs, timeout_s),
        ended_ns=apart.ended_ns,
    )
    start_ns, stop_ns = span_ns(apart.rows, apart.ended_ns)
    return ModelRun(
        model.title,
        trace,
        [outcomes[number][1] if number in outcomes else None for number in range(workload.jobs)],
        _errors(outcomes),
        output=apart.out + apart.err,
        ending=apart.ending,
        failure=apart.error,
        wall_s=(stop_ns - start_ns) / 1e9,
        cpu_s=apart.cpu_s,
        overhead_s=(perf_counter_ns() - began_ns - (stop_ns - start_ns)) / 1e9,
    )


def _ending(apart: Apart, jobs: int, timeout_s: float) -> str:
    """How a model ended that did not return, and how far it had come: `timed out after 2 s, 1 of 4 jobs over`."""
    if apart.ending == "returned" or apart.error is None:
        return ""
    if apart.ending == "timed out":
        how = f"timed out after {timeout_s:g} s"
    elif apart.ending == "crashed":
        # of a signal its name: what may have sent it is told by `ModelRun.failure`
        killed = apart.error.message.partition(",")[0].partition(":")[0]
        by_itself = apart.status is not None and apart.status >= 0
        how = f"crashed: {f'exit code {apart.status}' if by_itself else killed}"
    else:
        how = f"raised {apart.error.type}"
    over = {row.job for row in apart.rows if row.kind in (Moment.RETURNED, Moment.RAISED, Moment.CANCELLED)}
    return f"{how}, {len(over):,} of {jobs:,} {'job' if jobs == 1 else 'jobs'} over"


def _read(outcome: Outcome) -> tuple[Outcome, Any]:
    """What came of a job, and its result, if that can be had here."""
    if outcome.result is None:
        return outcome, None
    try:
        return outcome, received(outcome.result)
    except ModelError as error:
        return replace(outcome, failure=Failure("ModelError", str(error), "")), None


def _errors(outcomes: Mapping[int, tuple[Outcome, Any]]) -> dict[int, Failure]:
    return {number: outcome.failure for number, (outcome, _) in sorted(outcomes.items()) if outcome.failure is not None}
