"""Load: requests at a rate, on either clock, repeatable from a seed."""

import itertools
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import App, Lab, LabError
from playground.arrivals import Arrivals, planned
from playground.progress import Progress

app = App()


@app.get("/wait")
async def wait() -> str:
    await anyio.sleep(0.25)
    return "done"


@app.get("/item/{number}")
async def item(number: int) -> int | str:
    return f"{number}"


@settings(max_examples=100)
@given(st.floats(0.1, 1000), st.floats(0.01, 50), st.sampled_from(["poisson", "uniform"]), st.integers(0, 99))
def test_arrivals_are_in_order_within_the_duration_and_from_the_seed(
    rate: float, duration_s: float, arrivals: Arrivals, seed: int
) -> None:
    moments = list(itertools.islice(planned(rate, duration_s, arrivals, seed), 500))
    assert moments == sorted(moments)
    assert all(0 <= moment < duration_s for moment in moments)
    assert moments == list(itertools.islice(planned(rate, duration_s, arrivals, seed), 500))


def test_uniform_arrivals_are_evenly_spaced() -> None:
    assert list(planned(4, 1.25, "uniform", 0)) == [0, 0.25, 0.5, 0.75, 1.0]


def test_poisson_arrivals_have_their_rate_and_their_spread() -> None:
    moments = list(planned(50, 400, "poisson", 1))
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(1 / 50, rel=0.03)
    assert spread == pytest.approx(1 / 50, rel=0.05)  # an exponential distribution's deviation is its mean


def test_requests_arrive_at_their_moments_in_virtual_time() -> None:
    with Lab(app, clock="virtual", seed=7) as lab:
        run = lab.load("/wait", rate=20, duration=10)
    starts = [request.start_ns for request in run.requests]
    assert starts == [pytest.approx(moment * 1e9, abs=2) for moment in planned(20, 10, "poisson", 7)]
    assert all(request.end_ns == request.start_ns + 250_000_000 for request in run.requests)
    assert len(run.responses) == len(starts)


@pytest.mark.slow
def test_an_hour_of_traffic_is_the_same_again() -> None:
    def moments() -> list[int]:
        with Lab(app, clock="virtual", seed=2) as lab:
            return [request.start_ns for request in lab.load("/wait", rate=0.5, duration=3600).requests]

    assert moments() == moments()


def test_each_request_may_be_another() -> None:
    with Lab(app, clock="virtual") as lab:
        run = lab.load(lambda index: f"/item/{index}", rate=10, duration=1, arrivals="uniform")
    assert [response.text for response in run.responses] == [str(number) for number in range(10)]


@pytest.mark.slow
def test_load_runs_on_the_real_clock_too() -> None:
    with Lab(app) as lab:
        run = lab.load("/wait", rate=40, duration=0.3, arrivals="uniform")
    assert len(run.responses) == 12
    starts = [request.start_ns / 1e9 for request in run.requests]
    assert starts == sorted(starts)
    assert starts[-1] - starts[0] >= 0.27  # never early


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate": 0, "duration": 1}, "expected a positive number as rate, got 0: give requests a second, and seconds"),
        (
            {"rate": 1, "duration": float("inf")},
            "expected a positive number as duration, got inf: give requests a second, and seconds",
        ),
        (
            {"rate": 1, "duration": 1, "arrivals": "burst"},
            "expected arrivals='poisson' or arrivals='uniform', got 'burst': choose one of these",
        ),
    ],
)
def test_what_makes_no_load_is_refused(arguments: dict[str, Any], message: str) -> None:
    with Lab(app, clock="virtual") as lab, pytest.raises(LabError) as refused:
        lab.load("/wait", **arguments)
    assert str(refused.value) == message


def test_how_far_it_has_got_is_one_line() -> None:
    progress = Progress(600)
    progress.sent(15_000, 150)
    assert progress.text() == "████████░░░░░░░░░░░░░░░░░░░░░░  25%  150 of 600 s, 15,000 requests sent"


def test_what_takes_less_than_a_second_shows_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(600) as progress:
        progress.show()
    assert capsys.readouterr() == ("", "")
