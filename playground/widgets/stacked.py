"""Ways to run the same jobs, one below the other on one axis, as a Jupyter widget."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from playground.trace import Trace
from playground.views.stacked import TITLE, stack
from playground.views.stacked_packet import packed
from playground.widgets.still import still_stacked
from playground.widgets.view import View

__all__ = ["Stacked"]

_LANES_HEIGHT_PX = 640  # three ways with twenty jobs each fit a projector; more scroll


class Stacked(View):
    """Recordings of the same jobs, run in different ways: their workers and jobs on one axis.

    Args:
        traces: the recordings by their names, in order.
        title: shown above them.
        height: of the lanes at most, in CSS pixels; longer ones scroll.
        traits: the widget's own, such as `layout`.
    """

    def __init__(
        self, traces: Mapping[str, Trace], *, title: str = TITLE, height: int = _LANES_HEIGHT_PX, **traits: Any
    ) -> None:
        stacked = stack(traces)  # here and not on demand: an error belongs in the cell
        self._names = ", ".join(traces)
        still = partial(still_stacked, stacked, title)
        super().__init__(packed(stacked, title), still, title=title, height=height, **traits)

    def __repr__(self) -> str:
        return f"<Stacked of {self._names}>"
