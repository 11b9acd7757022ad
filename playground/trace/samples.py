"""The looks of a sampler as rows: what was seen inside steps, and the collections that fell into them.

It decides which looks are rows: those that fall into the step that they were taken of. How long the thread could not
run is told with them as it was read; what that means is for `looks` and `blocks` to say.
"""

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from types import CodeType
from typing import Final

from playground.trace.lockout import STARTS, Lockouts
from playground.trace.looks import STARTING
from playground.trace.recorder import Recorder
from playground.trace.sampler import BEFORE, Look, Pause
from playground.trace.source import call_text, package_of
from playground.trace.steps import Steps
from playground.trace.table import Names
from playground.trace.tables import NO_INT, columns_of

__all__ = ["Samples"]

_Row = tuple[int, ...]
_Paused = tuple[int, int, int | None, Pause]
"""A step, when a collection began in it, what was read of the thread's delay then, and how it ended."""
_AT: Final = 1
"""Where a row has its moment."""


class Samples:
    """What becomes of a recorder's looks.

    Args:
        recorder: whose looks they are.
        names: where the strings and places go that the rows point to.
    """

    def __init__(self, recorder: Recorder, names: Names) -> None:
        self._recorder = recorder
        self._names = names
        self._seen: dict[tuple[int, int], tuple[int, int]] = {}

    def columns(self, steps: Steps, dropped: int, since: int = 0) -> "dict[str, array[int]]":
        """The looks in order of time; not those into the first steps.

        Args:
            steps: as far as they were read.
            dropped: how many steps came before them.
            since: how many of them are left out.
        """
        looks = self._taken(steps, dropped, since)
        pauses = [found for look in looks if (found := self._pause(look, steps)) is not None]
        lockouts = Lockouts({step: delay_ns for step, _, delay_ns, _ in reversed(pauses) if delay_ns is not None})
        rows = [row for look in looks if (row := self._row(look, look[0] - dropped, steps, lockouts)) is not None]
        rows += self._pauses([pause for pause in pauses if since < pause[0]], steps, lockouts)
        rows.sort(key=lambda row: row[_AT])  # what was known before a step was read in an earlier one
        columns = {name: array(code) for name, code in columns_of("samples").items()}
        for row in rows:
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
        return columns

    def seen(self, code: CodeType, offset: int) -> tuple[int, int]:
        """Pointers to a place and to the call at it."""
        sites = self._recorder.sites
        number = sites.number(code)
        if (number, offset) not in self._seen:
            call = call_text(code, offset, sites.met_s)
            self._seen[number, offset] = self._names.site(sites.site(number, offset)), self._names.string(call)
        return self._seen[number, offset]

    def _taken(self, steps: Steps, dropped: int, since: int) -> list[Look]:
        """The looks at later steps, and the collections that ended when these had begun, in order of time."""
        starts = steps.columns["start_ns"]
        from_ns = self._recorder.started_ns + (starts[since] if since < len(starts) else 0)
        taken = [
            look
            for look in self._recorder.looks.copy()
            if (look[5].ended_ns >= from_ns if isinstance(look[5], Pause) else look[0] > dropped + since)
        ]
        return sorted(taken, key=lambda look: look[1])

    def _row(self, look: Look, step: int, steps: Steps, lockouts: Lockouts) -> _Row | None:
        """The row of a look; `None` if it is of a collection, or not of a step that was read."""
        _, looked_ns, delay_ns, code, offset, known, called = look
        if isinstance(known, Pause) or step > len(steps):
            return None
        at_ns = looked_ns - self._recorder.started_ns
        start_ns, end_ns = _extent(steps, step)
        lock_ns = lockouts.at(step, min(at_ns, end_ns), start_ns, known, delay_ns)
        delay_ns = lockouts.delay_ns(step, at_ns, start_ns, end_ns, delay_ns)
        if offset == BEFORE:
            at_ns = max(at_ns, start_ns)
        site, call = 0, self._names.string("")
        if code is not None:
            if not start_ns <= at_ns <= end_ns:
                return None  # the step had ended while the thread that looked was kept waiting
            site, call = self.seen(code, offset)
        library = self._names.string(STARTING if called is STARTS else package_of(called))
        return step, at_ns, _or_none(delay_ns), site, call, _or_none(lock_ns), library, NO_INT

    def _pauses(self, pauses: Sequence[_Paused], steps: Steps, lockouts: Lockouts) -> Iterator[_Row]:
        """The rows of collections: one as each began, and one as it ended."""
        collected: dict[int, int] = defaultdict(int)
        nothing = self._names.string("")
        for step, began_ns, before_ns, pause in pauses:
            start_ns, end_ns = _extent(steps, step)
            began, ended = (began_ns, before_ns, 0), (pause.ended_ns, pause.delay_ns, pause.used_ns)
            for looked_ns, told_ns, used_ns in (began, ended):
                collected[step] += used_ns
                at_ns = looked_ns - self._recorder.started_ns
                delay_ns = _or_none(lockouts.delay_ns(step, at_ns, start_ns, end_ns, told_ns))
                yield step, max(start_ns, min(at_ns, end_ns)), delay_ns, 0, nothing, NO_INT, nothing, collected[step]

    def _pause(self, look: Look, steps: Steps) -> _Paused | None:
        """Into which step a collection fell, when it began, what was read then, and how it ended."""
        _, began_ns, delay_ns, _, _, known, _ = look
        if not isinstance(known, Pause):
            return None
        middle_ns = (began_ns + known.ended_ns) // 2 - self._recorder.started_ns
        step = bisect_right(steps.columns["start_ns"], middle_ns)
        if not step or _extent(steps, step)[1] < middle_ns:
            return None
        return step, began_ns, delay_ns, known


def _extent(steps: Steps, step: int) -> tuple[int, int]:
    """From when to when a step was, by its pointer."""
    start_ns = steps.columns["start_ns"][step - 1]
    return start_ns, start_ns + steps.columns["duration_ns"][step - 1]


def _or_none(value: int | None) -> int:
    return NO_INT if value is None else value
