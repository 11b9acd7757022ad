"""What a claim is asked to measure: what is no such number is refused in words, before anything is measured."""

import math
import re
from collections.abc import Callable
from functools import partial

import pytest

from playground.errors import ModelError
from playground.models.claims import (
    async_speed,
    handlers_in_threads,
    latency_ladder,
    long_waits,
    threads_and_processes,
    web_benchmark,
    weights,
)
from playground.models.claims.asked import lengths_of
from playground.models.claims.rounds import FEWEST, side

LENGTHS = "expected waits_s to hold numbers of seconds, 0 or more"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (partial(long_waits, jobs=0), "expected jobs to be a whole number, 2 or more, got 0: write jobs=10"),
        (partial(long_waits, jobs=1), "expected jobs to be a whole number, 2 or more, got 1: write jobs=10"),
        (
            partial(long_waits, cpu_s=0),
            "expected cpu_s to be a number of seconds, more than 0, got 0: write cpu_s=0.001",
        ),
        (partial(long_waits, waits_s=[0, -1]), f"{LENGTHS}, got -1 among them: write waits_s=(0, 0.004, 0.016)"),
        (partial(long_waits, waits_s=[math.inf]), f"{LENGTHS}, got inf among them: write waits_s=(0, 0.004, 0.016)"),
        (partial(long_waits, waits_s=[]), f"{LENGTHS}, got none: write waits_s=(0, 0.004, 0.016)"),
        (partial(long_waits, waits_s=0.1), f"{LENGTHS}, got 0.1: write waits_s=(0, 0.004, 0.016)"),  # type: ignore[arg-type]
        (partial(long_waits, rounds=0), "expected rounds to be a whole number, 1 or more, got 0: write rounds=9"),
        (
            partial(threads_and_processes, jobs=1),
            "expected jobs to be a whole number, 2 or more, got 1: write jobs=6",
        ),
        (
            partial(threads_and_processes, rounds=2.5),  # type: ignore[arg-type]
            "expected rounds to be a whole number, 1 or more, got 2.5: write rounds=9",
        ),
        (
            partial(threads_and_processes, cpu_s=-0.1),
            "expected cpu_s to be a number of seconds, more than 0, got -0.1: write cpu_s=0.02",
        ),
        (
            partial(threads_and_processes, wait_s="long"),  # type: ignore[arg-type]
            "expected wait_s to be a number of seconds, more than 0, got 'long': write wait_s=0.02",
        ),
        (partial(async_speed, calls=0), "expected calls to be a whole number, 1 or more, got 0: write calls=100"),
        (
            partial(async_speed, additions=True),
            "expected additions to be a whole number, 1 or more, got True: write additions=100",
        ),
        (partial(async_speed, rounds=0), "expected rounds to be a whole number, 1 or more, got 0: write rounds=101"),
        (
            partial(latency_ladder, budget_s=-1),
            "expected budget_s to be a number of seconds, 0 or more, got -1: write budget_s=1",
        ),
        (partial(weights, tasks=3), "expected tasks to be a whole number, 7 or more, got 3: write tasks=7000"),
        (
            partial(weights, processes=0),
            "expected processes to be a whole number, 7 or more, got 0: write processes=14",
        ),
        (
            partial(handlers_in_threads, "six"),  # type: ignore[arg-type]
            "expected requests to be a whole number, 1 or more, got 'six': write requests=6",
        ),
        (
            partial(web_benchmark, seconds=-1),
            "expected seconds to be a number of seconds, 0 or more, got -1: write seconds=0.015",
        ),
        (partial(web_benchmark, rounds=0), "expected rounds to be a whole number, 1 or more, got 0: write rounds=9"),
        (
            partial(web_benchmark, at_once=0),
            "expected at_once to be a whole number, 1 or more, got 0: write at_once=80",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is(
    ask: Callable[[], object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.models.apart._process", lambda *_: pytest.fail("measured"))
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        ask()


def test_each_length_is_measured_once_the_shortest_first() -> None:
    assert lengths_of("waits_s", iter((0.2, 0, 0.1, 0.2)), "") == [0, 0.1, 0.2]


def test_with_fewer_rounds_than_the_fewest_no_side_is_sure_and_with_these_one_is() -> None:
    assert side([2.0] * (FEWEST - 1), 1.0) == "unsure"
    assert side([2.0] * FEWEST, 1.0) == "above"
