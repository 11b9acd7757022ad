"""The loop theatre as a Jupyter widget: where a reader is in the play, and what Python hears of guesses."""

from functools import partial
from typing import Any

from traitlets import Bool, Dict, Int

from playground.errors import TraceError
from playground.trace import Trace
from playground.views.play import play, sentences
from playground.views.svg import svg
from playground.views.theatre import play_packet
from playground.views.wording import counted
from playground.widgets.view import View

__all__ = ["Theatre"]

_STAGE_HEIGHT_PX = 420  # seven cards in a queue and the source beside them


class Theatre(View):
    """A recording as a play: the ready queue, what runs, who waits, worker threads, what is done, step by step.

    Args:
        trace: the recording.
        title: shown above it; the recording's own by default.
        height: of the stage at least, in CSS pixels: more show more cards and more source.
        predict: begin by asking what runs next, and hide it until the reader has chosen.
        step: where the play opens; by default at the first step of a request, or at 0 if none has one.
        traits: the widget's own, such as `layout`.

    Raises:
        TraceError: there are jobs, and no steps of a loop of which a play could be made.

    Attributes:
        step: the step that is on the stage, an index into the trace's steps, at most 15 updates a second; one more than
            the last when the play is over. Set it to move the play.
        predict: whether what runs next is asked for. Set it to begin or to end that.
        guesses: how many guesses were `right` and how many `wrong`, by these names; `{}` if none was made.
    """

    step = Int(0, min=0).tag(sync=True)
    predict = Bool(False).tag(sync=True)
    guesses = Dict().tag(sync=True)

    def __init__(
        self,
        trace: Trace,
        *,
        title: str | None = None,
        height: int = _STAGE_HEIGHT_PX,
        predict: bool = False,
        step: int | None = None,
        **traits: Any,
    ) -> None:
        if trace.jobs and not trace.steps:
            raise TraceError(
                f"expected a recording with steps of an event loop to play, found {counted(len(trace.jobs), 'job')} "
                f"of {trace.title!r} and no steps: look at timeline(), or run the jobs on a loop that is recorded, "
                "such as models='asyncio'"
            )
        self._trace = trace
        shown = trace.title if title is None else title
        told = play(trace)  # here and not on demand: an error belongs in the cell
        traits = {**traits, "predict": predict, "step": told.opens if step is None else step}
        super().__init__(play_packet(told), partial(_still, trace), title=shown, height=height, **traits)

    def __repr__(self) -> str:
        return f"<Theatre of {self._trace!r}>"


def _still(trace: Trace) -> dict[str, str]:
    """What stands for the play where nothing runs: its first sentences, and the whole run as a picture.

    No single moment of a play tells what it is about, so the picture is the timeline's.
    """
    return {"text/plain": sentences(trace), "image/svg+xml": svg(trace)}
