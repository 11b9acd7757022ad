"""A page of a recording without requests: its tasks have the lanes, and are spoken of as tasks."""

from pathlib import Path
from typing import Any

import pytest

from playground.trace import Trace
from playground.views.lanes import lanes
from playground.widgets.page import page
from tests.browser import Chromium
from tests.views.test_task_lanes import QUEUE
from tests.widgets.screen import Screen, opened
from tests.widgets.told import told_of, words

WIDE: Any = {"viewport": {"width": 1300, "height": 900}, "reduced_motion": "reduce"}


def written(trace: Trace, folder: Path) -> str:
    path = folder / "page.html"
    path.write_text(page(trace), encoding="utf-8")
    return path.as_uri()


def test_the_panel_tells_of_a_task_whose_lane_it_is(tmp_path: Path) -> None:
    told, messages = told_of(QUEUE, tmp_path)
    laid = lanes(QUEUE)
    tasks = ["Task-1, main()", "consume 0, consume()", "Task-3, main.<locals>.work()"]
    spans = [
        (row.group, row.lane, index, task)
        for row in (*laid.of("life"), *laid.of("request"), *laid.of("worker"), laid.rows[0])
        for index, task in enumerate(row.requests)
        if task < len(tasks)
    ]
    assert len(spans) == 3 + 16 + 1 + 7
    for group, lane, index, task in spans:
        assert words(told[group, lane, index]["task"]) == tasks[task]
    assert words(told["life", 2, 0]["first step"]) == "work at 3.00 ms"
    assert words(told["life", 2, 0]["handed off"]) == "render_pdf in worker-0"
    assert messages == [[], [], []]


@pytest.mark.browser
def test_the_keys_go_through_the_lanes_of_tasks_and_each_move_is_said(chromium: Chromium, tmp_path: Path) -> None:
    def scenario(screen: Screen) -> list[str]:
        screen.press("Home")
        said = [screen.said()]
        for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowDown", "ArrowDown"):
            screen.press(key)
            said.append(screen.said())
        return [*said, screen.page.get_by_test_id("timeline-detail").inner_text().replace("\n", " ")]

    *said, detail = chromium.run(opened(written(QUEUE, tmp_path), scenario), **WIDE)
    assert said == [
        "Event loop: main, running, 1 ms, at 0 µs. Span 1 of 8.",
        "worker-0: render_pdf, running in a worker thread, 22 ms, at 5.00 ms. Span 1 of 1.",
        "Lane 1: main, task, from start to end, 40 ms, at 0 µs. Span 1 of 1.",
        "Lane 1: main, waiting for a task or future, 29 ms, at 1.00 ms. Span 2 of 4.",
        "Lane 1: main, ready, queued for the loop, 2 ms, at 30.00 ms. Span 3 of 4.",
        "Lane 2: consume 0, task, from start to end, 19 ms, at 1.00 ms. Span 1 of 1.",
        "Lane 2: consume 0, ready, queued for the loop, 2 ms, at 10.00 ms. Span 3 of 7.",
    ]
    assert "task consume 0, cancelled" in detail
    assert "equest" not in detail


@pytest.mark.browser
def test_the_table_and_the_search_speak_of_tasks(chromium: Chromium, tmp_path: Path) -> None:
    def scenario(screen: Screen) -> tuple[str, list[str], list[str], str]:
        screen.page.get_by_role("button", name="Show as table").press("Enter")
        table = screen.page.get_by_test_id("timeline-tables").get_by_role("table").first
        rows = [each.inner_text().split("\t") for each in table.locator("tr").all()]
        table.locator("tbody tr").last.get_by_role("button").press("Enter")
        said = screen.said()
        screen.page.get_by_role("searchbox").fill("consume")
        screen.page.get_by_role("searchbox").press("Enter")
        found = screen.page.get_by_test_id("timeline-found").inner_text()
        return table.locator("caption").inner_text(), [" | ".join(row) for row in rows], [said, screen.said()], found

    caption, rows, said, found = chromium.run(opened(written(QUEUE, tmp_path), scenario), **WIDE)
    assert caption == "Tasks: 3"
    assert rows == [
        "task | status | start | duration | runs | ready | waits",
        "main | – | 0 µs | 40 ms | 23 % | 5 % | 73 %",
        "consume 0 | cancelled | 1.00 ms | 19 ms | 16 % | 16 % | 68 %",
        "work | raised | 1.00 ms | 29 ms | 7 % | 10 % | 83 %",
    ]
    assert said == [
        "Lane 3: work, task, from start to end, 29 ms, at 1.00 ms. Span 1 of 1.",
        "Lane 2: consume 0, task, from start to end, 19 ms, at 1.00 ms. Span 1 of 1.",
    ]
    assert found == "1 of 1"
