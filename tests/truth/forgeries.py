"""Recordings made false in one place each: what the comparison must find out, or it could not fail."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from playground.trace import Step, Trace, Wait
from tests.truth import program as p

__all__ = ["FORGERIES", "PROGRAM"]

PROGRAM: Final[p.Program] = (
    (p.Hold(0, (p.Sleep(1, "asyncio"),)), p.SetEvent(0), p.Thread("to_thread", (p.Nap(1),))),
    (p.Hold(0, (p.Yield("asyncio"),)), p.Thread("own", (p.Nap(1), p.Back("asyncio", (p.Yield("asyncio"),))))),
    (p.WaitEvent(0), p.Together("group", ((p.Sleep(1, "anyio"),), (p.Put(0),))), p.Callback("soon", 1)),
    (p.WaitEvent(1), p.Within("timeout", 1, (p.AwaitFuture(0),)), p.Block("sleep", 60)),
    (p.Thread("limited", (p.Nap(2),)),),
    (p.Thread("limited", (p.Nap(2),)), p.Fail()),
)
"""One of most things, so that there is something to forge."""

TABLES: Final = ("steps", "tasks", "waits", "handoffs", "samples")


def _with(trace: Trace, **tables: Sequence[Any]) -> Trace:
    rows: dict[str, Any] = {name: tables.get(name, getattr(trace, name)) for name in TABLES}
    return Trace(**rows, duration_ns=trace.duration_ns, clock=trace.clock)


def _altered(rows: Sequence[Any], which: Callable[[Any], bool], **changes: Any) -> list[Any]:
    """The rows, with the last that is `which` changed."""
    altered = list(rows)
    index = max(index for index, row in enumerate(rows) if which(row))
    made = {name: value(altered[index]) if callable(value) else value for name, value in changes.items()}
    altered[index] = replace(altered[index], **made)
    return altered


def _is_task(step: Step) -> bool:
    return step.task is not None


def a_step_is_missing(trace: Trace) -> Trace:
    return _with(trace, steps=trace.steps[:-1])


def a_step_is_invented(trace: Trace) -> Trace:
    return _with(trace, steps=[*trace.steps, trace.steps[-1]])


def two_steps_have_changed_places(trace: Trace) -> Trace:
    steps = list(trace.steps)
    steps[2], steps[3] = steps[3], steps[2]
    return _with(trace, steps=steps)


def a_step_is_shorter(trace: Trace) -> Trace:
    longest = max(step.duration_ns for step in trace.steps)
    return _with(trace, steps=_altered(trace.steps, lambda step: step.duration_ns == longest, duration_ns=longest // 2))


def a_step_was_woken_by_nobody(trace: Trace) -> Trace:
    lock = next(wait for wait in trace.waits if wait.on == "lock")
    index = min(index for index in trace.steps_of[lock.task] if trace.steps[index].start_ns >= lock.end_ns)
    steps = list(trace.steps)
    steps[index] = replace(steps[index], woken_by=None)
    return _with(trace, steps=steps)


def a_step_was_woken_by_another(trace: Trace) -> Trace:
    """The last task that time or a worker brought to its end was woken, so this says, by the task that ran before."""
    index, waker = max(
        (index, step.woken_by)
        for index, step in enumerate(trace.steps)
        if step.outcome == "returned" and step.woken_by is not None and trace.steps[step.woken_by].woken_by is None
    )
    other = max(at for at, step in enumerate(trace.steps[:waker]) if _is_task(step))
    steps = list(trace.steps)
    steps[index] = replace(steps[index], woken_by=other)
    return _with(trace, steps=steps)


def a_callback_was_given_by_another(trace: Trace) -> Trace:
    given = _altered(
        trace.steps, lambda step: step.task is None and step.woken_by, woken_by=lambda step: step.woken_by - 1
    )
    return _with(trace, steps=given)


def a_step_waits_that_only_yielded(trace: Trace) -> Trace:
    return _with(trace, steps=_altered(trace.steps, lambda step: step.outcome == "yields", outcome="waits"))


def a_task_failed_that_did_not(trace: Trace) -> Trace:
    return _with(trace, tasks=_altered(trace.tasks, lambda task: task.outcome == "returned", outcome="raised"))


def a_task_is_anothers(trace: Trace) -> Trace:
    return _with(trace, tasks=_altered(trace.tasks, lambda task: task.parent not in (None, 0), parent=0))


def a_task_has_anothers_name(trace: Trace) -> Trace:
    return _with(trace, tasks=_altered(trace.tasks, lambda task: True, name="main"))


def a_wait_is_missing(trace: Trace) -> Trace:
    return _with(trace, waits=trace.waits[1:])


def a_wait_is_for_something_else(trace: Trace) -> Trace:
    return _with(trace, waits=_altered(trace.waits, lambda wait: wait.on == "lock", on="queue"))


def a_wait_is_on_another_line(trace: Trace) -> Trace:
    places = {wait.site for wait in trace.waits if wait.on == "lock"}
    return _with(trace, waits=_altered(trace.waits, lambda wait: wait.on == "timer", site=places.pop()))


def a_wait_lasts_for_ever(trace: Trace) -> Trace:
    first = trace.waits[0]
    return _with(trace, waits=[replace(first, end_ns=trace.duration_ns + 1), *trace.waits[1:]])


def a_sleep_was_shorter(trace: Trace) -> Trace:
    def is_sleep(wait: Wait) -> bool:
        return wait.site is not None and "sleeps" in wait.site.function

    return _with(trace, waits=_altered(trace.waits, is_sleep, end_ns=lambda wait: wait.end_ns - 500_000))


def a_handoff_is_missing(trace: Trace) -> Trace:
    return _with(trace, handoffs=trace.handoffs[1:])


def a_handoff_is_invented(trace: Trace) -> Trace:
    return _with(trace, handoffs=[*trace.handoffs, trace.handoffs[-1]])


def a_handoff_is_anothers(trace: Trace) -> Trace:
    return _with(trace, handoffs=_altered(trace.handoffs, lambda call: True, task=0))


def a_handoff_has_another_line(trace: Trace) -> Trace:
    site = trace.handoffs[0].site
    return _with(trace, handoffs=_altered(trace.handoffs, lambda call: call.site != site, site=site))


def a_handoff_was_in_another_thread(trace: Trace) -> Trace:
    return _with(trace, handoffs=_altered(trace.handoffs, lambda call: call.thread == 0, thread=99))


def a_handoff_woke_nobody(trace: Trace) -> Trace:
    return _with(trace, handoffs=_altered(trace.handoffs, lambda call: True, woken_ns=None))


def a_handoff_failed_that_did_not(trace: Trace) -> Trace:
    return _with(trace, handoffs=_altered(trace.handoffs, lambda call: True, outcome="raised"))


def a_limited_handoff_did_not_wait(trace: Trace) -> Trace:
    early = min(call.submitted_ns for call in trace.handoffs)
    forged = _altered(trace.handoffs, lambda call: call.limiter_wait_ns > 0, submitted_ns=early, limiter_wait_ns=0)
    return _with(trace, handoffs=forged)


def a_block_is_on_another_line(trace: Trace) -> Trace:
    site = next(wait.site for wait in trace.waits)
    return _with(
        trace, samples=[sample if sample.site is None else replace(sample, site=site) for sample in trace.samples]
    )


FORGERIES: Final[list[Callable[[Trace], Trace]]] = [
    value for name, value in list(globals().items()) if name.startswith(("a_", "two_")) and callable(value)
]
