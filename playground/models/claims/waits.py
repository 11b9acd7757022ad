"""What async gains, it gains where waits are long beside the computing: a ratio that grows with the wait.

It decides what a gain is and where it begins. The jobs are timed in `waiting`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from playground.models.claims.asked import check_count, check_seconds, lengths_of
from playground.models.claims.away import NotTriedError, away
from playground.models.claims.claim import Claim, Picture, Verdict
from playground.models.claims.rounds import ratios, side, spread
from playground.models.claims.shown import Measuring
from playground.models.claims.waiting import Way, time_waits
from playground.models.claims.words import measured, told, unsure
from playground.views.claims_axis import figure_words

__all__ = ["long_waits"]

_STATEMENT: Final = "What async gains, it gains where waits are long beside the computing."
_AXIS: Final = "how many times as fast together as in a row"
_PICTURE: Final = Picture("curve", "times", _AXIS, "the wait in each job", level=1.0)
_GAIN: Final = 1.2
"""A fifth: less than that is not worth another way to write a program."""
_WAITS_S: Final = (0.0, 0.001, 0.002, 0.004, 0.008, 0.016)
"""From the least that asyncio's timers wait on Linux, 1 ms, up to what makes the computing small beside it."""


def long_waits(jobs: int = 10, cpu_s: float = 0.001, waits_s: Sequence[float] = _WAITS_S, rounds: int = 9) -> Claim:
    """How many times as fast jobs are together as in a row, while their wait grows and their computing stays.

    In a child process, coroutines that compute, sleep and compute are awaited one by one, and with `asyncio.gather`;
    for each length of the wait, round by round in turn. The claim holds if there is no gain without a wait, and one
    with the longest that is greater than with the shortest; a gain is a fifth at least.

    Takes about 5 s, and several times as long on a machine that is busy; how far it has got is shown.

    Args:
        jobs: how many, at least two; no gain can be greater than that.
        cpu_s: the computing of one job, in seconds, in steps of 0.2 ms.
        waits_s: the lengths of the wait, in seconds; 0 should be among them.
        rounds: how often each is timed; at least six, or no verdict can be given.

    Raises:
        ModelError: a number is of no use.
    """
    check_count("jobs", jobs, 10, least=2)
    check_seconds("cpu_s", cpu_s, 0.001, above_zero=True)
    check_count("rounds", rounds, 9)
    lengths = lengths_of("waits_s", waits_s, "(0, 0.004, 0.016)")
    try:
        timeout_s = 30 + 10 * rounds * jobs * (sum(lengths) + cpu_s * len(lengths))
        with Measuring(2 * len(lengths) * rounds) as shown:
            asked = (jobs, cpu_s, lengths, rounds, shown.tell)
            found = away(time_waits, *asked, timeout_s=timeout_s, meanwhile=shown.look)
    except NotTriedError as error:
        return Claim(_STATEMENT, "not here", str(error), {}, (), _PICTURE)
    return judged(found, jobs, cpu_s)


def judged(found: Mapping[tuple[Way, float], Sequence[float]], jobs: int, cpu_s: float) -> Claim:
    """The claim, from what all jobs took in each round, in ns, by the way and the wait in seconds."""
    waits_s = sorted({wait_s for _, wait_s in found})
    gains = {wait_s: ratios(found["in a row", wait_s], found["together", wait_s]) for wait_s in waits_s}
    computing = f"{jobs:,} jobs that compute for {figure_words(cpu_s * 1e9, 'ns')}"
    rows = [measured(f"{jobs:,} jobs", spread(gain), at=wait_s * 1e9) for wait_s, gain in gains.items()]
    figures = {f"gain_at_{wait_s * 1e3:g}_ms": spread(gain).median for wait_s, gain in gains.items()}
    begins = next((wait_s for wait_s, gain in gains.items() if side(gain, _GAIN) == "above"), None)
    if begins is not None:
        figures["gain_begins_at_ms"] = begins * 1e3
    verdict, words = _verdict(gains)
    sentence = f"{_facts(gains, begins, computing)} {words}".rstrip()
    notes = (
        "One thread throughout: together, one job computes while others wait.",
        "The wait is what was asked for; a timer of asyncio's may take a millisecond longer.",
    )
    return Claim(_STATEMENT, verdict, sentence, figures, rows, _PICTURE, notes)


def _facts(gains: Mapping[float, Sequence[float]], begins: float | None, computing: str) -> str:
    first, last = min(gains), max(gains)
    wait = "without a wait" if first == 0 else f"with waits of {figure_words(first * 1e9, 'ns')}"
    begun = (
        "A gain of a fifth or more was not sure at any length"
        if begins is None
        else f"The gain begins at {figure_words(begins * 1e9, 'ns')}, {told(spread(gains[begins]), 'times')}"
    )
    ends = f"with waits of {figure_words(last * 1e9, 'ns')} it was {told(spread(gains[last]), 'times')}"
    return (
        f"{computing} were {told(spread(gains[first]), 'times')} as fast together as in a row {wait}. {begun}; {ends}."
    )


def _verdict(gains: Mapping[float, Sequence[float]]) -> tuple[Verdict, str]:
    first, last = gains[min(gains)], gains[max(gains)]
    if min(gains) > 0 or len(gains) < 3:
        return "not here", "To tell, it takes three lengths of the wait, and no wait among them."
    short = gains[sorted(gains)[1]]
    if side(first, _GAIN) == "above" or side(last, _GAIN) == "below":
        return "does not hold", ""
    if side(first, _GAIN) == "below" and side(last, _GAIN) == "above" and side(ratios(last, short), 1.0) == "above":
        return "holds", ""
    return "not here", unsure(len(last), "The rounds lie too far apart to tell: is the machine busy with other work?")
