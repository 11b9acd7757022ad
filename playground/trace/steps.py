"""From events to steps and waits, as columns that grow: absolute times, who went on when, who waited for how long.

A wait ends when what it waited for has happened. If the step that made a task ready was only a library's
callback (a timer's, or one that a worker thread posted), what it passes on happened when that callback itself
became ready; so a sleep that is over while the loop is blocked ends at its due time, and the rest is queueing.

Everything here is done a piece of events at a time and never again, so that a picture of a recording that goes on
costs what is new in it. A pointer to a step is its place among the steps kept, from 1, as in a `table`.
"""

from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, islice
from operator import add, sub
from typing import Final

from playground.trace.events import Fields
from playground.trace.kept import FIRST_ENDING
from playground.trace.recorder import OUTCOMES
from playground.trace.sites import WAITS, Sites
from playground.trace.table import Names
from playground.trace.tables import NO_INT, WORDS, columns_of

__all__ = ["WAITING", "Places", "Steps"]

_CALLBACK: Final = OUTCOMES.index("callback")
_WAITS: Final = OUTCOMES.index("waits")

WAITING: Final = WORDS["StepOutcome"].index("waits")
_WORD: Final = bytes(WORDS["StepOutcome"].index(outcome) for outcome in OUTCOMES)
_WORD_OF: Final = _WORD + bytes(256 - len(_WORD))
_ON: Final = bytes(WORDS["WaitOn"].index(on) for on in WAITS)

Where = tuple[int, int, int]
"""Kind, code and instruction offset."""


class Places(dict[int, int]):
    """Pointers to sites by place: a code's number, and the instruction's offset times 65,536.

    Attributes:
        own: the pointers to sites in the user's own code.
    """

    def __init__(self, sites: Sites, names: Names) -> None:
        super().__init__()
        self.own: set[int] = set()
        self._sites = sites
        self._names = names

    def __missing__(self, place: int) -> int:
        code = place & 0xFFFF
        pointer = self[place] = self._names.site(self._sites.site(code, place >> 16))
        if self._sites.is_own(code):
            self.own.add(pointer)
        return pointer


class _Glue(dict[int, bool]):
    """Whether the callback at a place is a library's, so that it only passes on what has already happened."""

    def __init__(self, sites: Sites) -> None:
        super().__init__()
        self._sites = sites

    def __missing__(self, place: int) -> bool:
        glue = self[place] = self._sites.is_glue(place & 0xFFFF)
        return glue


class Steps:
    """The steps and waits of a recording so far.

    Args:
        sites, places: what codes and offsets stand for.
        dropped: how many events came before the first that is kept.
        at_ns: when the last of those ended, in nanoseconds since the recording began.

    Attributes:
        columns, waits: the tables' columns; a wait that is not over ends at `NO_INT`.
        wait_of: for each wait, the step at whose end it began; 0 for one in which a task stood at the beginning.
        following: for each step, the next one of its task; 0 if there is none.
        first: by the pointer of the task, its first step.
        ended_ns: by the pointer of the task, the end of the step in which it ended, or `NO_INT`.
        ready_ns: by the pointer of the step, when it became ready.
        open_waits: by the pointer of the task, its wait that is not over.
        most_ready: how many callbacks were ready at once, the running one included, in the steps added since this was
            set to `None`, which a reader may do.
        until_ns: when the last step ended.
    """

    def __init__(self, sites: Sites, places: Places, dropped: int, at_ns: int) -> None:
        self.columns = {name: array(code) for name, code in columns_of("steps").items()}
        self.waits = {name: array(code) for name, code in columns_of("waits").items()}
        self.wait_of = array("I")
        self.following = array("I")
        self.first = array("I", [0])
        self.ended_ns = array("q", [NO_INT])
        self._places = places
        self._dropped = dropped
        self.until_ns = at_ns
        self._last = array("I", [0])
        self.ready_ns = array("q", [0])
        self._glue = bytearray(1)  # by the step's pointer, whether it was a library's callback
        self._is_glue = _Glue(sites)
        self.open_waits: dict[int, int] = {}
        self.most_ready: int | None = None

    def __len__(self) -> int:
        return len(self.following)

    def pointer(self, number: int) -> int:
        """The pointer to a step by its number in the recording, counted from 0; 0 if it is not kept, or not over."""
        step = number + 1 - self._dropped
        return step if 0 < step <= len(self) else 0

    def stands(self, task: int, start_ns: int, where: Where) -> None:
        """A task stood in a wait when the recording began. To be told before the first step."""
        kind, code, offset = where
        self.open_waits[task] = self._wait(0, task, start_ns, kind, self._places[code | offset << 16])

    def grow(self, tasks: int) -> None:
        """Make room for tasks up to the pointer `tasks`."""
        more = tasks + 1 - len(self.first)
        if more > 0:
            self.first.frombytes(bytes(4 * more))
            self._last.frombytes(bytes(4 * more))
            self.ended_ns.extend([NO_INT] * more)

    def add(self, events: Fields, tasks: "array[int]") -> None:
        """Add events that follow on those before.

        Args:
            tasks: for each event, the pointer to its task.
        """
        ends = array("q", islice(accumulate(map(add, events.gap, events.duration), initial=self.until_ns), 1, None))
        if not ends:
            return
        self.until_ns = ends[-1]
        self.most_ready = max(self.most_ready or 0, *events.left)
        starts = array("q", map(sub, ends, events.duration))
        sites = array("I", map(self._places.__getitem__, events.place))
        columns = self.columns
        columns["task"].extend(tasks)
        columns["start_ns"].extend(starts)
        columns["duration_ns"].extend(iter(events.duration))
        columns["woken_by"].extend(wakers := self._wakers(events.waker))
        columns["outcome"].frombytes(bytes(events.outcome).translate(_WORD_OF))
        columns["site"].extend(sites)
        before = len(self)
        self.following.frombytes(bytes(4 * len(ends)))
        self._place_ready(before, wakers, map(sub, starts, events.ready), events)
        self._chain(before, tasks, events, ends, sites)

    def _wakers(self, numbers: Sequence[int]) -> "array[int]":
        dropped = self._dropped
        if not dropped:
            return array("I", numbers)
        return array("I", [number - dropped if number > dropped else 0 for number in numbers])

    def _place_ready(self, step: int, wakers: Sequence[int], since: Iterable[int], events: Fields) -> None:
        """When each step became ready."""
        ready, glue, is_glue = self.ready_ns, self._glue, self._is_glue
        for waker, ready_ns, outcome, place in zip(wakers, since, events.outcome, events.place, strict=True):
            step += 1
            if waker and glue[waker if waker < step else 0] and ready[waker] < ready_ns:
                ready.append(ready[waker])
            else:
                ready.append(ready_ns if ready_ns > 0 else 0)
            glue.append(outcome == _CALLBACK and is_glue[place])
            if waker >= step:  # put into the queue during another recording
                self.columns["woken_by"][step - 1] = 0

    def _chain(
        self, step: int, tasks: Sequence[int], events: Fields, ends: Sequence[int], sites: Sequence[int]
    ) -> None:
        """Which step of a task follows which, and the waits between them."""
        first, last, following = self.first, self._last, self.following
        open_waits, ends_of, starts_of = self.open_waits, self.waits["end_ns"], self.waits["start_ns"]
        for task, outcome, kind, end, site in zip(tasks, events.outcome, events.kind, ends, sites, strict=True):
            step += 1
            if not task:
                continue
            if before := last[task]:
                following[before - 1] = step
            else:
                first[task] = step
            last[task] = step
            if open_waits and (wait := open_waits.pop(task, 0)):
                ends_of[wait - 1] = max(starts_of[wait - 1], self.ready_ns[step])
            if outcome == _WAITS:
                open_waits[task] = self._wait(step, task, end, kind, site)
            elif outcome >= FIRST_ENDING:
                self.ended_ns[task] = end

    def _wait(self, step: int, task: int, start_ns: int, kind: int, site: int) -> int:
        waits = self.waits
        self.wait_of.append(step)
        waits["task"].append(task)
        waits["start_ns"].append(start_ns)
        waits["end_ns"].append(NO_INT)
        waits["on"].append(_ON[kind])
        waits["site"].append(site)
        return len(self.wait_of)

    def close(self, ends_ns: "array[int]", duration_ns: int) -> None:
        """Let the waits that are not over end with the recording.

        Args:
            ends_ns: the waits' ends, or a copy of them.
        """
        for wait in self.open_waits.values():
            ends_ns[wait - 1] = max(self.waits["start_ns"][wait - 1], duration_ns)
