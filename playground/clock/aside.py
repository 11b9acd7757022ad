"""The loop that runs in this thread, put aside for a while: somebody else's code is to see none.

asyncio keeps for each thread which loop runs in it and which task that loop is in; both are as they were afterwards.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["loop_aside"]


@contextmanager
def loop_aside() -> Iterator[None]:
    """Within this, no loop runs in this thread, and it is in no task."""
    loop = asyncio._get_running_loop()
    task = None if loop is None else asyncio.current_task(loop)
    if loop is not None and task is not None:
        asyncio.tasks._leave_task(loop, task)
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)
        if loop is not None and task is not None:
            asyncio.tasks._enter_task(loop, task)
