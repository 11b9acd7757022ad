"""Ways to run the same jobs in a page and as a widget: what a reader sees, hears, finds and is told of a job."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.errors import TraceError
from playground.models.run import Experiment, ModelRun
from playground.models.workload import Workload
from playground.trace import Trace
from playground.trace.columns import unpack
from playground.views.stacked import stack
from playground.views.stacked_svg import svg
from playground.views.stacked_text import text
from playground.views.stacked_words import told_of
from playground.widgets import Stacked
from playground.widgets.display import mimebundle, stacked_mimebundle
from playground.widgets.page import page, stacked_page
from tests.browser import Chromium
from tests.by_hand import job, segment, step, task, worker
from tests.recordings import blocked_run
from tests.stacks import asyncio_way, every_way, pool_way, threads_way
from tests.widgets.screen import Screen, opened

WAYS = {"threads": threads_way(), "asyncio": asyncio_way()}
LOCKED = "waiting for the interpreter's lock (GIL), which another thread has"
WIDE: Any = {"viewport": {"width": 1300, "height": 900}, "reduced_motion": "reduce"}
NARROW: Any = {"viewport": {"width": 520, "height": 900}, "reduced_motion": "reduce"}


@pytest.fixture
def see(chromium: Chromium, tmp_path: Path) -> Callable[..., Any]:
    """Runs a scenario with the page of some ways, on disk."""

    def run(scenario: Callable[[Screen], Any], traces: Any = WAYS, how: Any = WIDE) -> Any:
        path = tmp_path / "page.html"
        path.write_text(stacked_page(traces), encoding="utf-8")
        return chromium.run(opened(path.as_uri(), scenario), **how)

    return run


# -- as a widget ------------------------------------------------------------------------------------------


def test_the_widget_holds_the_packet_and_both_fallbacks() -> None:
    widget = Stacked(WAYS, title="Two ways")
    header, _ = unpack(widget._packet)
    assert (header["title"], widget.title, widget.height) == ("Two ways", "Two ways", 640)
    data, _ = widget._repr_mimebundle_()
    assert data["text/plain"] == text(stack(WAYS), title="Two ways")
    assert data["image/svg+xml"] == svg(stack(WAYS), title="Two ways")
    assert repr(widget) == "<Stacked of threads, asyncio>"


def test_a_recording_of_jobs_is_shown_so_by_itself() -> None:
    assert mimebundle(WAYS["threads"]) == stacked_mimebundle({"threads": WAYS["threads"]}, "threads")
    assert mimebundle(WAYS["threads"])[0]["text/plain"] == str(WAYS["threads"])


def test_an_experiment_is_shown_by_its_recordings(tmp_path: Path) -> None:
    class Ran:
        def __init__(self, trace: Trace) -> None:
            self.trace = trace

    workload = Workload(jobs=2)
    shown = Experiment(workload, {name: Ran(trace) for name, trace in WAYS.items()})  # type: ignore[misc]
    assert str(shown) == text(stack(WAYS), title=workload.title)
    assert shown.to_svg(tmp_path / "a.svg") == svg(stack(WAYS), title=workload.title)
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == shown.to_svg()
    shown.to_html(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == stacked_page(WAYS, workload.title)
    assert shown._repr_mimebundle_()[0]["text/plain"] == str(shown)
    assert shown.view().title == workload.title


def test_the_page_of_a_recording_of_jobs_has_a_tab_for_each_view_of_it() -> None:
    assert page(WAYS["threads"]).count("data-tab=") == 1
    with_loop = blocked_run()
    loop = Trace(
        steps=with_loop.steps, tasks=with_loop.tasks, waits=with_loop.waits, jobs=WAYS["asyncio"].jobs,
        workers=WAYS["asyncio"].workers, segments=WAYS["asyncio"].segments,
    )  # fmt: skip
    told = page(loop)
    assert [told.count(f'data-tab="{tab}"') for tab in ("Jobs", "Timeline", "Theatre")] == [1, 1, 1]


def is_purple(colour: str) -> bool:
    """Whether a colour is a tint of that of the lock."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return blue > red > green + 50


# -- in a page --------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_the_keys_go_through_the_lanes_of_all_ways_and_each_move_is_said(see: Callable[..., Any]) -> None:
    def scenario(screen: Screen) -> list[str]:
        said = []
        for key in ("Home", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown"):
            screen.press(key)
            said.append(screen.said())
        return said

    assert see(scenario) == [
        "threads, thread 1: job 0, running, 5 ms, at 0 µs. Span 1 of 15.",
        f"threads, thread 1: job 0, {LOCKED}, 5 ms, at 5.0 ms. Span 2 of 15.",
        "threads, thread 2: job 1, job, from start to end, 80 ms, at 0 µs. Span 1 of 1.",
        f"threads, thread 2: job 1, {LOCKED}, 5 ms, at 40.0 ms. Span 9 of 16.",
        "asyncio, event loop: job 17, running, 2.5 ms, at 42.5 ms. Span 18 of 40.",
        "asyncio, event loop: job 0, job, from start to end, 55 ms, at 0 µs. Span 1 of 1.",
        "asyncio, event loop: job 0, waiting: asleep, or for I/O, 50 ms, at 2.5 ms. Span 2 of 3.",
    ]


@pytest.mark.browser
def test_processor_time_is_told_beside_the_time_on_the_wall(see: Callable[..., Any]) -> None:
    slow = WAYS["threads"]
    told = replace(slow.segments[0], cpu_ns=3_500_000)
    trace = Trace(workers=slow.workers, jobs=slow.jobs, segments=[told, *slow.segments[1:]])

    def scenario(screen: Screen) -> str:
        screen.press("Home")
        return screen.page.get_by_test_id("timeline-detail").inner_text().replace("\n", " ")

    detail = see(scenario, {"threads": trace})
    assert detail == "job 0 running 5 ms at 0 µs job #0 threads 3.5 of 5 ms on a processor"


@pytest.mark.browser
def test_the_tables_hold_each_way_in_words_and_lead_to_its_lanes(see: Callable[..., Any]) -> None:
    def scenario(screen: Screen) -> tuple[list[str], str, list[str], str]:
        screen.page.get_by_role("button", name="Show as table").press("Enter")
        tables = screen.page.get_by_test_id("timeline-tables").get_by_role("table")
        models = [row.inner_text().replace("\t", " | ") for row in tables.first.locator("tr").all()]
        tables.first.locator("tbody tr").last.get_by_role("button").press("Enter")
        jobs = [row.inner_text().replace("\t", " | ") for row in tables.nth(1).locator("tr").all()[:3]]
        return models, screen.said(), jobs, tables.nth(1).locator("caption").inner_text()

    models, said, jobs, caption = see(scenario)
    assert models == ["model | what it did", *(f"{name} | {told_of(trace)}" for name, trace in WAYS.items())]
    assert said == "asyncio, event loop: job 0, running, 2.5 ms, at 0 µs. Span 1 of 40."
    assert caption == "Jobs: 22"
    assert jobs == [
        "number | model | status | start | duration | runs | ready | waits",
        "#0 | threads | – | 0 µs | 75 ms | 53 % | 47 % | 0 %",
        "#0 | asyncio | – | 0 µs | 55 ms | 9 % | 0 % | 91 %",
    ]


@pytest.mark.browser
def test_a_search_finds_a_job_in_every_way(see: Callable[..., Any]) -> None:
    def scenario(screen: Screen) -> list[str]:
        told = []
        for query in ("#1", "asyncio", "#19"):
            screen.page.get_by_role("searchbox").fill(query)
            screen.page.get_by_role("searchbox").press("Enter")
            told.append(screen.page.get_by_test_id("timeline-found").inner_text())
        return [*told, screen.said()]

    # the number 1 stands in 1 and in 10 to 19
    *found, said = see(scenario)
    assert found == ["1 of 12", "1 of 20", "1 of 1"]
    assert said == "asyncio, event loop: job 19, job, from start to end, 103 ms, at 0 µs. Span 1 of 1."


@pytest.mark.browser
@pytest.mark.parametrize("how", [WIDE, NARROW], ids=["wide", "narrow"])
def test_each_kind_is_painted_and_the_legend_names_it(see: Callable[..., Any], how: Any) -> None:
    def scenario(screen: Screen) -> tuple[set[str], list[str]]:
        legend = screen.page.get_by_role("list", name="Legend").get_by_role("listitem").all_inner_texts()
        return set(screen.pixels()), legend

    colours, legend = see(scenario, {"threads": threads_way(), "pool": pool_way()}, how)
    assert {"#0447A3", "#3F978D", "#6E7582"} <= colours
    assert any(is_purple(colour) for colour in colours)  # its hatching leaves tints of it
    assert legend == ["job runs", "wants the GIL", "waits: sleep, I/O", "queued, not begun"]


@pytest.mark.browser
def test_fourteen_ways_can_be_scrolled_through_to_the_last(see: Callable[..., Any]) -> None:
    def scenario(screen: Screen) -> tuple[str, float, int]:
        screen.page.get_by_role("button", name="Show as table").press("Enter")
        last = screen.page.get_by_test_id("timeline-tables").get_by_role("table").first.locator("tbody tr").last
        last.get_by_role("button").press("Enter")
        box = screen.canvas.bounding_box()
        assert box is not None
        scrolled = screen.page.get_by_role("application").evaluate("element => element.scrollTop")
        return screen.said(), box["height"], scrolled

    said, height, scrolled = see(scenario, every_way())
    assert said.startswith("interpreters, event loop: job 0, running")
    assert height <= 900
    assert scrolled > 1_000


@pytest.mark.browser
def test_show_on_a_finding_brings_its_lane_into_sight(see: Callable[..., Any]) -> None:
    def scenario(screen: Screen) -> tuple[int, int]:
        scroller = screen.page.get_by_role("application")
        before = scroller.evaluate("element => element.scrollTop")
        screen.page.get_by_role("button", name="Show", exact=True).first.press("Enter")
        return before, scroller.evaluate("element => element.scrollTop")

    failed = Trace(workers=[worker()], jobs=[job(0, 0, 5, error="ValueError: no")], segments=[segment(0, "run", 0, 5)])
    before, after = see(scenario, {**every_way(), "last": failed})
    assert before == 0
    assert after > 1_000


@pytest.mark.browser
def test_what_has_no_place_here_is_not_shown(see: Callable[..., Any]) -> None:
    def scenario(screen: Screen) -> list[bool]:
        minimap = screen.page.get_by_test_id("timeline-minimap")
        return [minimap.is_visible(), screen.page.get_by_text("Next block").is_visible()]

    assert see(scenario) == [False, False]


# -- what else a recording of jobs may be asked for ---------------------------------------------------------


def test_the_timeline_of_jobs_without_a_loop_is_their_workers_lanes() -> None:
    assert repr(WAYS["threads"].timeline()) == "<Stacked of threads>"
    assert repr(ModelRun("threads", WAYS["threads"], [], {}).timeline()) == "<Stacked of threads>"
    loop = Trace(workers=[worker(1, 1, "loop")], jobs=[job(0, 0, 5)], steps=[step(0, 0, 5)], tasks=[task()])
    assert repr(loop.timeline()) == f"<Timeline of {loop!r}>"
    assert repr(blocked_run().timeline()).startswith("<Timeline of ")


def test_no_play_is_made_of_jobs_without_a_loop() -> None:
    with pytest.raises(TraceError) as refused:
        ModelRun("threads", WAYS["threads"], [], {}).theatre()
    assert str(refused.value) == (
        "expected a recording with steps of an event loop to play, found 2 jobs of 'threads' and no steps: look at "
        "timeline(), or run the jobs on a loop that is recorded, such as models='asyncio'"
    )
