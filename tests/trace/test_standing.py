"""Where tasks stand: found again without a search, and never taken for granted."""

import asyncio

from playground.clock.loop import LabLoop
from playground.trace.build import build
from playground.trace.recorder import recording
from playground.trace.sites import Sites
from playground.trace.standing import Ways


class Counting(Sites):
    """Sites that count how many coroutines they were asked for: a search asks for each in the chain."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.codes = _Asked(self)


class _Asked(dict[int, tuple[int, int, bool]]):
    def __init__(self, sites: Counting) -> None:
        super().__init__()
        self._sites = sites

    def get(self, key: int, default: object = None) -> object:  # type: ignore[override]
        self._sites.asked += 1
        return super().get(key, default)


async def _round_and_round() -> None:
    for _ in range(50):
        await asyncio.sleep(0)
        await _below()
        await _further()


async def _below() -> None:
    await asyncio.sleep(0)


async def _further() -> None:
    await _below()


def test_a_task_that_goes_round_its_awaits_is_searched_for_once_at_each() -> None:
    sites, specification = Counting(), Sites()
    ways = Ways(sites)
    coro = _round_and_round()
    found, asked = [], []
    for _ in range(150):
        coro.send(None)
        place, way = ways.find(coro)
        kind, _, expected = specification.search(coro)
        assert (way.kind, place) == (kind, expected)
        assert way.number == sites.number(place.cr_code)
        found.append(place.cr_code.co_name)
        asked.append(sites.asked)
    coro.close()
    assert found == ["_round_and_round", "_below", "_below"] * 50
    own_calls = 147  # `sites.number` above
    assert asked[-1] - asked[2] == own_calls


def test_lines_are_told_apart_when_a_task_goes_round_them() -> None:
    loop = LabLoop()

    async def main() -> object:
        with recording(loop) as recorder:
            await asyncio.create_task(_round_and_round())
        return recorder

    recorder = loop.run_until_complete(main())
    loop.close()
    trace = build(recorder, "round")  # type: ignore[arg-type]
    task = next(index for index, task in enumerate(trace.tasks) if task.coroutine == "_round_and_round")
    lines = [trace.steps[index].site for index in trace.steps_of[task]]
    assert [site.text for site in lines[:3] if site is not None] == [
        "await asyncio.sleep(0)",
        "await asyncio.sleep(0)",
        "await asyncio.sleep(0)",
    ]
    assert [site.function for site in lines[:-1] if site is not None] == ["_round_and_round", "_below", "_below"] * 50
