"""What the diagnosis says of what was lost and cut short, whole: coroutines, exceptions, and what a deadline ended."""

from dataclasses import replace

import pytest

from playground.trace import Loss, LossKind, Request, Site, Step, Task, TaskOutcome, Trace, WaitOn
from playground.views.deadlines import cut_short, deadlines
from playground.views.diagnosis import diagnose
from playground.views.lost import never_awaited, never_retrieved
from tests.by_hand import ns, request, step, task, wait
from tests.views.troubles import only

SAVE = Site("cell 3", 4, "save", "async def save(item):")
CALL = Site("cell 3", 24, "read", "save(item)")
OTHER_CALL = Site("cell 3", 30, "read", "save(None)")
RAISES = Site("cell 3", 9, "refresh", 'raise KeyError("x")')

WRITE_AWAIT = "Write `await save(...)` there, or make it a task and keep that."
KEEP = "Keep the task and await it, or make it in an `asyncio.TaskGroup`, which does both."


def loss(
    at_ms: float = 5,
    *,
    kind: LossKind = "coroutine",
    task: int | None = 0,
    name: str = "save",
    site: Site | None = CALL,
    defined: Site | None = SAVE,
) -> Loss:
    return Loss(kind, task, ns(at_ms), name, site, defined if kind == "coroutine" else None)


def lost(at_ms: float = 8, *, task: int | None = 0, name: str = "KeyError: 'x'", site: Site | None = RAISES) -> Loss:
    return loss(at_ms, kind="exception", task=task, name=name, site=site)


def run(*losses: Loss, requests: int = 1, coroutine: str = "refresh") -> Trace:
    """Requests that came in 10 ms apart, each with a task of its own, and a task of nobody's after them."""
    tasks = [*(task(10 * n) for n in range(requests)), task(coroutine=coroutine)]
    return Trace(
        tasks=tasks,
        requests=[request(n, 10 * n, 10 * n + 9, task=n, route="/read") for n in range(requests)],
        losses=losses,
    )


# -- coroutines -----------------------------------------------------------------------------------------


def test_a_coroutine_that_nobody_awaited_is_told_with_who_called_it_and_where() -> None:
    finding = only(run(loss()))
    assert str(finding) == (
        "A coroutine was never awaited. `GET /read` called `save`, and what that returned was let go at cell 3, line "
        f"24 (`save(item)`): none of its code ran. {WRITE_AWAIT}"
    )
    assert (finding.rule, finding.severity, finding.suggestion) == ("never-awaited", "bad", WRITE_AWAIT)
    assert (finding.start_ns, finding.end_ns) == (ns(5), ns(5))
    assert finding.evidence == (("losses", 0),)


def test_coroutines_of_one_line_are_one_finding_and_are_counted() -> None:
    finding = only(run(*(loss(10 * n + 5, task=n) for n in range(3)), requests=3))
    assert str(finding) == (
        "3 coroutines were never awaited. `GET /read` called `save`, and what that returned was let go at cell 3, "
        f"line 24 (`save(item)`): none of its code ran. {WRITE_AWAIT}"
    )
    assert (finding.start_ns, finding.end_ns) == (ns(5), ns(25))
    assert finding.evidence == (("losses", 0), ("losses", 1), ("losses", 2))


@pytest.mark.parametrize(
    ("line", "name", "advised"),
    [
        ("asyncio.sleep(1)", "sleep", "await asyncio.sleep(...)"),
        ("self.db.save(item)  # later", "Db.save", "await self.db.save(...)"),
        ("found = resave(save (item))", "save", "await save(...)"),
        ("connect().save(item)", "Db.save", "await"),
        ("items[0].save(item)", "Db.save", "await"),
        ("each(save, items)", "save", "await"),
        ("", "save", "await"),
    ],
)
def test_the_advice_names_the_call_as_its_line_does_or_not_at_all(line: str, name: str, advised: str) -> None:
    finding = only(run(loss(name=name, site=replace(CALL, text=line))))
    assert finding.suggestion == f"Write `{advised}` there, or make it a task and keep that."


def test_coroutines_of_two_lines_are_two_findings() -> None:
    trace = run(loss(), loss(6, site=OTHER_CALL), loss(7))
    assert [finding.evidence for finding in never_awaited(trace)] == [
        (("losses", 0), ("losses", 2)),
        (("losses", 1),),
    ]


def test_where_no_line_names_the_coroutine_its_definition_is_told() -> None:
    assert str(only(run(loss(site=None, name="Store.save")))) == (
        "A coroutine was never awaited. `GET /read` called `Store.save`, and what that returned was let go (it is "
        "written at cell 3, line 4): none of its code ran. Look for a call of `save` that lacks its `await`."
    )
    assert "was let go: none of its code ran." in str(only(run(loss(site=None, defined=None))))
    bare = replace(CALL, text="")
    assert "was let go at cell 3, line 24: none of its code ran." in str(only(run(loss(site=bare))))


@pytest.mark.parametrize(
    ("tasks", "who"),
    [
        ([1], "The task `refresh` called `save`"),
        ([None], "A callback called `save`"),
        ([0, 1], "The app called `save`"),
        ([1, None], "The app called `save`"),
    ],
)
def test_who_called_it_is_told_as_far_as_it_is_known(tasks: list[int | None], who: str) -> None:
    assert who in str(only(run(*(loss(task=each) for each in tasks))))


# -- exceptions -----------------------------------------------------------------------------------------


def test_an_exception_that_nobody_asked_for_is_told_with_its_task_and_line() -> None:
    finding = only(run(lost(task=1)))
    assert str(finding) == (
        "An exception was never retrieved. The task `refresh` ended in `KeyError: 'x'` (cell 3, line 9), and nobody "
        f"had asked for that when the recording ended. {KEEP}"
    )
    assert (finding.rule, finding.severity, finding.suggestion) == ("never-retrieved", "bad", KEEP)
    assert (finding.start_ns, finding.end_ns) == (ns(8), ns(8))
    assert finding.evidence == (("losses", 0),)


def test_exceptions_are_grouped_by_coroutine_and_type_and_their_texts_are_counted() -> None:
    trace = run(lost(task=1), lost(9, task=1, name="KeyError: 'y'", site=None), lost(9, task=1, name="ValueError"))
    first, second = never_retrieved(trace)
    assert str(first) == (
        "2 exceptions were never retrieved. 2 tasks `refresh` ended in `KeyError` with 2 different texts, the first "
        f"`KeyError: 'x'`, and nobody had asked for that when the recording ended. {KEEP}"
    )
    assert first.evidence == (("losses", 0), ("losses", 1))
    assert "ended in `ValueError` (cell 3, line 9)," in str(second)


def test_of_a_task_that_was_forgotten_nothing_is_said() -> None:
    assert "A task ended in `KeyError: 'x'`" in str(only(run(lost(task=None))))
    assert "2 tasks ended in `KeyError: 'x'` (cell 3, line 9)," in str(only(run(*[lost(task=None)] * 2)))


# -- deadlines ------------------------------------------------------------------------------------------

PASSED = Site("/usr/lib/python3.12/asyncio/timeouts.py", 88, "Timeout._on_timeout")
OLDER = Site("/usr/lib/python3.11/asyncio/tasks.py", 410, "_release_waiter")
SCOPE = Site("C:\\lib\\site-packages\\anyio\\_backends\\_asyncio.py", 500, "CancelScope._timeout")
NAP = Site("cell 3", 7, "slow", "await asyncio.sleep(1)")
SEE = "See what keeps that so long, or allow it more time."


def ended(row: Request, status: int | None, error: str | None) -> Request:
    return replace(row, status=status, error=error)


def cut(
    *,
    count: int = 1,
    of: int = 1,
    status: int | None = None,
    error: str | None = "TimeoutError",
    on: WaitOn = "timer",
    site: Site = NAP,
    deadline: Site = PASSED,
    lengths_ms: tuple[float, ...] = (20,),
) -> Trace:
    """Requests that wait until their deadline passes, and after them those that answer at once."""
    steps: list[Step] = []
    waits = []
    requests = []
    for n in range(count):
        at, length = 100 * n, lengths_ms[n % len(lengths_ms)]
        woken_by = len(steps) + 1
        steps += [
            step(n, at, 1, site=site),
            step(None, at + 1 + length, 0.1, "callback", site=deadline),
            step(n, at + 2 + length, 1, "returned" if status else "raised", woken_by=woken_by),
        ]
        waits.append(wait(n, at + 1, at + 1 + length, on, site))
        requests.append(ended(request(n, at, at + 3 + length, task=n, route="/slow"), status, error))
    requests += [request(n, 100 * n, 100 * n + 1, task=n, route="/slow") for n in range(count, of)]
    tasks = [task(100 * n) for n in range(of)]
    return Trace(tasks=tasks, steps=steps, waits=waits, requests=requests)


@pytest.mark.parametrize("deadline", [PASSED, OLDER, SCOPE])
def test_a_request_that_a_deadline_cut_short_is_told_with_what_it_waited_for(deadline: Site) -> None:
    finding = only(cut(deadline=deadline))
    assert str(finding) == (
        "The request was cut short by a deadline. `GET /slow` had waited 20 ms for a timer (cell 3, line 7) when it "
        f"passed, and let `TimeoutError` out. {SEE}"
    )
    assert (finding.rule, finding.severity, finding.suggestion) == ("deadline", "bad", SEE)
    assert (finding.start_ns, finding.end_ns) == (ns(1), ns(21))
    assert finding.evidence == (("requests", 0), ("steps", 1), ("waits", 0))


@pytest.mark.parametrize(
    ("status", "error", "how", "severity"),
    [
        (504, None, "answered 504", "warn"),
        (None, "TimeoutError: too late", "let `TimeoutError` out", "bad"),
        (None, "CancelledError", "was cancelled", "note"),
        (None, "Cancelled", "was cancelled", "note"),
    ],
)
def test_how_a_request_ended_that_was_cut_short_is_told(
    status: int | None, error: str | None, how: str, severity: str
) -> None:
    finding = only(cut(status=status, error=error, on="thread"))
    assert f" had waited 20 ms for a worker thread (cell 3, line 7) when it passed, and {how}." in str(finding)
    assert finding.severity == severity


def test_requests_that_were_cut_short_are_counted_and_told_once() -> None:
    finding = only(cut(count=3, of=5, lengths_ms=(20, 30, 25)))
    assert str(finding) == (
        "3 of 5 requests were cut short by a deadline. `GET /slow` had waited 20 ms to 30 ms for a timer (cell 3, line "
        f"7) when it passed, and let `TimeoutError` out. {SEE}"
    )
    assert finding.evidence[:3] == (("requests", 0), ("requests", 1), ("requests", 2))


def test_a_deadline_that_was_met_with_calm_is_no_finding() -> None:
    assert diagnose(cut(status=200, error=None)) == []
    assert diagnose(cut(status=404, error=None, of=2)) == []


@pytest.mark.parametrize(
    ("status", "error", "waited_ms", "is_told"),
    [
        (500, None, 50, False),  # whatever it is that it answers: it went on to something else
        (500, None, 0.5, True),  # a stream took up the answer
        (504, None, 50, True),  # says itself that it is of a deadline
        (None, "TimeoutError", 50, True),  # it put something back in order first
    ],
)
def test_an_answer_is_of_a_deadline_only_if_nothing_else_was_waited_for_meanwhile(
    status: int | None, error: str | None, waited_ms: float, is_told: bool
) -> None:
    trace = cut(status=status, error=error)
    goes_on = Site("cell 3", 9, "slow", "await elsewhere()")
    steps = [*trace.steps[:2], replace(trace.steps[2], outcome="waits"), step(0, 23 + waited_ms, 1, "returned")]
    waits = [*trace.waits, wait(0, 23, 23 + waited_ms, "io", goes_on)]
    requests = [replace(trace.requests[0], end_ns=ns(24 + waited_ms))]
    cuts = cut_short(Trace(tasks=trace.tasks, steps=steps, waits=waits, requests=requests))
    assert [each.owner for each in cuts] == [("requests", 0)] * is_told


def test_of_several_deadlines_in_one_request_the_last_is_the_one_that_cut_it_short() -> None:
    first, again = cut(), cut()
    later = [replace(each, start_ns=each.start_ns + ns(22)) for each in again.steps]
    steps = [*first.steps[:2], replace(first.steps[2], outcome="waits"), *later[1:]]
    steps[4] = replace(steps[4], woken_by=3)
    waits = [*first.waits, wait(0, 23, 43, "io", Site("cell 3", 9, "slow", "await again()"))]
    requests = [replace(first.requests[0], end_ns=ns(45))]
    finding = only(Trace(tasks=first.tasks, steps=steps, waits=waits, requests=requests))
    assert "had waited 20 ms for I/O (cell 3, line 9) when it passed, and let `TimeoutError` out." in str(finding)


def test_a_failure_that_no_deadline_caused_is_told_by_its_exception() -> None:
    assert [finding.rule for finding in diagnose(cut(error="KeyError: 1"))] == ["app-error"]
    trace = cut()
    alone = Trace(tasks=trace.tasks, steps=[trace.steps[0], trace.steps[2]], requests=trace.requests)
    assert [finding.rule for finding in diagnose(alone)] == ["app-error"]


def test_a_request_that_was_running_when_its_deadline_passed_says_so() -> None:
    trace = cut()
    assert "`GET /slow` was running when it passed, and let `TimeoutError` out." in str(
        only(Trace(tasks=trace.tasks, steps=trace.steps, requests=trace.requests))
    )


def family(outcome: TaskOutcome, last: str = "raised") -> Trace:
    """A task that waits for its child under a deadline: that cancels the child, which wakes it."""
    tasks = [task(coroutine="main"), task(1, coroutine="fetch", parent=0)]
    steps = [
        step(0, 0, 1),
        step(1, 1, 1, site=NAP),
        step(None, 22, 0.1, "callback", site=PASSED),
        step(1, 23, 1, "cancelled", woken_by=2),
        step(0, 25, 1, "raised" if last == "raised" else "waits", woken_by=3),
    ]
    waits = [wait(0, 1, 24, "task", Site("cell 3", 20, "main", "await fetch()")), wait(1, 2, 22, "timer", NAP)]
    if last != "raised":
        steps.append(step(0, 40, 1, "returned"))
    tasks[0] = Task("t", "main", None, 0, ns(41), outcome)
    return Trace(tasks=tasks, steps=steps, waits=waits)


def test_a_task_that_a_deadline_ended_is_told_and_not_its_children() -> None:
    finding = only(family("raised"))
    assert str(finding) == (
        "1 task was cut short by a deadline. The task `main` had waited 23 ms for a task (cell 3, line 20) when it "
        f"passed, and raised. {SEE}"
    )
    assert (finding.severity, finding.evidence) == ("warn", (("tasks", 0), ("steps", 2), ("waits", 0)))


def test_a_task_that_went_on_after_its_deadline_is_no_finding() -> None:
    assert deadlines(family("returned", last="went on")) == []


def test_a_child_that_ends_as_its_parent_cleans_up_is_not_cut_short_by_itself() -> None:
    trace = family("raised")
    steps = [*trace.steps[:3], step(0, 23, 1, woken_by=2), step(1, 24, 1, "cancelled", woken_by=3)]
    steps.append(step(0, 26, 1, "raised", woken_by=4))
    waits = [*trace.waits, wait(0, 24, 25, "task", Site("cell 3", 20, "main", "await fetch()"))]
    (found,) = cut_short(Trace(tasks=trace.tasks, steps=steps, waits=waits))
    assert (found.owner, found.wait) == (("tasks", 0), 0)
