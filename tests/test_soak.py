"""The soak finds what leaks, and nothing where nothing does; and the leaks that it has found stay mended."""

import gc
import re
import weakref

import ipywidgets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import App, Lab
from playground.widgets import Timeline
from tests.soak.__main__ import main
from tests.soak.verdict import MIN_READINGS, judged

# -- the verdict -------------------------------------------------------------------------------------------------

readings = st.lists(st.integers(0, 1000), min_size=MIN_READINGS, max_size=40)


@given(readings, st.floats(0, 10), st.integers(-50, 50))
def test_a_verdict_is_of_the_slope_and_not_of_the_level(values: list[int], allowed: float, by: int) -> None:
    assert judged([value + by for value in values], allowed) == judged(values, allowed)
    tilted = judged([value + by * number for number, value in enumerate(values)], allowed)
    length = len(values) - len(values) // 2 - 1
    plain = judged(values, allowed)
    assert tilted.drift == pytest.approx(plain.drift + by * length)
    assert plain.low <= plain.drift <= plain.high


@given(st.integers(MIN_READINGS, 40), st.data())
def test_what_rises_at_every_reading_grows_whatever_its_first_half_did(count: int, data: st.DataObject) -> None:
    first = data.draw(st.lists(st.integers(-99, 99), min_size=count // 2, max_size=count // 2))
    rising = [10 * number for number in range(count - count // 2)]
    assert judged([*first, *rising], allowed=2).word == "grows"
    assert judged([*first, *(-each for each in rising)], allowed=2).word == "flat"


@given(st.integers(24, 40), st.integers(0, 11), st.integers(-1000, 1000))
def test_one_reading_that_stands_out_is_no_growth(count: int, place: int, height: int) -> None:
    values = [5] * count
    values[count // 2 + place] += height
    assert judged(values, allowed=0).word == "flat"


def test_noise_that_could_hide_a_leak_is_not_called_flat() -> None:
    assert judged([0] * 6 + [0, 9, 1, 8, 2, 7], allowed=3).word == "unclear"


def test_too_few_readings_are_not_judged() -> None:
    with pytest.raises(ValueError, match=r"^expected at least 12 readings to judge, got 11: soak for longer$"):
        judged([0] * 11, 1)


# -- the soak ----------------------------------------------------------------------------------------------------


def not_flat(said: str) -> set[str]:
    return set(re.findall(r"^  (\w+)(?: MiB)? .* grows$", said, re.MULTILINE))


@pytest.mark.slow
def test_what_is_planted_is_found_and_nothing_else_is(capsys: pytest.CaptureFixture[str]) -> None:
    counted = {"threads", "fds", "tasks", "loops", "labs", "widgets", "patches", "workers", "objects"}
    assert main(["--virtual-hours", "0.002", "--real-minutes", "0", "--brief"]) == 0
    assert not_flat(capsys.readouterr().out) & counted == set()
    plants = ["--plant", "list", "--plant", "fd", "--plant", "thread"]
    assert main(["--virtual-hours", "0.002", "--real-minutes", "0", "--brief", *plants]) == 1
    said = capsys.readouterr().out
    assert not_flat(said) & counted == {"objects", "fds", "threads"}
    assert "left open, fds: " in said


# -- what it has found -------------------------------------------------------------------------------------------


def test_a_lab_in_virtual_time_is_gone_when_it_was_closed_though_it_had_worker_threads() -> None:
    app = App()

    @app.get("/")
    def thread() -> str:
        return "from a thread"

    lab = Lab(app, clock="virtual")
    assert lab.get("/").text == "from a thread"
    loop, app_seen = weakref.ref(lab._thread.loop), weakref.ref(app)
    lab.close()
    del lab, app, thread
    gc.collect()
    assert (loop(), app_seen()) == (None, None)


def test_a_view_is_gone_when_it_was_closed_and_so_is_its_recording() -> None:
    with Lab(App()) as lab:
        run = lab.burst("/", n=1)
    del lab
    trace, before = weakref.ref(run.trace), len(ipywidgets.widgets.widget._instances)
    timeline = run.timeline()
    timeline._repr_mimebundle_()
    timeline.close()
    assert len(ipywidgets.widgets.widget._instances) == before
    del run, timeline
    gc.collect()
    assert trace() is None


def test_a_view_leaves_a_layout_that_it_was_given_alone() -> None:
    with Lab(App()) as lab:
        trace = lab.burst("/", n=1).trace
    layout = ipywidgets.Layout(width="50%")
    Timeline(trace, layout=layout).close()
    assert layout.comm is not None
    layout.close()


def test_a_panel_is_gone_when_it_was_closed_with_all_that_it_consists_of() -> None:
    with Lab(App()) as lab:
        before = len(ipywidgets.widgets.widget._instances)
        panel = lab.panel()
        assert len(ipywidgets.widgets.widget._instances) > before
        panel.close()
        assert len(ipywidgets.widgets.widget._instances) == before
