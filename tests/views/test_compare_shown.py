"""How a comparison is asked for and shown: packet, text and picture, of runs by any name."""

from itertools import pairwise

import pytest

from playground import Trace, compare
from playground.errors import ComparisonError
from playground.trace.columns import unpack
from playground.views.compare import Compared
from playground.views.comparison import later_words, packed, shown_lanes, text
from playground.views.comparison_svg import svg
from playground.views.lanes import lanes
from playground.views.packet import packet
from tests.by_hand import handoff, job, looks, request, step, task
from tests.recordings import blocked_run, load
from tests.views.compared import compared, run

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
