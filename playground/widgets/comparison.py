"""The interactive comparison as a Jupyter widget."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from playground.trace import Trace
from playground.views.compare import Compared
from playground.views.comparison import TITLE, packed
from playground.widgets.still import still_comparison
from playground.widgets.view import View

__all__ = ["Comparison"]

_LANES_HEIGHT_PX = 420  # three runs with a few workers each; the requests stand below them


class Comparison(View):
    """Runs side by side: lanes on one axis, requests in pairs, and what differs in one sentence.

    Args:
        traces: two to eight recordings by their names; the first is what the others are held against.
        title: shown above it.
        height: of the lanes at most, in CSS pixels; longer ones scroll.
        traits: the widget's own, such as `layout`.
    """

    def __init__(
        self, traces: Mapping[str, Trace], *, title: str = TITLE, height: int = _LANES_HEIGHT_PX, **traits: Any
    ) -> None:
        compared = Compared(traces)  # here and not on demand: an error belongs in the cell
        self._names = ", ".join(traces)
        still = partial(still_comparison, compared)
        super().__init__(packed(compared, title), still, title=title, height=height, **traits)

    def __repr__(self) -> str:
        return f"<Comparison of {self._names}>"
