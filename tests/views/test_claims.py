"""The pictures of claims: every figure is told, what was not measured is said, and nothing arrives as markup."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.models.claims import Claim, Measured, Picture
from playground.views.claims import text
from playground.views.claims_axis import UnitName, axis_by_powers, axis_from_zero, figure_words
from playground.views.claims_sheet import in_a_cell
from playground.views.claims_svg import svg

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>&\x00\n\"'`"
LADDER = Picture("ladder", "ns", "time of one operation")
BARS = Picture("bars", "ns", "time for all jobs")
CURVE = Picture("curve", "times", "how many times as fast", "the wait", level=1.0)

figures = st.floats(1e-3, 1e12)
names: st.SearchStrategy[UnitName] = st.sampled_from(["ns", "bytes", "times", "a second", "count"])


def claim(picture: Picture, rows: Sequence[Measured], **more: str) -> Claim:
    told = {"statement": "So it is.", "sentence": "It took 3 µs.", "verdict": "holds"} | more
    return Claim(told["statement"], told["verdict"], told["sentence"], {}, rows, picture, ("A note.",))  # type: ignore[arg-type]


def row(name: str, median: float, **more: object) -> Measured:
    return Measured(name, median, median * 0.9, median * 1.2, 9, **more)  # type: ignore[arg-type]


def a_ladder() -> Claim:
    return claim(
        LADDER, [row("call", 40.0), row("read", 4000.0, note="100 calls"), Measured("web", None, note="not here")]
    )


def some_bars() -> Claim:
    rows = [row(way, ns, group=kind) for kind in ("waits", "computes") for way, ns in (("a", 2e9), ("b", 1e9))]
    return claim(BARS, rows)


def a_curve() -> Claim:
    return claim(CURVE, [row("10 jobs", gain, at=at) for at, gain in ((0.0, 1.0), (1e6, 2.0), (4e6, 5.0))])


ALL = [a_ladder, some_bars, a_curve]


def words(picture: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(picture).iter(f"{SVG}text")]


# -- figures and axes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "read"),
    [
        (0.0, "ns", "0"),
        (0.0, "times", "0"),
        (4.284, "ns", "4.28 ns"),
        (117.6, "ns", "118 ns"),
        (1_234_567.0, "ns", "1.23 ms"),
        (512.0, "bytes", "512 bytes"),
        (1536.0, "bytes", "1.5 KiB"),
        (3.25 * 1024**2, "bytes", "3.25 MiB"),
        (2.5 * 1024**3, "bytes", "2.5 GiB"),
        (1.0451, "times", "1.05 ×"),
        (13_262.0, "count", "13,300"),
        (12_345.0, "a second", "12,300 a second"),
    ],
)
def test_a_figure_reads_in_three_digits_with_its_unit(value: float, unit: UnitName, read: str) -> None:
    assert figure_words(value, unit) == read


@given(st.lists(figures, min_size=1, max_size=20), names, st.integers(1, 10), st.booleans())
def test_an_axis_holds_all_its_figures_in_order(values: list[float], unit: UnitName, marks: int, powers: bool) -> None:
    axis = (axis_by_powers if powers else axis_from_zero)(values, unit, marks)
    shares = [axis.share(value) for value in sorted(values)]
    assert shares == sorted(shares)
    assert all(-1e-9 <= share <= 1 + 1e-9 for share in shares)
    assert all(axis.low <= mark <= axis.high * (1 + 1e-9) for mark in axis.marks)
    assert list(axis.marks) == sorted(set(axis.marks))


@given(st.lists(figures, min_size=1, max_size=20), names, st.integers(1, 10))
def test_an_axis_from_zero_has_no_more_marks_than_asked_for(values: list[float], unit: UnitName, marks: int) -> None:
    axis = axis_from_zero(values, unit, marks)
    assert axis.marks[0] == 0
    assert len(axis.marks) <= marks + 1


def test_equal_ratios_are_equal_distances_by_powers() -> None:
    axis = axis_by_powers([1.0, 1000.0], "ns", 10)
    assert axis.marks == (1.0, 10.0, 100.0, 1000.0)
    assert [round(axis.share(mark), 6) for mark in axis.marks] == [0, 0.333333, 0.666667, 1]


def test_memory_is_marked_in_powers_of_two() -> None:
    assert [figure_words(mark, "bytes") for mark in axis_by_powers([1500.0, 3e6], "bytes", 10).marks] == [
        *("1 KiB", "4 KiB", "16 KiB", "64 KiB", "256 KiB", "1 MiB", "4 MiB"),
    ]


def test_an_axis_of_nothing_is_an_axis_all_the_same() -> None:
    assert axis_by_powers([], "ns", 3).marks == (1.0, 10.0)
    assert axis_from_zero([0.0], "ns", 2).marks == (0.0, 0.5, 1.0)


# -- text -------------------------------------------------------------------------------------------------


def test_a_ladder_reads_as_text() -> None:
    assert text(a_ladder(), width=90) == (
        "Claim: So it is.\n"
        "Here: holds. It took 3 µs.\n"
        "\n"
        "                              |10 ns        |100 ns      |1 µs    10 µs|\n"
        "call                                  ●┤                                  40 ns\n"
        "read                                                             ├●┤      4 µs · 100 calls\n"
        "web                                                                       not here\n"
        "\n"
        "Time of one operation, logarithmic scale; ●: median, ├ to ┤: the middle half.\n"
        "* A note."
    )


def test_counts_have_no_median_and_no_middle_half() -> None:
    counts = claim(Picture("bars", "count", "how often"), [Measured("def", 6.0)])
    assert "How often, from zero." in text(counts).splitlines()
    assert "How often, from zero." in words(svg(counts))
    assert "median" not in svg(counts)


def test_bars_stand_in_groups_from_zero() -> None:
    lines = text(some_bars(), width=90).splitlines()
    names = [line.split()[0] for line in lines[4:10]]
    assert names == ["waits", "a", "b", "computes", "a", "b"]
    assert lines[5].index("├") - 30 == pytest.approx(2 * (lines[6].index("├") - 30), abs=1)


def test_a_curve_is_told_point_by_point() -> None:
    told = text(a_curve())
    assert re.findall(r"^  (0|1 ms|4 ms) .* (1 ×|2 ×|5 ×)$", told, re.MULTILINE) == [
        *(("0", "1 ×"), ("1 ms", "2 ×"), ("4 ms", "5 ×")),
    ]
    assert "┊: 1 ×" in told


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("make", ALL)
def test_a_text_has_no_trailing_space_and_keeps_numbers_with_their_units(make: object, width: int) -> None:
    lines = text(make(), width=width).splitlines()  # type: ignore[operator]
    assert all(line == line.rstrip() for line in lines)
    assert not any(re.fullmatch(r"(ns|µs|ms|s|×|KiB|MiB)\b.*", line) for line in lines)


def test_a_claim_without_rows_is_told_in_words_alone() -> None:
    bare = claim(LADDER, [], verdict="not here", sentence="There are no processes.")
    assert text(bare) == "Claim: So it is.\nCannot be told here. There are no processes.\n* A note."
    assert words(svg(bare)) == ["So it is.", "– cannot be told here", "There are no processes.", "A note."]


# -- the picture ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [100, 480, 520, 1000, 1600])
@pytest.mark.parametrize("make", ALL)
def test_a_picture_is_well_formed_and_lies_within_its_edges(make: object, width: int) -> None:
    root = ElementTree.fromstring(svg(make(), width=width))  # type: ignore[operator]
    wide, high = float(root.get("width", "nan")), float(root.get("height", "nan"))
    assert wide == max(480, width)
    for element in root.iter(f"{SVG}rect"):
        x, y, w, h = (float(element.get(name, "nan")) for name in ("x", "y", "width", "height"))
        assert -0.1 <= x <= x + w <= wide + 0.1
        assert -0.1 <= y <= y + h <= high + 0.1
    for element in root.iter(f"{SVG}circle"):
        assert 0 <= float(element.get("cx", "nan")) <= wide
        assert 0 <= float(element.get("cy", "nan")) <= high


@pytest.mark.parametrize("make", ALL)
def test_in_a_cell_a_picture_is_as_wide_as_the_cell_and_no_wider_than_it_was_drawn(make: object) -> None:
    drawn = svg(make(), width=1000)  # type: ignore[operator]
    shown = ElementTree.fromstring(in_a_cell(drawn))
    assert (shown.get("width"), shown.get("height"), shown.get("style")) == ("100%", None, "max-width:1000px")
    whole = ElementTree.fromstring(drawn)
    assert shown.get("viewBox") == whole.get("viewBox") == f"0 0 1000 {whole.get('height')}"
    assert [element.attrib for element in shown.iter()][1:] == [element.attrib for element in whole.iter()][1:]


def test_every_row_is_named_with_its_figure_and_its_note() -> None:
    told = words(svg(a_ladder()))
    assert {"call", "40 ns", "read", "4 µs · 100 calls", "web", "not here"} <= set(told)


def test_what_was_not_measured_has_no_mark() -> None:
    assert svg(a_ladder()).count("<circle") == 2


def test_a_mark_lies_between_its_quartiles() -> None:
    root = ElementTree.fromstring(svg(some_bars()))
    spreads = [element for element in root.iter(f"{SVG}rect") if element.get("rx") == "2"]
    marks = [float(element.get("cx", "nan")) for element in root.iter(f"{SVG}circle")]
    assert len(marks) == len(spreads) == 4
    for mark, one in zip(marks, spreads, strict=True):
        left = float(one.get("x", "nan"))
        assert left < mark < left + float(one.get("width", "nan"))


def test_points_of_a_curve_rise_as_their_figures_do() -> None:
    root = ElementTree.fromstring(svg(a_curve()))
    points = [(float(c.get("cx", "nan")), float(c.get("cy", "nan"))) for c in root.iter(f"{SVG}circle")]
    assert points == sorted(points)  # along
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)  # and up


def test_the_step_from_nothing_is_dashed_for_it_has_no_place_among_powers() -> None:
    paths = re.findall(r"<path [^>]*>", svg(a_curve()))
    assert ["dasharray" in path for path in paths] == [True, False]


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("holds", "✓ holds"), ("does not hold", "× does not hold"), ("not here", "– cannot be told here")],
)
def test_the_verdict_is_told_by_a_mark_and_a_word(verdict: str, said: str) -> None:
    assert said in words(svg(claim(LADDER, [], verdict=verdict)))


@pytest.mark.parametrize("picture", [LADDER, BARS, CURVE])
def test_whatever_a_name_holds_arrives_as_text(picture: Picture) -> None:
    at = 1.0 if picture is CURVE else None
    rows = [row(HOSTILE, 3.0, note=HOSTILE, group=HOSTILE, at=at), Measured(HOSTILE, None, note=HOSTILE, at=at)]
    hostile = Claim(HOSTILE, "holds", HOSTILE, {}, rows, picture, (HOSTILE,))
    drawn = svg(hostile)
    tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(drawn).iter()}
    assert tags <= {"svg", "title", "rect", "text", "circle", "path"}
    assert "<script" not in drawn
    assert "style=" not in drawn
    assert all(character.isprintable() for character in text(hostile).replace("\n", ""))


@given(
    st.lists(st.tuples(figures, st.floats(0, 1), st.floats(0, 3)), min_size=1, max_size=12),
    st.sampled_from([LADDER, BARS]),
)
def test_any_figures_make_a_picture_and_a_text(rows: list[tuple[float, float, float]], picture: Picture) -> None:
    made = claim(
        picture, [Measured(f"row {at}", m, m * (1 - low), m * (1 + high), 9) for at, (m, low, high) in enumerate(rows)]
    )
    assert len(ElementTree.fromstring(svg(made)).findall(f"{SVG}circle")) == len(rows)
    assert text(made).count("●") == len(rows) + 1  # that of the key
