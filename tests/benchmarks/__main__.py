"""`python -m tests.benchmarks [TABLE] [--rounds N] [--only TEXT]`: a table of costs, and the targets that it misses."""

import argparse
import sys

from tests.benchmarks import apart, clock, peers, simulation, toolkit, transport, views
from tests.benchmarks.harness import Result, geometric_mean, measure, table, verdict


def missed(results: list[Result]) -> list[str]:
    """The targets that these figures miss, in words; see the toolkit's issue for where they come from."""
    words = [f"{result.name}: {result.ratio:.2f}, not 1.05" for result in results if result.ratio > 1.05]
    words += [f"{result.name}: {result.ratio:.2f}, not 0.60" for result in results if result.own and result.ratio > 0.6]
    mean = geometric_mean([result.ratio for result in results])
    if mean > 0.7:
        words.append(f"geometric mean: {mean:.2f}, not 0.70")
    ours = {result.name: result.ours_ns for result in results}
    for name, took_ns in ours.items():
        few = name.replace("10,000", "10")
        if name != few and few in ours and took_ns > 1.5 * ours[few]:
            words.append(f"{name}: {took_ns / ours[few]:.2f} times that of 10 routes, not 1.50")
    return words


TABLES = {
    "toolkit": (toolkit.cases, ("playground", "starlette"), missed),
    "transport": (transport.cases, transport.NAMES, transport.missed),
}

# what is no comparison of two ways: each times, prints and judges by itself
MAINS = {
    "apart": apart.main,
    "clock": clock.main,
    "peers": peers.main,
    "simulation": simulation.main,
    "views": views.main,
}


def main() -> int:
    whence = f"The table of peers skips whom it does not find; all are there on Python 3.12 after: {peers.INSTALL}"
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__, epilog=whence)
    tables = [*TABLES, *MAINS]
    parser.add_argument("table", nargs="?", choices=tables, default="toolkit", help="which table (toolkit)")
    parser.add_argument(
        "--rounds", type=int, help="how often each case is timed (25; the views, which take minutes, 3)"
    )
    parser.add_argument("--only", default="", help="only cases whose name has this text in it")
    options = parser.parse_args()
    rounds = options.rounds or (3 if options.table == "views" else 25)
    if options.table in MAINS:
        return MAINS[options.table](rounds, options.only)
    cases, names, judge = TABLES[options.table]
    results = []
    for case in cases():
        if options.only in case.name:
            results.append(measure(case, rounds))
            print(f"{results[-1].ratio:5.2f}  {case.name}", file=sys.stderr)
    print(table(results, names))
    return verdict(judge(results))


if __name__ == "__main__":
    sys.exit(main())
