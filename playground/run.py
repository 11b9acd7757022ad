"""A run: what one experiment did, its responses beside its recording.

It answers questions about them by asking the trace, and the views when words or pictures are wanted.
"""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from playground.errors import LabError
from playground.trace import Request, Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder

if TYPE_CHECKING:
    from playground.views.findings import Findings
    from playground.widgets import Stacked, Theatre, Timeline

__all__ = ["Run"]


class Answered(Protocol):
    """A request's answer, of which a response can be made: many at once are made only when asked for."""

    def response(self) -> httpx.Response: ...


class Run:
    """What one experiment did: made by `Lab.burst`, `Lab.load` and `Lab.run`, and kept in `Lab.runs`.

    What it tells beside the responses comes from its recording, `trace`.

    Attributes:
        lost: for each request that a simulated network lost, its index and what a client would have seen.
        result: what the function given to `Lab.run` returned; `None` for a burst.
        title: what to call it.
    """

    def __init__(
        self,
        title: str,
        recorder: "Recorder | None",  # quoted, as help() shows it
        answers: "Sequence[Answered | httpx.Response | httpx.TransportError]" = (),
        result: Any = None,
    ) -> None:
        self.title = title
        self._answers = answers
        self.lost = {index: answer for index, answer in enumerate(answers) if isinstance(answer, httpx.TransportError)}
        self.result = result
        self._recorder = recorder
        self._recorded = recorder is not None
        self._trace: Trace | None = None
        self._building = threading.Lock()

    @cached_property
    def responses(self) -> list[httpx.Response]:
        """The responses, in the order of the requests; an app's exception is a 500."""
        answered = (answer for answer in self._answers if not isinstance(answer, httpx.TransportError))
        return [answer if isinstance(answer, httpx.Response) else answer.response() for answer in answered]

    @property
    def trace(self) -> Trace:
        """The recording.

        Raises:
            LabError: the lab was made with `trace=False`.
        """
        if not self._recorded:
            raise LabError(
                "expected a run that was recorded, got one of a lab that does not record: make it with Lab(app), "
                "without trace=False"
            )
        with self._building:  # who watched the run asks for it on a thread of its own
            if self._recorder is not None:
                self._trace = build(self._recorder, self.title)
                self._recorder = None  # the rows hold all that is needed
            assert self._trace is not None
            return self._trace

    @property
    def requests(self) -> Sequence[Request]:
        """The requests as the app saw them: see `Trace.requests`."""
        return self.trace.requests

    @property
    def summary(self) -> str:
        """What happened, in a line."""
        return self.trace.summary

    @property
    def diagnosis(self) -> "Findings":
        """What went wrong: a list of findings, each with its evidence, empty for a healthy run.

        It is shown as its sentences; `str(finding)` is that of one.
        """
        return self.trace.diagnosis

    # -- what its trace shows and keeps, for who does not care which of the two is asked -------------------------

    def timeline(self) -> "Timeline | Stacked":
        """The interactive timeline: see `Trace.timeline`."""
        return self.trace.timeline()

    def theatre(self, *, predict: bool = False) -> "Theatre":
        """The loop theatre: see `Trace.theatre`."""
        return self.trace.theatre(predict=predict)

    def to_html(self, path: str | Path) -> None:
        """Write one HTML file that needs no network: see `Trace.to_html`."""
        self.trace.to_html(path)

    def to_svg(self, path: str | Path | None = None) -> str:
        """The timeline as a static SVG picture: see `Trace.to_svg`."""
        return self.trace.to_svg(path)

    def to_chrome(self, path: str | Path) -> None:
        """Write the recording as a Chrome trace: see `Trace.to_chrome`."""
        self.trace.to_chrome(path)

    def save(self, path: str | Path) -> None:
        """Write the recording to a file, for `Trace.load`: see `Trace.save`."""
        self.trace.save(path)

    def __repr__(self) -> str:
        return f"<Run {self.title!r}: {len(self._answers) - len(self.lost)} responses>"

    def __str__(self) -> str:
        """The whole run as text: a line that sums it up, the findings, the timeline; if it was recorded."""
        return str(self.trace) if self._recorded else repr(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.trace._repr_mimebundle_(include, exclude)
