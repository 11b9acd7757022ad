"""Plausible wrong answers to lesson 2's exercises."""

import asyncio
import time

from tests.course.answers import Wrong


async def sleeps_on_the_loop(number: int) -> int:
    time.sleep(0.05)
    return number * 10


async def forgets_to_wait(number: int) -> int:
    asyncio.sleep(0.05)  # type: ignore[unused-coroutine]  # on purpose
    return number * 10


async def only_tells(number: int) -> int:
    return number * 10


WRONG = [
    Wrong(
        "02.1",
        "gives-way-in-a-row",
        lambda: (9, 9, 0),
        2,
        "One by one, a job's wait is everybody's wait: the next is not begun before the job is over, so an interpreter "
        "only goes on to another job where one ends.",
    ),
    Wrong(
        "02.1",
        "once-a-job",
        lambda: (4, 4, 0),
        2,
        "Each job computes twice, before its wait and after. On the loop others come in between, so it has to be come "
        "back to: twice five stretches, and a switch from each to the next.",
    ),
    Wrong(
        "02.1",
        "processes-take-turns",
        lambda: (4, 9, 9),
        2,
        "Each process has an interpreter of its own, and here one job. It is the system that goes from one process to "
        "another; no interpreter has a second job to go to.",
    ),
    Wrong(
        "02.2",
        "one-loop-in-parallel",
        lambda: (["threads", "processes", "asyncio"], ["processes", "asyncio"]),
        1,
        "An event loop is one thread, and one thread does one thing at a time. Its jobs wait together, but they "
        "compute in turns: concurrent, and not parallel.",
    ),
    Wrong(
        "02.2",
        "threads-in-parallel",
        lambda: (["threads", "processes", "asyncio"], ["processes", "threads"]),
        1,
        "Threads of one Python share its interpreter's lock, and only who has it can compute. So they wait together "
        "and compute in turns; lesson 3 looks at that lock.",
    ),
    Wrong(
        "02.2",
        "one-by-one-at-once",
        lambda: (["sequential", "threads", "processes", "asyncio"], ["processes"]),
        1,
        "One by one is the way in which a job is over before the next is begun.",
    ),
    Wrong(
        "02.3",
        "holds-the-loop",
        lambda: (sleeps_on_the_loop,),
        2,
        "`async def` alone makes nothing wait politely: this keeps the loop's only thread for as long as it sleeps, "
        "and meanwhile no other job can even be begun. What waits has to be awaited.",
    ),
    Wrong(
        "02.3",
        "forgotten-await",
        lambda: (forgets_to_wait,),
        1,
        "`sleep` (at asyncio.sleep(0.05)  # type: ignore[unused-coroutine]  # on purpose) was called, and what that "
        "made was never awaited. Calling an async function runs nothing of it: it only makes a coroutine, which runs "
        "when it is awaited, or made a task.",
    ),
    Wrong(
        "02.3",
        "never-waits",
        lambda: (only_tells,),
        1,
        "It returns the right number, and does not wait for it: nothing was fetched in that time.",
    ),
]
