"""A ring that dropped the beginning of everything: what is left is what happened, and what was let go is said, in each
view, text, export and comparison, live and after saving; nothing stands in for it.

The same run in virtual time is recorded twice, by a ring that holds all of it and by one that holds its last part only.
As both have the same moments, each row of the second must be a row of the first.
"""

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from playground import App, compare
from playground.asgi import Message
from playground.clock.virtual import VirtualLoop
from playground.trace import Request, Trace
from playground.trace.build import Live, build
from playground.trace.events import DEFAULT_LIMIT
from playground.trace.recorder import Recorder, recording
from playground.trace.requests import recorded_app
from playground.views.chrome import chrome_lines
from playground.views.text import report
from playground.views.wording import let_go
from playground.widgets.display import mimebundle
from tests.widgets.every_view import VIEWS

RING = 2_048
REQUESTS = 1_400


def busy_app() -> App:
    app = App()

    @app.get("/waits")
    async def waits() -> str:
        await asyncio.sleep(0.003)
        return "waited"

    @app.get("/hands-off")
    async def hands_off() -> str:
        await anyio.to_thread.run_sync(time.sleep, 0.002)
        return "handed off"

    @app.get("/makes-tasks")
    async def makes_tasks() -> str:
        await asyncio.gather(*(asyncio.sleep(0.001 * number) for number in range(3)))
        return "made"

    @app.get("/raises")
    async def raises() -> None:
        raise ValueError("it raises")

    @app.get("/loses")
    async def loses() -> str:
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_task(fails(), name="lost")
        await asyncio.sleep(0.001)
        del lost
        return "lost"

    async def fails() -> None:
        raise KeyError("lost")

    return app


PATHS = ("/waits", "/hands-off", "/makes-tasks", "/raises", "/waits", "/loses", "/nowhere")


async def ask(app: Any, path: str) -> None:
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "app": app}
    with contextlib.suppress(ValueError):
        await app(scope, receive, send)


def recorded(limit: int, look: Callable[[Recorder, int], None] = lambda recorder, number: None) -> Recorder:
    """One request after another, some beside the next, below a task that was there from the first on."""
    loop = VirtualLoop()
    loop.set_exception_handler(lambda loop, context: None)

    async def main() -> Recorder:
        with recording(loop, limit=limit) as recorder:
            app = recorded_app(busy_app(), lambda: recorder)
            stuck = loop.create_task(asyncio.Event().wait(), name="stuck from the first")
            for number in range(REQUESTS):
                asking = loop.create_task(ask(app, PATHS[number % len(PATHS)]), name=f"ask {number}")
                await asyncio.sleep(0.001 + number % 3 * 0.002)
                if number % 2:
                    await asking
                look(recorder, number)
        stuck.cancel()
        return recorder

    try:
        return loop.run_until_complete(main())
    finally:
        loop.run_until_complete(asyncio.sleep(1))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@pytest.fixture(scope="module")
def whole() -> Trace:
    return build(recorded(DEFAULT_LIMIT), "All of it")


@pytest.fixture(scope="module")
def rest() -> Trace:
    return build(recorded(RING), "The rest of it")


# -- what is left is what happened ------------------------------------------------------------------------------


def facts(trace: Trace) -> dict[str, "Counter[Any]"]:
    """What rows say for themselves, without where they stand."""
    tasks = [(task.name, task.coroutine, task.created_ns) for task in trace.tasks]

    def task(index: int | None) -> Any:
        return None if index is None else tasks[index]

    steps = ((task(step.task), step.start_ns, step.duration_ns, step.outcome, step.site) for step in trace.steps)
    waits = ((task(each.task), each.start_ns, each.end_ns, each.on, each.site) for each in trace.waits)
    calls = (
        (task(each.task), each.function, each.submitted_ns, each.started_ns, each.ended_ns, each.cpu_ns, each.outcome)
        for each in trace.handoffs
    )
    asked = ((each.number, each.path, each.status, each.start_ns, each.end_ns, each.error) for each in trace.requests)
    said = ((each.number, *message_facts(one)) for each in trace.requests for one in each.messages)
    spans = (
        (trace.requests[each.request].number, each.kind, each.name, each.start_ns, each.end_ns) for each in trace.spans
    )
    ended = ((*tasks[index], each.ended_ns, each.outcome) for index, each in enumerate(trace.tasks))
    losses = ((each.kind, each.name, each.at_ns, each.site) for each in trace.losses)
    named = ("tasks", "steps", "waits", "handoffs", "requests", "messages", "spans", "losses")
    rows: tuple[Iterable[Any], ...] = (ended, steps, waits, calls, asked, said, spans, losses)
    return {name: Counter(each) for name, each in zip(named, rows, strict=True)}


def message_facts(message: Any) -> tuple[Any, ...]:
    return message.direction, message.type, message.at_ns, message.detail


def test_the_ring_has_dropped_the_beginning_of_every_kind_of_row(whole: Trace, rest: Trace) -> None:
    assert whole.dropped == 0
    assert whole.forgotten == {}
    assert rest.dropped >= 2 * RING
    assert rest.dropped + len(rest.steps) == len(whole.steps)
    for kind in ("tasks", "handoffs", "requests", "spans"):
        assert rest.forgotten[kind] + len(getattr(rest, kind)) == len(getattr(whole, kind)), kind
        assert rest.forgotten[kind] > 0
        assert len(getattr(rest, kind)) > 0


def test_what_is_left_is_the_end_of_what_happened(whole: Trace, rest: Trace) -> None:
    all_of_it, left = facts(whole), facts(rest)
    invented = {kind: rows - all_of_it[kind] for kind, rows in left.items()}
    assert {kind: list(rows)[:3] for kind, rows in invented.items() if rows} == {}
    assert [step.start_ns for step in rest.steps] == [step.start_ns for step in whole.steps[rest.dropped :]]
    assert rest.duration_ns == whole.duration_ns


def test_who_woke_whom_and_who_made_whom_is_as_it_was_or_not_said(whole: Trace, rest: Trace) -> None:
    for at, step in enumerate(rest.steps):
        was = whole.steps[at + rest.dropped]
        expected = None if was.woken_by is None or was.woken_by < rest.dropped else was.woken_by - rest.dropped
        assert step.woken_by == expected

    def families(trace: Trace) -> Iterator[tuple[str, int, str]]:
        for task in trace.tasks:
            if task.parent is not None:
                yield task.name, task.created_ns, trace.tasks[task.parent].name

    assert Counter(families(rest)) <= Counter(families(whole))
    assert any(parent.startswith("ask ") for _, _, parent in families(rest))


def test_what_began_before_is_not_said_to_begin_with_what_is_left(rest: Trace) -> None:
    (stuck,) = [index for index, task in enumerate(rest.tasks) if task.name == "stuck from the first"]
    assert (rest.tasks[stuck].created_ns, rest.tasks[stuck].ended_ns) == (0, None)
    assert rest.ready_ns(stuck) == 0
    first_ns = rest.steps[0].start_ns
    for index, task in enumerate(rest.tasks):
        spans = rest.ready_spans(index)
        assert all(start_ns >= first_ns for start_ns, _ in spans), task
        if task.created_ns < first_ns:
            assert all(start_ns > task.created_ns for start_ns, _ in spans)


# -- what was let go is said ------------------------------------------------------------------------------------


def test_it_says_what_it_dropped_in_every_text(rest: Trace) -> None:
    dropped = f"{rest.dropped:,} events"
    told = let_go(rest)
    assert told.startswith(f"{dropped}, the oldest, and with them {rest.forgotten['requests']} requests, ")
    assert f" · {dropped} dropped" in rest.summary
    flat = " ".join(report(rest).split())
    assert f"The recorder dropped {told}: they are missing here." in flat
    assert f"The recorder dropped {told}: of these nothing is known." in " ".join(str(rest.diagnosis).split())
    assert f"The recorder dropped {told}: not here." in rest.to_svg()
    data, _ = mimebundle(rest)
    assert told in " ".join(data["text/plain"].split())
    assert told in data["image/svg+xml"]


def test_a_diagnosis_without_findings_does_not_speak_for_what_was_dropped() -> None:
    calm = [Request(0, "GET", "/", None, 200, 0, 5, None, (), (), None)]
    told = " ".join(repr(Trace(requests=calm, dropped=2_048, forgotten={"requests": 3}).diagnosis).split())
    assert told.startswith("No findings: nothing held the event loop for long")
    assert told.endswith(
        " The recorder dropped 2,048 events, the oldest, and with them 3 requests: of these nothing is known."
    )
    assert "dropped" not in repr(Trace(requests=calm).diagnosis)


@pytest.mark.parametrize("name", [name for name in VIEWS if name != "stacked"])
def test_every_view_says_it(rest: Trace, name: str) -> None:
    view = VIEWS[name](rest)
    data, _ = view._repr_mimebundle_(include=None, exclude=None)
    words = " ".join(data["text/plain"].split())
    assert f"{rest.dropped:,} events" in words
    assert f"{rest.dropped:,} events" in " ".join(data["image/svg+xml"].split())
    view.close()


def test_every_export_says_it(rest: Trace, tmp_path: Path) -> None:
    chrome = json.loads("".join(chrome_lines(rest)))
    assert chrome["metadata"]["dropped"] == rest.dropped
    assert chrome["metadata"]["forgotten"] == rest.forgotten
    rest.to_html(tmp_path / "rest.html")  # with the picture in words for who has no scripts
    assert f"The recorder dropped {let_go(rest)}: not here." in (tmp_path / "rest.html").read_text(encoding="utf-8")


def test_a_saved_rest_is_the_same_rest(rest: Trace, tmp_path: Path) -> None:
    rest.save(tmp_path / "rest.trace")
    loaded = Trace.load(tmp_path / "rest.trace")
    assert (loaded.dropped, loaded.forgotten) == (rest.dropped, rest.forgotten)
    assert facts(loaded) == facts(rest)
    assert report(loaded) == report(rest)
    assert str(loaded.diagnosis) == str(rest.diagnosis)


def test_compared_with_the_whole_nobody_gets_what_was_dropped_as_missing_or_new(whole: Trace, rest: Trace) -> None:
    compared = compare({"all": whole, "rest": rest})
    told = " ".join(str(compared).split())
    assert f"B's recorder dropped {let_go(rest)}: not here." in told
    assert f"B answers all {len(rest.requests)}" in told
    assert "faster" not in told.split("\n")[0].partition("as A")[0]


def test_while_it_goes_on_no_look_invents_anything(whole: Trace) -> None:
    all_of_it = facts(whole)
    looks: list[Trace] = []
    live: list[Live] = []

    def look(recorder: Recorder, number: int) -> None:
        if number % 200 == 199:
            live.append(live[0] if live else Live(recorder))
            looks.append(live[0].trace())

    recorded(RING, look)
    assert len(looks) == REQUESTS // 200
    assert looks[-1].dropped > 0
    for trace in looks:
        seen = facts(trace)
        for kind in ("steps", "losses", "messages"):
            assert not seen[kind] - all_of_it[kind], kind
        over = [(each.number, each.path, each.start_ns) for each in trace.requests]
        assert set(over) <= {(number, path, start_ns) for number, path, _, start_ns, _, _ in all_of_it["requests"]}
        assert f"{trace.dropped:,} events" in trace.summary or not trace.dropped
