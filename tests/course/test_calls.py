"""What is counted of the calls that an exercise lends: how many at once, and how long places stood empty."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from playground.course.calls import Call, Calls, idle_s, most_at_once
from playground.course.trials import try_function

SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 10)), max_size=12)


def calls_of(spans: list[tuple[int, int]]) -> list[Call]:
    return [Call("x", float(began), float(began + length), "returned") for began, length in spans]


@given(SPANS)
def test_most_at_once_is_that_of_the_fullest_moment(spans: list[tuple[int, int]]) -> None:
    at_each = [sum(began <= moment < began + length for began, length in spans) for moment in range(40)]
    assert most_at_once(calls_of(spans)) == max(at_each)


def test_one_that_ends_as_another_begins_is_not_beside_it() -> None:
    assert most_at_once(calls_of([(0, 1), (1, 1)])) == 1
    assert most_at_once([Call("x", 0.0), Call("y", 5.0)]) == 2  # neither has ended


@given(SPANS, st.integers(1, 12))
def test_idle_is_what_moments_before_the_last_begin_leave_empty(spans: list[tuple[int, int]], places: int) -> None:
    last = max((began for began, _ in spans), default=0)
    used = (sum(began <= moment < began + length for began, length in spans) for moment in range(last))
    assert idle_s(calls_of(spans), places) == sum(places - each for each in used)


def test_calls_note_virtual_time_and_how_they_ended() -> None:
    calls = Calls()

    async def main() -> None:
        calls.start()
        task = asyncio.create_task(calls.waits("cancelled", 5.0, None))
        await calls.waits("loop", 1.5, None)
        await asyncio.to_thread(calls.blocks, "thread", 0.25, None)
        task.cancel()
        await asyncio.wait([task])
        calls.finish()

    assert try_function(main).error is None
    noted = [(call.name, call.began_s, call.ended_s, call.outcome) for call in calls.made]
    assert noted == [
        ("loop", 0.0, 1.5, "returned"),
        ("cancelled", 0.0, 1.75, "cancelled"),
        ("thread", 1.5, 1.75, "returned"),
    ]
    assert calls.over_s == 1.75
