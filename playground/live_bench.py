"""The bench of a lab's dashboard: runs with the settings that somebody chose, on that lab or on one made for them.

What a lab cannot change once it is made (its clock, its threads, its network) takes another lab of the same app; that
one is kept as long as the settings are. All runs are kept by the lab that the dashboard is of.
"""

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from playground.lab import Lab
from playground.transport import Network
from playground.views.wording import counted, one_line
from playground.widgets.live import LiveTimeline
from playground.widgets.panel import Panel, Setting

if TYPE_CHECKING:
    from playground.run import Run

__all__ = ["panel"]

_NETWORKS: Final[dict[str, Network | None]] = {
    "none": None,
    "near: 5 ms each way": Network(latency_s=0.005),
    "far: 80 to 100 ms each way": Network(latency_s=0.08, jitter_s=0.02),
    "bad: 150 to 250 ms, 5 % lost": Network(latency_s=0.15, jitter_s=0.1, loss=0.05),
    "narrow: 256 kbit a second": Network(latency_s=0.04, bandwidth_bps=256_000),
}
_OWN: Final = "the lab's own"
_OTHER_LOOP: Final = "is bound to a different event loop"
"""How asyncio ends what it says of a lock, a queue or an event that was waited for on another loop before."""
_BOUND: Final = (
    "With another clock, another network or another number of threads, the app runs on another event loop. What it "
    "keeps from one loop to the next (a lock, a queue or an event at module level) fails there: make it in the app's "
    "lifespan, so that each loop has its own."
)
_MOST_ERRORS: Final = 3
"""More kinds of error than this are counted: the picture has them all."""


class LabBench:
    """Makes runs for a `Panel`; see `playground.widgets.panel.Bench`."""

    def __init__(self, lab: Lab, timeline: LiveTimeline) -> None:
        options = lab.made_with
        own = options["network"]
        self._networks = {**({_OWN: own} if own is not None else {}), **_NETWORKS}
        self.networks = list(self._networks)
        self.routes = _routes(lab.app)
        first = next((route for route in self.routes if "{" not in route), "/")
        self.first = Setting(first, 50, 100.0, options["threads"], self.networks[0], options["clock"])
        self._lab = lab
        self._timeline = timeline
        self._made: tuple[dict[str, Any], Lab] | None = None
        self._lock = threading.Lock()
        self._at_work: Lab | None = None
        self._stopped = False
        lab.follow(timeline)

    def run(self, setting: Setting) -> str:
        """Make a run, wait for it, and say in words what came of it."""
        self._stopped = False
        lab = self._lab_for(setting)
        with self._lock:
            self._at_work = lab
        try:
            if self._stopped:
                raise KeyboardInterrupt
            return _words(_made(lab, setting))
        finally:
            with self._lock:
                self._at_work = None

    def stop(self) -> None:
        """Break the run off that goes on."""
        with self._lock:
            self._stopped = True
            if self._at_work is not None:
                self._at_work.stop()

    def close(self) -> None:
        """Close the lab that was made for the settings, if there is one."""
        made, self._made = self._made, None
        if made is not None:
            made[1].close()

    def _lab_for(self, setting: Setting) -> Lab:
        chosen = {"clock": setting.clock, "threads": setting.threads, "network": self._networks[setting.network]}
        options = {**self._lab.made_with, **chosen}
        if options == self._lab.made_with:
            return self._lab
        if self._made is None or self._made[0] != options:
            self.close()
            lab = Lab(self._lab.app, **options)
            lab.runs = self._lab.runs
            lab.follow(self._timeline)
            self._made = options, lab
        return self._made[1]


def panel(lab: Lab) -> Panel:
    """The dashboard of a lab."""
    timeline = LiveTimeline()
    return Panel(LabBench(lab, timeline), timeline)


def _made(lab: Lab, setting: Setting) -> "Run":
    route = setting.route.strip() or "/"
    if setting.rate == 0:
        return lab.burst(route, n=setting.requests)
    return lab.load(route, rate=setting.rate, duration=setting.requests / setting.rate, arrivals="uniform")


def _words(run: "Run") -> str:
    """What came of a run: its summary, what the network lost, and what the app let out."""
    lines = [f"{run.title}: {run.summary}"]
    if run.lost:
        lines.append(f"The network lost {counted(len(run.lost), 'request')}.")
    errors = Counter(one_line(request.error, 200) for request in run.requests if request.error is not None)
    for error, count in errors.most_common(_MOST_ERRORS):
        lines.append(f"The app let this out of {counted(count, 'request')}: {error}")
    if more := len(errors) - _MOST_ERRORS:
        lines += [f"And {more:,} more kinds of error."] if more > 0 else []
    if any(_OTHER_LOOP in error for error in errors):
        lines.append(_BOUND)
    return "\n".join(lines)


def _routes(app: Any) -> list[str]:
    """What an app says it can be asked: of Starlette and its kin, the paths of its routes; else its root."""
    found: dict[str, None] = {}
    for route in getattr(app, "routes", ()):
        path, methods = getattr(route, "path", None), getattr(route, "methods", None)
        if isinstance(path, str) and methods:
            method = "GET" if "GET" in methods else sorted(methods)[0]
            found[path if method == "GET" else f"{method} {path}"] = None
    return list(found) or ["/"]
