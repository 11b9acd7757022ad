"""Async against plain calls: a verdict only where the rounds tell, whatever they tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.models.claims import async_speed, speed
from playground.models.claims.away import NotTriedError
from playground.models.claims.calls import AWAITED, PLAIN, TASKS, time_calls
from playground.models.claims.speed import judged


def found(awaited: float, tasks: float, rounds: int = 12, off: int = 0) -> dict[str, list[float]]:
    """A plain call takes 1,000 ns; the others as given, but in `off` rounds half of that."""
    return {
        PLAIN: [1000.0] * rounds,
        AWAITED: [awaited / 2] * off + [awaited] * (rounds - off),
        TASKS: [tasks / 2] * off + [tasks] * (rounds - off),
    }


def test_it_holds_where_neither_way_is_faster_and_tells_what_a_call_costs_more() -> None:
    claim = judged(found(1050.0, 2600.0), 100)
    assert claim.verdict == "holds"
    assert claim.sentence == (
        "A call that adds up 100 numbers took 1 µs as a plain function, 1.05 × as long in a coroutine that is awaited, "
        "and 2.6 × in a task. Neither is faster: an await costs 50 ns more and a task costs 1.6 µs more than a plain "
        "call."
    )
    assert claim.figures["await_overhead_ns"] == 50.0
    assert claim.figures["tasks_over_plain"] == pytest.approx(2.6)


def test_it_holds_where_no_difference_is_seen() -> None:
    claim = judged(found(1000.0, 1000.0), 100)
    assert claim.verdict == "holds"
    assert claim.sentence.endswith("Neither is faster, and no difference is seen.")


def test_it_does_not_hold_where_a_way_of_async_is_faster() -> None:
    claim = judged(found(800.0, 2600.0), 100)
    assert claim.verdict == "does not hold"
    assert claim.sentence.endswith("One way of async was faster.")


@pytest.mark.parametrize(("rounds", "off"), [(12, 3), (12, 6)])
def test_nothing_is_said_where_the_rounds_do_not_tell(rounds: int, off: int) -> None:
    claim = judged(found(1050.0, 1050.0, rounds, off), 100)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith(
        "The rounds lie too far apart to tell which is faster: is the machine busy with other work?"
    )


@pytest.mark.parametrize(("rounds", "told"), [(5, "there were 5."), (1, "there was 1.")])
def test_too_few_rounds_are_not_laid_to_the_machine(rounds: int, told: str) -> None:
    claim = judged(found(1050.0, 1050.0, rounds), 100)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith(f"To tell, it takes at least 6 rounds, and {told}")


def test_a_few_rounds_that_were_held_up_change_no_word() -> None:
    calm, busy = found(1050.0, 2600.0), found(1050.0, 2600.0)
    for values in busy.values():
        values[3] *= 50
    busy[PLAIN][5] *= 50
    assert judged(busy, 100).verdict == judged(calm, 100).verdict == "holds"


@given(st.floats(100, 10_000), st.floats(100, 10_000))
def test_the_word_is_the_one_that_the_figures_say(awaited: float, tasks: float) -> None:
    ratio = min(awaited, tasks) / 1000.0
    verdict = judged(found(awaited, tasks), 100).verdict
    assert verdict == ("holds" if ratio > 0.95 else "does not hold" if ratio < 0.95 else "not here")


def test_a_child_that_fails_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotTriedError("It was not done after 60 s.")

    monkeypatch.setattr(speed, "away", fail)
    assert (async_speed().verdict, async_speed().sentence) == ("not here", "It was not done after 60 s.")


def test_each_way_is_timed_in_each_round() -> None:
    timed = time_calls(calls=3, additions=5, rounds=4)
    assert {name: len(values) for name, values in timed.items()} == {PLAIN: 4, AWAITED: 4, TASKS: 4}
    assert all(value > 0 for values in timed.values() for value in values)


@pytest.mark.slow
def test_async_is_no_faster_here() -> None:
    claim = async_speed()
    assert claim.verdict != "does not hold", claim.sentence
    assert [row.name for row in claim.rows] == [PLAIN, AWAITED, TASKS]
    assert claim.figures["tasks_over_plain"] > 1
