"""The interactive timeline as a Jupyter widget: what Python hears of a reader's deeds, in three small traits."""

from functools import partial
from typing import Any

from traitlets import Dict, List

from playground.trace import Trace
from playground.views.packet import packet
from playground.widgets.still import still
from playground.widgets.view import View

__all__ = ["Timeline"]

_LANES_HEIGHT_PX = 460  # a request burst and the loop, with the findings above, fit a laptop's notebook


class Timeline(View):
    """A recording's timeline: lanes for the loop, the workers and the requests, to zoom, pan and ask.

    Args:
        trace: the recording.
        title: shown above it; the recording's own by default.
        height: of the lanes at most, in CSS pixels; longer ones scroll.
        traits: the widget's own, such as `layout`.

    Attributes:
        selection: the span that the reader selected, as `{"label", "kind", "start_ns", "duration_ns", "request",
            "file", "line"}`; `{}` if none. `kind` is the span's state (`run`, `thread`, `io`, `blocked` ...) or
            `request` for a request as a whole (`task` where a recording without requests has lanes of tasks); `request`
            is its number or `None`; `file` may be empty.
        visible: `[start_ns, end_ns]` of the stretch of time in view, at most 15 updates a second; `[]` until the
            reader moves. Set it to move the view.
        opened: the place in the source that the reader opened last, as `{"file", "line", "text"}`; `{}` if none. In
            JupyterLab and Notebook 7 the view goes to the line of a cell by itself; a file is for whoever observes
            this to open.
    """

    selection = Dict().tag(sync=True)
    visible = List().tag(sync=True)
    opened = Dict().tag(sync=True)

    def __init__(
        self, trace: Trace, *, title: str | None = None, height: int = _LANES_HEIGHT_PX, **traits: Any
    ) -> None:
        self._trace = trace
        # here and not on demand: an error belongs in the cell, not in a log
        super().__init__(
            packet(trace), partial(still, trace), title=trace.title if title is None else title, height=height, **traits
        )

    def __repr__(self) -> str:
        return f"<Timeline of {self._trace!r}>"
