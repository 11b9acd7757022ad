"""What was worked out of a trace is remembered for as long as the trace lives, and the collector is given back."""

import gc
from collections.abc import Iterator

import pytest

from playground.clock.collector import Collector
from playground.collecting import without_collecting
from playground.trace import Trace
from playground.views.remembered import remembered


@pytest.fixture
def collector() -> Iterator[None]:
    was_enabled = gc.isenabled()
    yield
    (gc.enable if was_enabled else gc.disable)()


def test_a_trace_is_worked_out_once_until_another_is_asked_for() -> None:
    asked = []

    @remembered
    def title(trace: Trace) -> list[str]:
        asked.append(trace.title)
        return [trace.title]

    one, other = Trace(title="one"), Trace(title="other")
    assert title(one) is title(one)
    assert (title(other), title(one)) == (["other"], ["one"])
    assert asked == ["one", "other", "one"]


def test_what_was_remembered_goes_with_its_trace() -> None:
    class Result:
        living = 0

        def __init__(self) -> None:
            Result.living += 1

        def __del__(self) -> None:
            Result.living -= 1

    @remembered
    def result(_: Trace) -> Result:
        return Result()

    trace = Trace()
    result(trace)
    assert Result.living == 1
    del trace
    gc.collect()  # a trace and its requests know each other
    assert Result.living == 0


def test_an_error_is_not_remembered() -> None:
    asked = []

    @remembered
    def fail(_: Trace) -> None:
        asked.append(gc.isenabled())
        raise ValueError("no")

    trace = Trace()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^no$"):
            fail(trace)
    assert asked == [False, False]


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize("was_enabled", [True, False])
def test_the_collector_is_left_as_it_was_found(was_enabled: bool) -> None:
    (gc.enable if was_enabled else gc.disable)()
    seen = []

    def fail() -> None:
        with without_collecting():
            seen.append(gc.isenabled())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (seen, gc.isenabled()) == ([False], was_enabled)


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize("picture_first", [True, False])
def test_a_picture_that_is_done_does_not_wake_the_collector_of_a_virtual_run(picture_first: bool) -> None:
    gc.enable()
    picture, run = without_collecting(), Collector()  # on two threads
    for each in (picture, run) if picture_first else (run, picture):
        each.__enter__()
    picture.__exit__(None, None, None)
    assert not gc.isenabled()
    run.__exit__(None, None, None)
    assert gc.isenabled()


@pytest.mark.usefixtures("collector")
def test_of_two_virtual_runs_the_first_that_is_over_does_not_wake_the_collector() -> None:
    gc.enable()
    first, second = Collector(), Collector()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()
