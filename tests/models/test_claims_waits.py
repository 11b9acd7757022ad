"""Long waits: where the gain begins is told from the rounds, and nothing is told that they leave open."""

import pytest

from playground.models.claims import long_waits, waits
from playground.models.claims.away import NotTriedError
from playground.models.claims.waiting import Way, time_waits
from playground.models.claims.waits import judged

Found = dict[tuple[Way, float], list[float]]


def found(gains: dict[float, float], rounds: int = 12, off: int = 0) -> Found:
    """Together all jobs take 1 ms; in a row as much more as given, but in `off` rounds the other way round."""
    made: Found = {}
    for wait_s, gain in gains.items():
        made["together", wait_s] = [1e6] * rounds
        made["in a row", wait_s] = [1e6 / gain] * off + [1e6 * gain] * (rounds - off)
    return made


def test_it_holds_where_the_gain_comes_with_the_wait() -> None:
    claim = judged(found({0.0: 1.0, 0.001: 1.1, 0.002: 1.5, 0.016: 7.0}), 10, 0.001)
    assert claim.verdict == "holds"
    assert claim.sentence == (
        "10 jobs that compute for 1 ms were 1 × as fast together as in a row without a wait. The gain begins at 2 ms, "
        "1.5 ×; with waits of 16 ms it was 7 ×."
    )
    assert claim.figures == {
        "gain_at_0_ms": 1.0,
        "gain_at_1_ms": 1.1,
        "gain_at_2_ms": 1.5,
        "gain_at_16_ms": 7.0,
        "gain_begins_at_ms": 2.0,
    }
    assert [row.at for row in claim.rows] == [0.0, 1e6, 2e6, 16e6]


@pytest.mark.parametrize("gains", [{0.0: 2.0, 0.001: 3.0, 0.002: 4.0}, {0.0: 1.0, 0.001: 1.0, 0.002: 1.1}])
def test_it_does_not_hold_with_a_gain_without_a_wait_or_none_with_the_longest(gains: dict[float, float]) -> None:
    assert judged(found(gains), 10, 0.001).verdict == "does not hold"


def test_where_no_gain_begins_none_is_told() -> None:
    claim = judged(found({0.0: 1.0, 0.001: 1.0, 0.002: 1.1}), 10, 0.001)
    assert "A gain of a fifth or more was not sure at any length; with waits of 2 ms it was 1.1 ×." in claim.sentence
    assert "gain_begins_at_ms" not in claim.figures


def test_nothing_is_said_where_the_rounds_do_not_tell() -> None:
    claim = judged(found({0.0: 1.0, 0.001: 2.0, 0.016: 7.0}, 12, 3), 10, 0.001)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith("The rounds lie too far apart to tell: is the machine busy with other work?")


def test_too_few_rounds_are_not_laid_to_the_machine() -> None:
    claim = judged(found({0.0: 1.0, 0.001: 2.0, 0.016: 7.0}, 5), 10, 0.001)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith("7 ×. To tell, it takes at least 6 rounds, and there were 5.")


def test_a_gain_that_does_not_grow_is_no_verdict() -> None:
    assert judged(found({0.0: 1.0, 0.001: 3.0, 0.016: 3.0}), 10, 0.001).verdict == "not here"


@pytest.mark.parametrize("gains", [{0.001: 2.0, 0.002: 3.0, 0.003: 4.0}, {0.0: 1.0, 0.002: 3.0}])
def test_it_takes_no_wait_and_two_more(gains: dict[float, float]) -> None:
    claim = judged(found(gains), 10, 0.001)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith("To tell, it takes three lengths of the wait, and no wait among them.")


def test_a_child_that_fails_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotTriedError("It crashed.")

    monkeypatch.setattr(waits, "away", fail)
    assert (long_waits().verdict, long_waits().sentence) == ("not here", "It crashed.")


def test_each_way_and_wait_is_timed_in_each_round() -> None:
    timed = time_waits(jobs=2, cpu_s=0.0002, waits_s=(0.0, 0.001), rounds=2)
    assert {key: len(values) for key, values in timed.items()} == {
        ("in a row", 0.0): 2,
        ("together", 0.0): 2,
        ("in a row", 0.001): 2,
        ("together", 0.001): 2,
    }
    assert all(value >= 2e6 for value in timed["in a row", 0.001])  # two waits of 1 ms, one after another


@pytest.mark.slow
def test_async_gains_with_the_wait_here() -> None:
    claim = long_waits(waits_s=(0.0, 0.002, 0.016), rounds=8)
    assert claim.verdict != "does not hold", claim.sentence
    assert claim.figures["gain_at_16_ms"] > claim.figures["gain_at_0_ms"]
