"""What a `Trace` answers from its rows, on recordings written by hand."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Message, Request, Sample, Site, Trace
from tests.by_hand import LINE, MS, handoff, looks, ns, request, step, task, wait
from tests.recordings import blocked_run, healthy_run


def test_a_run_lasts_to_the_last_moment_of_any_row() -> None:
    assert Trace().duration_ns == 0
    assert Trace(steps=[step(None, 1, 2)]).duration_ns == ns(3)
    assert Trace(tasks=[task(7)]).duration_ns == ns(7)
    assert Trace(handoffs=[handoff(1, 4, None, None)]).duration_ns == ns(4)
    assert Trace(handoffs=[handoff(1, 2, 3, 9)]).duration_ns == ns(9)
    assert Trace(requests=[request(0, 5, None)]).duration_ns == ns(5)
    late = Message("send", "http.response.body", ns(8))
    assert Trace(requests=[Request(0, "GET", "/", None, None, 0, None, None, (), (late,), None)]).duration_ns == ns(8)
    assert Trace(steps=[step(None, 1, 2)], duration_ns=ns(2)).duration_ns == ns(2)


def test_it_names_itself_in_a_line() -> None:
    assert repr(Trace(steps=[step(None, 0, 2.5)], title="Run 4")) == (
        "<Trace 'Run 4': 2.5 ms real, 0 requests, 1 steps, 0 hand-offs>"
    )


# -- blocks ---------------------------------------------------------------------------------------------


def test_a_step_blocks_from_the_threshold_on() -> None:
    trace = Trace(steps=[step(None, 0, 49.9), step(None, 50, 50), step(None, 101, 200)])
    assert [block.step for block in trace.blocks()] == [1, 2]
    assert [block.step for block in trace.blocks(threshold_s=0.1)] == [2]


def test_time_in_which_the_system_did_not_run_the_thread_is_no_block() -> None:
    def delayed(ms: float) -> Trace:
        seen = [Sample(0, ns(10), ns(5), LINE, "f()"), Sample(0, ns(60), ns(5 + ms), None)]
        return Trace(steps=[step(None, 0, 60)], samples=seen)

    (block,) = delayed(9).blocks()
    assert (block.duration_ns, block.delayed_ns, block.end_ns) == (ns(51), ns(9), ns(60))
    assert delayed(11).blocks() == []


OTHER = Site("cell 3", 25, "report")


def test_a_block_names_the_line_with_most_time_though_another_was_seen_more_often() -> None:
    # computing is looked at every 10 ms or more, a sleep every 5 ms
    seen = [*looks(0, 20, 40), *looks(0, 42, 47, 52, site=OTHER, call="g()"), *looks(0, 60, site=None, call="")]
    (block,) = Trace(steps=[step(None, 0, 60, site=OTHER)], samples=seen).blocks()
    assert (block.site, block.call, block.samples, block.held_ns) == (LINE, "df.to_csv()", 5, ns(41))


def test_of_the_calls_at_its_line_a_block_names_the_one_with_most_time() -> None:
    seen = [*looks(0, 10, call="f()"), *looks(0, 20, 50), *looks(0, 52, site=OTHER, call="g()")]
    (block,) = Trace(steps=[step(None, 0, 60)], samples=seen).blocks()
    assert (block.site, block.call, block.held_ns) == (LINE, "df.to_csv()", ns(51))


def test_time_in_which_the_system_did_not_run_the_thread_is_no_lines() -> None:
    # the line that computes is seen for longer, but for most of that another program had the processor
    seen = [
        Sample(0, ns(10), 0, LINE, "f()"),
        Sample(0, ns(50), ns(30), LINE, "f()"),
        Sample(0, ns(60), ns(30), OTHER, "g()"),
        Sample(0, ns(90), ns(30), None),
    ]
    trace = Trace(steps=[step(None, 0, 90)], samples=seen)
    (block,) = trace.blocks()
    assert [(look.end_ns, look.delayed_ns, look.ran_ns) for look in trace.inside(0)] == [
        (ns(55), ns(30), ns(25)),
        (ns(90), 0, ns(35)),
    ]
    assert (block.site, block.duration_ns, block.delayed_ns, block.held_ns) == (OTHER, ns(60), ns(30), ns(35))


def test_a_delay_between_two_lines_is_shared_by_them() -> None:
    seen = [
        Sample(0, ns(20), ns(5), LINE, "f()"),
        Sample(0, ns(40), ns(15), OTHER, "g()"),
        Sample(0, ns(80), ns(15), None),
    ]
    trace = Trace(steps=[step(None, 0, 80)], samples=seen)
    assert [look.delayed_ns for look in trace.inside(0)] == [ns(5), ns(5)]


def test_what_was_seen_inside_a_step_covers_it() -> None:
    seen = [*looks(0, 10, 20, 30), *looks(0, 40, site=OTHER, call="")]
    trace = Trace(steps=[step(None, 2, 58), step(None, 70, 9)], samples=seen)
    assert trace.inside(0) == [(ns(2), ns(35), LINE, "df.to_csv()", 0), (ns(35), ns(60), OTHER, "", 0)]
    assert [look.ran_ns for look in trace.inside(0)] == [ns(33), ns(25)]
    assert trace.inside(1) == []


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=12))
def test_a_blocks_line_holds_no_more_than_the_block_and_no_less_than_any_other(seen: list[tuple[int, bool]]) -> None:
    samples = [look for at, other in sorted(seen) for look in looks(0, at, site=OTHER if other else LINE, call="f()")]
    trace = Trace(steps=[step(None, 0, 100)], samples=samples)
    (block,) = trace.blocks()
    assert sum(look.ran_ns for look in trace.inside(0)) == (ns(100) if seen else 0)
    held = sum(look.ran_ns for look in trace.inside(0) if look.site == block.site)
    assert block.held_ns == held
    assert 2 * held >= ns(100) or not seen


def test_a_block_that_nobody_looked_at_names_where_it_stopped() -> None:
    (block,) = Trace(steps=[step(None, 0, 60, site=LINE)]).blocks()
    assert (block.site, block.call, block.samples, block.held_ns) == (LINE, "", 0, 0)


# -- readiness ------------------------------------------------------------------------------------------


def test_a_task_is_ready_from_its_creation_and_after_each_wait_until_it_runs() -> None:
    trace = Trace(
        tasks=[task(1)],
        steps=[step(0, 3, 1), step(0, 10, 1, "yields"), step(0, 12, 1, "returned")],
        waits=[wait(0, 4, 8)],
    )
    assert trace.ready_spans(0) == [(ns(1), ns(3)), (ns(8), ns(10)), (ns(11), ns(12))]
    assert trace.ready_ns(0) == ns(5)


def test_a_step_and_its_wait_that_share_a_moment_are_no_wait_from_before() -> None:
    # in virtual time: made and run at 0, ready again at once, and run after what another task charged for 5 ms
    steps = [step(0, 0, 0), step(1, 0, 5), step(0, 5, 0, "returned")]
    trace = Trace(steps=steps, tasks=[task(0), task(0)], waits=[wait(0, 0, 0)], clock="virtual")
    assert trace.ready_spans(0) == [(0, ns(5))]
    # one more wait than steps that end in one: the first began before the recording
    stood = Trace(steps=steps, tasks=[task(0), task(0)], waits=[wait(0, 0, 0), wait(0, 0, 3)], clock="virtual")
    assert stood.ready_spans(0) == [(ns(3), ns(5))]


def test_a_task_that_never_ran_has_no_ready_spans() -> None:
    assert Trace(tasks=[task(1)]).ready_spans(0) == []


def test_steps_and_waits_of_no_length_at_one_moment_are_paired_in_order() -> None:
    # virtual time: the first wait is over at once, the second lasts, and no queueing happened at all
    trace = Trace(
        tasks=[task(10)],
        steps=[step(0, 10, 0), step(0, 10, 0, "yields"), step(0, 10, 0), step(0, 20, 0, "returned")],
        waits=[wait(0, 10, 10), wait(0, 10, 20)],
    )
    assert trace.ready_spans(0) == []


def test_queueing_before_a_first_step_of_no_length_counts() -> None:
    trace = Trace(tasks=[task(0)], steps=[step(0, 10, 0), step(0, 20, 0)], waits=[wait(0, 10, 20)])
    assert trace.ready_spans(0) == [(0, ns(10))]


def test_a_wait_that_was_not_recorded_is_not_taken_for_queueing() -> None:
    trace = Trace(tasks=[task(0)], steps=[step(0, 0, 1), step(0, 9, 1), step(0, 20, 1)], waits=[wait(0, 10, 15)])
    assert trace.ready_spans(0) == [(ns(15), ns(20))]


def test_before_the_oldest_event_kept_nothing_is_said_of_queueing() -> None:
    steps = [step(None, 5, 1), step(0, 7, 1, "yields"), step(1, 9, 1)]
    trace = Trace(tasks=[task(0), task(8)], steps=steps, dropped=3)
    assert trace.ready_spans(0) == []
    assert trace.ready_spans(1) == [(ns(8), ns(9))]


def test_in_a_run_every_moment_of_a_task_is_a_step_a_wait_or_queueing() -> None:
    trace = blocked_run()
    for index, row in enumerate(trace.tasks):
        steps = [trace.steps[at] for at in trace.steps_of[index]]
        waits = [trace.waits[at] for at in trace.waits_of.get(index, [])]
        told = sum(step.duration_ns for step in steps) + sum(wait.end_ns - wait.start_ns for wait in waits)
        assert row.ended_ns is not None
        assert told + trace.ready_ns(index) == row.ended_ns - row.created_ns


# -- overlap --------------------------------------------------------------------------------------------


def overlap(*lives: tuple[float, float | None]) -> int:
    requests = [request(number, start, end) for number, (start, end) in enumerate(lives)]
    return Trace(requests=requests, duration_ns=ns(100)).max_overlap


def test_touching_requests_do_not_overlap() -> None:
    assert overlap((0, 5), (5, 9)) == 1
    assert overlap((0, 5), (4, 9), (5, 6)) == 2


def test_a_request_that_did_not_end_lasts_to_the_end() -> None:
    assert overlap((0, None), (50, 60), (99, None)) == 2


def test_requests_of_no_length_overlap_the_others_but_not_each_other() -> None:
    assert overlap((5, 5)) == 1
    assert overlap((5, 5), (5, 5)) == 1
    assert overlap((0, 9), (5, 5), (5, 5)) == 2


def test_without_requests_tasks_are_counted() -> None:
    assert Trace(tasks=[task(0), task(1)], duration_ns=ns(2)).max_overlap == 2
    assert Trace().max_overlap == 0


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), min_size=1, max_size=8))
def test_overlap_is_what_counting_at_every_moment_gives(lives: list[tuple[int, int]]) -> None:
    spans = [(start, start + length) for start, length in lives]
    counted = max(sum(start <= moment < end for start, end in spans) for moment in range(20))
    assert overlap(*spans) == counted


# -- whose ----------------------------------------------------------------------------------------------


def test_a_task_works_for_the_request_of_its_nearest_ancestor() -> None:
    tasks = [task(), task(parent=0), task(parent=1), task(parent=2)]
    trace = Trace(tasks=tasks, requests=[request(0, 0, 9, task=1), request(1, 0, 9, task=3)])
    assert trace.request_of == {1: 0, 2: 0, 3: 1}


def test_steps_and_waits_are_found_by_task() -> None:
    trace = Trace(steps=[step(0, 0, 1), step(None, 1, 1), step(0, 2, 1)], waits=[wait(1, 0, 1), wait(0, 1, 2)])
    assert trace.steps_of == {0: [0, 2]}
    assert trace.waits_of == {1: [0], 0: [1]}


# -- doors ----------------------------------------------------------------------------------------------


def test_a_picture_is_returned_and_also_written(tmp_path: Path) -> None:
    text = healthy_run().to_svg(tmp_path / "run.svg")
    assert (tmp_path / "run.svg").read_text(encoding="utf-8") == text
    assert ElementTree.fromstring(text).tag.endswith("svg")


@pytest.mark.parametrize("make", [blocked_run, healthy_run])
def test_the_simulated_recordings_keep_the_rules_of_the_rows(make: object) -> None:
    trace = make()  # type: ignore[operator]
    ends = [one.end_ns for one in trace.steps]
    assert all(end <= following.start_ns for end, following in zip(ends, trace.steps[1:], strict=False))
    assert all(wait.start_ns in ends and wait.start_ns <= wait.end_ns for wait in trace.waits)
    assert all(one.start_ns < one.end_ns <= trace.duration_ns for one in trace.requests)
    assert trace.duration_ns < 1_000 * MS
