"""The loop theatre's words: what its actors are called, and the sentence of each step."""

from dataclasses import replace

import pytest

from playground import App, Lab
from playground.trace import Sample, Site, Trace
from playground.views.play import play, sentences
from playground.views.players import name_of
from playground.views.wording import duration
from tests.by_hand import ns, request, step, task, wait
from tests.recordings import blocked_run
from tests.views.stage import FETCH, RESULT, decoded


def told(trace: Trace) -> list[str]:
    made = play(trace)
    return [made.sentence(place) for place in range(made.stage.steps)]


# -- names ------------------------------------------------------------------------------------------------


def test_actors_are_called_by_their_request_their_given_name_or_their_coroutine() -> None:
    trace = Trace(
        steps=[
            *(step(index, index, 1) for index in range(4)),
            step(None, 4, 1, "callback", site=RESULT),
            step(None, 5, 1, "callback"),
            step(None, 6, 1, "callback", site=replace(RESULT, function="gather.<locals>._done")),
            step(None, 7, 1, "callback", site=replace(RESULT, function="main.<locals>.<lambda>")),
        ],
        tasks=[
            task(),
            task(coroutine="fetch", parent=0, name="Task-2"),
            task(coroutine="heartbeat", name="pulse"),
            task(coroutine="worker", name="Task-4"),
        ],
        requests=[request(7, 0, 9, task=0, path="/items/3", route="/items/{id}")],
    )
    shown = play(trace)
    assert [name_of(shown.actors[actor]) for actor in shown.stage.actor] == [
        "GET /items/{id} #7",
        "fetch #7",
        "pulse",
        "worker Task-4",
        "callback set_result",
        "callback",
        "callback _done",
        "callback main.<locals>.<lambda>",
    ]


def test_a_task_that_worked_for_two_requests_is_an_actor_for_each() -> None:
    trace = Trace(
        steps=[step(0, 0, 1, "yields"), step(0, 5, 1, "yields")],
        tasks=[task()],
        requests=[request(0, 0, 2, task=0), request(1, 5, 7, task=0)],
    )
    shown = play(trace)
    assert [name_of(shown.actors[actor]) for actor in shown.stage.actor] == ["GET /items #0", "GET /items #1"]


# -- sentences --------------------------------------------------------------------------------------------


def test_the_sentence_of_a_request_that_waits_and_then_answers() -> None:
    trace = Trace(
        steps=[step(0, 0, 0.309, site=FETCH), step(0, 5.429, 0.1, "returned")],
        tasks=[replace(task(), ended_ns=ns(5.529), outcome="returned")],
        waits=[wait(0, 0.309, 5.429, "io", FETCH)],
        requests=[request(7, 0, 5.529, task=0)],
    )
    assert told(trace) == [
        (
            "GET /items #7 begins, runs for 309 µs, then awaits `db.fetch(LIST)` (I/O, 5.12 ms); "
            "then no step runs for 5.12 ms."
        ),
        "GET /items #7 runs for 100 µs, and is done: 200 after 5.53 ms.",
    ]


def test_the_sentence_of_a_step_that_held_the_loop_counts_who_was_ready() -> None:
    trace = Trace(
        steps=[step(0, 0, 51, "returned"), step(1, 51, 1, "yields"), step(2, 52, 1, "yields")],
        tasks=[task(), task(1), task(2)],
        samples=[
            Sample(0, ns(at), 0, Site("cell 3", 24, "report", "df.to_csv()"), "df.to_csv()") for at in (10, 20, 51)
        ],
        requests=[request(8, 0, 51, task=0, path="/report")],
    )
    assert told(trace)[0] == (
        "GET /report #8 holds the loop for 51 ms without an await, most of it in `df.to_csv()`, and is done: 200 after "
        "51 ms; meanwhile nothing else can run, and as it ends the ready queue holds 2."
    )


def test_the_sentence_of_a_callback_tells_whom_it_makes_ready() -> None:
    trace = Trace(
        steps=[
            step(None, 0, 0.003, "callback", site=RESULT),
            step(0, 0.003, 1, "waits", woken_by=0),
            step(1, 1.1, 1, "yields", woken_by=0),
            step(None, 2.15, 1, "callback", site=RESULT),
        ],
        tasks=[task(name="pulse"), task()],
    )
    assert told(trace) == [
        "The callback set_result runs for 3 µs and makes pulse and 1 more ready.",
        "pulse begins, runs for 1 ms, then waits (for what was not recorded).",
        "main Task-1 begins, runs for 1 ms, then lets others run.",
        "The callback set_result runs for 1 ms.",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rows = await db.fetch(LIST)", "awaits `db.fetch(LIST)`"),
        ("return [x for x in (await rows(')', \"]\"))]", "awaits `rows(')', \"]\")`"),
        ("await asyncio.gather(", "awaits `asyncio.gather(…)`"),
        ("await first, [await second]", "awaits `first`"),
        ("x = {await key: 1}", "awaits `key`"),
        ("async with lock:", "waits at `async with lock:`"),
        ("", "waits in `f`"),
    ],
)
def test_what_is_awaited_is_read_from_the_line(text: str, said: str) -> None:
    site = Site("cell 1", 1, "f", text)
    trace = Trace(
        steps=[step(0, 0, 1, site=site), step(0, 3, 1, "cancelled")],
        tasks=[task()],
        waits=[wait(0, 1, 3, "lock", site)],
    )
    assert told(trace) == [
        f"main Task-1 begins, runs for 1 ms, then {said} (lock, 2 ms); then no step runs for 2 ms.",
        "main Task-1 runs for 1 ms, and is cancelled.",
    ]


def test_a_wait_that_was_not_over_is_said_to_be_so() -> None:
    trace = Trace(steps=[step(0, 0, 1)], tasks=[task()], waits=[wait(0, 1, 4, "event")], duration_ns=ns(4))
    assert told(trace) == ["main Task-1 begins, runs for 1 ms, then waits (event, not over when the recording was)."]


def test_a_request_that_failed_tells_its_error_on_one_line() -> None:
    trace = Trace(
        steps=[step(0, 0, 1, "raised")],
        tasks=[replace(task(), ended_ns=ns(1), outcome="raised")],
        requests=[replace(request(0, 0, 1, task=0), status=None, error="ValueError: <b>no\nsuch</b>")],
    )
    assert told(trace) == ["GET /items #0 begins, runs for 1 ms, and fails: `ValueError: <b>no such</b>`."]


def test_in_virtual_time_a_step_that_takes_no_time_is_not_told_a_length() -> None:
    trace = Trace(
        steps=[step(0, 0, 0, site=FETCH), step(0, 0.05, 0, "returned")],
        tasks=[task()],
        waits=[wait(0, 0, 0.05, "timer", FETCH)],
        clock="virtual",
    )
    assert told(trace) == [
        "main Task-1 begins, runs, then awaits `db.fetch(LIST)` (timer, 50 µs); then no step runs for 50 µs.",
        "main Task-1 runs, and is done.",
    ]


def test_every_number_in_a_sentence_is_the_recordings() -> None:
    trace = blocked_run()
    for row, sentence in zip(trace.steps, told(trace), strict=True):
        assert f" for {duration(row.duration_ns)}" in sentence


def test_the_text_tells_the_first_steps_and_counts_the_rest() -> None:
    trace = Trace(
        steps=[step(0, at, 1, "yields", woken_by=at - 1 if at else None) for at in range(14)], tasks=[task()], dropped=3
    )
    lines = sentences(trace).splitlines()
    assert lines[0] == "Loop theatre of Run: 14 ms · 1 task · 14 steps · 3 events dropped"
    assert lines[2] == " 1      0 ms  main Task-1 runs for 1 ms, then lets others run."
    assert lines[13].startswith("12     11 ms  ")
    assert lines[14:] == [
        "And 2 more steps.",
        "The recorder dropped 3 events, the oldest: where a task of that time stood is not shown until it runs again.",
    ]


def test_the_text_of_a_recording_without_steps_says_so() -> None:
    assert sentences(Trace()).endswith("\nNo step was recorded.")


def test_the_play_opens_at_a_requests_first_step_or_at_the_first_of_all() -> None:
    steps = [step(0, 0, 1), step(None, 1, 1, "callback"), step(1, 2, 1, "returned"), step(0, 3, 1, "returned")]
    tasks = [task(), task(coroutine="read")]
    with_one = Trace(steps=steps, tasks=tasks, requests=[request(4, 2, 3, task=1)])
    assert play(with_one).opens == decoded(with_one)[0]["opens"] == 2
    assert play(Trace(steps=steps, tasks=tasks)).opens == 0
    assert play(Trace(steps=steps[:2], tasks=tasks, requests=[request(4, 2, 3, task=1)])).opens == 0
    assert play(Trace(requests=[request(4, 2, 3)])).opens == 0


def test_a_real_run_opens_in_the_users_code_and_shows_no_library_s() -> None:
    app = App()

    @app.get("/sync")
    def sync() -> str:
        return "done"

    with Lab(app) as lab:
        trace = lab.burst("/sync", n=2).trace
    header, _ = decoded(trace)
    opens = header["opens"]
    assert play(trace).actors[play(trace).stage.actor[opens]].request == 0
    shown = [(file, lines) for file, _, _, lines in header["sites"]]
    assert all(__file__.endswith(file) for file, lines in shown if lines)
    assert any(file.startswith("In a library: ") for file, lines in shown if not lines)
    assert not any("_on_completed_fut" in sentence for sentence in map(play(trace).sentence, range(len(trace.steps))))


def test_what_waits_in_a_library_is_told_by_name_and_not_by_a_line_of_it() -> None:
    group = Site("/usr/lib/python3.11/asyncio/taskgroups.py", 71, "TaskGroup.__aexit__", "await self._on_completed_fut")
    trace = Trace(
        steps=[step(0, 0, 1, "waits", site=group), step(0, 5, 1, "returned")],
        tasks=[task()],
        waits=[wait(0, 1, 5, "task", group)],
    )
    assert (
        told(trace)[0].partition(";")[0]
        == "main Task-1 begins, runs for 1 ms, then waits in `TaskGroup.__aexit__` (task, 4 ms)"
    )
    header, columns = decoded(trace)
    words = "In a library: TaskGroup.__aexit__ in /usr/lib/python3.11/asyncio/taskgroups.py, line 71."
    assert header["sites"] == [[words, 71, 71, []]]
    assert header["names"][columns["wait_text"][0]] == ""


def test_a_place_of_the_users_without_its_text_is_told_in_words() -> None:
    trace = Trace(steps=[step(0, 0, 1, "yields", site=Site("cell 3", 6, "read", ""))], tasks=[task()])
    assert decoded(trace)[0]["sites"] == [["In read in cell 3, line 6, whose source is not to be had.", 6, 6, []]]
