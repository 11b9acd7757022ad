"""The readings of one stage of the soak as a table, and the verdict on each gauge below it."""

from collections.abc import Mapping, Sequence

from tests.soak.gauges import GAUGES, Gauge
from tests.soak.verdict import Verdict, judged

__all__ = ["judge", "print_table", "print_verdicts"]

Readings = Sequence[Mapping[str, float]]
"""A round's gauges by name, a round an element; besides, `at s`: the lab's time at the end of the round."""


def print_table(readings: Readings, lines: int = 13) -> None:
    """At most so many lines, evenly chosen, the first and the last among them."""
    last = len(readings) - 1
    chosen = sorted({round(number * last / max(1, min(lines - 1, last))) for number in range(min(lines, last + 1))})
    print(f"{'at s':>8}" + "".join(f"{gauge.name:>11}" for gauge in GAUGES))
    for number in chosen:
        row = readings[number]
        print(f"{row['at s']:8.0f}" + "".join(f"{row[gauge.name]:11.{gauge.decimals}f}" for gauge in GAUGES))


def judge(readings: Readings) -> list[tuple[Gauge, Verdict]]:
    """The verdict on each gauge."""
    return [(gauge, judged([row[gauge.name] for row in readings], gauge.allowed)) for gauge in GAUGES]


def print_verdicts(verdicts: Sequence[tuple[Gauge, Verdict]]) -> None:
    print("\ngrowth in the second half (95 % bounds), and what passes as flat")
    for gauge, found in verdicts:
        digits = max(1, gauge.decimals)
        bounds = f"({found.low:+.{digits}f} … {found.high:+.{digits}f})"
        print(f"  {gauge.name:<10} {found.drift:+9.{digits}f}  {bounds:<22} at most {found.allowed:<6g} {found.word}")
