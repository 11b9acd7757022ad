"""One request's waterfall as a Jupyter widget: the layers it passed through, its threads and messages."""

from collections.abc import Mapping
from typing import Any, Final

from playground.trace import Trace
from playground.views.waterfall import packed, waterfall
from playground.views.waterfall_svg import waterfall_svg
from playground.views.waterfall_text import waterfall_text
from playground.widgets.view import View

__all__ = ["Waterfall"]

_LANES_HEIGHT_PX: Final = 640  # 24 layers and 12 calls have 40 lanes; those of most requests fit


class Waterfall(View):
    """Where a request's time went: to go through with the arrow keys, or as tables.

    Args:
        trace: the recording.
        request: the request's index in `trace.requests`; from the end, if it is negative.
        title: shown above it; the request's own number, method and route by default.
        height: of the lanes at most, in CSS pixels; more of them scroll.
        traits: the widget's own, such as `layout`.

    Raises:
        TraceError: there is no such request.
    """

    def __init__(
        self,
        trace: Trace,
        request: int,
        *,
        title: str | None = None,
        height: int = _LANES_HEIGHT_PX,
        **traits: Any,
    ) -> None:
        self._trace = trace
        self._fall = waterfall(trace, request)
        title = self._fall.title if title is None else title
        super().__init__(packed(trace, self._fall), self._pictures, title=title, height=height, **traits)

    def _pictures(self) -> Mapping[str, str]:
        return {"text/plain": waterfall_text(self._fall), "image/svg+xml": waterfall_svg(self._trace, self._fall)}

    def __repr__(self) -> str:
        return f"<Waterfall of {self._fall.title} of {self._trace!r}>"
