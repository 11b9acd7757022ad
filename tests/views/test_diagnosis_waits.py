"""What the diagnosis says of those who wait: for a lock, for a turn, for one thing after another, for a library."""

from dataclasses import replace

import pytest

from playground.trace import Message, Request, Sample, Site, Step, Task, Trace, Wait, WaitOn
from playground.views.blocked import loop_blocked, sync_library
from playground.views.diagnosis import diagnose
from playground.views.inarow import awaits_in_a_row
from playground.views.libraries import INSTEAD
from playground.views.locks import lock_convoy
from playground.views.starved import task_starved
from tests.by_hand import LINE, handoff, looks, ns, request, step, task, wait
from tests.views.troubles import only, span

# -- locks ----------------------------------------------------------------------------------------------

LOCK = Site("cell 3", 11, "read", "async with lock:")
HOLD_LESS = (
    "Hold it for less: do before or after it what needs no lock, above all what is awaited; or have a lock for each "
    "thing that is guarded."
)


def convoy(count: int, *, hold_ms: float = 30, places: int = 1, on: WaitOn = "lock", requests: bool = True) -> Trace:
    """Tasks that come at once and take turns at `places` places, each for `hold_ms`; who leaves wakes the next."""
    steps: list[Step] = [step(n, 0.1 * n, 0.1, site=LOCK) for n in range(count)]
    waits: list[Wait] = []
    for n in range(count):
        turn_ms = hold_ms * (n // places)
        woken_by = None
        if n >= places:
            woken_by = len(steps) - places
            waits.append(wait(n, 0.1 * n + 0.1, turn_ms + 0.1 * (n % places), on, LOCK))
        steps.append(step(n, turn_ms + 0.2 + 0.1 * (n % places), 0.05, "returned", woken_by=woken_by))
    ends_ms = [hold_ms * (n // places + 1) for n in range(count)]
    rows = [request(n, 0, end_ms, task=n, route="/read") for n, end_ms in enumerate(ends_ms)]
    tasks = [replace(task(coroutine="read"), ended_ns=ns(end_ms), outcome="returned") for end_ms in ends_ms]
    return Trace(tasks=tasks, steps=steps, waits=waits, requests=rows if requests else ())


def test_requests_that_take_turns_at_a_lock_are_a_convoy() -> None:
    finding = only(convoy(5))
    assert str(finding) == (
        "4 requests queued for one lock, for 299 ms in all. The longest wait was 120 ms. `GET /read` waited "
        "for it at cell 3, line 11 (`async with lock:`); 3 of them spent half their time there, or more. "
        f"{HOLD_LESS}"
    )
    assert (finding.rule, finding.severity, finding.suggestion) == ("lock-convoy", "warn", HOLD_LESS)
    assert (finding.start_ns, finding.end_ns) == (ns(0.2), ns(120))
    assert finding.evidence[:4] == (("waits", 0), ("waits", 1), ("waits", 2), ("waits", 3))
    assert finding.evidence[4:] == (("requests", 1), ("requests", 2), ("requests", 3), ("requests", 4))


def test_where_there_are_no_requests_tasks_are_counted() -> None:
    assert str(only(convoy(6, requests=False))).startswith(
        "5 tasks queued for one lock, for 448 ms in all. The longest wait was 149 ms. The task `read` waited "
        "for it at cell 3, line 11"
    )


def test_all_of_them_are_said_to_have_waited_for_most_of_their_time_if_they_did() -> None:
    trace = convoy(5)
    first = replace(trace.requests[1], end_ns=ns(40))
    rows = [trace.requests[0], first, *trace.requests[2:]]
    finding = only(Trace(tasks=trace.tasks, steps=trace.steps, waits=trace.waits, requests=rows))
    assert "; all of them spent half their time there, or more." in str(finding)


@pytest.mark.parametrize(
    "trace",
    [
        convoy(3),  # of two that waited, nobody stood behind a third
        convoy(5, hold_ms=12),  # the longest wait is 48 ms
        convoy(20, places=2),  # a semaphore is there to be queued at
        convoy(9, on="queue"),
        convoy(9, on="event"),
    ],
)
def test_a_queue_that_is_short_or_meant_is_no_convoy(trace: Trace) -> None:
    assert lock_convoy(trace) == []


def test_who_has_better_things_to_do_is_in_no_convoy() -> None:
    trace = convoy(5)
    rows = [replace(row, end_ns=ns(500)) for row in trace.requests]
    assert lock_convoy(Trace(tasks=trace.tasks, steps=trace.steps, waits=trace.waits, requests=rows)) == []


# -- turns ----------------------------------------------------------------------------------------------

YIELD = Site("cell 3", 9, "crunch", "await asyncio.sleep(0)")
LESS_BETWEEN = (
    "Giving way lets each of the others take one step: do less between, or hand what it computes to a process: "
    "`await anyio.to_process.run_sync(...)`."
)


def turns(count: int, *, length_ms: float = 8, others: int = 2, site: Site | None = YIELD, gap_ms: float = 0) -> Trace:
    """A task that gives way and comes back, while others wait from their first step to their last for a turn."""
    every_ms = length_ms + gap_ms + 0.1 * others
    steps = []
    for n in range(count):
        at = every_ms * n
        steps.append(step(0, at, length_ms, "yields" if n < count - 1 else "returned", site=site))
        steps += [step(1 + o, at + length_ms + 0.1 * o, 0.1, "yields", site=LINE) for o in range(others)]
    tasks = [task(coroutine="crunch"), *(task(coroutine="read") for _ in range(others))]
    requests = [request(o, 0, every_ms * count, task=1 + o) for o in range(others)]
    return Trace(tasks=tasks, steps=steps, requests=requests)


def test_requests_that_wait_for_turn_after_turn_of_a_task_are_starved() -> None:
    finding = only(turns(10))
    assert str(finding) == (
        "2 requests were ready to run, but had to wait for turn after turn of another. That took 80.9 ms of the time "
        "of each. The task `crunch` ran 10 steps meanwhile, 80 ms in all, and gave way only to come back at "
        f"once (cell 3, line 9). {LESS_BETWEEN}"
    )
    assert (finding.rule, finding.severity, finding.suggestion) == ("task-starved", "warn", LESS_BETWEEN)
    assert (finding.start_ns, finding.end_ns) == (0, ns(81.8))
    assert finding.evidence == (*(("steps", 3 * n) for n in range(10)), ("requests", 0), ("requests", 1))


def test_one_that_starved_reads_in_the_singular() -> None:
    assert str(only(turns(10, others=1, site=None))).startswith(
        "1 request was ready to run, but had to wait for turn after turn of another. That took 80 ms of the time of "
        "each. The task `crunch` ran 10 steps meanwhile, 80 ms in all, and gave way only to come back at once. "
    )


@pytest.mark.parametrize(
    "trace",
    [
        turns(10, length_ms=4.5),  # 45 ms in all
        turns(100, length_ms=0.9),  # short turns: whoever waits for one does not notice
        turns(10, others=0),  # nobody waited
        turns(10, gap_ms=30),  # most of the time is not its own
        turns(4, length_ms=13),  # few and long ones are told where they held the loop
    ],
)
def test_turns_that_harm_nobody_are_no_finding(trace: Trace) -> None:
    assert task_starved(trace) == []


def test_tasks_that_only_take_turns_with_each_other_starve_nobody() -> None:
    steps = [step(n % 2, 9 * n, 9, "yields" if n < 38 else "returned", site=YIELD) for n in range(40)]
    assert task_starved(Trace(tasks=[task(), task()], steps=steps)) == []


def test_a_long_queue_of_many_that_came_at_once_starves_nobody() -> None:
    steps = [step(n, 2 * n, 2, "returned") for n in range(200)]
    requests = [request(n, 0, 2 * n + 2, task=n) for n in range(200)]
    assert diagnose(Trace(tasks=[task() for _ in range(200)], steps=steps, requests=requests)) == []


def test_steps_that_held_the_loop_are_not_told_once_more_by_who_starved() -> None:
    trace = turns(10, length_ms=20)
    seen = [look for n in range(10) for look in looks(3 * n, 20.2 * n + 6, site=LINE)]
    held = Trace(tasks=trace.tasks, steps=trace.steps, requests=trace.requests, samples=seen)
    assert [finding.rule for finding in diagnose(held)] == ["loop-blocked"]


# -- one thing after another ----------------------------------------------------------------------------


def fetch(line: int, function: str = "fetch", text: str = "await client.get(url)") -> Site:
    return Site("cell 3", line, function, text)


def row(
    *sites: Site,
    on: WaitOn = "timer",
    length_ms: float = 100,
    lengths_ms: tuple[float, ...] = (),
    end_ms: float | None = None,
    times: int = 1,
    handler: str = "slow",
    messages_ms: tuple[float, ...] = (),
) -> Trace:
    """Requests that wait at these lines, one after the other, 1 ms apart."""
    lengths = lengths_ms or (length_ms,) * len(sites)
    waits: list[Wait] = []
    requests: list[Request] = []
    for n in range(times):
        at = begun = 10_000.0 * n
        for site, length in zip(sites, lengths, strict=True):
            waits.append(wait(n, at + 1, at + 1 + length, on, site))
            at += length + 1
        over = at + 1 if end_ms is None else begun + end_ms
        notes = tuple(Message("send", "http.response.body", ns(begun + ms)) for ms in messages_ms)
        requests.append(replace(request(n, begun, over, task=n, route="/slow"), messages=notes))
    spans = [span(n, 10_000 * n, 10_000 * n + 9_000, name=handler) for n in range(times)] if handler else []
    tasks = [task(10_000 * n) for n in range(times)]
    return Trace(tasks=tasks, waits=waits, requests=requests, spans=spans)


def together(longest: str) -> str:
    return (
        "If none of these needs what one before it gave, they could run together, in the time of the longest, "
        f"{longest}: `await asyncio.gather(...)`."
    )


def test_waits_in_a_row_could_be_one() -> None:
    finding = only(row(fetch(5), fetch(6), fetch(7), on="io", lengths_ms=(100, 120, 80)))
    assert str(finding) == (
        "The request waited for one thing after another. `GET /slow` waited 3 times in a row for I/O (cell 3, lines 5, "
        f"6 and 7): for 300 of 304 ms. {together('120 ms')}"
    )
    assert (finding.rule, finding.severity, finding.suggestion) == ("awaits-in-a-row", "note", together("120 ms"))
    assert (finding.start_ns, finding.end_ns) == (ns(1), ns(303))
    assert finding.evidence == (("requests", 0), ("waits", 0), ("waits", 1), ("waits", 2))


def test_requests_that_wait_so_are_counted_and_the_worst_is_told() -> None:
    trace = row(fetch(5), fetch(5), times=3, on="thread")
    assert str(only(trace)) == (
        "All 3 requests waited for one thing after another. `GET /slow` waited 2 times in a row for a worker thread "
        f"(cell 3, line 5): at worst for 200 of 203 ms. {together('100 ms')}"
    )


@pytest.mark.parametrize(
    ("sites", "where"),
    [
        ((fetch(5), fetch(6)), " (cell 3, lines 5 and 6)"),
        ((fetch(5), fetch(6), fetch(7), fetch(8)), ""),
        ((fetch(5), Site("cell 4", 5, "f")), ""),
    ],
)
def test_lines_are_named_where_they_are_few(sites: tuple[Site, ...], where: str) -> None:
    assert f"times in a row for a future{where}: for " in str(only(row(*sites, on="future")))


@pytest.mark.parametrize(
    "trace",
    [
        row(fetch(5), fetch(6), length_ms=49),  # nobody would notice
        row(fetch(5), fetch(6), end_ms=400),  # it waited for other things, or computed, for most of its life
        row(fetch(5)),
        row(fetch(5), fetch(6), on="lock"),
        row(fetch(5), fetch(6), on="queue"),
        row(fetch(5), fetch(6), on="task"),  # the tasks run already
        row(fetch(5), fetch(6), messages_ms=(101.5,)),  # a stream that keeps time
        row(*[fetch(5, "slow", "await asyncio.sleep(0.1)")] * 5),  # it looks whether something is there, or keeps time
        row(*[fetch(5, "any", "await asyncio.sleep(0.1)")] * 5, handler=""),  # perhaps so
        row(*[fetch(5, "slow", "async for row in rows:")] * 5, on="io"),
    ],
)
def test_waits_that_could_not_be_one_or_would_save_little_are_no_finding(trace: Trace) -> None:
    assert awaits_in_a_row(trace) == []


def test_a_loop_of_calls_in_the_handler_itself_is_found() -> None:
    assert only(row(*[fetch(5, "slow")] * 5, on="io")).rule == "awaits-in-a-row"


def test_waits_of_different_kinds_are_not_in_a_row() -> None:
    trace = row(fetch(5), fetch(6), fetch(7), fetch(8))
    mixed = [replace(each, on="io" if n % 2 else "timer") for n, each in enumerate(trace.waits)]
    assert awaits_in_a_row(Trace(tasks=trace.tasks, waits=mixed, requests=trace.requests)) == []


def test_calls_that_queue_for_threads_are_not_told_to_come_all_at_once() -> None:
    trace = row(fetch(5), fetch(6), on="thread")
    calls = [handoff(1, 1, 100, 101, task=0), handoff(102, 160, 200, 202, task=0, queued_ms=58)]
    queued = Trace(tasks=trace.tasks, waits=trace.waits, requests=trace.requests, handoffs=calls)
    assert [finding.rule for finding in diagnose(queued)] == ["thread-queue"]


def test_tasks_are_looked_at_where_there_are_no_requests() -> None:
    trace = row(fetch(5), fetch(5))
    tasks = [replace(task(coroutine="main"), ended_ns=ns(203), outcome="returned")]
    assert str(only(Trace(tasks=tasks, waits=trace.waits))) == (
        "1 task waited for one thing after another. The task `main` waited 2 times in a row for a timer (cell 3, line "
        f"5): for 200 of 203 ms. {together('100 ms')}"
    )
    assert awaits_in_a_row(Trace(tasks=[task(coroutine="main")], waits=trace.waits)) == []  # it goes on
    assert awaits_in_a_row(Trace(tasks=[replace(tasks[0], coroutine="fetch")], waits=trace.waits)) == []  # it ticks
    init = Task("<init>", "Runner.init", None, 0, None, "pending")
    waits = [replace(each, task=1) for each in trace.waits]
    trio = only(Trace(tasks=[init, replace(tasks[0], parent=0)], waits=waits))
    assert trio.suggestion.endswith(": `trio.open_nursery()`.")


# -- libraries ------------------------------------------------------------------------------------------

GET = Site("cell 3", 24, "report", "body = requests.get(url)")


def called(*libraries: str, trio: bool = False) -> Trace:
    """A request whose one step was seen in these libraries, below one line."""
    samples = [Sample(0, ns(20 + 20 * n), 0, GET, "requests.get(url)", None, name) for n, name in enumerate(libraries)]
    steps = [step(0, 10, 200, "returned")]
    if trio:
        init = Task("<init>", "Runner.init", None, 0, None, "pending")
        rows = [init, task(coroutine="report", parent=0)]
        return Trace(tasks=rows, steps=[replace(steps[0], task=1)], samples=samples)
    return Trace(
        tasks=[task()], steps=steps, samples=samples, requests=[request(0, 10, 211, task=0, route="/r")],
        spans=[span(0, 10, 211)],
    )  # fmt: skip


def test_a_synchronous_library_on_the_loop_is_named_with_what_to_await_instead() -> None:
    finding = only(called("requests", "requests", "requests"))
    instead = "Instead, await `httpx.AsyncClient`, or hand the call to a thread: `await asyncio.to_thread(...)`."
    assert str(finding) == (
        "The event loop stood still for 200 ms. `GET /r` ran `requests.get(url)` on the loop (cell 3, line 24). There, "
        f"`requests` was at work, which waits without giving way. {instead}"
    )
    assert (finding.rule, finding.severity, finding.suggestion) == ("sync-library", "bad", instead)
    assert finding.evidence == (("steps", 0),)


@pytest.mark.parametrize("libraries", [("",) * 3, ("httpx",) * 3, ("requests", "", "")])
def test_what_is_no_such_library_or_was_seldom_seen_is_not_blamed(libraries: tuple[str, ...]) -> None:
    assert sync_library(called(*libraries)) == []
    assert len(loop_blocked(called(*libraries))) == 1


@pytest.mark.parametrize("library", INSTEAD)
def test_each_library_has_its_advice_on_both_loops(library: str) -> None:
    assert loop_blocked(called(library)) == []
    (on_asyncio,) = sync_library(called(library))
    assert on_asyncio.suggestion == (
        f"Instead, await `{INSTEAD[library]}`, or hand the call to a thread: `await asyncio.to_thread(...)`."
    )
    (on_trio,) = sync_library(called(library, trio=True))
    assert ("httpx" in on_trio.suggestion) == (INSTEAD[library] == "httpx.AsyncClient")  # the others are asyncio's
    assert on_trio.suggestion.endswith("`await trio.to_thread.run_sync(...)`.")
