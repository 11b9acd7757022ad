"""The lanes of a recording that goes on: what is new in it is laid out and added, and nothing is gone through twice.

It lays out what `lanes` does, from the columns of a `Reading` and not from a `Trace`, whose making costs as much as
all that was recorded. Less is told than of a finished run: not which part of the app a step was in, and no short
steps that only together held the loop. What it does tell is the same, so the finished picture takes nothing back but
what nobody could know: where a request waits at the last look, it may have gone on since.
"""

from bisect import bisect_left
from collections import deque
from operator import add, sub
from typing import Final

from playground.trace.build import Reading
from playground.trace.steps import WAITING, Steps
from playground.trace.tables import NO_INT, WORDS
from playground.views.kinds import BLOCKED, OTHER, RUN, WAIT_KIND
from playground.views.lanes import NO_REQUEST, Arrows, RequestFacts, What
from playground.views.live_calls import LiveCalls
from playground.views.live_held import Held, LiveHeld
from playground.views.live_owners import LiveOwners
from playground.views.live_rows import NEVER, Going, LiveRow, Places, Telling
from playground.views.wording import failed, label

__all__ = ["LiveLanes"]

_KIND_OF: Final = [WAIT_KIND[on] for on in WORDS["WaitOn"]]  # type: ignore[index]
Ran = tuple[int, int, int, int, int]
"""What a step ran: start, end and kind, and pointers to where it stood and to the call there."""

_YIELDS: Final = WORDS["StepOutcome"].index("yields")


class LiveLanes:
    """The lanes of one `Reading`, to be grown whenever that has read what is new.

    Attributes:
        rows: in the order in which they came up; the first two are the loop's and what is inside its steps.
        whats: what spans are called, each once.
        requests: what is said of each request.
        changed: the requests of which something else is said than the last time.
        arrows: hand-offs.
        duration_ns: the moment of the last look.
        queue: how many steps queued behind one that ended since the look before, at most; `None` if none did.
        lag_ns: for how long, at most, a step that ended since the look before had been ready; `None` if none did.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.loop, self.inside = LiveRow("loop", 0, "Event loop"), LiveRow("inside", 0, "inside steps")
        self.rows = [self.loop, self.inside]
        self.whats: list[What] = []
        self.requests: list[RequestFacts] = []
        self.changed: set[int] = set()
        self.arrows = Arrows()
        self.duration_ns = 0
        self.lag_ns: int | None = None
        self.queue: int | None = None
        self.going: dict[int, Going] = {}
        self.held = LiveHeld(reading)
        self.owners = LiveOwners(reading)
        self.calls = LiveCalls(self)
        self._what_of: dict[tuple[int, int, int], int] = {}
        self._seen = 0  # steps
        self._own: dict[int, deque[Going]] = {}  # by task, the requests in which it called the app and that go on
        self._places = Places()
        self._lanes: list[tuple[LiveRow, LiveRow]] = []

    @property
    def steps(self) -> Steps:
        """The steps as far as they are read."""
        assert self.reading.steps is not None
        return self.reading.steps

    def grow(self) -> None:
        """Add what the reading has read since."""
        for row in self.rows:
            row.cut(row.firm)
        self._take_requests()
        self.calls.take()
        self.duration_ns = self.reading.lasts_ns()  # asked last, so that nothing that was read is later
        self._take_steps()
        for row in self.rows:
            row.firm = len(row)
        self._draw_open()

    def what(self, name: int, site: int, call: int = 0) -> int:
        """The number of a name at a place, all given as pointers."""
        key = name, site, call
        number = self._what_of.setdefault(key, len(self.whats))
        if number == len(self.whats):
            names = self.reading.names
            at = names.sites[site]
            place = (at.file, at.line, at.function, at.text) if at else ("", 0, "", "")
            self.whats.append(What(names.strings[name] or "", *place, names.strings[call] or ""))
        return number

    def row(self, row: LiveRow) -> LiveRow:
        """One more row."""
        self.rows.append(row)
        return row

    # -- requests -----------------------------------------------------------------------------------------------

    def _take_requests(self) -> None:
        columns = self.reading.requests.columns
        starts, ends = columns["start_ns"], columns["end_ns"]
        for going in self.going.values():
            index = going.index
            if going.end_ns == NEVER:
                self._say(index)
                going.start_ns, going.label = starts[index], self._label(index)
                if ends[index] != NO_INT:
                    going.end_ns = ends[index]
                    self._places.ends(going.row.lane, going.end_ns)
        new = range(len(self.requests), len(starts))
        for index in new:
            self.requests.append(self._facts(index))
            self.changed.add(index)
            self.owners.called(index)
        for index in sorted(new, key=lambda index: (starts[index], ends[index] if ends[index] != NO_INT else NEVER)):
            self._begin(index)

    def _begin(self, index: int) -> None:
        columns = self.reading.requests.columns
        start_ns, end_ns = columns["start_ns"][index], columns["end_ns"][index]
        lane = self._places.place(start_ns)
        if lane == len(self._lanes):
            name = f"lane {lane + 1}"
            self._lanes.append((self.row(LiveRow("request", lane, name)), self.row(LiveRow("life", lane, name))))
        going = Going(index, columns["task"][index], start_ns, NEVER, self._label(index), *self._lanes[lane])
        going.floor = len(going.row)
        self.going[index] = going
        if end_ns != NO_INT:
            going.end_ns = end_ns
            self._places.ends(lane, end_ns)
        if going.task:
            self._own.setdefault(going.task, deque()).append(going)

    def _say(self, index: int) -> None:
        facts = self._facts(index)
        if facts != self.requests[index]:
            self.requests[index] = facts
            self.changed.add(index)

    def _facts(self, index: int) -> RequestFacts:
        """What is known of a request now."""
        columns, strings = self.reading.requests.columns, self.reading.names.strings
        number, status = columns["number"][index], columns["status"][index]
        method, path, route, error = (strings[columns[name][index]] for name in ("method", "path", "route", "error"))
        answered = None if status == NO_INT else status
        called = label(method or "", route, path or "")
        return RequestFacts(number, called, path or "", answered, error, failed(answered, error))

    def _label(self, index: int) -> int:
        """The pointer to what a request is called, as far as that is said."""
        return self.reading.names.string(self.requests[index].label)

    # -- steps --------------------------------------------------------------------------------------------------

    def _take_steps(self) -> None:
        """Lay out the steps that are new, in order of time: in the loop's row and in those of their requests.

        Of a hundred thousand a second most are steps of tasks that work for no request, so these take the short way.
        """
        steps, owners, loop = self.steps, self.owners, self.loop
        columns = steps.columns
        first, self._seen = self._seen, len(steps)
        starts, durations, sites = (columns[name][first:] for name in ("start_ns", "duration_ns", "site"))
        self.lag_ns = max(map(sub, starts, steps.ready_ns[first + 1 :]), default=None)
        self.queue, steps.most_ready = None if steps.most_ready is None else steps.most_ready - 1, None
        blocked, unheard = self.held.blocks(first), self.calls.unheard
        coroutines, known, free, last = self.reading.tasks.columns["coroutine"], self._what_of, owners.free, owners.last
        kinds, whats, requests = bytearray(), list[int](), list[int]()
        rows = zip(range(first + 1, len(steps) + 1), columns["task"][first:], starts, durations, sites, strict=True)
        for step, task, start_ns, duration_ns, site in rows:
            if task in free and step not in blocked and task not in unheard:
                kinds.append(OTHER)
                whats.append(known.get((coroutines[task - 1], site, 0), -1))
                requests.append(NO_REQUEST)
                if whats[-1] < 0:
                    whats[-1] = self.what(coroutines[task - 1], site)
                last[task] = step
                continue
            kind, what, request = self._step(step, task, (start_ns, start_ns + duration_ns), blocked.get(step), site)
            kinds.append(kind)
            whats.append(what)
            requests.append(NO_REQUEST if request is None else request)
        loop.starts.extend(iter(starts))
        loop.ends.extend(map(add, starts, durations))
        loop.kinds.extend(kinds)
        loop.whats.extend(whats)
        loop.requests.extend(requests)
        for look in self.held.inside():
            self._look_inside(*look)
        self._forget()

    def _step(
        self, step: int, task: int, times: tuple[int, int], block: Held | None, site: int
    ) -> tuple[int, int, int | None]:
        """Lay one step out in its request's row; gives its kind, what and request for the loop's."""
        request = self.owners.at(task, *times) if task else None
        kind = BLOCKED if block is not None else OTHER if request is None else RUN
        where = Held(site, 0) if block is None else block
        what = self.what(self._name(task, request, where.site), *where)
        if task in self._own:
            self._ran_own(step, task, (*times, kind, *where))
        elif request is not None and (its := self.going.get(request)) is not None:
            self._ran(its, task, (*times, kind, *where))
        if task:
            self.owners.ran(task, step)
            self.calls.ran(task, step, times[0])
        return kind, what, request

    def _name(self, task: int, request: int | None, site: int) -> int:
        if request is not None:
            its = self.going.get(request)
            return its.label if its else self._label(request)
        if task:
            return self.reading.tasks.columns["coroutine"][task - 1]
        at = self.reading.names.sites[site]
        return self.reading.names.string(at.function if at else "callback")

    def _ran_own(self, step: int, task: int, ran: Ran) -> None:
        """A step of a task that called the app: for each request of its that came in before the step was over."""
        start_ns, end_ns = ran[:2]
        queue = self._own[task]
        while queue and queue[0].is_past(start_ns):
            queue.popleft()
        for its in queue:
            if its.start_ns > end_ns:
                break
            self._ran(its, task, ran)
            self._stand(its, step)

    def _ran(self, its: Going, task: int, ran: Ran) -> None:
        """A step for a request: how its task stood until then, and what it ran."""
        start_ns, end_ns, kind, site, call = ran
        if its.own is None:
            self._stand(its, self.owners.last_step(its.task))
        ended_ns, ready_what = self._ended_ns(its), self.what(its.label, 0)
        if task == its.task:
            its.correct(ended_ns, ready_what)
        its.stand(start_ns, ended_ns, ready_what)
        name = its.label if task == its.task else self.reading.tasks.columns["coroutine"][task - 1]
        its.add(start_ns, end_ns, kind, self.what(name, site, call))

    def _stand(self, its: Going, step: int) -> None:
        """How a request's task stands after a step, or before its first."""
        steps, task = self.steps, its.task
        if not step:
            created_ns = self.reading.tasks.columns["created_ns"][task - 1]
            its.own = Telling(None if self.reading.dropped else created_ns)
        else:
            columns = steps.columns
            end_ns = columns["start_ns"][step - 1] + columns["duration_ns"][step - 1]
            outcome = columns["outcome"][step - 1]
            its.own = (
                self._waiting(its, step, end_ns) if outcome == WAITING else Telling(end_ns, ready=outcome == _YIELDS)
            )
        its.floor = len(its.row)

    def _waiting(self, its: Going, step: int, end_ns: int) -> Telling:
        """How a task stands after a step at whose end it waits; nothing is known if that wait was not recorded."""
        wait_of, waits = self.steps.wait_of, self.steps.waits
        at = bisect_left(wait_of, step)
        if at == len(wait_of) or wait_of[at] != step:
            return Telling(None)
        return Telling(end_ns, at + 1, _KIND_OF[waits["on"][at]], self.what(its.label, waits["site"][at]))

    def _ended_ns(self, its: Going) -> int:
        """When the wait in which a request's task stands was over."""
        ended_ns = self.steps.waits["end_ns"][its.own.wait - 1] if its.own is not None and its.own.wait else NO_INT
        return NEVER if ended_ns == NO_INT else ended_ns

    def _look_inside(self, step: int, start_ns: int, end_ns: int, site: int, call: int) -> None:
        columns = self.steps.columns
        task, began_ns, lasted_ns = (columns[name][step - 1] for name in ("task", "start_ns", "duration_ns"))
        request = self.owners.at(task, began_ns, began_ns + lasted_ns) if task else None
        kind = BLOCKED if self.held.is_block(step) else OTHER if request is None else RUN
        at = self.reading.names.sites[site]
        name = call if self.reading.names.strings[call] else self.reading.names.string(at.function if at else "")
        self.inside.add(start_ns, end_ns, kind, self.what(name, site), request)

    # -- what is not over ---------------------------------------------------------------------------------------

    def _forget(self) -> None:
        """Let go of requests of which nothing more can come."""
        until_ns = self.steps.until_ns
        for its in [its for its in self.going.values() if its.end_ns < until_ns]:
            its.life.add(its.start_ns, max(its.start_ns, its.end_ns), RUN, self.what(its.label, 0), its.index)
            del self.going[its.index]
            if its.task in self._own and not self._own[its.task]:
                del self._own[its.task]

    def _draw_open(self) -> None:
        """What goes on, up to the last look; while a step that is not over holds the loop, up to its beginning."""
        now_ns = self.duration_ns
        standing = self.held.standing()
        known_ns = now_ns if standing is None else self.steps.until_ns
        for its in self.going.values():
            if its.own is not None and its.own.wait:  # of one that is ready nobody knows whether it runs already
                its.stand(known_ns, min(self._ended_ns(its), known_ns), 0)
            its.life.add(
                its.start_ns, max(its.start_ns, min(its.end_ns, now_ns)), RUN, self.what(its.label, 0), its.index
            )
        self.calls.draw(now_ns)
        if standing is not None and standing.since_ns < now_ns:
            what = self.what(standing.call or self._name(0, None, standing.site), standing.site)
            self.loop.add(standing.since_ns, now_ns, BLOCKED if standing.is_long(now_ns) else OTHER, what, None)

    @property
    def not_over(self) -> int:
        """How many requests go on."""
        return sum(its.end_ns == NEVER for its in self.going.values())

    @property
    def at_once(self) -> int:
        """The most requests that went on at one time."""
        return self._places.count
