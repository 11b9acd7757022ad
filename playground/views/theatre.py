"""The loop theatre: a recording as a play that a reader steps through, as columns for the browser and as plain text.

`stage` says who stood where at each step and `stage_words` what is said of it; here they become the packet that
`playground/widgets/src/theatre*.js` shows, and the first sentences as text for where nothing runs. What a page shows at
a place follows from the columns and the place alone; so going back, or anywhere, costs no more than going on.
"""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from playground.trace import Site, Trace
from playground.trace.columns import pack
from playground.trace.excerpts import excerpts
from playground.views.held import held_steps
from playground.views.kinds import BLOCKED, FUTURE, OTHER, RUN, WAIT_KIND
from playground.views.stage import Stage, Stay, stage
from playground.views.stage_words import IDLE_NS, Actor, Say, actor_of, name_of, plain, sayings, status_of, told
from playground.views.wording import counted, duration, let_go, one_line, summary

__all__ = ["MOST_STEPS", "Theatre", "sentences", "theatre", "theatre_packet"]

MOST_STEPS: Final = 200_000
"""Nobody steps through more; what comes after is counted."""

# zlib's level: as for the timeline's packet
_LEVEL: Final = 3


@dataclass(frozen=True)
class Theatre:
    """A recording as a play.

    Attributes:
        stage: who stood where, at each place: see `stage`.
        actors: what each actor is called, by number.
        said: the sentence of each step, in parts: see `stage_words.Say`.
        kinds: of each step, how it is drawn: it ran for a request, for none, or blocked the loop.
        sites: for each step the place in the source at which it stopped or which held the loop; `None` if not known.
        notes: what cannot be shown, in words.
    """

    trace: Trace
    stage: Stage
    actors: Sequence[Actor]
    said: Sequence[tuple[Say, ...]]
    kinds: Sequence[int]
    sites: Sequence[Site | None]
    notes: Sequence[str]

    def queued(self, place: int) -> int:
        """How many callbacks are seen in the ready queue at a place."""
        return bisect_right(self._queued_from, place) - min(place + 1, self.stage.steps)

    @cached_property
    def _queued_from(self) -> list[int]:
        return sorted(self.stage.queued_from)

    @cached_property
    def _lives(self) -> dict[int, int]:
        """By place, how long what ended there had lasted, in nanoseconds: a request's life before a task's."""
        lives: dict[int, int] = {}
        for ended in self.stage.ended:
            if ended.request is not None:
                lives.setdefault(ended.at, _life_ns(self.trace, ended.request, None))
        return lives

    def sentence(self, place: int) -> str:
        """What is said of a step, with what comes after it."""
        made = self.stage
        length_ns = self.trace.steps[place].duration_ns
        wakes, wait = made.wakes[place], made.waited[place]
        woke = None
        if wakes >= 0:
            more = made.woken[place] - 1
            woke = name_of(self.actors[made.actor[wakes]]) + (f" and {more:,} more" if more else "") + " ready"
        idle_ns = self.idle_ns(place)
        life_ns = self._lives.get(place + 1)
        values = {
            "who": name_of(self.actors[made.actor[place]]),
            "ran": duration(length_ns) if length_ns else None,
            "woke": woke,
            "wait": duration(self.trace.waits[wait].end_ns - self.trace.waits[wait].start_ns) if wait >= 0 else None,
            "life": None if life_ns is None else duration(life_ns),
            "queue": f"{self.queued(place):,}.",
            "idle": f"{duration(idle_ns)}." if idle_ns else None,
        }
        return plain(self.said[place], values)

    def idle_ns(self, place: int) -> int:
        """How long no step ran after one; 0 if that is not worth telling, or none came after it."""
        if place + 1 >= self.stage.steps:
            return 0
        idle_ns = self.trace.steps[place + 1].start_ns - self.stage.ends_ns[place]
        return idle_ns if idle_ns >= (1 if self.trace.clock == "virtual" else IDLE_NS) else 0


def theatre(trace: Trace, most_steps: int = MOST_STEPS) -> Theatre:
    """Make a recording into a play of its first `most_steps` steps."""
    made = stage(trace, most_steps)
    blocked = held_steps(trace)
    actors = [actor_of(trace, *row) for row in made.actors.rows]
    kinds, sites = [], []
    handlers = {span.request: span.site for span in trace.spans if span.kind == "handler" and span.site is not None}
    for index, step in enumerate(trace.steps[: made.steps]):
        request = made.actors.rows[made.actor[index]][1]
        kinds.append(BLOCKED if index in blocked else OTHER if request is None else RUN)
        site = blocked[index].site if index in blocked else step.site
        if site is None and made.before[index] < 0 and request is not None:
            site = handlers.get(request)  # it ended without having stopped anywhere
        sites.append(site)
    return Theatre(trace, made, actors, sayings(trace, made, blocked), kinds, sites, _notes(trace, made))


def _notes(trace: Trace, made: Stage) -> list[str]:
    notes = []
    if trace.dropped:
        notes.append(
            f"The recorder dropped {let_go(trace)}: where a task of that time stood is not shown until it runs again."
        )
    if made.steps < len(trace.steps):
        more = len(trace.steps) - made.steps
        notes.append(f"These are the first {made.steps:,} steps; {counted(more, 'more step')} of this run not shown.")
    return notes


def sentences(trace: Trace, most: int = 12) -> str:
    """The first sentences of the play as text, the rest counted."""
    play = theatre(trace, most_steps=min(MOST_STEPS, most + 1))  # one more, for what comes after the last
    lines = [f"Loop theatre of {one_line(trace.title)}: {summary(trace)}", ""]
    shown = min(most, play.stage.steps)
    width = len(str(shown))
    lines += (
        f"{place + 1:>{width}}  {duration(trace.steps[place].start_ns):>8}  {play.sentence(place)}"
        for place in range(shown)
    )
    if not shown:
        lines.append("No step was recorded.")
    if len(trace.steps) > shown:
        lines.append(f"And {counted(len(trace.steps) - shown, 'more step')}.")
    if trace.dropped:
        lines.append(_notes(trace, play.stage)[0])
    return "\n".join(lines)


# -- for the browser --------------------------------------------------------------------------------------


class _Table:
    """Values, each once, and their numbers from 1; 0 is none."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {None: 0}

    def __call__(self, value: Any) -> int:
        return self._numbers.setdefault(value, len(self._numbers))

    @property
    def values(self) -> list[Any]:
        return list(self._numbers)[1:]


def theatre_packet(trace: Trace) -> bytes:
    """Pack a recording's play for `playground/widgets/src`."""
    play = theatre(trace)
    names, sites, said = _Table(), _Table(), _Table()
    columns = {
        **_step_columns(play, sites, said),
        **_actor_columns(play, names),
        **_stay_columns(play, names),
        **_ended_columns(play, names),
    }
    threads = max((call.thread for call in trace.handoffs if call.thread is not None), default=-1) + 1
    header = {
        "view": "theatre",
        "title": trace.title,
        "clock": trace.clock,
        "dropped": trace.dropped,
        "summary": summary(trace),
        "idle_ns": 1 if trace.clock == "virtual" else IDLE_NS,
        "names": names.values,
        "said": said.values,
        "sites": [(site.file, site.line, site.function, site.text) for site in sites.values],
        "sources": excerpts(site for site, _ in Counter(filter(None, play.sites)).most_common()),
        "threads": threads,
        "notes": play.notes,
    }
    return pack(header, {name: _narrow(values) for name, values in columns.items()}, level=_LEVEL)


def _narrow(values: Sequence[int]) -> "array[Any]":
    """Counts and nanoseconds in the narrowest column that holds them; a float is exact up to 104 days of them."""
    most = max(values, default=0)
    code = next((code for code, bits in (("B", 8), ("H", 16), ("I", 32)) if most < 1 << bits), "d")
    return array(code, values)


def _differences(values: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise([0, *values])]


def _step_columns(play: Theatre, sites: _Table, said: _Table) -> Mapping[str, Sequence[int]]:
    made, trace = play.stage, play.trace
    steps = range(made.steps)
    waited = (trace.waits[wait] if wait >= 0 else None for wait in made.waited)
    return {
        "moment": _differences(made.ends_ns),
        "duration": [trace.steps[step].duration_ns for step in steps],
        "actor": list(made.actor),
        "kind": play.kinds,
        "said": [said(each) - 1 for each in play.said],
        "site": [sites(site) for site in play.sites],
        "before": _back(made.before),
        "queued_for": [step - made.queued_from[step] for step in steps],
        "queued_ns": [length_ns + 1 for length_ns in made.queued_ns],
        "carries": _ahead(made.carries),
        "wakes": _ahead(made.wakes),
        "woken": list(made.woken),
        "waited_ns": [0 if wait is None else wait.end_ns - wait.start_ns for wait in waited],
    }


def _ahead(column: "array[int]") -> list[int]:
    """Pointers to later steps as distances; 0 is none."""
    return [max(0, value - index) for index, value in enumerate(column)]


def _back(column: "array[int]") -> list[int]:
    """Pointers to earlier steps as distances; 0 is none."""
    return [index - value if value >= 0 else 0 for index, value in enumerate(column)]


def _actor_columns(play: Theatre, names: _Table) -> Mapping[str, Sequence[int]]:
    return {
        "actor_label": [names(actor.label) for actor in play.actors],
        "actor_tag": [0 if actor.request is not None else names(actor.tag) for actor in play.actors],
        "actor_request": [0 if actor.request is None else actor.request + 1 for actor in play.actors],
        "actor_task": [0 if actor.task is None else actor.task + 1 for actor in play.actors],
    }


def _stay_columns(play: Theatre, names: _Table) -> Mapping[str, Sequence[int]]:
    trace, made = play.trace, play.stage
    waits = [None if stay.row is None else trace.waits[stay.row] for stay in made.waits]
    calls = [trace.handoffs[stay.row] for stay in made.calls if stay.row is not None]
    entered, left = made.asked
    return {
        **_places("wait", made.waits),
        "wait_kind": [FUTURE if wait is None else WAIT_KIND[wait.on] for wait in waits],
        "wait_on": [names(told(None if wait is None else wait.on)) for wait in waits],
        "wait_text": [names(wait.site.text if wait is not None and wait.site is not None else "") for wait in waits],
        "wait_start": [
            made.ends_ns[stay.enters - 1] if wait is None else wait.start_ns
            for stay, wait in zip(made.waits, waits, strict=True)
        ],
        "wait_ns": [
            0 if wait is None or wait.end_ns >= trace.duration_ns else wait.end_ns - wait.start_ns + 1 for wait in waits
        ],
        **_places("call", made.calls),
        "call_thread": [call.thread or 0 for call in calls],
        "call_name": [names(one_line(call.function)) for call in calls],
        "call_start": [call.started_ns or 0 for call in calls],
        "call_ns": [
            0 if call.ended_ns is None or call.started_ns is None else call.ended_ns - call.started_ns + 1
            for call in calls
        ],
        "asked": _differences(entered),
        "served": _differences(left),
    }


def _places(name: str, stays: Sequence[Stay]) -> Mapping[str, Sequence[int]]:
    return {
        f"{name}_enters": _differences([stay.enters for stay in stays]),
        f"{name}_stays": [stay.leaves - stay.enters for stay in stays],
        f"{name}_actor": [stay.actor + 1 for stay in stays],
    }


def _ended_columns(play: Theatre, names: _Table) -> Mapping[str, Sequence[int]]:
    trace, ended = play.trace, play.stage.ended
    how = [
        status_of(
            None if each.request is None else trace.requests[each.request],
            None if each.task is None else trace.tasks[each.task],
        )
        for each in ended
    ]
    return {
        "ended_at": _differences([each.at for each in ended]),
        "ended_actor": [each.actor + 1 for each in ended],
        "ended_how": [names(words) for words, _ in how],
        "ended_failed": [int(failed) for _, failed in how],
        "ended_request": [int(each.request is not None) for each in ended],
        "ended_ns": [_life_ns(trace, each.request, each.task) for each in ended],
    }


def _life_ns(trace: Trace, request: int | None, task: int | None) -> int:
    if request is not None:
        row = trace.requests[request]
        return max(0, (row.end_ns or 0) - row.start_ns)
    assert task is not None
    return max(0, (trace.tasks[task].ended_ns or 0) - trace.tasks[task].created_ns)
