"""Which tasks of a recording are somebody's work, and which only keep a loop or end it.

The last are told by their names and coroutines, which asyncio, trio, IPython's kernel and a lab give them: nobody who
reads of a run has made them, and in a picture or a count they would be a riddle. How tasks are shown is not known here.
"""

import re
from typing import Final

from playground.trace import Trace
from playground.views.bulk import numbers, values
from playground.views.remembered import remembered

__all__ = ["shown_tasks"]

# Nobody's work, by name and coroutine: what asyncio.run does at its end, on uvloop too; trio's own.
_OWN: Final = re.compile(
    r".* (BaseEventLoop|Loop)\.shutdown_(asyncgens|default_executor)"
    r"|<init> Runner\.init|<TrioToken\.run_sync_soon task> EntryQueue\.task"
)
# What keeps a loop that a lab has, that `watch` makes in a cell, or that a notebook's kernel has; and an app's
# lifespan, which waits to be shut down.
_KEEPERS: Final = re.compile(
    r"lab _main|lifespan _Life\._run|Task-\d+ (_beside\.<locals>\.recorded|Recordings\._record"
    r"|Kernel\.\w+|_async_in_context\.<locals>\.run_in_context)"
)


@remembered
def shown_tasks(trace: Trace) -> tuple[int, ...]:
    """All tasks but those that are known to be nobody's work: a loop's own, and what keeps one and ran not once."""
    (names, name), (coroutines, coroutine) = (values(trace, "tasks", each) for each in ("name", "coroutine"))
    parents, ran = numbers(trace, "tasks", "parent"), set(numbers(trace, "steps", "task"))
    shown = []
    for task, parent in enumerate(parents):
        known = f"{name[names[task]]} {coroutine[coroutines[task]]}"
        keeps = not parent and task + 1 not in ran and _KEEPERS.fullmatch(known)
        if not keeps and not _OWN.fullmatch(known):
            shown.append(task)
    return tuple(shown)
