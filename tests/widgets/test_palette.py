"""Everybody can tell the states from their ground and from one another, and read what is written.

The colours are those of the bundle that ships. Where tints lie under a bar (a request's capsule, a blocked stretch) the
states keep 2.3:1 at least in light and dark, which is less than WCAG asks of a colour alone; there the shape tells, and
high contrast has no such tints.
"""

import json
import subprocess
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from playground.views.kinds import KINDS, Kind
from tests.widgets.palette import SIGHTS, Lab, apart, contrast, difference, laid_over
from tests.widgets.test_node import BUNDLE, node

THEMES = ("LIGHT", "DARK", "HIGH_LIGHT", "HIGH_DARK")

# The worst pair of the design's palette is at 15.4, thin lines of timer and I/O for deutan sight; a colour as narrow
# as a line wants many times the 1 that is just noticed in large fields side by side.
FAR_ENOUGH = 15.0


@cache
def front_end() -> dict[str, Any]:
    """The bundle's kinds and themes, and the colour that it chooses for words on each kind."""
    script = f"""
        const {{ KINDS, textOn, ...themes }} = await import({json.dumps(BUNDLE.as_uri())});
        const told = Object.fromEntries({json.dumps(THEMES)}.map((name) => {{
          const theme = themes[name];
          return [name, {{ ...theme, words: theme.kinds.map(textOn) }}];
        }}));
        console.log(JSON.stringify({{ kinds: KINDS, themes: told }}));
    """
    done = subprocess.run(
        [node(), "--input-type=module", "--eval", script], text=True, capture_output=True, timeout=60, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def theme(name: str) -> Any:
    return front_end()["themes"][name]


def is_high(name: str) -> bool:
    return name.startswith("HIGH")


def surfaces(name: str) -> dict[str, str]:
    """What words and bars of a theme may lie on."""
    ui = theme(name)["ui"]
    band = laid_over(ui["band"], ui["bg"])
    tints = {"capsule": laid_over(ui["capsule"], ui["bg"]), "band": band, "both": laid_over(ui["capsule"], band)}
    return {"bg": ui["bg"], "panel": ui["panel"], "chip": ui["chip"], **tints}


# From table 1 of Sharma, Wu and Dalal: pairs at which other formulas go wrong, near blue, grey and the turn of the hue.
@pytest.mark.parametrize(
    ("one", "other", "published"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (58, 24, 15), 19.4535),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((90.9257, -0.5406, -0.9208), (88.6381, -0.8985, -0.7239), 1.5381),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_of_distance_gives_its_published_examples(
    one: tuple[float, float, float], other: tuple[float, float, float], published: float
) -> None:
    assert difference(Lab(*one), Lab(*other)) == pytest.approx(published, abs=1e-4)
    assert difference(Lab(*other), Lab(*one)) == pytest.approx(published, abs=1e-4)


def test_python_and_the_front_end_draw_with_one_palette() -> None:
    assert [kind.light for kind in KINDS] == theme("LIGHT")["kinds"]
    shapes = {"full": "full", "hatched": "full", "half": "half", "thin": "thin", "dashed": "thin"}
    assert [shapes[kind.shape] for kind in KINDS] == [kind["shape"] for kind in front_end()["kinds"]]


def test_every_theme_has_every_colour() -> None:
    names = {name: set(theme(name)["ui"]) for name in THEMES}
    assert all(names[name] == names["LIGHT"] for name in THEMES)
    assert [len(theme(name)["kinds"]) for name in THEMES] == [len(KINDS)] * len(THEMES)
    assert [theme(name)["dark"] for name in THEMES] == ["DARK" in name for name in THEMES]


@pytest.mark.parametrize("name", THEMES)
def test_each_kind_is_seen_on_its_ground(name: str) -> None:
    asked = 7 if is_high(name) else 3
    ratios = [contrast(colour, theme(name)["ui"]["bg"]) for colour in theme(name)["kinds"]]
    assert min(ratios) >= asked, ratios


@pytest.mark.parametrize("name", THEMES)
def test_each_kind_is_still_seen_on_a_tint(name: str) -> None:
    asked = 5 if is_high(name) else 2.3
    ratios = {
        (surface, kind.words): contrast(colour, ground)
        for surface, ground in surfaces(name).items()
        for kind, colour in zip(KINDS, theme(name)["kinds"], strict=True)
    }
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < asked} == {}


@pytest.mark.parametrize("name", THEMES)
def test_words_are_read_on_every_surface(name: str) -> None:
    asked = 7 if is_high(name) else 4.5
    ui = theme(name)["ui"]
    ratios = {
        (words, surface): contrast(ui[words], ground)
        for words in ("text", "muted", "faint")
        for surface, ground in surfaces(name).items()
    }
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < asked} == {}


@pytest.mark.parametrize("name", THEMES)
def test_the_focus_is_seen_on_every_surface(name: str) -> None:
    focus = theme(name)["ui"]["focus"]
    assert min(contrast(focus, ground) for ground in surfaces(name).values()) >= 3


@pytest.mark.parametrize("name", THEMES)
def test_words_on_a_bar_are_read(name: str) -> None:
    asked = 7 if is_high(name) else 4.5
    ratios = {
        kind.words: contrast(words, colour)
        for kind, words, colour in zip(KINDS, theme(name)["words"], theme(name)["kinds"], strict=True)
        if kind.shape in ("full", "hatched")
    }
    assert {words: ratio for words, ratio in ratios.items() if ratio < asked} == {}


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", THEMES)
def test_kinds_of_one_shape_are_told_apart(name: str, sight: str) -> None:
    colours = dict(zip(KINDS, theme(name)["kinds"], strict=True))
    near = {
        (one.words, other.words): apart(colours[one], colours[other], sight)
        for one, other in combinations(KINDS, 2)
        # a hatched bar is a full one with stripes, which are not seen where it is narrow
        if {one.shape, other.shape} <= {"full", "hatched"} or one.shape == other.shape
    }
    assert {pair: far for pair, far in near.items() if far < FAR_ENOUGH} == {}


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.shape in ("full", "hatched")], ids=lambda kind: kind.words
)
def test_words_on_a_bar_of_the_still_picture_are_read(kind: Kind) -> None:
    assert contrast(kind.ink, kind.light) >= 4.5
