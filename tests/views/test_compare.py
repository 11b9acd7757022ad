"""What a comparison counts, concludes and admits, on requests written by hand."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import Trace, compare
from playground.errors import ComparisonError
from playground.trace import Message, Request, Sample
from playground.trace.columns import unpack
from playground.trace.trace import Clock
from playground.views.compare import Compared
from playground.views.comparison import later_words, packed, shown_lanes, text
from playground.views.comparison_svg import svg
from playground.views.lanes import lanes
from playground.views.packet import packet
from playground.views.pairs import latency_ns, match, noise_ns, percentile
from playground.views.verdict import round_down_ns, round_up_ns, verdict
from tests.by_hand import LINE, MS, handoff, job, looks, ns, request, step, task
from tests.recordings import blocked_run, load


def run(*lengths_ms: float, clock: Clock = "virtual", path: str = "/items", title: str = "Run") -> Trace:
    """A run of requests that came one after the other and took so long."""
    rows = [request(n, 1000 * n, 1000 * n + length, path=path) for n, length in enumerate(lengths_ms)]
    return Trace(requests=rows, clock=clock, title=title)


def compared(*traces: Trace) -> Compared:
    return Compared({f"run {number}": trace for number, trace in enumerate(traces)})


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


# -- what is shown ----------------------------------------------------------------------------------------


def blocked() -> Trace:
    return Trace(
        tasks=[task()],
        steps=[step(0, 10, 200, "returned")],
        samples=looks(0, 50),
        requests=[request(0, 0, 210, task=0), *(request(n, n, 220) for n in range(1, 20))],
        handoffs=[handoff(n, n, n + 50, n + 60, thread=n) for n in range(6)],
        clock="virtual",
    )


def test_the_facts_of_a_run_come_from_its_rows() -> None:
    (side, _) = compared(blocked(), run(1)).sides
    assert (side.letter, side.mark, side.name) == ("A", "○", "run 0")
    assert side.facts == [
        ("requests", "20"),
        ("p50", "210 ms"),
        ("p95", "218 ms"),
        ("longest", "219 ms"),
        ("loop blocked", "200 ms"),
        ("whole run", "220 ms"),
    ]


def test_the_loop_and_four_workers_are_drawn_and_the_rest_is_counted() -> None:
    laid = lanes(blocked())
    shown, left_out = shown_lanes(laid)
    assert [row.name for row in shown.rows if len(row)] == ["Event loop", *(f"worker-{n}" for n in range(4))]
    assert left_out == "2 more worker threads"
    assert len(shown.arrows.starts) == 8
    assert len(laid.arrows.starts) == 12


def test_the_packet_holds_a_timeline_for_each_run() -> None:
    traces = {"slow": blocked(), "quick": run(1)}
    header, columns = unpack(packed(Compared(traces), "Mine"))
    assert (header["view"], header["title"], header["clock"], header["rest"]) == ("compare", "Mine", "virtual", "")
    assert [(each["letter"], each["name"], each["left_out"]) for each in header["runs"]] == [
        ("A", "slow", "2 more worker threads"),
        ("B", "quick", ""),
    ]
    for each in header["runs"]:
        its = {name.split(".", 1)[1]: column for name, column in columns.items() if name.startswith(each["letter"])}
        alone, columns_alone = unpack(packet(traces[each["name"]]))
        assert each["timeline"]["view"] == alone["view"] == "timeline"
        assert each["timeline"]["duration_ns"] == alone["duration_ns"]
        assert set(its) <= set(columns_alone)
        drawn = [row["name"] for row in alone["rows"] if row["group"] in ("loop", "worker")][:5]
        assert [row["name"] for row in each["timeline"]["rows"] if row["name"]] == drawn


def test_forty_requests_travel_however_many_there_are() -> None:
    header, _ = unpack(packed(Compared({"a": load(200, seed=1), "b": load(200, seed=1, blocked_at=100)})))
    assert len(header["pairs"]) == 40
    assert header["rest"].startswith("159 more requests ")  # number 100 asked for something else
    assert [later for _, _, _, later in header["pairs"]] == sorted(later for _, _, _, later in header["pairs"])


def test_a_text_says_all_that_the_page_says() -> None:
    one, two = blocked_run(), load(62, seed=4, rate=150.0)
    lines = text(Compared({"blocking": one, "threaded": two})).splitlines()
    assert lines[:5] == [
        "Comparison: 2 runs, 61 requests in common",
        "",
        "B answers 25 of 61 requests at least 100 ms sooner than A; none is later.",
        "* Differences of up to 1 ms are the recordings' own noise: 24 requests are within it. The others may",
        "  be a busy machine's doing: a second recording of each tells.",
    ]
    assert max(map(len, lines)) <= 100
    marked = [line for line in lines if line.startswith("#")]
    assert len(marked) == 20
    assert all(line.index("●") < line.index("○") for line in marked)
    assert marked[0].split()[-2:] == ["−235", "ms"]


def test_two_runs_are_drawn_at_one_scale() -> None:
    short, long = run(10, 10), run(10, 10, 10, 10)
    lines = text(Compared({"short": short, "long": long})).splitlines()
    (first,) = [line for line in lines if line.startswith("A short") and "|" in line]
    whole = next(line for line in lines if line.startswith("B long"))
    assert first.index("|") - 26 == pytest.approx(74 * short.duration_ns / long.duration_ns, abs=1)
    assert "|" not in whole


def test_a_difference_has_a_sign() -> None:
    assert [later_words(later) for later in (-1_500_000, 0, 20_000)] == ["−1.5 ms", "0", "+20 µs"]


def test_the_picture_draws_a_bounded_number_of_requests() -> None:
    few = svg(Compared({"a": load(60, seed=1), "b": load(60, seed=1)}))
    many = svg(Compared({"a": load(600, seed=1), "b": load(600, seed=1)}))
    assert many.count("○") == few.count("○") == 22  # twenty requests, the run's line, the legend
    assert len(many) < 3 * len(few)


# -- the function -----------------------------------------------------------------------------------------


def test_runs_are_called_by_title_keyword_or_key() -> None:
    one, two = run(1, title="before"), run(2, title="before")
    assert list(compare(one, two).traces) == ["before", "before (2)"]
    assert list(compare(one, after=two).traces) == ["before", "after"]
    assert list(compare({"x": one, "y": two}).traces) == ["x", "y"]
    assert compare(one, two).conclusion == "B answers the one request 1 ms later than A."
    assert compare(one, two).notes == []
    assert repr(compare(one, after=two)) == "<SideBySide of before, after>"
    assert str(compare(one, two)).startswith("Comparison: 2 runs, 1 request in common\n")


@pytest.mark.parametrize("count", [0, 1, 9])
def test_two_to_eight_runs_can_be_compared(count: int) -> None:
    with pytest.raises(ComparisonError) as error:
        compare(*[run(1)] * count)
    assert str(error.value) == (
        f"expected two to eight runs to compare, got {count}: give them one by one, as in compare(before, after), or "
        "as a mapping from names to runs"
    )


def test_what_is_no_run_is_refused_in_words() -> None:
    with pytest.raises(ComparisonError) as error:
        compare(run(1), 3)  # type: ignore[arg-type]
    assert str(error.value) == (
        "expected runs or recordings to compare, got an object of type int: give what lab.burst, lab.load, lab.run, "
        "watch or Trace.load returned"
    )


@pytest.mark.parametrize("first", [run(1), Trace(jobs=[job(0, 0, 5)], title="a")])
def test_ways_to_run_jobs_are_not_compared_by_requests_that_they_do_not_have(first: Trace) -> None:
    with pytest.raises(ComparisonError) as error:
        compare(first, Trace(jobs=[job(0, 0, 7)], title="b"))
    got, ways = ("a", "'a': ..., 'b': ...") if first.jobs else ("b", "'b': ...")
    assert str(error.value) == (
        f"expected runs with requests to compare, got jobs of a workload in '{got}': show the experiment itself, which "
        "sets its models below one another on one axis; for runs of several experiments, "
        f"playground.widgets.Stacked({{{ways}}}) does so with their traces"
    )


def test_outside_a_kernel_it_shows_its_static_forms() -> None:
    shown = compare(run(1), run(2))
    data, metadata = shown._repr_mimebundle_()
    assert (data, metadata) == ({"text/plain": str(shown), "image/svg+xml": shown.to_svg()}, {})


def test_eight_runs_have_marks_of_their_own() -> None:
    found = compared(*[run(n) for n in range(1, 9)])
    assert len({side.mark for side in found.sides}) == len({side.letter for side in found.sides}) == 8
    assert all(later <= earlier for later, earlier in pairwise(sorted(line.later_ns for line in found.lines)[::-1]))
