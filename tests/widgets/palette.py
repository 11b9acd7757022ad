"""How colours look to whom: contrast by WCAG 2.2, sight by Machado, Oliveira and Fernandes, distance by CIEDE2000.

Contrast is the ratio of relative luminances that WCAG asks for. Colour-vision deficiency is simulated by the matrices
for full protanopia, deuteranopia and tritanopia of Machado et al., "A Physiologically-based Model for Simulation of
Color Vision Deficiency", IEEE TVCG 15(6), 2009, which work on linear RGB. Distance is CIEDE2000, because plain
distances in CIELAB call two dark blues far apart that nobody can tell from each other, and blues are what we have most
of; written after Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula", 2005, and checked against theirs.
"""

import re
from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt
from typing import NamedTuple

__all__ = ["SIGHTS", "Lab", "apart", "contrast", "difference", "laid_over"]

Linear = tuple[float, float, float]  # red, green, blue, 0 to 1, proportional to light

_SEEN = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
SIGHTS = tuple(_SEEN)

_D65 = (0.95047, 1.0, 1.08883)
_TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))


class Lab(NamedTuple):
    """A colour in CIELAB."""

    lightness: float
    a: float
    b: float


def _bytes(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(colour: str) -> Linear:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (byte / 255 for byte in _bytes(colour))
    )
    return red, green, blue


def _times(matrix: tuple[Linear, Linear, Linear], vector: Linear) -> Linear:
    one, two, three = (sum(factor * part for factor, part in zip(row, vector, strict=True)) for row in matrix)
    return one, two, three


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours `#rrggbb`, 1 to 21."""
    darker, lighter = sorted(_times(_TO_XYZ, _linear(colour))[1] for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def laid_over(tint: str, ground: str) -> str:
    """What `tint`, as CSS writes it, leaves to be seen of `ground`."""
    if tint == "transparent":
        return ground
    if tint.startswith("#"):
        return tint
    written = re.fullmatch(r"rgba\((\d+), (\d+), (\d+), ([\d.]+)\)", tint)
    assert written is not None, tint
    share = float(written[4])
    parts = zip(map(int, written.group(1, 2, 3)), _bytes(ground), strict=True)
    return "#" + "".join(f"{round(share * over + (1 - share) * under):02x}" for over, under in parts)


def _lab(colour: str, sight: str) -> Lab:
    red, green, blue = _times(_SEEN[sight], _linear(colour))
    seen = (min(1.0, max(0.0, red)), min(1.0, max(0.0, green)), min(1.0, max(0.0, blue)))
    x, y, z = (
        part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116
        for part in (value / white for value, white in zip(_times(_TO_XYZ, seen), _D65, strict=True))
    )
    return Lab(116 * y - 16, 500 * (x - y), 200 * (y - z))


def apart(one: str, other: str, sight: str) -> float:
    """How far two colours are from each other for a sight: about 1 is just to be seen side by side."""
    return difference(_lab(one, sight), _lab(other, sight))


def difference(one: Lab, other: Lab) -> float:
    """CIEDE2000, with all three weights at 1."""
    mean_chroma = (hypot(one.a, one.b) + hypot(other.a, other.b)) / 2
    stretch = 1 + 0.5 * (1 - sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7)))
    (chroma_1, hue_1), (chroma_2, hue_2) = (_polar(colour.a * stretch, colour.b) for colour in (one, other))
    turn = 0.0 if chroma_1 * chroma_2 == 0 else (hue_2 - hue_1 + 180) % 360 - 180
    lightness = (one.lightness + other.lightness) / 2
    chroma = (chroma_1 + chroma_2) / 2
    hue = hue_1 + hue_2 if chroma_1 * chroma_2 == 0 else (hue_1 + turn / 2) % 360
    bend = (lightness - 50) ** 2
    by_lightness = (other.lightness - one.lightness) / (1 + 0.015 * bend / sqrt(20 + bend))
    by_chroma = (chroma_2 - chroma_1) / (1 + 0.045 * chroma)
    by_hue = 2 * sqrt(chroma_1 * chroma_2) * sin(radians(turn / 2)) / (1 + 0.015 * chroma * _sway(hue))
    blues = -sin(radians(60 * exp(-(((hue - 275) / 25) ** 2)))) * 2 * sqrt(chroma**7 / (chroma**7 + 25**7))
    return sqrt(by_lightness**2 + by_chroma**2 + by_hue**2 + blues * by_chroma * by_hue)


def _polar(a: float, b: float) -> tuple[float, float]:
    return hypot(a, b), degrees(atan2(b, a)) % 360


def _sway(hue: float) -> float:
    """How much more of a turn the eye needs at some hues than at others."""
    terms = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    return 1 + sum(size * cos(radians(times * hue + shift)) for size, times, shift in terms)
