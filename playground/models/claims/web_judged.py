"""When one way of answering requests counts as faster than another, and when that cannot be told.

It is all pure: figures in, words out. How the words are put together is decided in `web_told`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from playground.models.claims.claim import Verdict
from playground.models.claims.rounds import Spread, ratios, side, spread
from playground.models.claims.web_ways import Framework, Page, Pair, Tried

__all__ = ["PAGES", "Compared", "Word", "all_of", "compared", "generally", "verdict_of", "word", "word_of"]

Word = Literal["faster", "slower", "alike", "unsure"]

PAGES: Final[tuple[Page, ...]] = ("hello", "io")
_MORE: Final = 1.05
"""A twentieth more is felt by nobody, and one build of Python may differ as much from another."""
_ALIKE: Final = 1.1
"""Wider than that: whatever is steady is one or the other."""
_LESS: Final = 0.9
"""What speaks against the claim has to be plainer than what speaks for it: a minute in which others are at work slows
the ways down unequally, by the clock and, as they share its caches, by the processor's time too."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The asynchronous way of a pair against the other, on one page.

    Attributes:
        pair, page: what was compared.
        times: as many answers a second, round by round.
        word: what may be said of it.
    """

    pair: Pair
    page: Page
    times: Spread
    word: Word


def word(times: Sequence[float]) -> Word:
    """What ratios allow one to say: more than a twentieth to either side, alike within a tenth, or `unsure`."""
    if side(times, _MORE) == "above":
        return "faster"
    if side(times, 1 / _MORE) == "below":
        return "slower"
    if side(times, _ALIKE) == "below" and side(times, 1 / _ALIKE) == "above":
        return "alike"
    return "unsure"


def word_of(page: Page, times: Sequence[float], cheaper: Sequence[float]) -> Word:
    """The same, if the processor's time bears out what the clock says.

    On a machine that is busy with other work, threads may be given more of it than a loop, or less. That a way is
    slower must be plain, and it must take as plainly more of the processor for an answer, on either page: one that only
    waits is held back by nothing else. To be faster where there is a wait, it need not compute less: it waits for more
    at once.

    Args:
        page: which was asked for.
        times: as many answers a second, round by round.
        cheaper: as much processor time as the other way takes for an answer, of what this one takes.
    """
    said = word(times)
    borne_out = {
        "faster": page == "io" or side(cheaper, 1.0) == "above",
        "slower": side(times, _LESS) == "below" and side(cheaper, _LESS) == "below",
        "alike": page == "io" or word(cheaper) == "alike",
    }
    return said if borne_out.get(said, False) else "unsure"


def compared(framework: Framework, found: Sequence[Tried]) -> list[Compared]:
    """Each pair on each page that both ways have."""
    by_name = {(each.way, each.page): each for each in found}
    comparisons: list[Compared] = []
    for pair in framework.pairs:
        for page in PAGES:
            quick, plain = by_name.get((pair.quick, page)), by_name.get((pair.plain, page))
            if quick is None or plain is None:
                continue
            times = ratios(quick.rates, plain.rates)
            said = word_of(page, times, ratios(plain.cpus_ns, quick.cpus_ns))
            comparisons.append(Compared(pair, page, spread(times), said))
    return comparisons


def verdict_of(words: Sequence[Word]) -> Verdict:
    """Of one pair: it holds if the first is faster somewhere and slower nowhere."""
    if "slower" in words or (words and set(words) == {"alike"}):
        return "does not hold"
    return "holds" if "faster" in words and "unsure" not in words else "not here"


def all_of(verdicts: Sequence[Verdict]) -> Verdict:
    """Of several pairs of a framework: one that does not hold is enough for none."""
    if "does not hold" in verdicts:
        return "does not hold"
    return "holds" if verdicts and set(verdicts) == {"holds"} else "not here"


def generally(verdicts: Sequence[Verdict]) -> Verdict:
    """Of frameworks: it holds generally if it does with more than half, whatever becomes of the others."""
    half = len(verdicts) / 2
    if verdicts.count("holds") > half:
        return "holds"
    return "does not hold" if verdicts and verdicts.count("does not hold") >= half else "not here"
