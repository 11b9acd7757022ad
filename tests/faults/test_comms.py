"""What a page sends that is not ours, and widgets that are closed while they are fed: nothing is raised, shown or kept,
and what is ours is answered as before.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from playground import App, Lab
from playground.clock.loop import LabLoop
from playground.trace.recorder import Recorder
from playground.widgets import Timeline
from playground.widgets.live import LiveTimeline, Watch
from playground.widgets.panel import Panel
from playground.widgets.view import MOST_PICTURES, View
from tests.notebooks.kernel import Kernel, separate_kernel
from tests.recordings import blocked_run
from tests.trace.looked_at import recorded_on
from tests.widgets.every_view import VIEWS

HUGE = "x" * 10_000_000


def nested(depth: int) -> Any:
    content: Any = {}
    for _ in range(depth):
        content = {"type": content, "view": [content]}
    return content


NOT_OURS: dict[str, Any] = {
    "nothing": None,
    "a number": 7,
    "a text": "ready",
    "a list": ["ready", "one"],
    "an empty object": {},
    "no picture": {"type": "ready"},
    "no type": {"view": "one"},
    "a picture that is none": {"type": "ready", "view": None},
    "a picture that is a list": {"type": "ready", "view": ["one"]},
    "a picture that is an object": {"type": "ready", "view": {"one": 1}},
    "a type that is a list": {"type": ["ready"], "view": "one"},
    "an unknown type": {"type": "explode", "view": "one"},
    "a huge name": {"type": "ready", "view": HUGE},
    "a huge type": {"type": HUGE, "view": "one"},
    "nested": nested(200),
    "a foreign command": {"kind": "anywidget-command", "name": "_answer", "msg": {}, "id": "1"},
    "the kernel's own words": {"type": "recording", "view": "one", "seq": 3},
    "a sequence that is none": {"type": "got", "view": "one", "seq": "9"},
    "a sequence without end": {"type": "got", "view": "one", "seq": float("inf")},
    "gone before it came": {"type": "gone", "view": "one"},
}
BUFFERS: tuple[list[Any], ...] = ([], [b""], [memoryview(bytes(1_000_000))] * 3)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["ready", "got", "gone", "missed", "one"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "view", "seq", "method", "state"]), inner, max_size=4)
    ),
    max_leaves=8,
)


def sent_by(widget: View, content: Any, buffers: Any = ()) -> list[Any]:
    """What a widget answers to a message, as its comm would hand it over; it may not so much as log an exception."""
    sent: list[Any] = []
    widget.send = lambda content, buffers: sent.append((content, buffers))
    widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": list(buffers)})
    del widget.send
    return sent


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[View]:
    caplog.set_level(logging.WARNING)
    widget = VIEWS[request.param](blocked_run())
    logging.getLogger("traitlets").addHandler(caplog.handler)  # which keeps to itself what goes wrong in a callback
    yield widget
    logging.getLogger("traitlets").removeHandler(caplog.handler)
    widget.close()
    assert caplog.records == []


def test_what_is_not_ours_is_not_answered_and_ours_is_answered_as_before(view: View) -> None:
    for name, content in NOT_OURS.items():
        for buffers in BUFFERS:
            assert sent_by(view, content, buffers) == [], name
    ((content, (packet,)),) = sent_by(view, {"type": "ready", "view": "one"})
    assert (content["type"], content["view"], packet) == ("recording", "one", view._packet)
    for content in NOT_OURS.values():
        assert sent_by(view, content) == []


def test_pictures_that_somebody_invents_are_not_all_kept(view: View) -> None:
    view.send = lambda content, buffers: None
    for number in range(3 * MOST_PICTURES):
        view._handle_custom_msg({"type": "ready", "view": f"{number}"}, [])
    known = view._views if isinstance(view, LiveTimeline) else view._answered
    assert 0 < len(known) <= MOST_PICTURES
    del view.send
    assert len(sent_by(view, {"type": "ready", "view": "a new one"})) == 1


@settings(max_examples=20)
@given(st.lists(JSON, max_size=6))
def test_no_message_makes_a_live_timeline_or_a_timeline_raise(contents: list[Any]) -> None:
    trace = blocked_run()
    for widget in (Timeline(trace), LiveTimeline()):
        widget.send = lambda content, buffers: None
        for content in contents:
            widget._answer(None, content, [])
        known = widget._views if isinstance(widget, LiveTimeline) else widget._answered
        assert all(isinstance(name, str) for name in known)
        widget.close()


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.filterwarnings("ignore::UserWarning")  # ipywidgets warns of a trait that it was asked to log
def test_a_state_that_a_page_makes_up_changes_nothing(name: str) -> None:
    widget = VIEWS[name](blocked_run())
    own = ("title", "height", "selection", "time_range", "step", "predict", "guesses")
    before = {trait: getattr(widget, trait) for trait in own if widget.has_trait(trait)}
    packet = widget._packet
    made_up: list[dict[str, Any]] = [
        {"title": 7, "height": "tall", "selection": "all", "step": -5, "predict": "yes", "guesses": [1]},
        {"height": -1}, {"height": None}, {"step": "first"}, {"_packet": "eaten", "_trace": None, "_closed": True},
        {"comm": None}, {"__class__": "dict"}, {"keys": []}, {HUGE: HUGE},
    ]  # fmt: skip
    for state in made_up:
        for key, value in state.items():
            widget._handle_msg(
                {"content": {"data": {"method": "update", "state": {key: value}, "buffer_paths": []}}, "buffers": []}
            )
    assert {trait: getattr(widget, trait) for trait in before} == before
    assert widget._packet == packet
    assert len(sent_by(widget, {"type": "ready", "view": "one"})) == 1
    widget.close()


# -- the dashboard ----------------------------------------------------------------------------------------------

app = App()


@app.get("/quick")
async def quick() -> str:
    return "quick"


@pytest.fixture
def panel() -> Iterator[Panel]:
    with Lab(app, clock="virtual") as lab:
        panel = lab.panel()
        yield panel
        panel.close()


def pressed(panel: Panel) -> str:
    panel._run.click()
    if (running := panel._running) is not None:
        running.join(60)
    assert (panel._run.disabled, panel._stop.disabled) == (False, True)
    return panel.said


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("route", HUGE), ("route", "\x00\x1b[2J\udcff"), ("route", "http://elsewhere/"), ("route", "GET GET GET"),
        ("route", 7), ("requests", 10**30), ("requests", -1), ("requests", "many"), ("rate", float("nan")),
        ("rate", float("inf")), ("rate", -5), ("threads", 10**9), ("network", "no such"), ("clock", "sundial"),
    ],
    ids=lambda value: str(value)[:12].encode("unicode_escape").decode(),
)  # fmt: skip
def test_a_control_that_a_page_sets_to_nonsense_is_refused_or_said_in_words(
    panel: Panel, control: str, value: Any
) -> None:
    first = panel._bench.first
    key = "index" if control in ("network", "clock") else "value"
    # of a value that is refused ipywidgets tells where the kernel logs, and there stays what there was
    with contextlib.suppress(TraitError, TypeError, ValueError, OverflowError):
        panel._controls[control].set_state({key: value})
    if control == "requests" and panel.setting.requests > 100:
        panel._controls["requests"].value = 100  # the most that may be chosen is a matter of patience
    said = pressed(panel)
    assert 0 < len(said) < 10_000
    assert all(char.isprintable() or char == "\n" for char in said)
    panel._on_reset()
    panel._controls["route"].value, panel._controls["requests"].value = "/quick", 2
    assert panel.setting.threads == first.threads
    assert pressed(panel).startswith("Run ")


# -- closed while it is fed -------------------------------------------------------------------------------------


def fed(act: Callable[[LiveTimeline, Recorder], None]) -> LiveTimeline:
    """A live timeline that is told of a run, and then of what `act` does, once and again."""
    widget = LiveTimeline()

    async def steps(recorder: Recorder) -> None:
        watch = Watch("Run 1")
        watch.recorder = recorder
        widget._handle_custom_msg({"type": "ready", "view": "one"}, [])
        widget._begin(watch)
        widget._update()
        act(widget, recorder)

    recorded_on(LabLoop(), steps)
    return widget


def test_closing_waits_for_what_is_being_told() -> None:
    closers: list[threading.Thread] = []
    comms: list[Any] = []

    def act(widget: LiveTimeline, recorder: Recorder) -> None:
        def send(content: Any, buffers: Any) -> None:
            closers.append(threading.Thread(target=widget.close))
            closers[0].start()
            closers[0].join(0.1)  # time enough for what must not happen; if it cannot, this is in vain
            comms.append(widget.comm)

        widget.send = send
        with widget._lock:
            widget._update()

    widget = fed(act)
    closers[0].join(60)
    assert comms[0] is not None
    assert widget.comm is None
    assert widget.closed


def test_one_that_is_closed_is_told_nothing_more_and_says_nothing() -> None:
    said: list[Any] = []

    def act(widget: LiveTimeline, recorder: Recorder) -> None:
        watch = widget._shown
        assert watch is not None
        widget.close()
        widget.close()  # a second time
        widget.send = lambda content, buffers: said.append(content)
        widget._handle_custom_msg({"type": "got", "view": "one", "seq": 1}, [])
        watch.over.set()
        widget._follow(watch)
        widget._finish(watch, blocked_run())
        widget.clear()

    fed(act)
    assert said == []


def test_when_the_page_closes_its_side_nothing_is_sent_there_any_more() -> None:
    said: list[Any] = []

    def act(widget: LiveTimeline, recorder: Recorder) -> None:
        widget.send = lambda content, buffers: said.append(content)
        widget.comm.handle_close({"content": {"data": {}}})
        assert widget._views == {}
        watch = widget._shown
        assert watch is not None
        widget._finish(watch, blocked_run())

    widget = fed(act)
    assert said == []
    assert len(sent_by(widget, {"type": "ready", "view": "again"})) == 1  # who comes back is shown the run
    widget.close()


@pytest.mark.parametrize("name", [name for name in VIEWS if name != "live"])
def test_a_view_that_is_closed_twice_or_by_another_thread_still_has_its_picture(name: str) -> None:
    widget = VIEWS[name](blocked_run())
    closer = threading.Thread(target=widget.close)
    closer.start()
    closer.join(60)
    widget.close()
    widget._handle_custom_msg({"type": "ready", "view": "one"}, [])  # on its way when it was closed
    data, _ = type(widget)._repr_mimebundle_(widget, include=None, exclude=None)
    assert set(data) == {"text/plain", "image/svg+xml"}


def test_a_lab_goes_on_when_its_live_timeline_is_closed_from_within_a_run() -> None:
    closing = App()
    widgets: list[LiveTimeline] = []

    @closing.get("/")
    async def close() -> str:
        widgets[0].close()
        return "closed"

    with Lab(closing) as lab:
        widgets.append(LiveTimeline())
        lab.follow(widgets[0])
        widgets[0]._handle_custom_msg({"type": "ready", "view": "one"}, [])
        run = lab.burst("/", n=2)
        assert [response.text for response in run.responses] == ["closed"] * 2
        assert lab.burst("/", n=1).trace.requests[0].status == 200
    assert widgets[0].closed


# -- a real kernel ----------------------------------------------------------------------------------------------

SHOWN = """
from playground import App, Lab
app = App()
@app.get("/")
async def index(): return "here"
lab = Lab(app)
from playground.widgets.live import LiveTimeline
live = LiveTimeline()
lab.follow(live)
run = lab.burst("/", n=3)
view = run.trace.timeline()
print(live.model_id, view.model_id)
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with separate_kernel(tmp_path_factory) as kernel:
        kernel.run("None  # " + "x" * 1_000_000)  # so large that zmq begins a thread to tidy up behind it, for good
        yield kernel


@pytest.mark.slow
def test_a_kernel_that_is_sent_what_is_not_ours_says_nothing_and_goes_on(kernel: Kernel) -> None:
    models = kernel.run(SHOWN).split()
    client = kernel.client

    def tell(kind: str, **content: Any) -> None:
        client.shell_channel.send(client.session.msg(kind, content))

    for model in models:
        for content in (None, 7, ["ready"], {"type": "ready"}, {"type": "ready", "view": {"a": 1}}, {"view": HUGE}):
            tell("comm_msg", comm_id=model, data={"method": "custom", "content": content})
        tell("comm_msg", comm_id=model, data={"method": "custom"})
    tell("comm_msg", comm_id="nobody's", data={"method": "update", "state": {}})
    tell("comm_open", comm_id="theirs", target_name="playground.foreign", data={})
    tell("comm_close", comm_id=models[0], data={})
    cell = kernel.cell("print(lab.burst('/', n=2).responses[1].text, live._views, len(view._answered))")
    assert cell.said.endswith("here {} 0\n")  # and before it the kernel's own word on nobody's comm
    assert "Traceback" not in cell.said
    assert "xception" not in cell.said
    assert kernel.run("live.close(); view.close(); lab.close(); print('closed')") == "closed\n"
