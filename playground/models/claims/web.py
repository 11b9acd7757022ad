"""Async methods against sync ones, in a benchmark of web frameworks: which answers more requests, and at what cost.

It decides who is measured where and for how long; the ways are in `web_ways`, what the figures say in `web_judged` and
`web_told`. A framework is never imported in the notebook's process: whether it is there is looked up, and a child
imports it.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from playground.errors import ModelError
from playground.models.apart import run_apart
from playground.models.claims.asked import check_count, check_seconds
from playground.models.claims.shown import Measuring
from playground.models.claims.web_told import WebBenchmark, judged
from playground.models.claims.web_ways import FRAMEWORKS, Framework, Lacking, Tried, Way, measure

__all__ = ["web_benchmark"]

_PATIENCE_S: Final = 60.0
"""For a framework's import, and for a machine that is busy: the figures, not the time, say whether it is too busy."""
_SLOWEST_ANSWERS: Final = 250
"""A second: of plain handlers that wait for 20 ms, on asyncio's threads on one processor, of which there are five."""


def web_benchmark(
    frameworks: Iterable[str] | None = None, *, seconds: float = 0.015, rounds: int = 9, at_once: int = 80
) -> WebBenchmark:
    """How many requests a second each framework answers, by `async def`, by `def`, and by `async def` that blocks.

    Takes about 3 s a framework and half a minute for all, and twice as long on a machine that is busy; how far it has
    got is shown.

    Args:
        frameworks: some of `Flask`, `Django`, `Starlette`, `FastAPI`, `Litestar`, `Quart` and `playground`; `None` for
            all of them.
        seconds: for how long requests are sent in each round, for each of the pages of each way.
        rounds: how often each is measured; at least six, or no verdict can be given.
        at_once: how many clients there are.

    The frameworks are no part of `playground`, nor of `playground[lab]`: what is not installed is no part of the
    verdict, and the sentence names the one command that installs all that is missing. Flask answers from plain
    functions on two server models, which says nothing of async methods: it is shown, and is no part of the verdict
    either.

    Raises:
        ModelError: one is not known, or a number is of no use.
    """
    names = list(FRAMEWORKS) if frameworks is None else _checked(frameworks)
    check_seconds("seconds", seconds, 0.015)
    check_count("rounds", rounds, 9)
    check_count("at_once", at_once, 80)
    with Measuring(sum(_measurements(FRAMEWORKS[name], rounds) for name in names)) as shown:
        found = {name: _measured(FRAMEWORKS[name], rounds, seconds, at_once, shown) for name in names}
    return judged(found, at_once, rounds)


def _checked(frameworks: Iterable[str]) -> list[str]:
    names = [frameworks] if isinstance(frameworks, str) else list(dict.fromkeys(frameworks))
    if not names:
        raise ModelError("expected at least one framework, got none: leave frameworks out to have all of them")
    for name in names:
        if name not in FRAMEWORKS:
            raise ModelError(f"expected frameworks among {', '.join(FRAMEWORKS)}, got {name!r}: check its spelling")
    return names


def _measurements(framework: Framework, rounds: int) -> int:
    """How many there will be: of what is installed, each page in each round, but one that blocks once."""
    ways = [way for way in framework.ways if not framework.lacking(way)]
    return sum(len(way.pages) * (1 if way.blocks else rounds) for way in ways)


def _measured(
    framework: Framework, rounds: int, seconds: float, at_once: int, shown: Measuring
) -> list[Tried | Lacking]:
    """Each of its ways, or why not: what wants another kind of process is measured in turns of half the rounds."""
    found: list[Tried | Lacking] = []
    ways: list[Way] = []
    for way in framework.ways:
        if packages := framework.lacking(way):
            found.append(Lacking.not_installed(way.name, packages))
        else:
            ways.append(way)
    kinds = [group for green in (False, True) if (group := [way for way in ways if way.green is green])]
    shares = [rounds] if len(kinds) < 2 else [rounds - rounds // 2, *([rounds // 2] if rounds > 1 else [])]
    parts: list[Tried | Lacking] = []
    for share in shares:
        for group in kinds:
            parts += _away(framework, group, share, seconds, at_once, shown)
    return found + _joined(parts)


def _away(
    framework: Framework, ways: Sequence[Way], rounds: int, seconds: float, at_once: int, shown: Measuring
) -> list[Tried | Lacking]:
    flavour: Literal["gevent", "plain"] = "gevent" if ways[0].green else "plain"
    names = [way.name for way in ways]
    slowest_s = seconds + at_once / _SLOWEST_ANSWERS
    timeout_s = _PATIENCE_S + 10 * rounds * sum(len(way.pages) for way in ways) * slowest_s
    asked = (framework.name, names, rounds, seconds, at_once, shown.tell)
    try:
        apart = run_apart(measure, *asked, flavour=flavour, timeout_s=timeout_s, show=False, meanwhile=shown.look)
    except ModelError as error:  # there are no processes here, or a library is missing
        return [Lacking(name, f"not measured here: {error}") for name in names]
    if apart.ending == "returned":
        return list(apart.result)
    return [Lacking(name, f"not measured here: its process {apart.ending}, {apart.error}") for name in names]


def _joined(parts: Sequence[Tried | Lacking]) -> list[Tried | Lacking]:
    """One of each way and page: rounds that were measured in two turns come together."""
    joined: dict[tuple[str, str], Tried | Lacking] = {}
    for part in parts:
        key = (part.way, part.page if isinstance(part, Tried) else "")
        before = joined.get(key)
        joined[key] = before.and_then(part) if isinstance(before, Tried) and isinstance(part, Tried) else part
    lacking = {each.way for each in joined.values() if isinstance(each, Lacking)}
    return [each for each in joined.values() if isinstance(each, Lacking) or each.way not in lacking]
