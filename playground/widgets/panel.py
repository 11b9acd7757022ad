"""The dashboard: controls for an experiment beside its live timeline, so that one can play with no code.

It decides what can be chosen and what is said of a run; how a run is made is a `Bench`'s business. Callbacks may come
on a kernel subshell's thread and loop: they only post, and a thread of the panel's own makes the run and waits for it.
"""

import contextlib
import html
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import ipywidgets

from playground.trace.requests import words_of
from playground.trace.trace import Clock
from playground.views.wording import one_line
from playground.widgets.live import LiveTimeline
from playground.widgets.view import hear_anywhere

__all__ = ["Bench", "Panel", "Setting"]

_MOST_REQUESTS: Final = 100_000
_MOST_THREADS: Final = 1_000
_MOST_LINES: Final = 100
_LONGEST_LINE: Final = 2_000
_MOST_INDENT: Final = 40
_WAIT_S: Final = 3.0
"""How long closing waits for a run that was stopped: longer than closing a lab may take."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run is to be.

    Attributes:
        route: what to ask, as a path or as `POST /path`.
        requests: how many.
        rate: how many a second; 0 for all at once.
        threads: how many worker threads may run at once.
        network: the name of the simulated conditions.
        clock: what time is.
    """

    route: str
    requests: int
    rate: float
    threads: int
    network: str
    clock: Clock


class Bench(Protocol):
    """Who makes the runs.

    Attributes:
        first: what is set at first.
        routes: what can be asked, for a reader to choose from.
        networks: the names of the simulated conditions.
    """

    first: Setting
    routes: list[str]
    networks: list[str]

    def run(self, setting: Setting) -> str:
        """Make a run, wait for it, and say in words what came of it. Raises what the run raises."""

    def stop(self) -> None:
        """Break the run off that goes on, from another thread: within half a second, `run` raises KeyboardInterrupt."""

    def close(self) -> None:
        """Let go of all that was made for the runs."""


class Panel(ipywidgets.VBox):  # type: ignore[misc]  # the widget libraries come without types
    """Controls, a line of words, and the live timeline of the runs that they make.

    Args:
        bench: makes the runs.
        timeline: shows them.

    `close` breaks off what goes on and lets go of all that was made.
    """

    def __init__(self, bench: Bench, timeline: LiveTimeline) -> None:
        self._bench = bench
        self._lock = threading.Lock()
        self._running: threading.Thread | None = None
        self.timeline = timeline
        self._controls = _controls(bench)
        self._run = _button("Run", "play", "Make a run with these settings", self._on_run)
        self._stop = _button("Stop", "stop", "Break the run off that goes on", self._on_stop)
        self._reset = _button("Reset", "undo", "Stop, and set everything as it was at first", self._on_reset)
        self._stop.disabled = True
        self._said = ipywidgets.HTML()
        wrap = ipywidgets.Layout(flex_flow="row wrap", align_items="center")
        rows = ipywidgets.HBox([*self._controls.values(), self._run, self._stop, self._reset], layout=wrap)
        super().__init__([rows, self._said, timeline])
        for widget in (*self._controls.values(), self._run, self._stop, self._reset):
            hear_anywhere(widget)
        self._say("Choose, and press Run.")

    @property
    def setting(self) -> Setting:
        """What the controls say."""
        return Setting(**{name: control.value for name, control in self._controls.items()})

    @property
    def said(self) -> str:
        """What the line of words says, as text."""
        inner = self._said.value.removeprefix(_BEGIN).removesuffix(_END)
        return html.unescape(inner.replace(_BREAK, "\n").replace(_SPACE, " "))

    def close(self) -> None:
        running = self._running
        self._bench.stop()
        if running is not None and running is not threading.current_thread():
            running.join(_WAIT_S)
        self.timeline.close()
        self._bench.close()
        for widget in _parts(self):
            widget.close()
        super().close()

    # -- what a reader does: these only post --------------------------------------------------------------------

    def _on_run(self, _: Any = None) -> None:
        with self._lock:
            if self._running is not None:
                return
            self._running = threading.Thread(
                target=self._make, args=(self.setting,), name="playground panel", daemon=True
            )
            self._run.disabled, self._stop.disabled = True, False
            with contextlib.suppress(RuntimeError):  # a browser's Python has no threads
                self._running.start()
                return
        self._make(self.setting)

    def _on_stop(self, _: Any = None) -> None:
        self._bench.stop()

    def _on_reset(self, _: Any = None) -> None:
        self._bench.stop()
        for name, control in self._controls.items():
            control.value = getattr(self._bench.first, name)
        self.timeline.clear()
        self._say("Choose, and press Run.")

    # -- inside -------------------------------------------------------------------------------------------------

    def _make(self, setting: Setting) -> None:
        """Make a run, on the panel's own thread."""
        self._say("A run goes on.")
        try:
            words = self._bench.run(setting)
        except KeyboardInterrupt as stopped:
            words = "\n".join(["Stopped.", *_notes(stopped)])
        except BaseException as error:  # noqa: BLE001 (an app's SystemExit too: its reader has no other place)
            words = "\n".join([words_of(error), *_notes(error)])
        with self._lock:
            self._running = None
            self._say(words)
            self._run.disabled, self._stop.disabled = False, True

    def _say(self, words: str) -> None:
        """Say it as text: what an app has put into it must not become markup, nor fill the page."""
        lines = [_SPACE * indent + html.escape(line) for indent, line in _tidy(words)]
        self._said.value = _BEGIN + _BREAK.join(lines) + _END

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, **self.timeline.still()}, metadata


def _notes(error: BaseException) -> list[str]:
    """What was added to an exception; any object may stand there."""
    notes = getattr(error, "__notes__", ())
    return [note for note in notes if isinstance(note, str)] if isinstance(notes, list) else []


def _tidy(words: str) -> Iterator[tuple[int, str]]:
    """Words as lines without control characters, as many and as long as are read; each with how far it is indented."""
    lines = words.split("\n", _MOST_LINES)
    for line in lines[:_MOST_LINES]:
        yield min(len(line) - len(line.lstrip(" ")), _MOST_INDENT), one_line(line, _LONGEST_LINE)
    if len(lines) > _MOST_LINES:
        yield 0, "…"


_BEGIN: Final = '<div role="status" class="playground-said">'
_BREAK: Final = "<br>"
_SPACE: Final = "&nbsp;"
"""At a line's beginning, where a page shows no plain space: a place in the source is indented, as in a traceback."""
_END: Final = "</div>"


def _controls(bench: Bench) -> dict[str, Any]:
    """The controls, by the field of a `Setting` that each sets."""
    first = bench.first
    most = {"route": "20em", "requests": "13em", "rate": "21em", "threads": "13em", "network": "19em", "clock": "13em"}
    # given when they are made: a look that takes another's place leaves that one with ipywidgets for good
    look = {
        name: {
            "layout": ipywidgets.Layout(width=width, max_width="100%"),
            "style": {"description_width": "initial"},
        }
        for name, width in most.items()
    }
    controls = {
        "route": ipywidgets.Combobox(
            options=list(bench.routes), description="Route", ensure_option=False, **look["route"]
        ),
        "requests": ipywidgets.BoundedIntText(min=1, max=_MOST_REQUESTS, description="Requests", **look["requests"]),
        "rate": ipywidgets.BoundedFloatText(
            min=0, max=100_000, step=10, description="Rate a second (0: all at once)", **look["rate"]
        ),
        "threads": ipywidgets.BoundedIntText(min=1, max=_MOST_THREADS, description="Threads", **look["threads"]),
        "network": ipywidgets.Dropdown(options=list(bench.networks), description="Network", **look["network"]),
        "clock": ipywidgets.Dropdown(
            options=[("real time", "real"), ("virtual time", "virtual")], description="Clock", **look["clock"]
        ),
    }
    for name, control in controls.items():
        control.value = getattr(first, name)
    return controls


def _button(words: str, icon: str, tooltip: str, act: Callable[[Any], None]) -> Any:
    button = ipywidgets.Button(description=words, icon=icon, tooltip=tooltip, layout=ipywidgets.Layout(width="6em"))
    button.on_click(act)
    return button


def _parts(widget: Any) -> Iterator[Any]:
    """All that a widget consists of, also of its look: ipywidgets keeps each until it is closed itself."""
    for child in getattr(widget, "children", ()):
        yield from _parts(child)
        yield child
    for name in ("layout", "style"):
        if widget.has_trait(name):
            yield getattr(widget, name)
