"""What rounds tell: sides by the sign test, spreads by quartiles, and turns in which nobody is always the first."""

import gc
from functools import partial
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.models.claims.rounds import Spread, in_turn, ratios, side, spread, uncollected
from playground.models.claims.words import listed, told


@pytest.mark.parametrize(
    ("rounds", "may_be_off"),
    [(1, -1), (5, -1), (6, 0), (8, 0), (9, 1), (11, 1), (12, 2), (31, 9)],
)
def test_a_side_is_sure_with_so_many_rounds_on_the_other_and_no_more(rounds: int, may_be_off: int) -> None:
    def given_off(off: int) -> list[float]:
        return [0.5] * off + [2.0] * (rounds - off)

    assert all(side(given_off(off), 1.0) == "above" for off in range(may_be_off + 1))
    assert side(given_off(may_be_off + 1), 1.0) != "above"


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), st.floats(-10, 10))
def test_a_side_is_what_a_coin_hardly_ever_throws(values: list[float], level: float) -> None:
    def unlikely(others: int) -> bool:
        throws: int = 2 ** len(values)
        return sum(comb(len(values), heads) for heads in range(others + 1)) <= 0.02 * throws

    above = unlikely(sum(value <= level for value in values))
    below = unlikely(sum(value >= level for value in values))
    assert side(values, level) == ("above" if above else "below" if below else "unsure")


@given(st.lists(st.floats(0.1, 10), min_size=6, max_size=30), st.floats(0.1, 10))
def test_one_round_that_was_held_up_for_long_says_no_more_than_one_held_up_a_little(
    values: list[float], level: float
) -> None:
    highest = values.index(max(values))
    if values[highest] > level:
        longer = [*values[:highest], values[highest] * 1e6, *values[highest + 1 :]]
        assert side(longer, level) == side(values, level)


def test_what_lies_on_the_level_is_on_neither_side() -> None:
    assert side([1.0] * 30, 1.0) == "unsure"


def test_a_spread_is_the_median_with_the_middle_half() -> None:
    assert spread([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 2.0, 4.0, 5)
    assert spread([7.0]) == Spread(7.0, 7.0, 7.0, 1)


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([2.0, 20.0], [1.0, 10.0]) == [2.0, 2.0]  # the second round was slow for both


def test_each_is_measured_once_a_round_in_an_order_that_changes() -> None:
    order: list[str] = []

    def measure(name: str) -> float:
        order.append(name)
        return len(order)

    found = in_turn({name: partial(measure, name) for name in "abc"}, 60)
    rounds = ["".join(order[start : start + 3]) for start in range(0, 180, 3)]
    assert {"".join(sorted(one)) for one in rounds} == {"abc"}
    assert set(rounds) == {"abc", "acb", "bac", "bca", "cab", "cba"}
    assert all(order[int(at) - 1] == name for name, values in found.items() for at in values)


def test_no_garbage_is_collected_meanwhile_and_then_again() -> None:
    def fail() -> None:
        with uncollected():
            assert not gc.isenabled()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert gc.isenabled()


def test_who_had_no_collector_has_none_afterwards() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Spread(44.04, 43.02, 46.1, 9), "44 ns (43 to 46.1 ns)"),
        (Spread(900.0, 850.0, 1100.0, 9), "900 ns (850 ns to 1.1 µs)"),
        (Spread(1500.0, 1500.0, 1500.0, 9), "1.5 µs"),
    ],
)
def test_a_figure_is_told_with_its_spread(found: Spread, words: str) -> None:
    assert told(found, "ns") == words


def test_a_list_reads_as_one_says_it() -> None:
    assert [listed(["a", "b", "c"][:count]) for count in range(4)] == ["", "a", "a and b", "a, b and c"]
