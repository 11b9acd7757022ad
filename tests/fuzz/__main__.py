"""`python -m tests.fuzz [names] --minutes 10`: the suite's properties, tried for as long as one likes.

Each name (`routes`, `headers` …; all unless given) gets the minutes, shared evenly among its properties. A property is
tried in rounds, each from a seed of its own, until its time is over or it fails; then the failing input is printed,
as small as hypothesis could make it, with the seed. The exit status is 1 if anything failed.
"""

import argparse
import logging
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from random import SystemRandom

from hypothesis import HealthCheck, settings

from tests.fuzz.kit import PROPERTIES, Property

ROOMS = sorted(path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py"))
FIRST_ROUND = 50
LONGEST_ROUND = 3_000  # past this hypothesis's own bookkeeping grows, and a fresh seed finds more


@dataclass
class Tried:
    """What became of one property."""

    property: Property
    examples: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    def for_seconds(self, seconds: float) -> None:
        """Try it round by round, until the time is over or something is found."""
        began = time.perf_counter()
        size = FIRST_ROUND
        while not self.findings and (left := seconds - self.seconds) > 0:
            self._round(SystemRandom().getrandbits(64), size)
            self.seconds = time.perf_counter() - began
            fits = left * self.examples / self.seconds
            size = int(min(LONGEST_ROUND, max(fits, FIRST_ROUND)))

    def _round(self, number: int, size: int) -> None:
        quiet = settings(
            max_examples=size, database=None, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False
        )
        try:
            self.property.run(quiet, number, self._count)
        except Exception as error:  # noqa: BLE001  whatever a property raises is a finding
            found = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
            self.findings += [f"seed {number}\n{''.join(traceback.format_exception(one))}" for one in found]

    def _count(self) -> None:
        self.examples += 1


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(ROOMS)}")
    parser.add_argument("--minutes", type=float, default=10.0, help="for each name")
    asked = parser.parse_args(argv)
    if unknown := sorted(set(asked.names) - set(ROOMS)):
        parser.error(f"expected names among {', '.join(ROOMS)}, got {', '.join(unknown)}")
    logging.disable()  # servers and transports tell of every app that fails, and most of these do
    print(f"{'property':<86} {'examples':>9} {'seconds':>8} {'findings':>8}", flush=True)
    found = 0
    for tried in _try_all(asked.names or ROOMS, 60 * asked.minutes):
        name = f"{tried.property.room}: {tried.property.check.__name__.removeprefix('test_').replace('_', ' ')}"
        print(f"{name:<86} {tried.examples:>9,} {tried.seconds:>8.0f} {len(tried.findings):>8}", flush=True)
        found += len(tried.findings)
    return 1 if found else 0


def _try_all(names: Sequence[str], seconds: float) -> Iterator[Tried]:
    for name in names:
        import_module(f"tests.fuzz.test_{name}")
        properties = [one for one in PROPERTIES if one.room == name]
        for one in properties:
            tried = Tried(one)
            tried.for_seconds(seconds / len(properties))
            for finding in tried.findings:
                print(f"-- {name}: {one.check.__name__}, {finding}", flush=True)
            yield tried


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
