"""The static picture: well-formed, self-contained, bounded, and honest about what it leaves out."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Site, Trace
from playground.views.findings import code, strong, text
from playground.views.kinds import KINDS
from playground.views.shapes import bars, hatch, label, rich_lines, text_width
from playground.views.svg import svg
from tests.by_hand import handoff, looks, ns, request, step, task
from tests.recordings import blocked_run, healthy_run, large_run

SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture: str) -> ElementTree.Element:
    return ElementTree.fromstring(picture)


def words(picture: str) -> list[str]:
    return ["".join(element.itertext()) for element in parsed(picture).iter(f"{SVG}text")]


def colours(picture: str) -> set[str]:
    return {element.get(name, "") for element in parsed(picture).iter() for name in ("fill", "stroke")}


def bounds(picture: str) -> tuple[float, float]:
    root = parsed(picture)
    return float(root.get("width", "nan")), float(root.get("height", "nan"))


RUNS = [blocked_run(), healthy_run(), large_run(300), Trace(), Trace(clock="virtual", dropped=5)]


@pytest.mark.parametrize("trace", RUNS)
def test_it_uses_presentation_attributes_only(trace: Trace) -> None:
    # a viewer of notebooks that inlines pictures drops styles, and two pictures' ids would meet in one page
    picture = svg(trace)
    tags = {element.tag.removeprefix(SVG) for element in parsed(picture).iter()}
    assert tags <= {"svg", "title", "rect", "path", "text", "tspan"}
    attributes = {name for element in parsed(picture).iter() for name in element.attrib}
    assert not attributes & {"id", "class", "style", "href"}
    assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in picture


@pytest.mark.parametrize("trace", RUNS)
def test_everything_lies_within_the_picture(trace: Trace) -> None:
    picture = svg(trace)
    width, height = bounds(picture)
    for element in parsed(picture).iter():
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        assert 0 <= x <= width
        assert 0 <= y <= height
        assert x + float(element.get("width", 0)) <= width + 0.01
        for mx, my in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", element.get("d", "")):
            assert 0 <= float(mx) <= width
            assert 0 <= float(my) <= height


def test_it_has_a_name_for_those_who_do_not_see_it() -> None:
    root = parsed(svg(blocked_run()))
    title = "Timeline of Run 1: 414 ms · 62 requests (median 73.7 ms, longest 243 ms) · 240 steps"
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == title
    told = root.get("aria-label", "")
    assert told.startswith(f"{title}. The event loop stood still for 230 ms. `GET /report` ran `df.to_csv()` on")


def test_it_brings_its_own_light_ground() -> None:
    ground = parsed(svg(healthy_run()))[1]
    width, height = bounds(svg(healthy_run()))
    assert (ground.tag, ground.get("fill")) == (f"{SVG}rect", "#FFFFFF")
    assert (float(ground.get("width", 0)), float(ground.get("height", 0))) == (width - 1, height - 1)


def test_rows_and_labels_are_those_of_the_run() -> None:
    told = words(svg(blocked_run()))
    for expected in ("Run 1", "Event loop", "seen inside steps", "Worker threads", "worker-3", "Requests"):
        assert expected in told
    assert "62% busy" in told
    assert "38 at once" in told
    assert "loop blocked 230 ms" in told
    assert "GET /report 230 ms" in [" ".join(line.split()) for line in told]
    assert "df.to_csv() 230 ms" in [" ".join(line.split()) for line in told]


def test_the_sentence_is_in_the_picture() -> None:
    told = " ".join(" ".join(words(svg(blocked_run()))).split())
    assert (
        "The event loop stood still for 230 ms. GET /report ran df.to_csv() on the loop (cell 3, line 24); "
        "36 requests waited behind it. Instead, await asyncio.to_thread(...)."
    ) in told


def test_each_kind_that_occurs_is_in_the_legend_and_no_other() -> None:
    told = words(svg(healthy_run()))
    occurring = {"runs for a request", "other callback", "worker thread", "ready, queued", "waits: timer",
                 "waits: I/O", "waits: lock, queue", "waits: thread", "waits: task, future"}  # fmt: skip
    assert {kind.words for kind in KINDS} & set(told) == occurring


def test_a_blocking_step_is_hatched_and_so_is_queueing() -> None:
    assert KINDS[9].light in colours(svg(blocked_run()))
    assert KINDS[9].light not in colours(svg(healthy_run()))
    assert KINDS[4].light in colours(svg(blocked_run()))


def crosses(picture: str) -> int:
    return len(re.findall(r'd="M[\d.]+ [\d.]+l(\d+) \1m0-\1l-\1 \1" stroke="#A40E26"', picture))


def test_requests_that_failed_bear_a_cross_and_their_status() -> None:
    requests = [request(n, 10 * n, 10 * n + 8, path=f"/{n}") for n in range(3)]
    requests[1:] = [replace(requests[1], status=404), replace(requests[2], status=None, error="ValueError")]
    picture = svg(Trace(requests=requests))
    told = words(picture)
    assert [word for word in told if word in ("200", "404", "500", "error")] == ["404", "error"]
    assert "failed: 4xx, 5xx or an exception" in told
    assert crosses(picture) == 2 + 1  # and the legend's
    assert crosses(svg(Trace(requests=requests[:1]))) == 0
    assert "failed: 4xx, 5xx or an exception" not in words(svg(Trace(requests=requests[:1])))


def test_a_failed_request_too_short_for_a_label_still_bears_its_cross() -> None:
    requests = [replace(request(n, n, n + 0.5), status=500) for n in (0, 1, 999)]
    picture = svg(Trace(requests=requests, duration_ns=ns(1000)))
    assert crosses(picture) == 3 + 1
    assert words(picture).count("500") == 1  # between the first two is no room, nor at the end


def test_virtual_time_is_named() -> None:
    assert "virtual time" in words(svg(Trace(clock="virtual")))
    assert "virtual time" not in words(svg(Trace()))


# -- what is left out -----------------------------------------------------------------------------------


def test_lanes_that_are_not_drawn_are_counted() -> None:
    told = words(svg(blocked_run()))
    assert "Not drawn: 22 more lanes with 22 requests (none blocked the loop; the longest took 163 ms)." in told


def test_the_request_that_held_the_loop_is_drawn_though_others_waited_longer() -> None:
    tasks = [task(n) for n in range(30)]
    requests = [request(n, n, 90 if n == 20 else 200 + n, task=n, path=f"/{n}") for n in range(30)]
    trace = Trace(tasks=tasks, steps=[step(20, 30, 60, "returned")], requests=requests)
    told = words(svg(trace))
    lengths = [line for line in told if re.match(r"GET /\d+ \d+ ms$", line)]
    assert lengths == [*(f"GET /{n} 200 ms" for n in range(15)), "GET /20 70 ms", "GET /20 60 ms"]  # last, the loop's
    assert "Not drawn: 14 more lanes with 14 requests (none blocked the loop; the longest took 200 ms)." in told


def test_a_narrow_picture_says_what_it_leaves_out_in_lines_that_fit() -> None:
    told = words(svg(blocked_run(), width=480))
    first = next(place for place, line in enumerate(told) if line.startswith("Not drawn"))
    assert " ".join(told[first:]) == (
        "Not drawn: 22 more lanes with 22 requests (none blocked the loop; the longest took 163 ms). "
        "A static picture: a pixel is 1.4 ms and shows what took most of it, paler for less."
    )
    assert max(text_width(line, 11) for line in told[first:]) <= 480 - 32


@pytest.mark.parametrize(("width", "below"), [(480, True), (1000, False)])
def test_what_sums_the_run_up_stands_beside_its_title_or_below_it_and_within_the_picture(
    width: int, below: bool
) -> None:
    (summary,) = (
        element
        for element in parsed(svg(healthy_run(), width=width)).iter(f"{SVG}text")
        if " steps" in "".join(element.itertext())
    )
    x, y = float(summary.get("x", "")), float(summary.get("y", ""))
    assert (y > 28) is below
    assert x + text_width("".join(summary.itertext()), 12) <= width


def test_threads_findings_and_arrows_that_are_not_drawn_are_counted() -> None:
    calls = [handoff(n, n + 1, n + 50, n + 51, thread=n % 10) for n in range(100)]
    sites = [Site("cell 3", line, "report", "slow()") for line in range(5)]
    steps = [step(None, 100 * n, 60, "callback") for n in range(5)]
    samples = [look for n in range(5) for look in looks(n, 100 * n + 30, site=sites[n], call="slow()")]
    told = words(svg(Trace(handoffs=calls, steps=steps, samples=samples)))
    assert "Not drawn: 2 more findings, 2 more worker threads, 200 arrows between the loop and its workers." in told


def test_dropped_events_are_admitted() -> None:
    assert "The recorder dropped 1,234 events, the oldest: not here." in words(svg(Trace(dropped=1234)))


def test_it_says_that_a_pixel_shows_what_took_most_of_it() -> None:
    assert words(svg(healthy_run()))[-1] == (
        "A static picture: a pixel is 614 µs and shows what took most of it, paler for less."
    )


@pytest.mark.slow
def test_its_size_does_not_grow_with_the_spans() -> None:
    small, large = len(svg(large_run(500))), len(svg(large_run(5_000)))
    assert large < 2 * small
    assert large < 100_000


@pytest.mark.parametrize("width", [480, 700, 1400])
def test_it_is_as_wide_as_asked(width: int) -> None:
    assert bounds(svg(blocked_run(), width=width))[0] == width


def test_it_is_never_too_narrow_to_read() -> None:
    assert bounds(svg(blocked_run(), width=10))[0] == 480


# -- what the app says ----------------------------------------------------------------------------------

EVIL = "</text><script>alert(1)</script>\"'&\x00\x1b\ud800\ufffe]]>"


def test_whatever_an_app_says_arrives_as_text() -> None:
    place = Site(EVIL, 1, EVIL, EVIL)
    trace = Trace(
        title=EVIL,
        tasks=[task(coroutine=EVIL)],
        steps=[step(0, 0, 60, site=place)],
        samples=looks(0, 30, site=place, call=EVIL),
        handoffs=[handoff(0, 1, 50, 55, function=EVIL)],
        requests=[request(0, 0, 60, task=0, path=EVIL)],
    )
    picture = svg(trace)
    assert "<script" not in picture
    assert any("<script>alert(1)</script>" in line for line in words(picture))


@given(st.text(st.characters(codec=None), max_size=30))
def test_any_title_makes_a_well_formed_picture(title: str) -> None:
    parsed(svg(Trace(title=title, steps=[step(None, 0, 60)])))


# -- shapes ---------------------------------------------------------------------------------------------


def strokes(path: str) -> Iterator[tuple[float, float, float, float]]:
    for x, y, dx, dy in re.findall(r"M([\d.]+) ([\d.]+)l([\d.]+)-([\d.]+)", path):
        yield float(x), float(y), float(x) + float(dx), float(y) - float(dy)


@given(st.floats(0, 500), st.floats(0.5, 300), st.sampled_from([4.5, 12, 24]), st.sampled_from([5, 8]))
def test_hatching_stays_in_its_bar(x: float, width: float, height: float, gap: float) -> None:
    path = hatch([(x, x + width)], 100, height, "#000", gap=gap, width=1)
    drawn = list(strokes(path))
    for left, bottom, right, top in drawn:
        assert x - 0.06 <= left <= right <= x + width + 0.16
        assert 100 - height / 2 - 0.16 <= top <= bottom <= 100 + height / 2 + 0.06
    if width > 2 * gap + height:
        assert len(drawn) >= width // gap - 1
        assert all(after[0] - before[0] <= gap + 0.2 for before, after in pairwise(drawn))


def test_stretches_of_one_look_share_a_path() -> None:
    assert bars([(1, 3), (5.25, 6)], 10, 4, "#000") == ('<path d="M1 10h2M5.2 10h0.8" stroke="#000" stroke-width="4"/>')
    assert bars([], 10, 4, "#000") == ""


def test_a_label_is_escaped() -> None:
    assert label(1, 2, "a<b&c") == '<text x="1" y="2" font-size="12" fill="#1B2430">a&lt;b&amp;c</text>'


def test_sentences_break_at_spaces_and_never_before_a_full_stop() -> None:
    parts = (strong("The loop stood still."), text(" "), code("a_long_name()"), text(". Mend it."))
    lines = ["".join(parsed(f"<p>{line}</p>").itertext()) for line in rich_lines(parts, 10, 120)]
    assert lines == ["The loop stood ", "still. ", "a_long_name(). Mend ", "it."]


def test_an_empty_picture_of_time_has_its_first_mark() -> None:
    assert "0 ms" in words(svg(Trace(duration_ns=ns(0))))
