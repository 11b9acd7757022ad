"""Async does not make code run faster, and may make it a little slower: the same work, called three ways.

It decides what `not faster` means and how it is said. The calls are timed in `calls`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from playground.models.claims.asked import check_count
from playground.models.claims.away import NotTriedError, away
from playground.models.claims.calls import AWAITED, PLAIN, TASKS, time_calls
from playground.models.claims.claim import Claim, Picture, Verdict
from playground.models.claims.rounds import ratios, side, spread
from playground.models.claims.words import measured, told, unsure
from playground.views.claims_axis import figure_words

__all__ = ["async_speed"]

_STATEMENT: Final = "Async does not make code run faster, and may make it a little slower."
_PICTURE: Final = Picture("bars", "ns", "time of one call")
_NO_FASTER: Final = 0.95
"""Two copies of one function may differ by a few hundredths for where they came to lie in memory."""
_NOTES: Final = (
    "No call waits for anything: this is about computing. What async is for, long waits, is another claim.",
    "One thread throughout; the tasks are all made first and then awaited one by one.",
)


def async_speed(calls: int = 100, additions: int = 100, rounds: int = 101) -> Claim:
    """What the same computing work takes in a plain function, in a coroutine that is awaited, and in a task.

    In a child process, the three take turns round by round, and their ratios are taken within each round. The claim
    holds if neither way of async is faster than plain calls, by more than one twentieth; what a call costs more is the
    median of the differences.

    Args:
        calls: how many calls a round times together: the fewer, the fewer rounds does the system interrupt.
        additions: the work of one call: how many numbers it adds up.
        rounds: how often each way is timed; at least six, or no verdict can be given.

    Raises:
        ModelError: a number is of no use.
    """
    check_count("calls", calls, 100)
    check_count("additions", additions, 100)
    check_count("rounds", rounds, 101)
    try:
        return judged(away(time_calls, calls, additions, rounds, timeout_s=60.0), additions)
    except NotTriedError as error:
        return Claim(_STATEMENT, "not here", str(error), {}, (), _PICTURE)


def judged(found: Mapping[str, Sequence[float]], additions: int) -> Claim:
    """The claim, from the time of one call in each round, in ns, for each of the three ways."""
    spreads = {name: spread(values) for name, values in found.items()}
    awaited, tasks = (ratios(found[name], found[PLAIN]) for name in (AWAITED, TASKS))
    more = {
        name: spread([one - other for one, other in zip(found[name], found[PLAIN], strict=True)])
        for name in (AWAITED, TASKS)
    }
    figures = {
        "plain_call_ns": spreads[PLAIN].median,
        "awaited_call_ns": spreads[AWAITED].median,
        "task_ns": spreads[TASKS].median,
        "awaited_over_plain": spread(awaited).median,
        "tasks_over_plain": spread(tasks).median,
        "await_overhead_ns": more[AWAITED].median,
        "task_overhead_ns": more[TASKS].median,
    }
    rows = [
        measured(PLAIN, spreads[PLAIN]),
        measured(AWAITED, spreads[AWAITED], note=f"{figure_words(spread(awaited).median, 'times')} as long"),
        measured(TASKS, spreads[TASKS], note=f"{figure_words(spread(tasks).median, 'times')} as long"),
    ]
    work = f"A call that adds up {additions:,} numbers took {told(spreads[PLAIN], 'ns')} as a plain function"
    sentence = (
        f"{work}, {told(spread(awaited), 'times')} as long in a coroutine that is awaited, and "
        f"{told(spread(tasks), 'times')} in a task."
    )
    verdict, words = _verdict(awaited, tasks, more[AWAITED].median, more[TASKS].median)
    return Claim(_STATEMENT, verdict, f"{sentence} {words}", figures, rows, _PICTURE, _NOTES)


def _verdict(awaited: Sequence[float], tasks: Sequence[float], await_ns: float, task_ns: float) -> tuple[Verdict, str]:
    sides = {side(one, _NO_FASTER) for one in (awaited, tasks)}
    if "below" in sides:
        return "does not hold", "One way of async was faster."
    if "unsure" in sides:
        busy = "The rounds lie too far apart to tell which is faster: is the machine busy with other work?"
        return "not here", unsure(len(awaited), busy)
    slower = [
        f"{name} costs {figure_words(cost_ns, 'ns')} more"
        for name, one, cost_ns in (("an await", awaited, await_ns), ("a task", tasks, task_ns))
        if side(one, 1.0) == "above"
    ]
    if not slower:
        return "holds", "Neither is faster, and no difference is seen."
    return "holds", f"Neither is faster: {' and '.join(slower)} than a plain call."
