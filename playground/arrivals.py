"""When requests arrive: moments as a pure function of a rate, a duration and a seed."""

import random
from collections.abc import Iterator
from typing import Literal, get_args

from playground.errors import LabError

__all__ = ["Arrivals", "planned"]

Arrivals = Literal["poisson", "uniform"]


def planned(rate: float, duration_s: float, arrivals: Arrivals, seed: int) -> Iterator[float]:
    """Moments from 0 up to a duration, in seconds and in order.

    Args:
        rate: how many a second, on average.
        duration_s: none comes at this moment or later.
        arrivals: `uniform`: one each 1/rate seconds, the first at 0; `poisson`: gaps drawn from the exponential
            distribution with that mean, so that each moment is as likely as any other.
        seed: of what is drawn.

    Raises:
        LabError: a rate or duration that is no positive number, or another kind of arrivals.
    """
    for name, value in (("rate", rate), ("duration", duration_s)):
        if not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise LabError(f"expected a positive number as {name}, got {value!r}: give requests a second, and seconds")
    if arrivals not in get_args(Arrivals):
        raise LabError(f"expected arrivals='poisson' or arrivals='uniform', got {arrivals!r}: choose one of these")
    return _uniform(rate, duration_s) if arrivals == "uniform" else _poisson(rate, duration_s, random.Random(seed))


def _uniform(rate: float, duration_s: float) -> Iterator[float]:
    number = 0
    while (moment_s := number / rate) < duration_s:
        yield moment_s
        number += 1


def _poisson(rate: float, duration_s: float, rng: random.Random) -> Iterator[float]:
    moment_s = rng.expovariate(rate)
    while moment_s < duration_s:
        yield moment_s
        moment_s += rng.expovariate(rate)
