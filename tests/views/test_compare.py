"""What a comparison counts, concludes and admits, on requests written by hand."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import Trace
from playground.trace import Message, Request, Sample
from playground.views.pairs import latency_ns, match, noise_ns, percentile
from playground.views.verdict import round_down_ns, round_up_ns, verdict
from tests.by_hand import LINE, MS, ns, request, step, task
from tests.views.compared import compared, run

# -- the sentence -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later_ms", "noise_ms", "said"),
    [
        ([0, 0, 0], 0, "B answers all 3 requests exactly as fast as A"),
        ([0, 0], 0, "B answers both requests exactly as fast as A"),
        ([0], 0, "B answers the one request exactly as fast as A"),
        ([-240], 0, "B answers the one request 240 ms sooner than A"),
        ([3], 0, "B answers the one request 3 ms later than A"),
        ([-150, -160, -170], 0, "B answers all 3 requests at least 100 ms sooner than A"),
        ([150, 160, 170], 0, "B answers all 3 requests at least 100 ms later than A"),
        ([-150, -160, 0, 0], 0, "B answers 2 of 4 requests at least 100 ms sooner than A; none is later"),
        (
            [-150, -160, 0.7],
            1,
            "B answers 2 of 3 requests at least 100 ms sooner than A; none is later by more than 1 ms",
        ),
        (
            [-150, -160, 40.5],
            1,
            "B answers 2 of 3 requests at least 100 ms sooner than A; 1 is later, by 40.5 ms",
        ),
        (
            [-3, -4, 70, 80, 90],
            0,
            "B answers 3 of 5 requests at least 50 ms later than A; 2 are sooner, by 4 ms at most",
        ),
        ([-1, 70], 0, "B answers 1 of 2 requests at least 50 ms later than A; 1 is sooner, by 1 ms"),
        # two of them are below the threshold that half of the differences reach
        ([-2, -30, -40, 0], 0, "B answers 2 of 4 requests at least 20 ms sooner than A; none is later"),
        # no round figure lies between the noise and the differences: the noise is the threshold
        ([-1.5, -1.6], 1.2, "B answers both requests at least 1.2 ms sooner than A"),
        (
            [-0.7, 0.2, 0.6],
            1,
            "B answers all 3 requests as fast as A: no difference exceeds the recordings' own noise, 1 ms",
        ),
        (
            [0.5] * 19 + [-30],
            1,
            (
                "B answers 19 of 20 requests as fast as A, within the recordings' own noise, 1 ms; 1 differs by more, "
                "30 ms, which is no more than chance"
            ),
        ),
        ([0] * 19 + [-30], 0, "B answers 1 of 20 requests at least 20 ms sooner than A; none is later"),
    ],
)
def test_the_sentence_is_counted_from_the_differences(later_ms: Sequence[float], noise_ms: float, said: str) -> None:
    assert verdict("A", "B", [ns(ms) for ms in later_ms], ns(noise_ms)) == said


@given(st.lists(st.integers(-(10**9), 10**9), min_size=2), st.integers(0, 10**8))
def test_what_the_sentence_counts_is_true(later_ns: list[int], noise_ns: int) -> None:
    words = verdict("A", "B", later_ns, noise_ns).split(" ")
    if "least" not in words:
        beyond = sum(abs(each) > noise_ns for each in later_ns)
        assert beyond == 0 or (noise_ns and 20 * beyond <= len(later_ns))
        return
    way = -1 if "sooner than" in " ".join(words) else 1
    moved = sorted((way * each for each in later_ns if way * each > noise_ns), reverse=True)
    assert len(moved) >= sum(-way * each > noise_ns for each in later_ns)
    count = len(later_ns) if words[2] in ("all", "both") else int(words[2].replace(",", ""))
    # at least half of those that moved are counted, and they are the ones that moved most
    assert 2 * count >= len(moved)
    assert count <= len(moved)


@given(st.integers(1, 10**15))
def test_round_figures_are_one_two_and_five_and_stand_around_a_number(number: int) -> None:
    down, up = round_down_ns(number), round_up_ns(number)
    assert down <= number <= up
    assert {str(figure)[0] for figure in (down, up)} <= {"1", "2", "5"}
    assert {str(figure)[1:].strip("0") for figure in (down, up)} == {""}
    assert up <= 2.5 * down


def test_several_runs_are_each_held_against_the_first() -> None:
    found = compared(run(300, 300, 300), run(100, 100, 300), run(300, 300, 310))
    assert found.conclusion == (
        "B answers 2 of 3 requests at least 200 ms sooner than A, and none is later; "
        "C answers 1 of 3 requests at least 10 ms later than A, and none is sooner."
    )


def test_what_is_true_of_several_runs_is_said_once() -> None:
    found = compared(run(300, 300), run(100, 100), run(310, 310), run(100, 100), run(90, 100))
    assert found.conclusion == (
        "B, D and E each answer both requests at least 200 ms sooner than A; "
        "C answers both requests at least 10 ms later than A."
    )


def test_nothing_is_concluded_from_two_sorts_of_time() -> None:
    found = compared(run(300, 300), run(100, 100, clock="real"), run(100, 100, clock="real"))
    assert found.clock == "mixed"
    assert found.conclusion == (
        "Nothing is concluded: B and C ran in real time and A in virtual time, where code costs none."
    )
    assert len(found.lines) == 2  # but what was recorded is shown


def test_differences_beyond_the_noise_are_not_held_for_the_apps_doing_without_a_second_recording() -> None:
    assert compared(run(100, 100, clock="real"), run(300, 300, clock="real")).notes[0] == (
        "Differences of up to 1 ms are the recordings' own noise: no request is within it. All of them may be a busy "
        "machine's doing: a second recording of each tells."
    )


def test_runs_without_requests_are_told_by_their_lengths() -> None:
    found = compared(Trace(duration_ns=463 * MS), Trace(duration_ns=230 * MS))
    assert found.conclusion == "B runs for 230 ms and A for 463 ms, and they have no requests."
    strange = compared(run(3, path="/a"), Trace(requests=[request(7, 0, 3)], clock="virtual"))
    assert strange.conclusion == "B runs for 3 ms and A for 3 ms, and they have no requests in common."


# -- pairs ------------------------------------------------------------------------------------------------


def test_requests_are_paired_by_number_and_what_has_no_partner_is_told() -> None:
    found = compared(run(10, 20, 30), run(10, 25))
    assert [(line.number, line.latencies_ns, line.later_ns) for line in found.lines] == [
        (0, (10 * MS, 10 * MS), 0),
        (1, (20 * MS, 25 * MS), 5 * MS),
    ]
    assert found.notes == ["1 request of A has no partner in B."]


def test_the_order_is_from_the_one_most_sooner_to_the_one_most_later() -> None:
    found = compared(run(30, 30, 30, 30), run(40, 10, 30, 20))
    assert [line.number for line in found.lines] == [1, 3, 2, 0]
    some, rest = found.drawn(2)
    assert ([line.number for line in some], rest) == ([1, 0], "2 more requests differ by 10 ms at most.")
    assert found.drawn(3)[1] == "1 more request does not differ."


def test_the_same_work_behind_another_route_is_compared_and_told() -> None:
    found = compared(run(200, 200, path="/blocking"), run(20, 20, path="/threaded"))
    assert found.conclusion == "B answers both requests at least 100 ms sooner than A."
    assert found.notes == ["B was asked for GET /threaded where A was asked for GET /blocking."]


def test_what_asked_for_different_things_is_not_compared() -> None:
    """One label of A stands for two of B: which of them it should be held against cannot be known."""
    mixed = Trace(
        requests=[request(n, 1000 * n, 1000 * n + 20, path=f"/{'ab'[n % 2]}") for n in range(4)], clock="virtual"
    )
    found = compared(run(20, 20, 20, 20, path="/a"), mixed)
    assert [line.number for line in found.lines] == [0, 2]
    assert found.notes == [
        (
            "2 requests are not compared, since the runs asked for different things (first #1, "
            "GET /a in A and GET /b in B)."
        )
    ]


def test_labels_that_come_once_each_say_nothing_about_another_route() -> None:
    one = Trace(requests=[request(n, n, n + 1, path=f"/items/{n}") for n in range(4)])
    two = Trace(requests=[request(n, n, n + 1, path=f"/items/{n + 10}") for n in range(4)])
    assert len(match(one, two).unlike) == 4
    with_route = [replace(each, route="/items/{id}") for each in two.requests]
    same_route = Trace(requests=[replace(each, route="/items/{id}") for each in one.requests])
    assert len(match(same_route, Trace(requests=with_route)).pairs) == 4


def test_a_request_that_was_not_answered_is_told_and_not_counted() -> None:
    found = compared(run(10, 10), Trace(requests=[request(0, 0, 10), request(1, 1000, None)], clock="virtual"))
    assert [line.number for line in found.lines] == [0]
    assert found.notes == ["1 request was not answered in both A and B while they were recorded."]


def test_a_failure_in_one_run_only_is_told_for_it_may_be_fast() -> None:
    failing = Trace(requests=[replace(each, status=500) for each in run(1, 1).requests], clock="virtual")
    assert compared(run(10, 10), failing).notes == [
        "2 requests failed in one run only, or in another way (first #0, 200 in A and 500 in B): a failure may be fast."
    ]


def test_other_arrivals_in_virtual_time_are_told() -> None:
    moved = Trace(requests=[request(0, 0, 10), request(1, 1500, 1510)], clock="virtual")
    assert compared(run(10, 10), moved).notes == [
        "1 request came in at another moment (first #1, at 1 s in A and 1.5 s in B)."
    ]


def test_what_a_recorder_dropped_is_told() -> None:
    lossy = Trace(requests=run(10, 10).requests, clock="virtual", dropped=5)
    assert compared(run(10, 10), lossy).notes == ["B's recorder dropped 5 events, the oldest: not here."]


def answered(length_ms: float, sent_ms: float) -> Request:
    body = Message("send", "http.response.body", ns(sent_ms), "2 B")
    return replace(request(0, 0, length_ms), messages=(Message("send", "http.response.start", 0, "200"), body))


def test_a_request_is_answered_when_its_response_is_sent_not_when_its_background_tasks_are_done() -> None:
    assert latency_ns(answered(500, 20)) == 20 * MS
    assert latency_ns(request(0, 0, 500)) == 500 * MS  # of a websocket, or a failure, the call's end
    assert latency_ns(request(0, 0, None)) is None


@given(st.lists(st.integers(0, 10**9), min_size=1), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_percentile_was_measured_and_so_great_a_share_does_not_exceed_it(latencies: list[int], share: float) -> None:
    found = percentile(latencies, share)
    assert found in latencies
    assert sum(each <= found for each in latencies) >= share * len(latencies)
    assert sum(each < found for each in latencies) < share * len(latencies)


# -- noise ------------------------------------------------------------------------------------------------


def test_virtual_time_has_no_noise() -> None:
    assert noise_ns([run(1, 90, 3), run(5, 70, 9)]) == 0


def test_the_noise_of_real_runs_is_that_of_the_calmer_one() -> None:
    calm, wild = run(10, 12, 10, 12, clock="real"), run(10, 90, 10, 90, clock="real")
    assert noise_ns([calm, wild]) == noise_ns([wild, calm]) == 6 * MS
    steady = run(10, 10, 10, clock="real")
    assert noise_ns([steady, wild]) == 1 * MS  # a loop wakes up in whole milliseconds


def test_like_requests_alone_tell_the_noise() -> None:
    """A slow route between fast ones is no noise."""
    rows = [request(n, 1000 * n, 1000 * n + (500 if n % 2 else 10), path=f"/{n % 2}") for n in range(8)]
    assert noise_ns([Trace(requests=rows), Trace(requests=rows)]) == 1 * MS


def test_time_in_which_the_system_did_not_run_the_loop_is_noise() -> None:
    stalled = [Sample(0, ns(at), ns(delay), LINE) for at, delay in ((5, 2), (50, 40))]
    steps = [step(0, 0, 60)]
    trace = Trace(requests=run(10, 10).requests, tasks=[task()], steps=steps, samples=stalled)
    assert noise_ns([trace, run(10, 10, clock="real")]) == 38 * MS


def test_differences_within_the_noise_are_called_that() -> None:
    found = compared(run(10, 10.4, 10, 10.4, clock="real"), run(10.6, 10.1, 10.6, 10.1, clock="real"))
    assert found.conclusion == (
        "B answers all 4 requests as fast as A: no difference exceeds the recordings' own noise, 1.2 ms."
    )
    assert found.notes == ["Differences of up to 1.2 ms are the recordings' own noise: 4 requests are within it."]
