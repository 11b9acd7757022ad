"""Whether what a claim is asked to measure can be measured: how many, for how long, how often.

It refuses what is no such number, before anything is measured. How many rounds it takes to be sure is decided in
`rounds`: fewer are carried out, and the verdict says that they were too few.
"""

import math
from collections.abc import Iterable

from playground.errors import ModelError

__all__ = ["check_count", "check_seconds", "lengths_of"]


def check_count(name: str, count: object, example: int, *, least: int = 1) -> None:
    """Refuse what is no number of things.

    Raises:
        ModelError: not a whole number of at least `least`; `example` is what one may write instead.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < least:
        raise ModelError(
            f"expected {name} to be a whole number, {least} or more, got {count!r}: write {name}={example}"
        )


def check_seconds(name: str, seconds: object, example: float, *, above_zero: bool = False) -> None:
    """Refuse what is no length of time.

    Raises:
        ModelError: not a number of seconds from 0 on, or above it.
    """
    if not _is_time(seconds) or (above_zero and seconds == 0):
        least = "more than 0" if above_zero else "0 or more"
        raise ModelError(
            f"expected {name} to be a number of seconds, {least}, got {seconds!r}: write {name}={example:g}"
        )


def lengths_of(name: str, lengths: object, example: str) -> list[float]:
    """Each length once, the shortest first.

    Raises:
        ModelError: not some numbers of seconds from 0 on.
    """
    expected = f"expected {name} to hold numbers of seconds, 0 or more"
    if not isinstance(lengths, Iterable) or isinstance(lengths, str):
        raise ModelError(f"{expected}, got {lengths!r}: write {name}={example}")
    found = list(lengths)
    if not found:
        raise ModelError(f"{expected}, got none: write {name}={example}")
    for each in found:
        if not _is_time(each):
            raise ModelError(f"{expected}, got {each!r} among them: write {name}={example}")
    return sorted(set(found))


def _is_time(seconds: object) -> bool:
    return not isinstance(seconds, bool) and isinstance(seconds, int | float) and 0 <= seconds < math.inf
