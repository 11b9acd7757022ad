"""What is on the loop theatre's stage: who waits, the source that is lit, the threads, and text that is only text."""

from asyncio import taskgroups
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.trace import Site, Trace
from tests.by_hand import handoff, request, step, task, wait
from tests.widgets.plays import crowd
from tests.widgets.theatre import Stage


@pytest.mark.browser
def test_of_many_who_wait_a_few_are_shown_and_the_rest_is_counted(see: Callable[..., Any]) -> None:
    trace = crowd(waiting=200)

    def scenario(stage: Stage) -> tuple[str, int, int]:
        stage.set_trait("step", 250)
        waiting = stage.shown.root.get_by_role("group", name="Waiting", exact=True)
        return waiting.inner_text(), len(stage.cards("Waiting")), len(stage.cards("Worker threads"))

    words, shown, workers = see(trace, scenario)
    assert words.startswith("Waiting\n200\n")
    assert f"+ {200 - shown} more" in words
    assert shown < 10
    assert workers < 12


@pytest.mark.browser
def test_the_source_of_what_runs_is_lit(see: Callable[..., Any]) -> None:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines, 1) if line.startswith("def test_the_source_of_what_runs_is_lit"))
    here = Site(__file__, number, "test", lines[number - 1])
    trace = Trace(steps=[step(0, 0, 1, site=here), step(0, 2, 1, "returned")], tasks=[task()])

    def scenario(stage: Stage) -> tuple[str, int]:
        return stage.shown.root.locator(".lit").inner_text(), stage.shown.root.locator(".source > code").count()

    lit, shown = see(trace, scenario)
    assert lit == f"{number}{here.text}"
    assert shown == 19


@pytest.mark.browser
def test_of_a_library_s_code_the_name_and_place_are_told_and_no_line(see: Callable[..., Any]) -> None:
    group = Site(taskgroups.__file__, 71, "TaskGroup.__aexit__", "await self._on_completed_fut")
    trace = Trace(steps=[step(0, 0, 1, site=group), step(0, 5, 1, "returned")], tasks=[task()])

    def scenario(stage: Stage) -> tuple[str, int, str]:
        running = stage.shown.root.get_by_role("group", name="Running now").inner_text()
        return running, stage.shown.root.locator(".source").count(), stage.shown.root.inner_text()

    running, listings, everything = see(trace, scenario)
    assert f"In a library: TaskGroup.__aexit__ in {taskgroups.__file__}, line 71." in running
    assert listings == 0
    assert "_on_completed_fut" not in everything


@pytest.mark.browser
def test_where_the_source_is_not_to_be_had_it_says_so(see: Callable[..., Any]) -> None:
    def scenario(stage: Stage) -> str:
        return stage.shown.root.get_by_role("group", name="Running now").inner_text()

    running = see(Trace(steps=[step(None, 0, 1, "callback")]), scenario)
    assert "Its source is not to be had." in running


@pytest.mark.browser
def test_an_idle_thread_a_busy_one_and_one_not_used_yet_are_told_apart(see: Callable[..., Any]) -> None:
    trace = Trace(
        steps=[step(0, at, 1, "yields") for at in range(0, 20, 2)],
        tasks=[task()],
        requests=[request(4, 0, None, task=0)],
        handoffs=[
            handoff(0.5, 1.5, 4, 5, task=0, thread=0, function="hash_password"),
            handoff(0.5, 7, 9, 9, task=0, thread=1),
            handoff(0.5, None, None, None, thread=None),
        ],
    )

    def scenario(stage: Stage) -> list[list[str]]:
        stage.press("ArrowRight")
        words = [text.split("\n") for text in stage.cards("Worker threads")]
        return [*words, [stage.shown.root.get_by_role("group", name="Worker threads").locator("> p").inner_text()]]

    busy, unused, note = see(trace, scenario)
    assert busy == ["worker-0", "#4", "hash_password · 1.5 ms"]
    assert unused == ["worker-1", "not used yet"]
    assert note == ["2 queued for a thread"]


EVIL = "<img src=x onerror=alert(1)></script>"


@pytest.mark.browser
def test_what_an_app_calls_things_is_text_everywhere(see: Callable[..., Any]) -> None:
    site = Site(EVIL, 1, EVIL, f"await {EVIL}")
    trace = Trace(
        steps=[
            step(0, 0, 1, site=site),
            step(1, 1, 1, "raised"),
            step(None, 2, 1, "callback", site=site),
            step(0, 5, 1, "yields", site=site),
        ],
        tasks=[
            task(coroutine=EVIL, name=EVIL),
            replace(task(coroutine=EVIL, name=EVIL), ended_ns=2_000_000, outcome="raised"),
        ],
        waits=[wait(0, 1, 5, "lock", site)],
        requests=[replace(request(0, 0, 2, task=1, path=EVIL), error=f"ValueError: {EVIL}", status=None)],
        handoffs=[handoff(0.5, 1.5, None, None, task=0, function=EVIL)],
        title=EVIL,
    )

    def scenario(stage: Stage) -> tuple[int, int, list[str]]:
        texts = [stage.shown.root.inner_text()]
        for key in ("ArrowRight", "ArrowRight", "ArrowRight"):
            stage.press(key)
            texts.append(stage.shown.root.inner_text())
        stage.click("Predict: hide what comes next until you have chosen")
        stage.press("Home")
        texts.append(stage.shown.root.inner_text())
        return stage.shown.root.locator("img").count(), stage.shown.root.locator("script").count(), texts

    images, scripts, texts = see(trace, scenario)
    assert (images, scripts) == (0, 0)
    assert all(text.count("<img src=x onerror=alert(1)>") > 2 for text in texts)


@pytest.mark.browser
def test_what_was_dropped_is_told(see: Callable[..., Any], small: Trace) -> None:
    trace = Trace(steps=small.steps, tasks=small.tasks, waits=small.waits, dropped=1234)
    words = see(trace, lambda stage: stage.shown.root.inner_text())
    assert "1,234 events dropped: the recorder was full" in words
    assert "where a task of that time stood is not shown until it runs again" in words


@pytest.mark.browser
def test_a_recording_of_nothing_is_a_stage_with_nothing_on_it(see: Callable[..., Any]) -> None:
    def scenario(stage: Stage) -> tuple[str, list[str]]:
        stage.press("ArrowRight", "Space")
        stage.click("Predict: hide what comes next until you have chosen")
        return stage.sentence, stage.cards("Ready queue")

    assert see(Trace(), scenario) == ("The recording is over.", [])
