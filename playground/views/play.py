"""A recording as a play: at each step who stood where, and the sentence that says what happened.

It joins what `stage` found with the words of `stage_words`, and writes the first sentences as plain text, which is what
the loop theatre shows where nothing runs. How the play travels to a page is `theatre`'s business.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from playground.trace import Site, Trace
from playground.views.held import held_steps
from playground.views.kinds import BLOCKED, OTHER, RUN
from playground.views.players import Actor, name_of
from playground.views.stage import NOBODY, Stage, stage
from playground.views.stage_words import IDLE_NS, Say, plain, sayings
from playground.views.wording import counted, duration, let_go, one_line, summary

__all__ = ["MOST_STEPS", "Play", "life_ns", "play", "sentences"]

MOST_STEPS: Final = 200_000
"""Nobody steps through more; what comes after is counted."""
_MOST_TOLD: Final = 12
"""Of them all, in a text: half a screen, for the rest says the same again."""


@dataclass(frozen=True)
class Play:
    """A recording as a play.

    Attributes:
        stage: who stood where, at each place: see `stage`.
        actors: what each actor is called, by number.
        said: the sentence of each step, in parts: see `stage_words.Say`.
        kinds: of each step, how it is drawn: it ran for a request, for none, or blocked the loop.
        sites: for each step the place in the source at which it stopped or which held the loop; of one that ended, at
            which it had gone on, or its handler's; `None` if not known.
        opens: the place to show first: a request's first step if there is one, for before it are only a server's or an
            experiment's own, in a library's code.
        notes: what cannot be shown, in words.
    """

    trace: Trace
    stage: Stage
    actors: Sequence[Actor]
    said: Sequence[tuple[Say, ...]]
    kinds: Sequence[int]
    sites: Sequence[Site | None]
    opens: int
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
                lives.setdefault(ended.at, life_ns(self.trace, ended.request, None))
        return lives

    def sentence(self, place: int) -> str:
        """What is said of a step, with what comes after it."""
        made = self.stage
        wakes, wait = made.wakes[place], made.waited[place]
        woke = None
        if wakes >= 0:
            more = made.woken[place] - 1
            woke = name_of(self.actors[made.actor[wakes]]) + (f" and {more:,} more" if more else "") + " ready"
        lengths_ns = {
            "ran": self.trace.steps[place].duration_ns,
            "wait": self.trace.waits[wait].end_ns - self.trace.waits[wait].start_ns if wait >= 0 else 0,
            "life": self.life_ns(place),
            "idle": self.idle_ns(place),
        }
        values = {
            "who": name_of(self.actors[made.actor[place]]),
            "woke": woke,
            "queue": f"{self.queued(place):,}",
            **{style: duration(length_ns) if length_ns else None for style, length_ns in lengths_ns.items()},
        }
        return plain(self.said[place], values)

    def life_ns(self, place: int) -> int:
        """How long a request had lasted that ended with a step; 0 if none did."""
        return self._lives.get(place + 1, 0)

    def over(self, place: int) -> int:
        """The wait that a step has ended, of its own task or of the one that it is a callback for; `NOBODY` if none."""
        made, step = self.stage, place
        while self.actors[made.actor[step]].task is None and made.wakes[step] != NOBODY:
            step = made.wakes[step]
        before = made.before[step]
        return made.waited[before] if before != NOBODY else NOBODY

    def idle_ns(self, place: int) -> int:
        """How long no step ran after one; 0 if that is not worth telling, or none came after it."""
        if place + 1 >= self.stage.steps:
            return 0
        idle_ns = self.trace.steps[place + 1].start_ns - self.stage.ends_ns[place]
        return idle_ns if idle_ns >= (1 if self.trace.clock == "virtual" else IDLE_NS) else 0


def play(trace: Trace, most_steps: int = MOST_STEPS) -> Play:
    """Make a recording into a play of its first `most_steps` steps."""
    made = stage(trace, most_steps)
    blocked = held_steps(trace)
    actors = made.actors.named()
    requests = made.actors.requests()
    kinds: list[int] = []
    sites: list[Site | None] = []
    handlers = {span.request: span.site for span in trace.spans if span.kind == "handler" and span.site is not None}
    for index, step in enumerate(trace.steps[: made.steps]):
        request = requests[made.actor[index]]
        kinds.append(BLOCKED if index in blocked else OTHER if request is None else RUN)
        site = blocked[index].site if index in blocked else step.site
        if site is None and made.before[index] != NOBODY:
            site = sites[made.before[index]]  # it ended: where it had gone on
        elif site is None and request is not None:
            site = handlers.get(request)  # it ended without having stopped anywhere
        sites.append(site)
    opens = next((place for place, actor in enumerate(made.actor) if requests[actor] is not None), 0)
    return Play(trace, made, actors, sayings(trace, made, blocked), kinds, sites, opens, _notes(trace, made))


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


def sentences(trace: Trace) -> str:
    """The first sentences of the play as text, the rest counted."""
    told = play(trace, most_steps=_MOST_TOLD + 1)  # one more, for what comes after the last
    lines = [f"Loop theatre of {one_line(trace.title)}: {summary(trace)}", ""]
    shown = min(_MOST_TOLD, told.stage.steps)
    width = len(str(shown))
    lines += (
        f"{place + 1:>{width}}  {duration(trace.steps[place].start_ns):>8}  {told.sentence(place)}"
        for place in range(shown)
    )
    if not shown:
        lines.append("No step was recorded.")
    if len(trace.steps) > shown:
        lines.append(f"And {counted(len(trace.steps) - shown, 'more step')}.")
    if trace.dropped:
        lines.append(_notes(trace, told.stage)[0])
    return "\n".join(lines)


def life_ns(trace: Trace, request: int | None, task: int | None) -> int:
    """How long a request, or else a task, that has ended had lasted."""
    if request is not None:
        row = trace.requests[request]
        return max(0, (row.end_ns or 0) - row.start_ns)
    assert task is not None
    return max(0, (trace.tasks[task].ended_ns or 0) - trace.tasks[task].created_ns)
