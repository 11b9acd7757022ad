"""The web benchmark's table and picture: every figure is told, what was not measured is said, and nothing is markup."""

from xml.etree import ElementTree

import pytest

from playground.models.claims.web_told import Answers, WebBenchmark, judged
from playground.models.claims.web_ways import FRAMEWORKS, Lacking, Tried
from playground.views.benchmark import lines_of, text
from playground.views.benchmark_svg import svg
from playground.views.claims_sheet import in_a_cell

MS = 1_000_000
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>&\x00\n\"'`"


def tried(way: str, page: str, rate: float, cpu_ns: float) -> Tried:
    rates = tuple(rate * (1 + number / 100) for number in range(-5, 6))
    return Tried(way, page, rates, (cpu_ns,) * 11, tuple(range(MS, 101 * MS, MS)))  # type: ignore[arg-type]


def benchmark() -> WebBenchmark:
    measured = [
        tried("async def", "hello", 90_000, 12_000),
        tried("async def", "io", 3_600, 26_000),
        tried("def on 40 threads", "hello", 10_000, 110_000),
        tried("def on 40 threads", "io", 1_700, 150_000),
        tried("async def, blocking", "io", 49.6, 300_000),
    ]
    lacking = [Lacking.not_installed(way.name, ["quart"]) for way in FRAMEWORKS["Quart"].ways]
    return judged({"Starlette": measured, "Quart": lacking}, 80, 11)


def test_a_framework_has_a_line_for_each_way_with_both_pages() -> None:
    claim = benchmark()
    lines = lines_of(claim, "Starlette")
    assert [line.name for line in lines] == ["async def", "def on 40 threads", "async def, blocking"]
    assert [[page is not None for page in line.pages] for line in lines] == [[True, True], [True, True], [False, True]]
    assert {line.lacking for line in lines} == {""}
    assert {line.lacking for line in lines_of(claim, "Quart")} == {"not installed: pip install quart"}


def test_the_table_tells_all() -> None:
    lines = text(benchmark()).splitlines()
    at = lines.index("Starlette: holds")
    assert lines[at + 1 : at + 4] == [
        "  async def                   90,000     12 µs     50 ms     99 ms     3,600     26 µs     50 ms     99 ms",
        "  def on 40 threads           10,000    110 µs     50 ms     99 ms     1,700    150 µs     50 ms     99 ms",
        "  async def, blocking                                                   49.6    300 µs     50 ms     99 ms",
    ]
    assert not any("quart" in line for line in lines[at:])
    assert all(len(line) <= 108 for line in lines)


@pytest.mark.parametrize("width", [200, 520, 1000, 1600])
def test_the_picture_tells_all_within_its_width(width: int) -> None:
    claim = benchmark()
    drawn = ElementTree.fromstring(svg(claim, width=width))
    words = ["".join(element.itertext()) for element in drawn.iter(f"{SVG}text")]
    wide = max(480, width)
    assert drawn.get("width") == str(wide)
    for told in ("90,000", "10,000", "3,600", "1,700", "49.6", "✓ holds"):
        assert told in words
    assert any("12 µs · " in each for each in words)
    assert "Quart is not installed here: pip install quart." in claim.sentence
    assert "Quart" not in words
    assert claim.sentence in (drawn.get("aria-label") or "")
    for shape in drawn.iter(f"{SVG}rect"):
        assert 0 <= float(shape.get("x", "")) <= float(shape.get("x", "")) + float(shape.get("width", "")) <= wide
        assert float(shape.get("y", "")) + float(shape.get("height", "")) <= float(drawn.get("height", ""))


def test_where_nothing_is_installed_there_is_no_axis_and_one_command() -> None:
    absent = {
        name: [Lacking.not_installed(way.name, [FRAMEWORKS[name].package]) for way in FRAMEWORKS[name].ways]
        for name in ("Starlette", "Quart")
    }
    claim = judged(absent, 80, 11)
    sentence = (
        "No async methods could be compared here. Starlette and Quart are not installed here: "
        "pip install starlette quart."
    )
    assert claim.sentence == sentence
    assert text(claim, width=400) == (
        f"Claim: Async methods generally answer more requests than sync ones.\nCannot be told here. {sentence}"
    )
    drawn = ElementTree.fromstring(svg(claim, width=1600))
    words = ["".join(element.itertext()) for element in drawn.iter(f"{SVG}text")]
    assert words == [claim.statement, "– cannot be told here", sentence]


def test_a_framework_without_async_methods_has_no_verdict() -> None:
    flask = [tried(way.name, page, 1000, 50_000) for way in FRAMEWORKS["Flask"].ways for page in way.pages]
    claim = judged({"Flask": flask}, 80, 11)
    drawn = ElementTree.fromstring(svg(claim))
    words = ["".join(element.itertext()) for element in drawn.iter(f"{SVG}text")]
    assert {"Flask", "– no async methods", "– cannot be told here"} <= set(words)
    assert "Flask: no async methods" in text(claim).splitlines()


def test_each_page_has_an_axis_of_its_own() -> None:
    """A page that waits is answered a twentieth as often, and has bars as long."""
    drawn = ElementTree.fromstring(svg(benchmark()))
    bars = [shape for shape in drawn.iter(f"{SVG}rect") if shape.get("height") == "10"]
    hello, io = (max(float(bar.get("width", "")) for bar in bars if float(bar.get("x", "")) == x) for x in lefts(bars))
    assert 0.8 < hello / io < 1.25


def lefts(bars: list[ElementTree.Element]) -> list[float]:
    return sorted({float(bar.get("x", "")) for bar in bars})


def test_what_an_error_says_arrives_as_text() -> None:
    claim = judged({"Quart": [Lacking("async def", f"not measured here: {HOSTILE}")]}, 80, 11)
    drawn = svg(claim)
    assert "<script" not in drawn
    assert {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(drawn).iter()} <= {
        *("svg", "title", "rect", "text")
    }
    assert "\x00" not in text(claim)


def test_it_is_shown_as_its_own_table_and_picture() -> None:
    claim = benchmark()
    assert str(claim) == text(claim)
    assert claim._repr_mimebundle_() == {"text/plain": text(claim), "image/svg+xml": in_a_cell(svg(claim))}
    assert claim.to_svg(width=600) == svg(claim, width=600)
    assert repr(claim) == "<Claim: 'Async methods generally answer more requests than sync ones.' holds>"
    assert all(isinstance(row, Answers) for row in claim.rows)
