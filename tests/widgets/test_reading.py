"""What a reader asks of a timeline: who woke this, where is that, what do the figures say, which line is it.

The sentences of the panel are computed by the bundle that ships, from a packet, and held against the rows of the
recording; everything else is done in a browser as a person would.
"""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from playground.trace import Message, Site, Trace
from playground.views.lanes import lanes
from playground.views.packet import packet
from playground.widgets.page import page
from tests.browser import Chromium
from tests.by_hand import handoff, request, step, task, wait
from tests.recordings import load
from tests.widgets.every_view import Shown
from tests.widgets.screen import Screen, opened
from tests.widgets.test_axe import look_at
from tests.widgets.test_node import HERE, node, tools

WIDE: Any = {"viewport": {"width": 1300, "height": 900}, "reduced_motion": "reduce"}
WAITS = {"io": "I/O", "event": "an event"}
Told = dict[tuple[str, int, int], dict[str, list[Any]]]


def told_of(trace: Trace, tmp_path: Path) -> tuple[Told, list[list[dict[str, Any]]]]:
    """What the panel tells of each span, by row and place: the parts of each entry by its term."""
    path = tmp_path / "told.bin"
    path.write_bytes(packet(trace))
    done = subprocess.run([node(), HERE / "told.mjs", path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    told = {
        (group, lane, index): {term: parts for term, *parts in entries} for group, lane, index, entries in found["told"]
    }
    return told, found["messages"]


def links(parts: list[Any]) -> list[tuple[str, int, int]]:
    return [tuple(part[1:]) for part in parts if isinstance(part, list)]


def words(parts: list[Any]) -> str:
    return "".join(part[0] if isinstance(part, list) else part for part in parts)


@pytest.mark.parametrize("seed", [4, 9])
def test_the_panel_tells_of_each_step_what_the_recording_says(tmp_path: Path, seed: int) -> None:
    trace = load(62, seed=seed, rate=150.0, blocked_at=25)
    told, _ = told_of(trace, tmp_path)
    span_of = [("loop", 0, first) for first in lanes(trace).turns]
    waits = {(one.task, one.start_ns): one for one in trace.waits}
    for index, row in enumerate(trace.steps):
        assert row.task is not None
        entries = told[span_of[index]]
        turns = trace.steps_of[row.task]
        before = next((each for each in reversed(turns) if each < index), None)
        after = next((each for each in turns if each > index), None)
        name, coroutine = trace.tasks[row.task].name, trace.tasks[row.task].coroutine
        assert words(entries["task"]) == (name if name == coroutine else f"{name}, {coroutine}()")
        wakers = links(entries["woken by"])
        if row.woken_by is None:
            assert words(entries["woken by"]).startswith("no step of this recording: a timer, I/O, a thread or the out")
        else:
            assert wakers[0] == span_of[row.woken_by]
        back = [call for call in trace.handoffs if (call.task, call.woken_ns) == (row.task, row.start_ns)]
        assert [link[:2] for link in wakers if link[0] == "worker"] == [("worker", call.thread) for call in back]
        ended = waits.get((row.task, row.end_ns))
        if ended is not None:
            assert words(entries["then"]).startswith(f"it waits for {WAITS.get(ended.on, f'a {ended.on}')}, since ")
        assert links(entries["then"]) == ([] if after is None else [span_of[after]])
        waited = None if before is None else waits.get((row.task, trace.steps[before].end_ns))
        if waited is None:
            assert "before" not in entries
        else:
            assert before is not None
            assert words(entries["before"]).startswith(
                f"it had waited for {WAITS.get(waited.on, f'a {waited.on}')} since"
            )
            assert links(entries["before"]) == [span_of[before]]


def test_the_panel_tells_of_each_wait_when_it_began_who_ended_it_and_what_came_next(tmp_path: Path) -> None:
    trace = load(62, seed=4, rate=150.0, blocked_at=25)
    laid = lanes(trace)
    told, _ = told_of(trace, tmp_path)
    seen = 0
    for row in laid.of("request"):
        for index, (start_ns, end_ns, kind) in enumerate(zip(row.starts, row.ends, row.kinds, strict=True)):
            if kind not in (4, 5, 6, 7, 8, 10):
                continue
            owner = trace.requests[row.requests[index]].task
            assert owner is not None
            steps = [trace.steps[each] for each in trace.steps_of[owner]]
            before = max(
                (each for each in steps if each.end_ns <= start_ns), key=lambda each: each.end_ns, default=None
            )
            after = next(each for each in steps if each.start_ns >= end_ns)
            entries = told["request", row.lane, index]
            at = [("loop", 0, laid.turns[trace.steps.index(each)]) for each in (before, after) if each is not None]
            assert links(entries.get("since", [])) == at[:-1]
            assert links(entries["then"]) == at[-1:]
            if after.woken_by is not None:
                assert links(entries["woken by"])[0] == ("loop", 0, laid.turns[after.woken_by])
            seen += 1
    assert seen > 150


def test_the_panel_tells_of_each_hand_off_its_moments(tmp_path: Path) -> None:
    trace = Trace(
        tasks=[task(name="job")],
        steps=[step(0, 0, 1), step(0, 9, 1, "returned")],
        waits=[wait(0, 1, 7, "thread")],
        handoffs=[
            replace(handoff(2, 3, 7, 9, task=0, queued_ms=1), cpu_ns=2_000_000),
            handoff(10, 11, 12, None),
            handoff(13, 14, None, None),
        ],
        duration_ns=20_000_000,
    )
    told, _ = told_of(trace, tmp_path)
    entries = [{term: words(parts) for term, parts in told["worker", 0, index].items()} for index in range(3)]
    assert entries == [
        {
            "task": "job, main()",
            "queued": "for a free place: 1 ms",
            "submitted": "2.00 ms",
            "started": "3.00 ms, 1 ms later",
            "ended": "7.00 ms: returned",
            "woken": "main (job) at 9.00 ms, 2 ms later",
            "cpu time": "2 ms of 4 ms",
        },
        {
            "submitted": "10.00 ms",
            "started": "11.00 ms, 1 ms later",
            "ended": "12.00 ms: returned",
            "woken": "no step that took it up is recorded",
        },
        {"submitted": "13.00 ms", "started": "14.00 ms, 1 ms later", "ended": "it had not when the recording did"},
    ]
    assert links(told["worker", 0, 0]["woken"]) == [("loop", 0, 1)]
    assert words(told["loop", 0, 1]["woken by"]).endswith("; back from render_pdf in worker-0")


def test_a_cause_is_told_with_the_callback_that_it_ran(tmp_path: Path) -> None:
    timer = Site("/usr/lib/python3.13/asyncio/futures.py", 1, "_set_result_unless_cancelled")
    steps = [step(0, 0, 1), step(None, 5, 1, "callback", site=timer), step(0, 7, 1, "returned", woken_by=1)]
    told, _ = told_of(Trace(tasks=[task()], steps=steps, waits=[wait(0, 1, 5, "timer")]), tmp_path)
    assert words(told["loop", 0, 1]["woken by"]) == "a timer"
    assert words(told["loop", 0, 2]["woken by"]) == "_set_result_unless_cancelled at 5.000 ms, run by a timer"


def test_where_several_steps_share_a_moment_none_is_guessed(tmp_path: Path) -> None:
    """Virtual time: three steps of a request at 0 ms; what its lane shows of them may stand for any."""
    steps = [step(0, 0, 0, "yields"), step(0, 0, 0, "yields", woken_by=0), step(0, 0, 0, "returned", woken_by=1)]
    trace = Trace(tasks=[task()], steps=steps, requests=[request(0, 0, 1, task=0)], duration_ns=1_000_000)
    told, _ = told_of(trace, tmp_path)
    for index in range(3):
        mine = told["loop", 0, index]
        assert [links(mine.get(term, [])) for term in ("woken by", "then")] == [
            [("loop", 0, index - 1)] if index else [],
            [("loop", 0, index + 1)] if index < 2 else [],
        ]
    shown = [entries for (group, _, _), entries in told.items() if group == "request"]
    assert shown in ([told["loop", 0, index] for index in range(3)], [{} for _ in shown])


def test_the_panel_tells_of_each_request_where_it_began_and_what_was_handed_off(tmp_path: Path) -> None:
    trace = load(62, seed=4, rate=150.0, blocked_at=25)
    laid = lanes(trace)
    told, _ = told_of(trace, tmp_path)
    place = {
        (row.lane, start): ("worker", row.lane, index)
        for row in laid.of("worker")
        for index, start in enumerate(row.starts)
    }
    handed_off = 0
    for row in laid.of("life"):
        for index, request_at in enumerate(row.requests):
            one, entries = trace.requests[request_at], told["life", row.lane, index]
            assert one.task is not None
            assert links(entries["first step"]) == [("loop", 0, laid.turns[trace.steps_of[one.task][0]])]
            calls = [trace.handoffs[call] for call in one.handoffs]
            expected = {place[call.thread or 0, call.started_ns or 0] for call in calls}
            assert set(links(entries.get("handed off", []))) == expected
            handed_off += len(expected)
    assert handed_off == len(trace.handoffs)


def test_a_requests_messages_travel_with_their_moments(tmp_path: Path) -> None:
    trace = load(20, seed=1)
    _, messages = told_of(trace, tmp_path)
    assert messages == [
        [{"direction": m.direction, "type": m.type, "detail": m.detail, "at_ns": m.at_ns} for m in each.messages]
        for each in trace.requests
    ]


# -- in a browser ---------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_the_panel_leads_from_step_to_step(chromium: Chromium, page_url: str, trace: Trace) -> None:
    def scenario(screen: Screen) -> list[str]:
        detail = screen.page.get_by_test_id("timeline-detail")
        screen.press("b")
        seen = [detail.inner_text()]
        detail.locator("dd").last.get_by_role("button").click()
        seen.append(screen.said())
        assert screen.page.evaluate(ACTIVE) == "application"  # the button is gone: the keys are the lanes' again
        detail.locator("dt", has_text="before").locator("+ dd").get_by_role("button").press("Enter")
        return [*seen, screen.said()]

    panel, after, back = chromium.run(opened(page_url, scenario), **WIDE)
    block = trace.blocks()[0]
    assert block.task is not None
    turns = [trace.steps[index] for index in trace.steps_of[block.task]]
    place = [row.start_ns for row in turns].index(block.start_ns)
    assert "it waits for a timer, since 364.9 ms" in panel
    assert f"at {turns[place + 1].start_ns / 1e6:.1f} ms" in after
    assert back.startswith("Event loop: GET /report, blocking the loop")


ACTIVE = """() => {
  const active = document.querySelector('[data-testid=timeline]').shadowRoot.activeElement;
  return active?.getAttribute('role') ?? active?.localName ?? null;
}"""


@pytest.mark.browser
def test_the_messages_of_a_request_are_listed_and_bounded(chromium: Chromium, tmp_path: Path) -> None:
    sent = tuple(Message("send", "http.response.body", n * 1_000_000, f"{n} bytes") for n in range(1, 21))
    trace = Trace(requests=[replace(request(0, 0, 30), messages=sent)])

    def scenario(screen: Screen) -> tuple[str, int]:
        screen.press("End")
        table = screen.page.get_by_test_id("timeline-detail").get_by_role("table")
        return table.inner_text(), table.get_by_role("row").count()

    text, rows = chromium.run(opened(written(trace, tmp_path), scenario), **WIDE)
    assert text.startswith("ASGI messages of #0 GET /items, 200: the first 12, 8 more are in trace.requests")
    assert re.search(r"↑ send\s+http.response.body\s+12.00 ms\s+12 bytes$", text)
    assert rows == 12


def written(trace: Trace, folder: Path) -> str:
    path = folder / "timeline.html"
    path.write_text(page(trace), encoding="utf-8")
    return path.as_uri()


@pytest.mark.browser
def test_a_search_goes_from_match_to_match_and_back(chromium: Chromium, page_url: str, trace: Trace) -> None:
    numbers = [each.number for each in trace.requests if each.route == "/export"]
    workers = len(trace.handoffs)

    def scenario(screen: Screen) -> dict[str, Any]:
        keys, box = screen.page.keyboard, screen.page.get_by_role("searchbox")
        found = screen.page.get_by_test_id("timeline-found")
        screen.press("/")
        seen: dict[str, Any] = {"focus": box.evaluate("box => box === box.getRootNode().activeElement")}
        keys.type("GET /ex")
        expect(found).to_have_text(f"{len(numbers)} found")
        seen["before"] = screen.selected()
        steps = []
        for key in ("Enter", "Enter", "Shift+Enter", "Shift+Enter", "Enter"):
            keys.press(key)
            steps.append((found.inner_text(), re.findall(r"#(\d+)", screen.said())[0]))
        seen["steps"] = steps
        box.fill("render")
        expect(found).to_have_text(f"{workers} found")
        box.fill("no such thing")
        expect(found).to_have_text("not found")
        assert screen.said() == "not found"
        keys.press("Enter")
        seen["stays"] = screen.selected()
        keys.press("Escape")
        return {**seen, "after": (box.input_value(), found.inner_text(), screen.page.evaluate(ACTIVE))}

    seen = chromium.run(opened(page_url, scenario), **WIDE)
    count = len(numbers)
    assert (seen["focus"], seen["before"], seen["stays"]) == (True, None, "GET /export")
    assert seen["steps"] == [(f"{at} of {count}", str(numbers[at - 1])) for at in (1, 2, 1, count, 1)]
    assert seen["after"] == ("", "", "application")


@pytest.mark.browser
def test_what_was_found_is_marked_on_the_lanes_and_the_minimap(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> list[tuple[int, int]]:
        def marked() -> tuple[int, int]:
            screen.settle()
            minimap = Screen.pixels_of(screen.page.get_by_test_id("timeline-minimap"))
            return screen.pixels().get("#0447A3", 0), minimap.get("#0447A3", 0)

        seen = [marked()]
        screen.press("/")
        for query in ("summary", "", "/report"):
            screen.page.get_by_role("searchbox").fill(query)
            screen.page.wait_for_timeout(200)
            seen.append(marked())
        return seen

    before, many, none, one = chromium.run(opened(page_url, scenario), **WIDE)
    assert before == none
    assert many[0] > before[0] + 50
    assert many[1] > one[1] > before[1] == 0


@pytest.mark.browser
def test_a_status_is_searched_whole_or_by_class(chromium: Chromium, tmp_path: Path) -> None:
    statuses = [200, 404, 500, 503, 404, 200]
    requests = [replace(request(n, n * 10, n * 10 + 5), status=status) for n, status in enumerate(statuses)]

    def scenario(screen: Screen) -> dict[str, str]:
        screen.press("/")
        counts = {}
        for query in ("404", "5xx", "4XX", "301"):
            screen.page.get_by_role("searchbox").fill(query)
            screen.page.keyboard.press("Enter")
            counts[query] = screen.page.get_by_test_id("timeline-found").inner_text()
        return counts

    assert chromium.run(opened(written(Trace(requests=requests), tmp_path), scenario), **WIDE) == {
        "404": "1 of 2",
        "5xx": "1 of 2",
        "4XX": "1 of 2",
        "301": "not found",
    }


@pytest.mark.browser
def test_the_tables_say_what_the_picture_shows(chromium: Chromium, page_url: str, trace: Trace) -> None:
    def scenario(screen: Screen) -> dict[str, Any]:
        tables = screen.page.get_by_test_id("timeline-tables")
        expect(tables).to_be_hidden()
        button = screen.page.get_by_role("button", name="Show as table")
        assert button.get_attribute("aria-expanded") == "false"
        button.press("Enter")
        assert button.get_attribute("aria-expanded") == "true"
        requests = tables.get_by_role("table").first
        seen: dict[str, Any] = {"captions": [each.inner_text() for each in tables.locator("caption").all()]}
        seen["rows"] = requests.locator("tbody tr").count()
        requests.get_by_role("button", name="duration").press("Enter")
        requests.get_by_role("button", name="duration").press("Enter")
        head = requests.locator("th[aria-sort=descending]")
        seen["sorted by"] = head.inner_text()
        first = requests.locator("tbody tr").first
        seen["longest"] = first.inner_text().split("\t")
        first.get_by_role("button").press("Enter")
        seen["selected"], seen["said"] = screen.selected(), screen.said()
        tables.get_by_role("table", name="Findings").get_by_role("button").filter(has_text="loop").first.click()
        seen["finding"] = screen.selected()
        button.click()
        expect(tables).to_be_hidden()
        return seen

    seen = chromium.run(opened(page_url, scenario), **WIDE)
    spans = len(trace.steps) + len(trace.handoffs)
    longest = max(trace.requests, key=lambda each: (each.end_ns or 0) - each.start_ns)
    assert seen["captions"] == [
        f"Requests: {len(trace.requests)}",
        f"Longest spans of the loop and the workers: 100 of {spans}",
        f"Findings: {len(trace.diagnosis)}",
    ]
    assert seen["rows"] == len(trace.requests)
    assert seen["sorted by"].startswith("duration")
    assert seen["longest"][:5] == [
        f"#{longest.number}",
        f"GET {longest.route}",
        "200",
        f"{longest.start_ns / 1e6:.1f} ms",
        f"{((longest.end_ns or 0) - longest.start_ns) / 1e6:.3g} ms",
    ]
    assert sum(int(share.removesuffix(" %")) for share in seen["longest"][5:]) == pytest.approx(100, abs=1)
    assert seen["selected"] == f"GET {longest.route}"
    assert f"request #{longest.number}: " in seen["said"]
    assert seen["finding"] == "GET /report"


@pytest.mark.browser
def test_a_long_table_tells_how_many_rows_it_leaves_out(chromium: Chromium, tmp_path: Path) -> None:
    trace = load(150, seed=2, rate=400.0)

    def scenario(screen: Screen) -> tuple[str, int, str]:
        screen.page.get_by_role("button", name="Show as table").click()
        table = screen.page.get_by_test_id("timeline-tables").get_by_role("table").first
        table.get_by_role("button", name="number").click()
        table.get_by_role("button", name="number").click()
        rows = table.locator("tbody tr")
        return table.locator("caption").inner_text(), rows.count(), rows.first.inner_text().split("\t")[0]

    assert chromium.run(opened(written(trace, tmp_path), scenario), **WIDE) == (
        "Requests: the first 100 in this order, 50 more are not listed",
        100,
        "#149",
    )


@pytest.mark.browser
@pytest.mark.parametrize("way", ["Enter", "click"])
def test_a_page_says_that_it_cannot_open_the_source(chromium: Chromium, page_url: str, way: str) -> None:
    def scenario(screen: Screen) -> tuple[str, str, str]:
        detail = screen.page.get_by_test_id("timeline-detail")
        screen.press("Enter")
        nothing = screen.said()
        screen.press("b")
        if way == "Enter":
            screen.press("Enter")
        else:
            detail.get_by_role("button", name="cell 3, line 24").click()
        return nothing, screen.said(), detail.locator(".outcome").inner_text()

    nothing, said, shown = chromium.run(opened(page_url, scenario), **WIDE)
    assert nothing == "Nothing is selected."
    assert said == shown == "cell 3, line 24: nothing here can open it."


@pytest.mark.browser
def test_each_move_through_time_is_spoken(chromium: Chromium, page_url: str, trace: Trace) -> None:
    whole_ms = trace.duration_ns / 1e6

    def scenario(screen: Screen) -> dict[str, str]:
        spoken = {}
        for key in ("+", "Shift+ArrowRight", "-", "0"):
            screen.press(key)
            screen.page.wait_for_function("() => " + SAID + ".startsWith('Shown: ')")
            spoken[key] = screen.said()
            screen.page.evaluate(f"() => {SAID_NODE}.textContent = ''")
        return spoken

    spoken = chromium.run(opened(page_url, scenario), **WIDE)
    width = whole_ms / 1.6
    left = (whole_ms - width) / 2
    assert spoken["+"] == f"Shown: {left:.1f} ms to {left + width:.1f} ms."
    left = min(left + 0.2 * width, whole_ms - width)
    assert spoken["Shift+ArrowRight"] == f"Shown: {left:.1f} ms to {left + width:.1f} ms."
    assert spoken["-"] == spoken["0"] == f"Shown: 0 µs to {whole_ms:.1f} ms."


SAID_NODE = "document.querySelector('[data-testid=timeline]').shadowRoot.querySelector('.live')"
SAID = f"{SAID_NODE}.textContent"


@pytest.mark.browser
def test_a_key_that_leads_nowhere_says_so(chromium: Chromium, tmp_path: Path) -> None:
    trace = Trace(tasks=[task()], steps=[step(0, 0, 1), step(0, 5, 1, "returned")], duration_ns=6_000_000)

    def scenario(screen: Screen) -> list[str]:
        said = []
        for key in ("b", "a", "Enter", "End", "Enter", "Escape"):
            screen.press(key)
            said.append(screen.said())
        return said

    said = chromium.run(opened(written(trace, tmp_path), scenario), **WIDE)
    assert said.pop(3).startswith("Event loop: main, running, 1 ms")
    assert said == [
        "No step blocked the loop.",
        "No hand-off leaves this span.",
        "Nothing is selected.",
        "No place in the source is known of this span.",
        "Nothing is selected.",
    ]


@pytest.mark.browser
def test_all_of_it_is_reached_by_the_keyboard(chromium: Chromium, page_url: str) -> None:
    """Search, buttons, findings, then the lanes as one stop, then what the panel offers."""

    def scenario(screen: Screen) -> list[str]:
        screen.press("b")
        screen.page.mouse.click(2, 2)  # the page's corner: from here Tab goes to what comes first
        stops: list[str] = []
        for _ in range(40):
            screen.page.keyboard.press("Tab")
            name = screen.page.evaluate(NAME)
            if name is not None:
                stops.append(name)
            elif stops:  # before the view stand the page's own tabs; after it, nothing
                return stops
        return stops

    stops = chromium.run(opened(page_url, scenario), **WIDE)
    assert stops.count("application") == 1
    order = [
        stops.index(name) for name in ("Search by path, task or status", "Table", "application", "cell 3, line 24")
    ]
    assert order == sorted(order)


NAME = """() => {
  const active = document.querySelector('[data-testid=timeline]').shadowRoot.activeElement;
  if (active === null) return null;
  if (active.localName === 'input') return active.getAttribute('aria-label');
  return active.getAttribute('role') ?? active.textContent;
}"""


@pytest.mark.browser
def test_at_520_pixels_the_header_wraps_and_tables_scroll_within(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> list[Any]:
        screen.page.get_by_role("button", name="Show as table").click()
        screen.press("b")
        rows = {
            round(screen.page.get_by_role("button", name=name).bounding_box()["y"])  # type: ignore[index]
            for name in ("Zoom in", "Fit", "Next block", "Show as table")
        }
        title = screen.page.locator(".title").bounding_box()
        assert title is not None
        return [screen.page.evaluate("document.documentElement.scrollWidth"), len(rows), min(rows) > title["y"] + 10]

    width, rows, wrapped = chromium.run(opened(page_url, scenario), viewport={"width": 520, "height": 900})
    assert width <= 520
    assert (rows, wrapped) == (1, True)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1300, 520])
def test_axe_finds_nothing_where_a_reader_reads(chromium: Chromium, page_url: str, width: int) -> None:
    tools()

    def scenario(screen: Screen) -> list[str]:
        screen.page.get_by_role("button", name="Show as table").click()
        screen.press("/")
        screen.page.get_by_role("searchbox").fill("export")
        screen.page.keyboard.press("Enter")
        found = look_at(Shown(screen.page, "timeline"))
        screen.press("b")
        screen.press("Enter")
        return found + look_at(Shown(screen.page, "timeline"))

    assert chromium.run(opened(page_url, scenario), viewport={"width": width, "height": 900}) == []
