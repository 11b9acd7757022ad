"""What went wrong in a run, in words: one rule a function, each from evidence to sentence to suggestion.

A rule says only what the recording holds. Every count and duration in a sentence is taken from rows, which
the finding names as its evidence; where a cause is not recorded, the sentence does without it. Nothing here
knows how findings are shown. Here stands which rules there are, and how they keep out of each other's way, so that one
cause is one finding:

* a request that a deadline cut short is told by that, and not once more by its exception or its status;
* calls that queue for threads, or that compute in them, gain nothing from being handed over all at once;
* steps that hold the loop starve nobody: those who waited for them are counted where they are told.

Findings are `bad` where something is broken or everybody stands still, `warn` where time is lost for want of room, and
`note` where it is for the reader to judge: what follows from another finding, what a client did, what could be.
"""

from typing import Final

from playground.trace import Trace, WaitOn
from playground.views.blocked import loop_blocked, sync_library
from playground.views.computing import threads_compute
from playground.views.deadlines import deadlines
from playground.views.failures import app_errors, no_answers, not_found, server_errors
from playground.views.findings import Finding, Findings, Severity
from playground.views.inarow import awaits_in_a_row
from playground.views.late import late_wakes
from playground.views.locks import lock_convoy
from playground.views.lost import never_awaited, never_retrieved
from playground.views.queues import pool_queue, thread_queue
from playground.views.remembered import remembered
from playground.views.starved import task_starved
from playground.views.unfinished import unfinished
from playground.views.wording import counted, let_go

__all__ = ["Finding", "Findings", "diagnose"]

_ORDER: Final[dict[Severity, int]] = {"bad": 0, "warn": 1, "note": 2}


def diagnose(trace: Trace) -> Findings:
    """All findings on a run, the worst first, then in order of time; none on a healthy run."""
    dropped = counted(trace.dropped, "row") if trace.jobs else let_go(trace)
    return Findings(
        _found(trace),
        virtual=trace.clock == "virtual",
        jobs=bool(trace.jobs),
        dropped=dropped if trace.dropped else "",
    )


@remembered
def _found(trace: Trace) -> list[Finding]:
    threads = [*threads_compute(trace), *thread_queue(trace), *pool_queue(trace)]
    cut = deadlines(trace)
    told = {index for finding in cut for table, index in finding.evidence if table == "requests"}
    crowded: tuple[WaitOn, ...] = ("thread",) if threads else ()
    findings = [
        *loop_blocked(trace),
        *sync_library(trace),
        *never_awaited(trace),
        *never_retrieved(trace),
        *app_errors(trace, told),
        *no_answers(trace, told),
        *threads,
        *task_starved(trace),
        *lock_convoy(trace),
        *late_wakes(trace),
        *cut,
        *server_errors(trace, told),
        *not_found(trace),
        *awaits_in_a_row(trace, crowded),
        *unfinished(trace),
    ]
    return sorted(findings, key=lambda finding: (_ORDER[finding.severity], finding.start_ns))
