"""The loop theatre on its way to the browser: a play as columns behind a header of words.

It encodes what `play` tells and decides nothing about it. What a page shows at a place follows from the columns and the
place alone, so that going back, or anywhere, costs no more than going on. Places are steps, counted from 0; moments and
lengths of time are nanoseconds. The reader is `playground/widgets/src/play.js`.
"""

import keyword
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from playground.trace import Site, Trace
from playground.trace.columns import pack
from playground.trace.excerpts import excerpts
from playground.trace.looks import is_library
from playground.views.kinds import BLOCKED, FUTURE, OTHER, WAIT_KIND
from playground.views.play import Play, life_ns, play
from playground.views.stage_words import source_text, status_of, told, where
from playground.views.theatre_words import WORDS
from playground.views.wording import FAILED_MARK, one_line, summary

__all__ = ["play_packet", "theatre_packet"]

Painted = list[tuple[str, str]]

_KEYWORDS: Final = "|".join(keyword.kwlist)
_WORDS: Final = re.compile(
    rf"""(?P<str>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<com>#.*)|(?P<key>@[\w.]+|\b(?:{_KEYWORDS})\b)"""
)

# zlib's level: as for the timeline's packet
_LEVEL: Final = 3


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
    return play_packet(play(trace))


def play_packet(shown: Play) -> bytes:
    """The same of a play that is at hand."""
    trace = shown.trace
    names, sites, said = _Table(), _Table(), _Table()
    columns = {
        **_step_columns(shown, sites, said),
        **_place_columns(shown),
        **_actor_columns(shown, names),
        **_stay_columns(shown, names),
        **_ended_columns(shown, names),
    }
    header = {
        "view": "theatre",
        "title": trace.title,
        "clock": trace.clock,
        "dropped": trace.dropped,
        "summary": summary(trace),
        "words": WORDS,
        "names": ["", *names.values],
        "said": said.values,
        "sites": _with_excerpts(sites.values, shown.sites),
        "threads": _first_uses(shown),
        "opens": shown.opens,
        "notes": shown.notes,
    }
    return pack(header, {name: _narrow(values) for name, values in columns.items()}, level=_LEVEL)


def _with_excerpts(sites: Sequence[Site], by_step: Iterable[Site | None]) -> list[tuple[str, int, int, list[Painted]]]:
    """For each place in the source its file, its line, and lines around it with the number of the first.

    Of a library's code, and where no line is known, there are no lines, and instead of the file words for the place.
    """
    ranked = Counter(filter(None, by_step)).most_common()
    around = excerpts(site for site, _ in ranked if not is_library(site))
    found: list[tuple[str, int, int, list[Painted]]] = []
    for site in sites:
        first, lines = around.get(site, (site.line, (site.text,) if site.text else ()))
        if is_library(site) or not lines:
            found.append((where(site), site.line, first, []))
        else:
            found.append((site.file, site.line, first, [_painted(line) for line in lines]))
    return found


def _painted(line: str) -> Painted:
    """A line of Python in pieces of (style, text): strings, comments and keywords have a style."""
    pieces: Painted = []
    at = 0
    for match in _WORDS.finditer(line):
        pieces += [("", line[at : match.start()]), (match.lastgroup or "", match[0])]
        at = match.end()
    return [(style, text) for style, text in [*pieces, ("", line[at:])] if text]


def _first_uses(shown: Play) -> list[int]:
    """For each worker thread the place at which its first call ran; past the end if none was seen."""
    calls = shown.trace.handoffs
    count = max((call.thread for call in calls if call.thread is not None), default=-1) + 1
    firsts = [shown.stage.steps + 1] * count
    for stay in reversed(shown.stage.calls):
        thread = None if stay.row is None else calls[stay.row].thread
        if thread is not None:
            firsts[thread] = stay.enters
    return firsts


def _narrow(values: Sequence[int]) -> "array[Any]":
    """Counts and nanoseconds in the narrowest column that holds them; a float is exact up to 104 days of them."""
    most = max(values, default=0)
    code = next((code for code, bits in (("B", 8), ("H", 16), ("I", 32)) if most < 1 << bits), "d")
    return array(code, values)


def _step_columns(shown: Play, sites: _Table, said: _Table) -> Mapping[str, Sequence[int]]:
    """An entry for each step; pointers to other steps are distances, of which 0 is none."""
    made, trace = shown.stage, shown.trace
    steps = range(made.steps)
    waited = (trace.waits[wait] if wait >= 0 else None for wait in made.waited)
    stood = {stay.row: index for index, stay in enumerate(made.waits) if stay.row is not None}
    return {
        "duration": [trace.steps[step].duration_ns for step in steps],
        "actor": list(made.actor),
        "kind": shown.kinds,
        "said": [said(each) - 1 for each in shown.said],
        "site": [sites(site) for site in shown.sites],
        "queued_from": list(made.queued_from),
        "queued_ns": [length_ns + 1 for length_ns in made.queued_ns],
        "carries": _ahead(made.carries),
        "wakes": _ahead(made.wakes),
        "woken": list(made.woken),
        "yields": [int(trace.steps[step].outcome == "yields") for step in steps],
        "waited_ns": [0 if wait is None else wait.end_ns - wait.start_ns for wait in waited],
        "life_ns": [shown.life_ns(step) for step in steps],
        "idle_ns": [shown.idle_ns(step) for step in steps],
        "over": [stood.get(shown.over(step), -1) + 1 for step in steps],
    }


def _ahead(column: "array[int]") -> list[int]:
    return [max(0, value - index) for index, value in enumerate(column)]


def _place_columns(shown: Play) -> Mapping[str, Sequence[int]]:
    """An entry for each place: its moment, how many of each kind there are, and how many there have been."""
    made = shown.stage
    places = range(made.steps + 1)
    asked, served = (_up_to(entries, made.steps) for entries in made.asked)
    columns: dict[str, Sequence[int]] = {
        "moment": made.ends_ns,
        "queue_count": [shown.queued(place) for place in places],
        "ended_count": _up_to([ended.at for ended in made.ended], made.steps),
        "asking": [entered - left for entered, left in zip(asked, served, strict=True)],
    }
    for name, stays in (("wait", made.waits), ("call", made.calls)):
        entered = _up_to([stay.enters for stay in stays], made.steps)
        left = _up_to([stay.leaves for stay in stays], made.steps)
        columns[f"{name}_entered"] = entered
        columns[f"{name}_count"] = [before - after for before, after in zip(entered, left, strict=True)]
    return columns


def _up_to(entries: Iterable[int], last: int) -> list[int]:
    """For each place up to the last, how many entries are no later."""
    counts = Counter(entries)
    return list(accumulate(counts[place] for place in range(last + 1)))


def _actor_columns(shown: Play, names: _Table) -> Mapping[str, Sequence[int]]:
    return {
        "actor_label": [names(actor.label) for actor in shown.actors],
        "actor_tag": [0 if actor.request is not None else names(actor.tag) for actor in shown.actors],
        "actor_request": [0 if actor.request is None else actor.request + 1 for actor in shown.actors],
        "actor_task": [0 if actor.task is None else actor.task + 1 for actor in shown.actors],
    }


def _stay_columns(shown: Play, names: _Table) -> Mapping[str, Sequence[int]]:
    trace, made = shown.trace, shown.stage
    waits = [None if stay.row is None else trace.waits[stay.row] for stay in made.waits]
    calls = [trace.handoffs[stay.row] for stay in made.calls if stay.row is not None]
    return {
        "wait_rest": [made.steps + 1 - stay.leaves for stay in made.waits],
        "wait_actor": [stay.actor for stay in made.waits],
        "wait_kind": [FUTURE if wait is None else WAIT_KIND[wait.on] for wait in waits],
        "wait_on": [names(told(None if wait is None else wait.on)) for wait in waits],
        "wait_text": [names(source_text(None if wait is None else wait.site)) for wait in waits],
        "wait_start": [
            made.ends_ns[stay.enters - 1] if wait is None else wait.start_ns
            for stay, wait in zip(made.waits, waits, strict=True)
        ],
        "wait_ns": [
            0 if wait is None or wait.end_ns >= trace.duration_ns else wait.end_ns - wait.start_ns + 1 for wait in waits
        ],
        "call_rest": [made.steps + 1 - stay.leaves for stay in made.calls],
        "call_actor": [stay.actor for stay in made.calls],
        "call_thread": [call.thread or 0 for call in calls],
        "call_name": [names(one_line(call.function)) for call in calls],
        "call_start": [call.started_ns or 0 for call in calls],
    }


def _ended_columns(shown: Play, names: _Table) -> Mapping[str, Sequence[int]]:
    trace, ended = shown.trace, shown.stage.ended
    how = [
        status_of(
            None if each.request is None else trace.requests[each.request],
            None if each.task is None else trace.tasks[each.task],
        )
        for each in ended
    ]
    return {
        "ended_actor": [each.actor for each in ended],
        "ended_how": [names(f"{FAILED_MARK} {words}" if failed else words) for words, failed in how],
        "ended_kind": [BLOCKED if failed else OTHER for _, failed in how],
        "ended_ns": [life_ns(trace, each.request, each.task) for each in ended],
    }
