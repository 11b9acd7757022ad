"""Which requests of two runs belong together, and how long each took to be answered.

Requests are paired by their number: the third that one app was asked, with the third that the other was. A pair that
asked for different things is no pair, unless one run asked for one thing wherever the other asked for another (the
same work behind two routes): then the numbers still match, and it is told. It decides what may be compared and counts
what may not; what follows from the differences is for `compare` to say.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from statistics import median
from typing import Final, NamedTuple

from playground.trace import Request, Trace
from playground.views.evidence import answered_ns
from playground.views.wording import failure, request_label

__all__ = ["Matched", "Pair", "latency_ns", "match", "noise_ns", "percentile"]

REAL_NOISE_NS: Final = 1_000_000
"""What two real runs may differ in though nothing is different, at the least: asyncio's selectors wait in whole
milliseconds, rounded up, so a timer may fire one late."""

_SPREAD: Final = 3
"""Times the typical difference between like requests that follow each other. Were their times spread like a bell, that
is 2.9 of its standard deviations, and two of those of a difference: 19 in 20 stay below."""


class Pair(NamedTuple):
    """Two requests of one number, and how much later the second was answered, in nanoseconds (below 0: sooner)."""

    first: Request
    second: Request
    later_ns: int


@dataclass(frozen=True, slots=True)
class Matched:
    """How the requests of two runs pair up.

    Attributes:
        pairs: those that can be compared, in order of their numbers.
        renamed: what the first run asked for where the second always asked for something else, by label.
        unlike: pairs that asked for different things, which are not compared.
        unanswered: pairs of which one request at least was not answered while it was recorded.
        only_first, only_second: how many requests have no partner.
        otherwise: those of `pairs` in which one failed, or each in another way.
    """

    pairs: list[Pair] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    unlike: list[tuple[Request, Request]] = field(default_factory=list)
    unanswered: list[tuple[Request, Request]] = field(default_factory=list)
    only_first: int = 0
    only_second: int = 0
    otherwise: list[Pair] = field(default_factory=list)


def latency_ns(request: Request) -> int | None:
    """How long until a request was answered to the end; of a websocket, or an app that failed, until its call ended."""
    answered = answered_ns(request)
    if answered is not None:
        return answered
    return None if request.end_ns is None else request.end_ns - request.start_ns


def percentile(latencies_ns: Sequence[int], share: float) -> int:
    """The latency that so great a share of all does not exceed: one that was measured, none in between."""
    return sorted(latencies_ns)[max(0, ceil(share * len(latencies_ns)) - 1)]


def match(first: Trace, second: Trace) -> Matched:
    """Pair the requests of two runs by their numbers."""
    of_second = {request.number: request for request in second.requests}
    couples = [(one, of_second[one.number]) for one in first.requests if one.number in of_second]
    renamed = _renamed(couples)
    matched = Matched(
        renamed={old: new for old, new in renamed.items() if old != new},
        only_first=len(first.requests) - len(couples),
        only_second=len(second.requests) - len(couples),
    )
    for one, other in couples:
        took, takes = latency_ns(one), latency_ns(other)
        if not _alike(one, other) and renamed.get(request_label(one)) != request_label(other):
            matched.unlike.append((one, other))
        elif took is None or takes is None:
            matched.unanswered.append((one, other))
        else:
            matched.pairs.append(Pair(one, other, takes - took))
            if failure(one) != failure(other):
                matched.otherwise.append(matched.pairs[-1])
    return matched


def _alike(one: Request, other: Request) -> bool:
    return (one.method, one.path) == (other.method, other.path) or request_label(one) == request_label(other)


def _renamed(couples: Sequence[tuple[Request, Request]]) -> dict[str, str]:
    """What each label of the first run is called in the second; empty if any label stands for several.

    Where most labels come once they match of necessity, which says nothing.
    """
    forth: dict[str, str] = {}
    back: dict[str, str] = {}
    for one, other in couples:
        old, new = request_label(one), request_label(other)
        if forth.setdefault(old, new) != new or back.setdefault(new, old) != old:
            return {}
    return forth if len(forth) == 1 or 2 * len(forth) <= len(couples) else {}


def noise_ns(traces: Sequence[Trace]) -> int:
    """Up to what difference, in nanoseconds, two of these runs may differ by chance: 0 in virtual time.

    The measure is each recording's own. It is how much like requests that follow each other differ, in the calmer run,
    since what the other has more of may be what is looked for; and for how long the system is known to have kept the
    loop's thread from running in one step.
    """
    if all(trace.clock == "virtual" for trace in traces):
        return 0
    unrests = [unrest for trace in traces if (unrest := _unrest_ns(trace)) is not None]
    delays = [_delay_ns(trace) for trace in traces]
    return max(REAL_NOISE_NS, _SPREAD * min(unrests, default=0), *delays)


def _delay_ns(trace: Trace) -> int:
    """The longest that the system kept the loop's thread from running in one step that was looked at."""
    delays: dict[int, list[int]] = defaultdict(list)
    for sample in trace.samples:
        if sample.delay_ns is not None:
            delays[sample.step].append(sample.delay_ns)
    return max((each[-1] - each[0] for each in delays.values()), default=0)


def _unrest_ns(trace: Trace) -> int | None:
    """The typical difference between requests of one label that follow each other; `None` if none do."""
    latencies: dict[str, list[int]] = defaultdict(list)
    for request in trace.requests:
        took = latency_ns(request)
        if took is not None:
            latencies[request_label(request)].append(took)
    changes = [abs(after - before) for each in latencies.values() for before, after in pairwise(each)]
    return round(median(changes)) if changes else None
