"""What differs between runs: who answered sooner, by how much, and whether that is more than chance.

It counts; every figure is of a pair of requests that were recorded. The first run is what the others are held against.
Which requests are pairs, and how much is noise, is decided in `pairs`; what the differences come to, in `verdict`; how
it all looks, in `comparison`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from playground.trace import Request, Trace
from playground.views.kinds import BLOCKED
from playground.views.lanes import Lanes, lanes
from playground.views.pairs import Matched, latency_ns, match, noise_ns, percentile
from playground.views.verdict import verdict
from playground.views.wording import counted, duration, failure, let_go, one_line, request_label

__all__ = ["Compared", "Line", "Side"]

LETTERS: Final = "ABCDEFGH"
MARKS: Final = "○●□■◇◆△▲"
"""One for each run, told apart without colour."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the runs.

    Attributes:
        letter, mark: what it is called in a sentence, and in a picture.
        name: what the caller called it.
        latencies_ns: of all requests that were answered, in order of their numbers.
        blocked_ns: for how long its event loop was blocked, in all.
    """

    letter: str
    mark: str
    name: str
    trace: Trace
    laid: Lanes
    latencies_ns: tuple[int, ...]
    blocked_ns: int

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What is told of the run, as (name, value)."""
        told = [("requests", f"{len(self.trace.requests):,}")]
        if self.latencies_ns:
            told += [(words, duration(ns)) for words, ns in self.percentiles.items()]
        blocked = duration(self.blocked_ns) if self.blocked_ns else "0"
        return [*told, ("loop blocked", blocked), ("whole run", duration(self.trace.duration_ns))]

    @property
    def percentiles(self) -> dict[str, int]:
        shares = {"p50": 0.5, "p95": 0.95, "longest": 1.0}
        return {words: percentile(self.latencies_ns, share) for words, share in shares.items()}


class Line(NamedTuple):
    """One request in all runs: how long each took to answer it, or `None`, and the difference that is greatest."""

    number: int
    label: str
    latencies_ns: tuple[int | None, ...]
    later_ns: int


class Compared:
    """Two to eight runs side by side.

    Args:
        traces: the recordings by their names, in order; the first is what the others are held against.
    """

    def __init__(self, traces: Mapping[str, Trace]) -> None:
        self.sides = tuple(
            _side(letter, mark, name, trace)
            for letter, mark, (name, trace) in zip(LETTERS, MARKS, traces.items(), strict=False)
        )
        self.matches = tuple(match(self.sides[0].trace, side.trace) for side in self.sides[1:])
        self.noise_ns = noise_ns([side.trace for side in self.sides])

    @property
    def clock(self) -> str:
        """`real`, `virtual` or `mixed`."""
        clocks = {side.trace.clock for side in self.sides}
        return clocks.pop() if len(clocks) == 1 else "mixed"

    @cached_property
    def lines(self) -> list[Line]:
        """Every request that was compared, from the one most sooner to the one most later."""
        found: dict[int, Line] = {}
        for at, matched in enumerate(self.matches, 1):
            for pair in matched.pairs:
                new = self._line(pair.first)
                old = found.get(new.number, new)
                latencies = [*old.latencies_ns]
                latencies[at] = latency_ns(pair.second)
                later_ns = max(old.later_ns, pair.later_ns, key=abs)
                found[new.number] = old._replace(latencies_ns=tuple(latencies), later_ns=later_ns)
        return sorted(found.values(), key=lambda line: (line.later_ns, line.number))

    def _line(self, request: Request) -> Line:
        others = [None] * len(self.matches)
        return Line(request.number, one_line(request_label(request)), (latency_ns(request), *others), 0)

    def drawn(self, most: int) -> tuple[list[Line], str]:
        """The so many lines with the greatest differences, in their order, and what is true of the rest."""
        if len(self.lines) <= most:
            return self.lines, ""
        ranked = sorted(self.lines, key=lambda line: (-abs(line.later_ns), line.number))
        chosen = {line.number for line in ranked[:most]}
        rest, worst_ns = len(ranked) - most, abs(ranked[most].later_ns)
        does = "does" if rest == 1 else "do"
        differ = f"differ by {duration(worst_ns)} at most" if worst_ns else f"{does} not differ"
        return [line for line in self.lines if line.number in chosen], f"{counted(rest, 'more request')} {differ}."

    @cached_property
    def conclusion(self) -> str:
        """What follows, in one sentence."""
        if self.clock == "mixed":
            real, virtual = (_listed([s for s in self.sides if s.trace.clock == c]) for c in ("real", "virtual"))
            return (
                f"Nothing is concluded: {real} ran in real time and {virtual} in virtual time, where code costs none."
            )
        clauses: dict[str, list[Side]] = {}
        for at, side in enumerate(self.sides[1:], 1):
            clauses.setdefault(self._clause(at).removeprefix(f"{side.letter} answers"), []).append(side)
        return "; ".join(_said(rest, sides) for rest, sides in clauses.items()) + "."

    def _clause(self, at: int) -> str:
        first, side, matched = self.sides[0], self.sides[at], self.matches[at - 1]
        if not matched.pairs:
            return _lengths(first, side)
        link = "; " if len(self.sides) == 2 else ", and "
        return verdict(first.letter, side.letter, [pair.later_ns for pair in matched.pairs], self.noise_ns, link)

    @cached_property
    def notes(self) -> list[str]:
        """What one has to know to trust the figures."""
        notes = [*self._noise()]
        for side, matched in zip(self.sides[1:], self.matches, strict=True):
            notes += _notes(self.sides[0], side, matched)
        for side in self.sides:
            if side.trace.dropped:
                notes.append(f"{side.letter}'s recorder dropped {let_go(side.trace)}: not here.")
        return notes

    def _noise(self) -> list[str]:
        if self.clock != "real" or not self.lines:
            return []
        within = sum(abs(line.later_ns) <= self.noise_ns for line in self.lines)
        told = f"{counted(within, 'request')} {'is' if within == 1 else 'are'}" if within else "no request is"
        note = f"Differences of up to {duration(self.noise_ns)} are the recordings' own noise: {told} within it."
        beyond = within < len(self.lines)  # what a busy machine did to many requests at once looks like what an app did
        who = "The others" if within else "All of them"
        return [f"{note} {who} may be a busy machine's doing: a second recording of each tells." if beyond else note]


def _side(letter: str, mark: str, name: str, trace: Trace) -> Side:
    laid = lanes(trace)
    loop = laid.rows[0]
    blocked_ns = sum(
        end - start for start, end, kind in zip(loop.starts, loop.ends, loop.kinds, strict=True) if kind == BLOCKED
    )
    latencies = (latency_ns(request) for request in trace.requests)
    return Side(letter, mark, name, trace, laid, tuple(ns for ns in latencies if ns is not None), blocked_ns)


def _lengths(first: Side, other: Side) -> str:
    """Two runs that have no requests in common: what took how long."""
    took, takes = first.trace.duration_ns, other.trace.duration_ns
    have = "no requests" if not (first.trace.requests or other.trace.requests) else "no requests in common"
    return f"{other.letter} runs for {duration(takes)} and {first.letter} for {duration(took)}, and they have {have}"


# -- what to know -----------------------------------------------------------------------------------------


def _notes(first: Side, other: Side, matched: Matched) -> list[str]:
    a, b = first.letter, other.letter
    notes = [
        f"{b} was asked for {one_line(new)} where {a} was asked for {one_line(old)}."
        for old, new in matched.renamed.items()
    ]
    if matched.unlike:
        one, two = matched.unlike[0]
        what = f"#{one.number}, {one_line(_asked(one))} in {a} and {one_line(_asked(two))} in {b}"
        told = f"{counted(len(matched.unlike), 'request')} {'is' if len(matched.unlike) == 1 else 'are'}"
        notes.append(f"{told} not compared, since the runs asked for different things (first {what}).")
    for count, has, lacks in ((matched.only_first, a, b), (matched.only_second, b, a)):
        if count:
            told = f"{counted(count, 'request')} of {has} {'has' if count == 1 else 'have'}"
            notes.append(f"{told} no partner in {lacks}.")
    if count := len(matched.unanswered):
        told = f"{counted(count, 'request')} {'was' if count == 1 else 'were'}"
        notes.append(f"{told} not answered in both {a} and {b} while they were recorded.")
    return notes + _failures(a, b, matched) + _arrivals(first, other, matched)


def _failures(a: str, b: str, matched: Matched) -> list[str]:
    if not matched.otherwise:
        return []
    one, two, _ = matched.otherwise[0]
    how = f"#{one.number}, {_answer(one)} in {a} and {_answer(two)} in {b}"
    told = counted(len(matched.otherwise), "request")
    return [f"{told} failed in one run only, or in another way (first {how}): a failure may be fast."]


def _arrivals(first: Side, other: Side, matched: Matched) -> list[str]:
    """In virtual time one seed gives the same arrivals; what came at other moments met other neighbours."""
    if first.trace.clock != "virtual" or other.trace.clock != "virtual":
        return []
    moved = [pair for pair in matched.pairs if pair.first.start_ns != pair.second.start_ns]
    if not moved:
        return []
    one, two, _ = moved[0]
    when = (
        f"#{one.number}, at {duration(one.start_ns)} in {first.letter} and {duration(two.start_ns)} in {other.letter}"
    )
    return [f"{counted(len(moved), 'request')} came in at another moment (first {when})."]


def _asked(request: Request) -> str:
    return f"{request.method} {request.path}"


def _answer(request: Request) -> str:
    return failure(request) or f"{request.status}"


def _said(rest: str, sides: Sequence[Side]) -> str:
    """A clause of one run, or of several of which the very same is true."""
    if not rest.startswith(" "):
        return rest
    return f"{_listed(sides)} {'answers' if len(sides) == 1 else 'each answer'}{rest}"


def _listed(sides: Sequence[Side]) -> str:
    letters = [side.letter for side in sides]
    return " and ".join([", ".join(letters[:-1]), letters[-1]] if letters[:-1] else letters)
