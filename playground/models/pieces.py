"""A function's run, divided by what was seen of its thread from outside: it ran, or it waited in one way or another.

The function's own rows say from when to when it was not asleep by its own call; the looks (see `looker`) say what its
thread did meanwhile. It decides nothing else than where the one lies within the other.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from playground.models.kinds import LOOKED, SEGMENTS, Moment
from playground.models.rows import Row
from playground.models.units import UNKNOWN

__all__ = ["divided"]

_RUN: Final = SEGMENTS["run"]
_WAIT: Final = SEGMENTS["wait"]
_EDGE_NS: Final = 2_000_000
"""Two looks: so far a change may be from where it was seen."""
_KINDS: Final = {looked: SEGMENTS[kind] for kind, looked in LOOKED.items()}

_Away = tuple[int, int, int]
"""From when, until when, and as what kind of row."""


def divided(rows: Sequence[Row]) -> list[Row]:
    """The rows of an experiment, without looks; the runs of threads that were looked at are in pieces."""
    looks: dict[int, list[_Away]] = defaultdict(list)
    for row in rows:
        if row.kind in _KINDS:
            looks[row.unit].append((row.start_ns, row.end_ns, _KINDS[row.kind]))
    if not looks:
        return list(rows)
    threads = {row.job: row.cpu_ns for row in rows if row.kind == Moment.BEGAN}
    plain = (row for row in rows if row.kind not in _KINDS)
    return sorted(_pieces(plain, threads, looks), key=lambda row: row.start_ns)


def _pieces(rows: Iterable[Row], threads: Mapping[int, int], looks: Mapping[int, Sequence[_Away]]) -> Iterator[Row]:
    for row in rows:
        away = looks.get(threads.get(row.job, 0), ()) if row.kind == _RUN else ()
        yield from _divide(row, away) if away else (row,)


def _divide(run: Row, away: Sequence[_Away]) -> list[Row]:
    """A run in pieces; its processor time is shared out among those in which it ran, by their length."""
    pieces: list[Row] = []
    at_ns = run.start_ns
    for start_ns, end_ns, kind in away[max(0, bisect_right(away, (run.start_ns,)) - 1) :]:
        from_ns, until_ns = max(start_ns, at_ns), min(end_ns, run.end_ns)
        if start_ns >= run.end_ns:
            break
        if from_ns < until_ns and not _is_edge(run, start_ns, end_ns, kind):
            pieces += [run._replace(start_ns=at_ns, end_ns=from_ns)] * (at_ns < from_ns)
            pieces.append(run._replace(kind=kind, start_ns=from_ns, end_ns=until_ns, cpu_ns=0))
            at_ns = until_ns
    pieces += [run._replace(start_ns=at_ns)] * (at_ns < run.end_ns)
    return _shared_out(run, pieces)


def _is_edge(run: Row, start_ns: int, end_ns: int, kind: int) -> bool:
    """Whether it is the function's own sleep before or after the run, whose ends are known better than from a look."""
    if kind != _WAIT or (run.start_ns <= start_ns and end_ns <= run.end_ns):
        return False
    return min(end_ns, run.end_ns) - max(start_ns, run.start_ns) < _EDGE_NS


def _shared_out(run: Row, pieces: Sequence[Row]) -> list[Row]:
    ran_ns = sum(piece.end_ns - piece.start_ns for piece in pieces if piece.kind == _RUN)
    if ran_ns * 2 < run.cpu_ns:
        return [run]  # it was shorter than the time between two looks
    if run.cpu_ns == UNKNOWN or not ran_ns:
        return list(pieces)
    shared: list[Row] = []
    sofar_ns = given_ns = 0
    for piece in pieces:
        if piece.kind == _RUN:
            sofar_ns += piece.end_ns - piece.start_ns
            cpu_ns = run.cpu_ns * sofar_ns // ran_ns - given_ns
            given_ns += cpu_ns
            shared.append(piece._replace(cpu_ns=cpu_ns))
        else:
            shared.append(piece)
    return shared
