"""What an async function's jobs did, by the recording of the loop that they ran on.

A coroutine of somebody else's cannot be looked into from within; but each job has a task of its own, called `job 3`,
and the recording tells every step and every wait of it. It decides nothing: a step is a run, but for the sleeps in it
of which the job has told; a wait is a wait, and what lies between the end of a wait and the next step is a job that was
ready.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from playground.trace import Job, Segment, SegmentKind, Trace

__all__ = ["stretches_of_tasks", "task_name"]

_Piece = tuple[SegmentKind, int, int]

_FOREVER: Final = 1 << 62


def task_name(number: int) -> str:
    """What the task of a job is called."""
    return f"job {number}"


def stretches_of_tasks(
    loop: Trace, jobs: Sequence[Job], workers: Mapping[int, int], told: Sequence[Segment]
) -> Iterator[Segment]:
    """What jobs did from their beginning to their end.

    How much processor time a step took is not told.

    Args:
        loop: the recording, which counts time from the same moment as the jobs.
        jobs: all of them.
        workers: who carried out those that are asked for, by their indexes.
        told: what the jobs themselves have told.
    """
    of_job: dict[int, list[Segment]] = {index: [] for index in workers}
    for segment in sorted(told, key=lambda each: each.start_ns):
        if segment.job in of_job:
            of_job[segment.job].append(segment)
    tasks = {task.name: index for index, task in enumerate(loop.tasks)}
    for index, worker in workers.items():
        job = jobs[index]
        task = tasks.get(task_name(job.number))
        if task is None or job.started_ns is None:
            continue
        last_ns = _FOREVER if job.ended_ns is None else job.ended_ns
        for kind, start_ns, end_ns in _pieces(loop, task):
            piece = max(start_ns, job.started_ns), min(end_ns, last_ns)
            for from_ns, until_ns in _besides(piece, of_job[index]) if kind == "run" else [piece]:
                if from_ns < until_ns:
                    yield Segment(index, kind, from_ns, until_ns, None if kind == "run" else 0, worker)


def _pieces(loop: Trace, task: int) -> Iterator[_Piece]:
    """The runs, waits and times of being ready of a task, in order."""
    waits = {loop.waits[index].start_ns: loop.waits[index] for index in loop.waits_of.get(task, ())}
    ready_ns: int | None = None
    for index in loop.steps_of.get(task, ()):
        step = loop.steps[index]
        if ready_ns is not None:
            yield "ready", ready_ns, step.start_ns
        yield "run", step.start_ns, step.end_ns
        wait = waits.get(step.end_ns)
        ready_ns = step.end_ns if wait is None else wait.end_ns
        if wait is not None:
            yield "wait", wait.start_ns, wait.end_ns


def _besides(piece: tuple[int, int], told: Sequence[Segment]) -> Iterator[tuple[int, int]]:
    """What is left of a stretch where a job told nothing of it."""
    from_ns, until_ns = piece
    for segment in told:
        if from_ns < segment.end_ns and segment.start_ns < until_ns:
            yield from_ns, segment.start_ns
            from_ns = segment.end_ns
    yield from_ns, until_ns
