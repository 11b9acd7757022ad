"""Which request a task worked for, in a recording that goes on: asked for each step, answered from what is known then.

It says what `segments.Owners` says of a finished one. A task is looked up once, at its first step, where its nearest
ancestor that called the app is found. It knows tasks and requests by their rows, and nothing of lanes.
"""

from playground.trace.build import Reading
from playground.trace.groups import during

__all__ = ["LiveOwners"]


class LiveOwners:
    """The owners of one `Reading`'s tasks; all tasks are pointers.

    Attributes:
        free: the tasks that are known to work for no request.
        last: by task, its last step.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._calls: dict[int, list[int]] = {}  # by task, the requests in which it called the app, in order
        self._caller: dict[int, int] = {}  # by task, it or its nearest ancestor that called the app; 0 for none
        self.free: set[int] = set()
        self.last: dict[int, int] = {}

    def called(self, request: int) -> None:
        """A request came in."""
        task = self._reading.requests.columns["task"][request]
        if task:
            self._calls.setdefault(task, []).append(request)
            self._caller[task] = task
            self.free.discard(task)

    def ran(self, task: int, step: int) -> None:
        """A task has run a step."""
        self.last[task] = step

    def last_step(self, task: int) -> int:
        """The last step that a task has run; 0 for none."""
        return self.last.get(task, 0)

    def at(self, task: int, start_ns: int, end_ns: int) -> int | None:
        """The request that a task worked for in a step, or `None`."""
        caller = self._caller.get(task)
        if caller is None:
            caller = self._caller[task] = self._find(task)
            if not caller:
                self.free.add(task)
        if not caller:
            return None
        calls = self._calls[caller]
        if len(calls) == 1:
            return calls[0]
        if caller != task:
            start_ns = end_ns = self._made_ns(task, caller)
        columns = self._reading.requests.columns
        return during(calls, columns["start_ns"], columns["end_ns"], start_ns, end_ns)

    def _find(self, task: int) -> int:
        parents = self._reading.tasks.columns["parent"]
        while task and task not in self._calls:
            task = parents[task - 1]
        return task

    def _made_ns(self, task: int, caller: int) -> int:
        """When the task was made that leads from the caller to a task."""
        columns = self._reading.tasks.columns
        while columns["parent"][task - 1] != caller:
            task = columns["parent"][task - 1]
        return columns["created_ns"][task - 1]
