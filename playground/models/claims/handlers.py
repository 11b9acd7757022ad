"""Plain `def` handlers are run in threads: what a lab sees of the handlers of three frameworks.

It decides when two witnesses bear the claim out; what they saw is in `handlers_seen`. That the threads cost something,
and how much here, is part of the sentence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from playground.errors import ModelError
from playground.models.apart import run_apart
from playground.models.claims.asked import check_count
from playground.models.claims.claim import Claim, Measured, Picture, Verdict
from playground.models.claims.handlers_seen import MAKERS, Seen, observe
from playground.models.claims.rounds import spread
from playground.models.claims.words import listed, told

if TYPE_CHECKING:
    from playground.trace import Trace

__all__ = ["HandlersClaim", "handlers_in_threads", "judged"]

_STATEMENT: Final = "Plain def handlers are run in threads, async def handlers on the event loop."
_PICTURE: Final = Picture("bars", "count", "how often the handler was handed to a thread, of all its requests")
_REQUESTS: Final = 6
_PATIENCE_S: Final = 60.0
_WITNESSES: Final = (
    "Two witnesses: the recording of a lab, which sees what is handed to threads, and each handler itself, which asks "
    "in which thread it is."
)


@dataclass(frozen=True, repr=False)
class HandlersClaim(Claim):
    """What came of it, with the recording of one of the runs, whose timeline is part of the picture.

    Attributes:
        trace: the recording; `None` if there is none.
    """

    trace: "Trace | None" = None

    def _drawn(self, width: int) -> str:
        from playground.views.claims_timeline import svg  # who only measures draws nothing

        return svg(self, self.trace, width=width)

    def __str__(self) -> str:
        from playground.views.claims_timeline import text  # as above

        return text(self, self.trace)


def handlers_in_threads(requests: int = _REQUESTS) -> HandlersClaim:
    """In which threads handlers run, of our own toolkit, of Starlette and of FastAPI, where those are installed.

    In a child process, each app is sent requests of both kinds in a lab, all at once.

    Args:
        requests: how many of each kind.

    Raises:
        ModelError: that is no number of requests.
    """
    check_count("requests", requests, _REQUESTS)
    found: dict[str, list[Seen] | str] = {}
    recordings: dict[str, bytes] = {}
    for name, (package, _) in MAKERS.items():
        found[name], dumped = _observed(name, package, requests)
        if dumped is not None:
            recordings[name] = dumped
    return judged(found, *_shown(recordings))


def _observed(name: str, package: str, requests: int) -> tuple[list[Seen] | str, bytes | None]:
    """What was seen, and the recording; or why nothing was."""
    if package and find_spec(package) is None:
        return f"not installed: pip install {package}", None
    try:
        apart = run_apart(observe, name, requests, timeout_s=_PATIENCE_S, show=False)
    except ModelError as error:
        return f"not measured here: {error}", None
    if apart.ending != "returned":
        return f"not measured here: its process {apart.ending}, {apart.error}", None
    seen, dumped = apart.result
    return seen, dumped


def _shown(recordings: Mapping[str, bytes]) -> tuple[str, "Trace | None"]:
    """The first of the recordings, and whose it is."""
    from playground.trace import Trace, store  # as in `handlers_seen`: its children do without

    for name, recording in recordings.items():
        trace = store.restore(Trace, recording)
        trace.title = f"Handlers of {name}"
        return name, trace
    return "", None


# -- judging --------------------------------------------------------------------------------------------------------


def judged(found: Mapping[str, Sequence[Seen] | str], shown: str = "", trace: "Trace | None" = None) -> HandlersClaim:
    """The claim, from what was seen of each framework, or why nothing was; and whose recording is shown."""
    seen = [each for one in found.values() if not isinstance(one, str) for each in one]
    verdict, sentence = _verdict(seen)
    costs_ns = [cost for each in seen for cost in each.costs_ns]
    if costs_ns and verdict == "holds":
        sentence += f" Handing over and back took {told(spread(costs_ns), 'ns')}."
    figures = {f"{each.framework} {each.kind} handed": float(each.handed) for each in seen}
    figures |= {f"{each.framework} {each.kind} on_loop": float(each.on_loop) for each in seen}
    if costs_ns:
        figures["handoff_ns"] = spread(costs_ns).median
    rows = [row for name, one in found.items() for row in _rows(name, one)]
    notes = (_WITNESSES, *([f"Below, the run with {shown}, as it was recorded."] if trace is not None else []))
    return HandlersClaim(_STATEMENT, verdict, sentence, figures, rows, _PICTURE, notes, trace)


def _verdict(seen: Sequence[Seen]) -> tuple[Verdict, str]:
    if not seen:
        return "not here", "No framework could be tried here."
    if any(each.handed + each.on_loop != each.requests for each in seen):
        names = listed(
            list(dict.fromkeys(each.framework for each in seen if each.handed + each.on_loop != each.requests))
        )
        return "not here", f"The two witnesses do not agree on {names}."
    if others := [each for each in seen if each.handed != (each.requests if each.kind == "def" else 0)]:
        return "does not hold", " ".join(_clause(each) + "." for each in others)
    names = listed(list(dict.fromkeys(each.framework for each in seen)))
    plain, loop = (sum(each.requests for each in seen if each.kind == kind) for kind in ("def", "async def"))
    return "holds", (
        f"With {names}, all {plain} def handlers ran in worker threads, and all {loop} async def handlers in the "
        "thread of the loop."
    )


def _clause(seen: Seen) -> str:
    return f"With {seen.framework}, {seen.handed} of {seen.requests} {seen.kind} handlers ran in a worker thread"


def _rows(name: str, found: Sequence[Seen] | str) -> list[Measured]:
    if isinstance(found, str):
        return [Measured("def and async def", None, rounds=0, group=name, note=found)]
    return [Measured(each.kind, float(each.handed), group=name, note=_note(each)) for each in found]


def _note(seen: Seen) -> str:
    if not seen.handed:
        return f"of {seen.requests}: on the loop"
    return f"of {seen.requests}, in {seen.threads} thread{'' if seen.threads == 1 else 's'}"
