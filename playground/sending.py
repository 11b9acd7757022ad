"""How a run's requests are sent, on the lab's loop: all at once, or each at its moment, whoever has been answered.

It decides when each is sent, and that all answers are waited for. What is sent, and how it is answered, is for `orders`
and `host` to know.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

from playground.host import Answered, Host, Prepared

__all__ = ["send_at", "send_at_once"]


async def send_at_once(host: Host, requests: Sequence[Prepared]) -> list[Answered]:
    """Send all, and give their answers in the same order."""
    async with asyncio.TaskGroup() as group:
        began = time.perf_counter()
        tasks = [group.create_task(host.exchange(each, began), name=each.label) for each in requests]
    return [task.result() for task in tasks]


async def send_at(
    host: Host,
    moments_s: Iterable[float],
    prepare: Callable[[int], Prepared],
    sent: Callable[[int, float], object],
) -> list[Answered]:
    """Send a request at each of these moments, and give the answers in that order.

    Args:
        host: what answers.
        moments_s: when, on the loop's clock, in seconds from now.
        prepare: gives the request of that number, from 0, when its time has come.
        sent: told how many have been sent, and the moment of the last.
    """
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    tasks = []
    async with asyncio.TaskGroup() as group:
        for index, moment_s in enumerate(moments_s):
            if (delay_s := began_s + moment_s - loop.time()) > 0:
                await asyncio.sleep(delay_s)
            each = prepare(index)
            tasks.append(group.create_task(host.exchange(each, time.perf_counter()), name=each.label))
            sent(index + 1, moment_s)
    return [task.result() for task in tasks]
