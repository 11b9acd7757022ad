"""The same computing work as plain calls, as coroutines that are awaited, and as tasks: what one call takes.

It measures in a child of its own, on an event loop of the standard library, and judges nothing. What is done between
the calls is the same each way: a loop in a function, over as many calls.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter_ns

from playground.models.claims.rounds import in_turn, uncollected

__all__ = ["AWAITED", "PLAIN", "TASKS", "time_calls"]

PLAIN = "plain calls"
AWAITED = "coroutines, awaited"
TASKS = "tasks, awaited"


def _work(additions: int) -> int:
    total = 0
    for number in range(additions):
        total += number
    return total


async def _work_async(additions: int) -> int:
    total = 0
    for number in range(additions):
        total += number
    return total


def _plain(calls: int, additions: int) -> float:
    start_ns = perf_counter_ns()
    for _ in range(calls):
        _work(additions)
    return (perf_counter_ns() - start_ns) / calls


async def _awaited(calls: int, additions: int) -> float:
    start_ns = perf_counter_ns()
    for _ in range(calls):
        await _work_async(additions)
    return (perf_counter_ns() - start_ns) / calls


async def _tasks(calls: int, additions: int) -> float:
    start_ns = perf_counter_ns()
    tasks = [asyncio.create_task(_work_async(additions)) for _ in range(calls)]
    for task in tasks:
        await task
    return (perf_counter_ns() - start_ns) / calls


def time_calls(calls: int, additions: int, rounds: int) -> dict[str, list[float]]:
    """What one call took in each round, in ns, for each way to call; round by round in turn."""
    loop = asyncio.new_event_loop()
    measures: dict[str, Callable[[], float]] = {
        PLAIN: lambda: _plain(calls, additions),
        AWAITED: lambda: loop.run_until_complete(_awaited(calls, additions)),
        TASKS: lambda: loop.run_until_complete(_tasks(calls, additions)),
    }
    try:
        with uncollected():
            for measure in measures.values():
                measure()  # the interpreter adapts its bytecode to what it has seen
            return in_turn(measures, rounds)
    finally:
        loop.close()
