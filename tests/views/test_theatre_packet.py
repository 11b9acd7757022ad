"""What a page reads of a play: the counts of its stage, its names as they are, and the source beside a step."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from playground.trace import Site, Step, Trace
from playground.trace.excerpts import excerpts
from playground.views.play import play
from playground.views.stage import stage
from tests.by_hand import MS, handoff, request, step, task, wait
from tests.recordings import load
from tests.views.stage import FETCH, RESULT, at_work, decoded, done, queued, waiting

# -- the packet -------------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 30))
def test_the_packets_counts_are_those_of_the_stage(seed: int, requests: int) -> None:
    trace = load(requests, seed=seed) if requests else Trace()
    _, columns = decoded(trace)
    made = stage(trace, len(trace.steps))
    places = range(made.steps + 1)
    assert columns["moment"] == made.ends_ns
    assert columns["queue_count"] == [len(queued(made, place)) for place in places]
    assert columns["wait_count"] == [len(waiting(made, place)) for place in places]
    assert columns["call_count"] == [len(at_work(made, place)) for place in places]
    assert columns["ended_count"] == [len(done(made, place)) for place in places]
    asked = [
        sum(call.submitted_ns - call.limiter_wait_ns <= end < (call.started_ns or 0) for call in trace.handoffs)
        for end in made.ends_ns
    ]
    assert columns["asking"] == asked


def test_moments_of_many_hours_arrive_to_the_nanosecond() -> None:
    at_ms = 90_000_000_000_001 / MS
    trace = Trace(steps=[step(0, at_ms, 1, "returned")], tasks=[task()])
    _, columns = decoded(trace)
    assert columns["moment"][0] == trace.steps[0].end_ns


def test_whose_wait_a_callback_has_ended_is_told_for_who_guesses() -> None:
    trace = Trace(
        steps=[
            step(0, 0, 1, "waits", site=FETCH),
            step(None, 6, 0.1, "callback", site=RESULT),
            step(0, 6.2, 1, "returned", woken_by=1),
        ],
        tasks=[task()],
        waits=[wait(0, 1, 6, "timer", FETCH)],
    )
    _, columns = decoded(trace)
    assert columns["over"] == [0, 1, 1]


def test_worker_threads_are_told_with_their_first_use() -> None:
    trace = Trace(
        steps=[step(0, 0, 1), step(0, 10, 1, "returned")],
        tasks=[task()],
        waits=[wait(0, 1, 10, "thread")],
        handoffs=[handoff(0.5, 0.9, 9, 10, task=0, thread=1)],
    )
    header, columns = decoded(trace)
    assert header["threads"] == [3, 0]
    assert (columns["call_thread"], columns["call_count"]) == ([1], [1, 0, 0])


def test_what_an_app_calls_things_travels_as_it_is() -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    trace = Trace(
        steps=[step(0, 0, 1, site=Site(evil, 1, evil, evil))],
        tasks=[task(coroutine=evil, name=evil)],
        requests=[request(0, 0, None, task=0, path=evil)],
    )
    header, _ = decoded(trace)
    assert f"GET {evil}" in header["names"]
    ((file, _, _, (line,)),) = header["sites"]
    assert (file, "".join(text for _, text in line)) == (evil, evil)


# -- source -----------------------------------------------------------------------------------------------


def test_the_lines_around_a_place_are_shown_while_it_reads_as_recorded(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("".join(f"line_{number}()\n" for number in range(1, 31)), encoding="utf-8")
    same = Site(str(file), 15, "f", "line_15()")
    changed = Site(str(file), 16, "f", "other()")
    unknown = Site(str(file), 17, "f", "")
    beyond = Site(str(file), 99, "f", "line_99()")
    found = excerpts([same, changed, unknown, beyond], around=2)
    assert found == {same: (13, ("line_13()", "line_14()", "line_15()", "line_16()", "line_17()"))}


def test_at_a_files_edges_there_are_fewer_lines(tmp_path: Path) -> None:
    file = tmp_path / "short.py"
    file.write_text("a\n\tb\n", encoding="utf-8")
    first, last = Site(str(file), 1, "f", "a"), Site(str(file), 2, "f", "b")
    assert excerpts([first, last], around=9) == {first: (1, ("a", "    b")), last: (1, ("a", "    b"))}
    assert excerpts([last], around=0) == {last: (2, ("b",))}  # nothing is gained by an indent that all lines have
    assert list(excerpts([first, last], most_sites=1)) == [first]
    assert excerpts([Site("cell " + "9" * 5000, 1, "f", "a")]) == {}  # a recording may hold anything


def test_nothing_but_python_is_read_for_a_recording_that_names_another_file(tmp_path: Path) -> None:
    file = tmp_path / "secrets.txt"
    file.write_text("password\nmore\n", encoding="utf-8")
    assert excerpts([Site(str(file), 1, "f", "password")]) == {}


def test_where_the_source_is_gone_the_recorded_line_stands_alone() -> None:
    header, columns = decoded(Trace(steps=[step(0, 0, 1, site=FETCH)], tasks=[task()]))
    assert columns["site"] == [1]
    file, line, first, lines = header["sites"][0]
    assert (file, line, first) == ("cell 3", 6, 6)
    assert lines == [[["", "rows = "], ["key", "await"], ["", " db.fetch(LIST)"]]]


def test_strings_comments_and_keywords_are_told_apart() -> None:
    site = Site("cell 3", 1, "f", "return x['if']  # not yet")
    header, _ = decoded(Trace(steps=[step(0, 0, 1, site=site)], tasks=[task()]))
    (line,) = header["sites"][0][3]
    assert line == [["key", "return"], ["", " x["], ["str", "'if'"], ["", "]  "], ["com", "# not yet"]]


def test_the_line_of_a_step_that_ended_is_where_its_task_had_gone_on() -> None:
    steps: list[Step] = [step(0, 0, 1, site=FETCH), step(0, 2, 1, "returned")]
    assert play(Trace(steps=steps, tasks=[task()])).sites == [FETCH, FETCH]
