"""The interactive timeline as a Jupyter widget.

The recording is no trait of the widget: traits are saved with a notebook, and a million spans would be too.
Each view asks for it when it is ready (also a second view, or one that is shown again) and is answered with one
binary message. What Python hears back are two small traits. Callbacks may come on a kernel subshell's thread;
this class changes nothing after it is made, so none of them needs a lock.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
from traitlets import Dict, Int, List, Unicode

from playground.trace import Trace
from playground.views.packet import packet
from playground.widgets.still import still

__all__ = ["Timeline"]

_LANES_HEIGHT_PX = 460  # a request burst and the loop, with the findings above, fit a laptop's notebook


class Timeline(anywidget.AnyWidget):  # type: ignore[misc]  # the widget libraries come without types
    """A recording's timeline: lanes for the loop, the workers and the requests, to zoom, pan and ask.

    Args:
        trace: the recording.
        title: shown above it; the recording's own by default.
        height: of the lanes at most, in CSS pixels; longer ones scroll.

    Attributes:
        selection: the span that the reader selected, as `{"label", "kind", "start_ns", "duration_ns", "request",
            "file", "line"}`; `{}` if none. `kind` is the span's state (`run`, `thread`, `io`, `blocked` ...) or
            `request` for a request as a whole; `request` is its number or `None`; `file` may be empty.
        visible: `[start_ns, end_ns]` of the stretch of time in view, at most 15 updates a second; `[]` until the
            reader moves. Set it to move the view.
    """

    _esm = Path(__file__).parent / "static" / "timeline.js"

    title = Unicode().tag(sync=True)
    height = Int(_LANES_HEIGHT_PX, min=120).tag(sync=True)
    selection = Dict().tag(sync=True)
    visible = List().tag(sync=True)

    def __init__(self, trace: Trace, *, title: str | None = None, height: int = _LANES_HEIGHT_PX) -> None:
        self._trace = trace
        self._packet = packet(trace)  # here and not on demand: an error belongs in the cell, not in a log
        super().__init__(title=trace.title if title is None else title, height=height)
        self.on_msg(self._answer)

    def _answer(self, _: Any, content: Mapping[str, Any], buffers: Any) -> None:
        """Send a view that says it is ready what it is to show."""
        if content.get("type") == "ready":
            self.send({"type": "recording", "view": content.get("view")}, buffers=[self._packet])

    def __repr__(self) -> str:
        return f"<Timeline of {self._trace!r}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, **still(self._trace)}, metadata
