"""The widget's half in Python: what travels when, and what a cell shows where."""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from playground.trace import Trace
from playground.trace.columns import unpack
from playground.views.svg import svg
from playground.views.text import report
from playground.widgets import Timeline
from playground.widgets.display import mimebundle
from tests.widgets.sent import sent_by

WIDGET_TYPE = "application/vnd.jupyter.widget-view+json"


def test_each_view_that_is_ready_gets_the_recording(trace: Trace) -> None:
    widget = Timeline(trace)
    for view in ("one", "two"):
        ((content, buffers),) = sent_by(widget, {"type": "ready", "view": view})
        assert content == {"type": "recording", "view": view}
        header, columns = unpack(buffers[0])
        assert header["view"] == "timeline"
        assert len(columns["gap"]) > len(trace.steps)
    # it has asked again while the first question waited behind a running cell
    assert sent_by(widget, {"type": "ready", "view": "one"}) == []


def test_other_messages_are_left_unanswered(trace: Trace) -> None:
    assert sent_by(Timeline(trace), {"type": "something else"}) == []


def test_the_recording_is_no_part_of_the_state(trace: Trace) -> None:
    state = Timeline(trace, title="<b>mine</b>", height=300).get_state()
    own = {name: value for name, value in state.items() if not name.startswith("_")}
    assert {name: own[name] for name in ("title", "height", "selection", "visible", "opened")} == {
        "title": "<b>mine</b>",
        "height": 300,
        "selection": {},
        "visible": [],
        "opened": {},
    }
    assert len(json.dumps({name: str(value) for name, value in own.items()})) < 1000
    assert not any(isinstance(value, bytes | bytearray | memoryview) for value in state.values())


def test_the_title_is_the_recordings_unless_another_is_given(trace: Trace) -> None:
    assert Timeline(trace).title == trace.title
    assert Timeline(trace, title="").title == ""


def test_python_hears_of_the_selection(trace: Trace) -> None:
    widget = Timeline(trace)
    heard: list[Any] = []
    widget.observe(lambda change: heard.append(change["new"]), "selection")
    widget.set_state({"selection": {"label": "GET /report"}})
    widget.set_state({"selection": {}})
    assert heard == [{"label": "GET /report"}, {}]


def test_python_hears_which_place_was_opened(trace: Trace) -> None:
    widget = Timeline(trace)
    widget.set_state({"opened": {"file": "cell 3", "line": 24, "text": "body = df.to_csv()"}})
    assert widget.opened == {"file": "cell 3", "line": 24, "text": "body = df.to_csv()"}


def test_the_widget_carries_a_text_and_a_picture(trace: Trace) -> None:
    data, _ = Timeline(trace)._repr_mimebundle_(include=None, exclude=None)
    assert set(data) == {WIDGET_TYPE, "text/plain", "image/svg+xml"}
    assert data["text/plain"] == report(trace)
    assert data["image/svg+xml"] == svg(trace)


def test_without_a_kernel_a_trace_shows_its_static_forms(trace: Trace) -> None:
    assert mimebundle(trace) == ({"text/plain": report(trace), "image/svg+xml": svg(trace)}, {})


def test_in_a_kernel_a_trace_shows_the_widget(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    data, _ = mimebundle(trace)
    assert set(data) == {WIDGET_TYPE, "text/plain", "image/svg+xml"}


def test_the_repr_names_the_recording(trace: Trace) -> None:
    assert repr(Timeline(trace)) == f"<Timeline of {trace!r}>"


def test_widgets_are_imported_only_when_one_is_asked_for() -> None:
    script = """
import sys, threading
import playground.widgets, playground.widgets.display, playground.widgets.page
heavy = {"anywidget", "ipywidgets", "IPython", "traitlets"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert "Timeline" in dir(playground.widgets)
playground.widgets.Timeline
assert "anywidget" in sys.modules
assert threading.active_count() == 1
"""
    done = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_is_an_attribute_error() -> None:
    import playground.widgets

    with pytest.raises(AttributeError, match=r"^module 'playground.widgets' has no attribute 'Timetable'$"):
        playground.widgets.Timetable  # noqa: B018
