"""A timeline of the runs that go on in a lab, as a Jupyter widget: it grows while a run does, and then is that run's.

It decides when to look at a recording and when to tell of it; what there is to tell is `playground.views.live`'s. A
thread looks while a run goes on, and at no other time. Whoever runs something never waits for it, nor for a browser:
what a slow one has not shown yet is not sent again and again but told in fewer, larger pieces. Callbacks may come on a
kernel subshell's thread, so what they share with the thread that looks is behind a lock.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from playground.flag import Flag
from playground.trace import Trace
from playground.trace.build import Live, build
from playground.trace.recorder import Recorder
from playground.views.live import LiveLanes
from playground.views.live_packet import Teller, counters
from playground.views.nothing import TITLE, WORDS, svg_of_nothing, text_of_nothing
from playground.views.packet import packet
from playground.widgets.still import still
from playground.widgets.timeline import Timeline
from playground.widgets.view import MOST_PICTURES, told_by

__all__ = ["EVERY_S", "LiveTimeline", "Watch"]

EVERY_S: Final = 0.1
"""Ten times a second: what moves more often than that is not read, and each look takes from what is looked at."""
_REST: Final = 4
"""How many times as long as a look took the next is waited for, at least: looking takes a fifth of the time at most."""
_IN_FLIGHT: Final = (3, 2.0)
"""Packets that may be on their way to a browser that answers, and by how much each more that it has not shown lengthens
the time to the next."""
_UNHEARD: Final = (20, 1.15)
"""The same where no answer is heard, as by a kernel without subshells while a cell runs: ten a second for two seconds,
one a second after five, and sixty in an hour."""
_SLOWEST_S: Final = 600.0
_NOTHING: Final = Trace(title=TITLE)
_PATIENCE_S: Final = 5.0
"""How long the end of a run that was broken off is waited for, before it is told as far as it got."""


class Watch:
    """One run, as it is looked at: what is known of it so far.

    Attributes:
        title: what the run is called.
        number: which run it is, of those that one timeline was told of.
        alone: whether no thread looks at it.
    """

    def __init__(self, title: str, number: int = 0) -> None:
        self.title = title
        self.number = number
        self.recorder: Recorder | None = None
        self.begun = Flag()
        self.over = Flag()
        self.trace: Callable[[], Trace] | None = None
        self.alone = False

    def finished(self, wanted: Callable[[], bool]) -> Trace | None:
        """The trace of the run, which is over; `None` if nothing was recorded, or it is not wanted any more."""
        if self.trace is not None:
            return self.trace()
        recorder, until_s = self.recorder, time.monotonic() + _PATIENCE_S
        while recorder is not None and recorder.ended_ns is None and time.monotonic() < until_s and wanted():
            time.sleep(EVERY_S)
        if recorder is None or not wanted():
            return None
        return build(recorder, self.title) if recorder.ended_ns is not None else Live(recorder).trace(self.title)


class LiveTimeline(Timeline):
    """The timeline of whatever run goes on, or else of the last.

    Args:
        counts: whether the loop's and the threads' counters are shown while a run goes on.
        height: of the lanes at most, in CSS pixels; longer ones scroll.

    Its traits are those of `Timeline`. `close` ends the looking too.
    """

    def __init__(self, *, counts: bool = True, height: int = 460, **traits: Any) -> None:
        self._lock = threading.RLock()
        self._counts = counts
        self._views: dict[str, int] = {}  # the pictures on some page, each with the number of what it showed last
        self._seq = 0
        self._heard = False  # whether a picture has answered since the run began
        self._runs = 0
        self._watch: Watch | None = None  # the run that goes on, or is about to begin
        self._shown: Watch | None = None  # the one that is told of
        self._live: Live | None = None
        self._lanes: LiveLanes | None = None
        self._teller: Teller | None = None
        self._closed = False
        super().__init__(_NOTHING, title="", height=height, **traits)
        if self.comm is not None:
            self.comm.on_close(self._deserted)
        self._packet = packet(_NOTHING, instead=WORDS)
        self._still = self.still

    @property
    def closed(self) -> bool:
        """Whether nobody looks any more."""
        return self._closed

    def close(self) -> None:
        self._closed = True
        if self._watch is not None:
            self._watch.over.set()
        with self._lock:  # not while its thread tells what is new
            super().close()

    def still(self) -> dict[str, str]:
        """What stands for it where nothing runs, by media type."""
        if self._trace is _NOTHING:
            return {"text/plain": text_of_nothing(), "image/svg+xml": svg_of_nothing()}
        return still(self._trace)

    def clear(self) -> None:
        """Show no run, until there is another."""
        with self._lock:
            self._shown = None
            self._live = self._lanes = self._teller = None
            self._trace = _NOTHING
            self._packet = packet(_NOTHING, instead=WORDS)
            if self._views and not self._closed:
                self._tell("recording", None, self._packet)

    # -- what the lab calls -------------------------------------------------------------------------------------

    def prepare(self, title: str) -> None:
        """A run is about to begin. Called by the thread that asks for it."""
        self.ends(None)  # of the one before nothing more is heard, if its caller was interrupted after it was over
        self._runs += 1
        self._watch = watch = Watch(title, self._runs)
        try:
            threading.Thread(target=self._look, args=(watch,), name="playground live", daemon=True).start()
        except RuntimeError:  # a browser's Python has no threads: nobody can look before the run is over
            watch.alone = True

    def begins(self, recorder: Recorder) -> None:
        """Its recording has begun. Called on the loop's thread, which is not kept."""
        if self._watch is not None:
            self._watch.recorder = recorder
            self._watch.begun.set()

    def ends(self, trace: Callable[[], Trace] | None) -> None:
        """The run is over, and this gives its trace; `None` if it was broken off and may not have ended yet."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.trace = trace
            watch.over.set()
            if watch.alone:
                self._look(watch)

    # -- looking ------------------------------------------------------------------------------------------------

    def _look(self, watch: Watch) -> None:
        """Tell of a run until it is over, and then of all of it."""
        while not watch.begun.wait(EVERY_S):
            if watch.over.up:
                return
        self._begin(watch)
        try:
            self._follow(watch)
        finally:  # whatever went wrong with a look: when the run is over, all of it is told
            watch.over.wait()
            if (trace := watch.finished(lambda: self._shown is watch and not self._closed)) is not None:
                self._finish(watch, trace)
            watch.recorder = watch.trace = None  # who shows a run that was told to its end needs no more of it

    def _follow(self, watch: Watch) -> None:
        """Look again and again."""
        pause_s = EVERY_S
        while not watch.over.wait(pause_s):
            began_s = time.perf_counter()
            with self._lock:
                if self._shown is watch and self._views and not self._closed:
                    self._update()
                pause_s = self._pause_s(time.perf_counter() - began_s)

    def _begin(self, watch: Watch) -> None:
        """From now on, tell of this run; unless this thread comes so late that a later one is told of already."""
        assert watch.recorder is not None
        with self._lock:
            if self._shown is not None and self._shown.number > watch.number:
                return
            self._shown, self._heard = watch, False
            self._views = dict.fromkeys(self._views, self._seq)
            self._live, self._lanes, self._teller = Live(watch.recorder), None, None
            self._packet = packet(Trace(title=watch.title, clock=watch.recorder.clock))

    def _update(self) -> None:
        """Tell what is new."""
        assert self._live is not None
        reading = self._live.read()
        lanes, teller = self._lanes, self._teller
        if lanes is None or teller is None or lanes.reading is not reading:
            lanes = self._lanes = LiveLanes(reading)
            teller = self._teller = Teller(lanes)
            begins = True
        else:
            begins = False
        lanes.grow()
        anew = teller.outgrown() or begins
        self._seq += 1
        said = teller.new(**self._said())
        if anew:
            self._tell("recording", None, self._packet)
            said = teller.whole(**self._said())
        self._tell("more", None, said)

    def _said(self) -> Mapping[str, Any]:
        """What a packet says besides the lanes: when the next is due, and the counters."""
        assert self._lanes is not None
        told = counters(self._lanes) if self._counts else ()
        return {"next_s": max(1.0, self._pause_s(0.0)), "counters": told}

    def _pause_s(self, took_s: float) -> float:
        """How long to wait for the next look."""
        waiting = self._seq - max(self._views.values(), default=self._seq)
        most, factor = _IN_FLIGHT if self._heard else _UNHEARD
        return min(_SLOWEST_S, max(EVERY_S, _REST * took_s) * factor ** max(0, waiting - most))

    def _finish(self, watch: Watch, trace: Trace) -> None:
        """Tell the whole, as a timeline of the finished run shows it, unless the next goes on already."""
        whole = packet(trace)
        with self._lock:
            if self._shown is not watch:
                return
            self._trace, self._packet = trace, whole
            self._live = self._lanes = self._teller = None
            if self._views and not self._closed:
                self._tell("recording", None, whole)

    def _tell(self, kind: str, view: str | None, said: bytes) -> None:
        self.send({"type": kind, "view": view, "seq": self._seq}, buffers=[said])

    # -- what pictures say --------------------------------------------------------------------------------------

    def _answer(self, _: Any, content: Any, buffers: Any) -> None:
        """A picture is ready, has shown what it got, or is gone."""
        kind, view = told_by(content)
        with self._lock:
            if kind == "missed" or (kind == "ready" and view not in self._views):
                self._views[view] = self._seq
                if len(self._views) > MOST_PICTURES:
                    del self._views[next(iter(self._views))]
                self._tell("recording", view, self._packet)
                if self._teller is not None:
                    self._tell("more", view, self._teller.whole(**self._said()))
            elif kind == "got" and view in self._views:
                self._heard = True
                seq = content.get("seq")
                self._views[view] = max(self._views[view], min(self._seq, seq if isinstance(seq, int) else 0))
            elif kind == "gone":
                self._views.pop(view, None)

    def _deserted(self, _: Any) -> None:
        """The front-end has closed its side: there is no picture any more."""
        with self._lock:
            self._views.clear()
