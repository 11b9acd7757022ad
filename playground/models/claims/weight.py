"""A process weighs more than a thread, a thread more than a green thread, a green thread more than a task.

It decides how heavy one is, from counts and bytes, and whether the order is told. They are weighed in `weighing`.
"""

from collections.abc import Mapping
from itertools import combinations, pairwise
from typing import Final

from playground.models.claims.asked import check_count
from playground.models.claims.away import NotTriedError, away
from playground.models.claims.claim import Claim, Picture, Verdict
from playground.models.claims.rounds import Spread, spread
from playground.models.claims.weighing import UNITS, Weighed, can_weigh, kernel_stacks, weigh
from playground.models.claims.words import listed, measured, missing, told

__all__ = ["weights"]

_STATEMENT: Final = (
    "A process weighs more than a thread, a thread more than a green thread, a green thread more than a task."
)
_PICTURE: Final = Picture("ladder", "bytes", "memory of one that only waits")
_POINTS: Final = 7
"""Counts at which all are weighed: 21 pairs of them, each of which tells the weight of one."""
_FEWEST: Final = 4
"""Counts, of which six pairs can be made: with fewer, quartiles say nothing."""
_ORDER: Final = ("process", "thread", "green thread", "task")
_NOTES: Final = (
    "Counted is memory that is in use, and the page tables for it; what processes share is shared out between them.",
    "Most of a thread's stack is only reserved: that is no memory in use.",
    "A forked process shares what neither it nor its parent has written to since: one that works on weighs more.",
)
_STACKS: Final = "The kernel's stacks are in it, counted for the whole system; what else the kernel keeps is not."
_NO_STACKS: Final = "The kernel's stacks are not in it: this system does not tell them."


_USUAL: Final = {"processes": 14, "threads": 280, "green_threads": 2800, "tasks": 7000}


def weights(processes: int = 14, threads: int = 280, green_threads: int = 2800, tasks: int = 7000) -> Claim:
    """How much memory a process, a thread, a green thread and a task take that only wait, each in a child of its own.

    A seventh of them is made and weighed, then another seventh, up to the number that is given. For any two of these
    counts, the difference in bytes over the difference in number is the weight of one; of all pairs the median and the
    quartiles are kept. The claim holds if the middle halves of neighbours do not touch, and stand in the order claimed.

    Linux alone tells how much memory is a process's own.

    Args:
        processes, threads, green_threads, tasks: how many to make, of each kind; at least seven.

    Raises:
        ModelError: a number is of no use.
    """
    asked = {"processes": processes, "threads": threads, "green_threads": green_threads, "tasks": tasks}
    for name, count in asked.items():
        check_count(name, count, _USUAL[name], least=_POINTS)
    if not can_weigh():
        why = "This system does not say how much memory is a process's own, as Linux does in /proc/self/smaps_rollup."
        return Claim(_STATEMENT, "not here", why, {}, (), _PICTURE)
    most = {"process": processes, "thread": threads, "green thread": green_threads, "task": tasks}
    found = {}
    for key, unit in UNITS.items():
        try:
            found[key] = away(weigh, key, _counts(most[unit.kind]), timeout_s=60.0)
        except NotTriedError as error:
            found[key] = str(error)
    return judged(found, kernel_stacks())


def _counts(most: int) -> list[int]:
    return sorted({max(1, most * point // _POINTS) for point in range(1, _POINTS + 1)})


def weight_of_one(weighed: Weighed) -> Spread:
    """The weight of one in bytes, from each pair of counts: one that is off moves the median of all little."""
    slopes = [(more - some) / (count - fewer) for (fewer, some), (count, more) in combinations(weighed, 2)]
    return spread(slopes)


def judged(found: Mapping[str, Weighed | str], with_stacks: bool) -> Claim:
    """The claim, from what was weighed of each unit by its key, or why it was not.

    Args:
        with_stacks: whether the kernel's stacks are in the figures.
    """
    ones: dict[str, Spread] = {}
    absent: dict[str, str] = {}
    for key, weighed in found.items():
        if isinstance(weighed, str):
            absent[key] = weighed
        elif len(weighed) < _FEWEST:
            absent[key] = f"it takes {_FEWEST} counts of it, got {len(weighed)}"
        else:
            ones[key] = weight_of_one(weighed)
    rows = [measured(UNITS[key].name, one) for key, one in ones.items()]
    rows += [missing(UNITS[key].name, why) for key, why in absent.items()]
    facts = listed([f"{UNITS[key].words} takes {told(one, 'bytes')}" for key, one in ones.items()])
    verdict, words = _verdict(ones)
    sentence = f"{facts[:1].upper()}{facts[1:]}. {words}" if facts else words
    figures = {f"{key}_bytes": one.median for key, one in ones.items()}
    notes = (*_NOTES, _STACKS if with_stacks else _NO_STACKS)
    return Claim(_STATEMENT, verdict, sentence.rstrip(), figures, rows, _PICTURE, notes)


def _verdict(ones: Mapping[str, Spread]) -> tuple[Verdict, str]:
    kinds = {kind: {key: one for key, one in ones.items() if UNITS[key].kind == kind} for kind in _ORDER}
    pairs = [
        (heavy, light) for heavier, lighter in pairwise(_ORDER) for heavy in kinds[heavier] for light in kinds[lighter]
    ]
    wrong = [(heavy, light) for heavy, light in pairs if ones[heavy].high < ones[light].low]
    if wrong:
        heavy, light = wrong[0]
        return "does not hold", f"That {UNITS[light].words} weighs more than {UNITS[heavy].words} is against it."
    lacking = [kind for kind in _ORDER if not kinds[kind]]
    if lacking:
        return (
            "not here",
            f"To tell, it takes all four: of {listed([f'any {kind}' for kind in lacking])} nothing is known.",
        )
    near = [(heavy, light) for heavy, light in pairs if ones[heavy].low <= ones[light].high]
    if near:
        heavy, light = near[0]
        return (
            "not here",
            f"Which is heavier, {UNITS[heavy].words} or {UNITS[light].words}, cannot be told: they are too near.",
        )
    return "holds", ""
