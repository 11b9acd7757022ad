"""How background tasks are called, and whose threads they take."""

import threading

import anyio
import anyio.lowlevel
import pytest

from playground.web.background import BackgroundTask, BackgroundTasks
from playground.web.concurrency import run_in_threadpool

from .exchange import Backend, run

BACKENDS: list[Backend] = ["asyncio", "trio"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_tasks_with_a_limiter_of_their_own_leave_the_shared_threads_alone(backend: Backend) -> None:
    release = threading.Event()

    async def main() -> int:
        own = anyio.CapacityLimiter(1)
        shared = anyio.to_thread.current_default_thread_limiter()
        shared.total_tokens = 1
        tasks = BackgroundTasks(limiter=own)
        tasks.add_task(release.wait)
        async with anyio.create_task_group() as group:
            group.start_soon(tasks)
            while own.borrowed_tokens == 0:
                await anyio.lowlevel.checkpoint()
            used = int(shared.borrowed_tokens)
            await run_in_threadpool(release.set)  # takes the one shared thread while the task waits
        return used

    assert run(main, backend) == 0


def test_a_task_has_the_shared_threads_unless_it_is_given_others() -> None:
    task = BackgroundTask(int)
    assert task.limiter is None
    tasks = BackgroundTasks([task])
    tasks.add_task(int)
    assert [each.limiter for each in tasks.tasks] == [None, None]


def test_a_task_passes_arguments_and_the_functions_own_limiter() -> None:
    given: list[object] = []

    def note(*args: object, limiter: object = None) -> None:
        given.extend([*args, limiter])

    run(BackgroundTask(note, 1, limiter="the function's"))
    assert given == [1, "the function's"]
