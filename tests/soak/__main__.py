"""`python -m tests.soak [--virtual-hours 1] [--real-minutes 10]`: traffic for a long time, and what it leaves behind.

Two stages, one in virtual and one in real time, each of many rounds of the same traffic. After each round, when all is
at rest, the gauges are read; when all is over, the slope of each gauge's second half is judged, and what is open
after everything was closed is held against what was open before. The process ends with 1 if anything is not flat.
"""

import argparse
import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest.mock import patch

import trio

from playground.trace import Clock
from tests.soak.gauges import GAUGES, TRIO_IDLE_S, Patches, read
from tests.soak.long import LongRecording
from tests.soak.plants import PLANTS, planted
from tests.soak.report import Readings, judge, print_table, print_verdicts
from tests.soak.traffic import Traffic
from tests.soak.verdict import MIN_READINGS

__all__ = ["Stage", "main", "stages"]

_AFTERWARDS: Final = ("threads", "workers", "fds", "tasks", "loops", "labs", "widgets", "patches")
"""Gauges that must be back where they were when everything is closed."""
_SETTLING_S: Final = 5.0
"""How long the end of threads that were told to end is waited for."""


@dataclass(frozen=True)
class Stage:
    """One kind of traffic.

    Attributes:
        clock: the labs' clock.
        rounds: how many.
        round_s: how long traffic comes in one, in the labs' time.
        rate: requests a second.
        at_least_s: how long the stage lasts at least, in real time; rounds are added until it has.
        brief: whether it does little in a round, to be over in seconds.
    """

    clock: Clock
    rounds: int
    round_s: float
    rate: float
    at_least_s: float = 0.0
    brief: bool = False


def stages(virtual_hours: float, real_minutes: float, brief: bool = False) -> list[Stage]:
    """An hour in rounds of a minute, and ten minutes in rounds of about five seconds; what is shorter in shorter ones,
    for a verdict needs some."""
    virtual_s, real_s = virtual_hours * 3600, real_minutes * 60
    found = []
    if virtual_s:
        rounds = max(MIN_READINGS, round(virtual_s / 60))
        found.append(Stage("virtual", rounds, virtual_s / rounds, rate=5, brief=brief))
    if real_s:
        rounds = max(MIN_READINGS, round(real_s / 5))
        # what else there is in a round takes a second or two
        found.append(Stage("real", MIN_READINGS, 0.6 * real_s / rounds, rate=20, at_least_s=real_s, brief=brief))
    return found


def soak(stage: Stage, scratch: Path, patches: Patches, leak: Callable[[], None]) -> Readings:
    """The readings of a stage, whose traffic is over and closed when this returns."""
    readings: list[dict[str, float]] = []
    traffic = Traffic(stage.clock, scratch, stage.rate)
    began_s = time.monotonic()
    try:
        with contextlib.closing(LongRecording()) as long:
            while len(readings) < stage.rounds or time.monotonic() < began_s + stage.at_least_s:
                if stage.brief:
                    traffic.brief_round(stage.round_s)
                else:
                    traffic.round(stage.round_s)
                    long.feed()
                leak()
                at_s = time.monotonic() - began_s if stage.clock == "real" else (len(readings) + 1) * stage.round_s
                readings.append({"at s": at_s, **read(patches)})
    finally:
        traffic.close()
    took_s = time.monotonic() - began_s
    print(f"\n{stage.clock} time: {len(readings)} rounds in {took_s:.0f} s; {_said(traffic, long)}\n")
    return readings


def _said(traffic: Traffic, long: LongRecording) -> str:
    done = ", ".join(f"{count:,} {what}" for what, count in sorted(traffic.done.items()))
    return f"{done}; the long recording dropped {long.seen[0]:,} events and kept {long.seen[1]:,}"


def left_open(before: dict[str, float], patches: Patches) -> list[str]:
    """What is open and was not before, in words."""
    until_s = time.monotonic() + _SETTLING_S
    while True:
        now = read(patches)
        words = [f"{name}: {now[name]:.0f}, not {before[name]:.0f}" for name in _AFTERWARDS if now[name] > before[name]]
        if not words or time.monotonic() > until_s:
            return words
        time.sleep(0.1)


def run(plan: Sequence[Stage], plants: list[str]) -> int:
    """Soak, print, judge; 1 if anything grew or is left open, or if that cannot be told."""
    patches, wrong = Patches(), []
    with contextlib.ExitStack() as kept, tempfile.TemporaryDirectory() as scratch:
        kept.enter_context(patch.object(trio._core._thread_cache, "IDLE_TIMEOUT", TRIO_IDLE_S))
        for stage in plan:
            before = read(patches)
            readings = soak(stage, Path(scratch), patches, planted(plants, kept))
            left = left_open(before, patches)
            print_table(readings)
            verdicts = judge(readings)
            print_verdicts(verdicts)
            wrong += [f"{stage.clock} time: {gauge.name} {v.word}" for gauge, v in verdicts if v.word != "flat"]
            wrong += [f"{stage.clock} time: left open, {words}" for words in left]
    print("\nNot flat:\n" + "\n".join(wrong) if wrong else f"\nFlat: {len(GAUGES)} gauges, nothing left open.")
    return 1 if wrong else 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--virtual-hours", type=float, default=1.0, help="of traffic in virtual time (1); 0 for none")
    parser.add_argument("--real-minutes", type=float, default=10.0, help="of traffic in real time (10); 0 for none")
    parser.add_argument("--plant", action="append", choices=PLANTS, default=[], help="a leak, to see it found")
    parser.add_argument(
        "--brief", action="store_true", help="with little traffic in each round, to try the soak itself"
    )
    options = parser.parse_args(arguments)
    logging.disable()  # the mistakes in the apps are meant, and each is told of thousands of times
    try:
        return run(stages(options.virtual_hours, options.real_minutes, options.brief), options.plant)
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    sys.exit(main())
