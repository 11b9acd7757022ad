"""What all assertions on schedules have in common: what may be judged, and how a failure is told.

It decides that the rows that say so follow what was expected, as many as a screen holds, and then what to do next; and
that a recording which cannot say does not pass. What is expected, the assertions say.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NoReturn

from playground.errors import LabError
from playground.run import Run
from playground.trace import Request, Trace
from playground.views.wording import counted, one_line

__all__ = ["NOTHING_RAN", "fail", "in_run", "need_requests", "refuse_dropped", "share_of", "trace_of"]

_SHOWN: Final = 5
"""How many rows a message lists; the rest is counted. More would push the first line off the screen."""

NOTHING_RAN: Final = "Judge the run that did the work: what Lab.burst, Lab.load or Lab.run returned."


def trace_of(run: Run | Trace) -> Trace:
    """The recording of what was given; raises `LabError` if there is none."""
    if isinstance(run, Run):
        return run.trace
    if isinstance(run, Trace):
        return run
    raise LabError(
        f"expected a Run or a Trace, got {type(run).__name__}: pass what Lab.burst, Lab.load or Lab.run returned"
    )


def fail(expected: str, evidence: Iterable[str], advice: str) -> NoReturn:
    """Raise an `AssertionError`: what was expected and got, a line for each row that says so, and what to do next."""
    __tracebackhide__ = True
    rows = list(evidence)
    lines = [expected, *(f"  - {row}" for row in rows[:_SHOWN])]
    if len(rows) > _SHOWN:
        lines.append(f"  and {len(rows) - _SHOWN:,} more")
    raise AssertionError("\n".join([*lines, advice]))


def refuse_dropped(trace: Trace, expected: str) -> None:
    """Do not take for absent what may be among the rows that are missing."""
    __tracebackhide__ = True
    if trace.dropped:
        fail(
            f"{expected}, got a recording that cannot say{in_run(trace)}: {counted(trace.dropped, 'event')}, the "
            "oldest, and what only they spoke of were dropped, because the recorder's ring was full.",
            (),
            "Send fewer requests in one run, or split it into several.",
        )


def need_requests(trace: Trace, expected: str) -> list[Request]:
    """All requests but websockets; fails if there is none."""
    __tracebackhide__ = True
    requests = [request for request in trace.requests if request.method != "WEBSOCKET"]
    if not requests:
        fail(f"{expected}, got a run without requests{in_run(trace)}.", (), NOTHING_RAN)
    return requests


def in_run(trace: Trace) -> str:
    """Which run, and on which clock."""
    return f" in {one_line(trace.title)} ({trace.clock} clock)"


def share_of(some: Sequence[Request], requests: Sequence[Request], trace: Trace) -> str:
    """So many of the requests of a run."""
    return f"{len(some):,} of {counted(len(requests), 'request')}{in_run(trace)}"
