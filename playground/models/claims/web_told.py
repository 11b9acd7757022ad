"""What came of the web benchmark, told: a claim with a verdict and a sentence for each framework, rows and figures.

It is all pure: what was measured in, words and rows out. What counts as faster is decided in `web_judged`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from playground.models.claims.claim import Claim, Measured, Picture, Verdict
from playground.models.claims.rounds import spread
from playground.models.claims.web_judged import PAGES, Compared, Word, all_of, compared, generally, verdict_of
from playground.models.claims.web_ways import FRAMEWORKS, Framework, Lacking, Page, Pair, Tried, few
from playground.models.claims.words import listed, unsure
from playground.views.claims_axis import figure_words

__all__ = ["Answers", "WebBenchmark", "judged"]

STATEMENT: Final = "Async methods generally answer more requests than sync ones."
PICTURE: Final = Picture("bars", "a second", "answers a second")
_PAGES: Final[dict[Page, str]] = {"hello": "requests of a page that does nothing", "io": "of one that waits for 20 ms"}
_NOTES: Final = (
    (
        "No server and no socket: the frameworks are called by ASGI and WSGI as a server would call them, so that "
        "theirs is all that is measured. Processor time includes that of the clients. A server adds the same to each."
    ),
    (
        "A WSGI app has 40 threads, or a green thread for each request; plain handlers have what their framework gives "
        "them. Each app has its routes and nothing else: no middleware, no database."
    ),
    (
        "Generally: with more than half of the frameworks. To be slower is by a tenth at least, in answers and in "
        "processor time both."
    ),
)
_SAME_CODE: Final = (
    "The same plain functions twice, on another server model each: {quick} has a green thread for each request, and is "
    "no async method. That says nothing of the claim."
)


@dataclass(frozen=True, slots=True)
class Answers(Measured):
    """How one page of one way was answered: `median`, `low` and `high` are answers a second.

    Attributes:
        page: `hello` does nothing, `io` waits for 20 ms.
        cpu_ns: processor time of an answer; `None` if it was not measured.
        half_ns, late_ns: how long half of all answers took at most, and 99 of 100; `None` likewise.
    """

    page: Page = "hello"
    cpu_ns: float | None = None
    half_ns: float | None = None
    late_ns: float | None = None


@dataclass(frozen=True, repr=False)
class WebBenchmark(Claim):
    """What came of the web benchmark: a claim, with a verdict and a sentence for each framework too.

    Attributes:
        rows: of `Answers`.
        verdicts, sentences: by framework; the verdict is `not here` of one that has no async methods.
        beside: the frameworks that have no async methods here, and are no part of the verdict on all.
        absent: the frameworks of which no way is installed.
    """

    rows: Sequence[Answers]
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()

    def _drawn(self, width: int) -> str:
        from playground.views.benchmark_svg import svg  # who only measures draws nothing

        return svg(self, width=width)

    def __str__(self) -> str:
        from playground.views.benchmark import text  # as above

        return text(self)


def judged(found: Mapping[str, Sequence[Tried | Lacking]], at_once: int, rounds: int) -> WebBenchmark:
    """The claim, from what was measured of each framework, or why it was not."""
    tried = {name: _tried(each) for name, each in found.items()}
    pairs = {name: compared(FRAMEWORKS[name], each) for name, each in tried.items()}
    verdicts = {name: _framework_verdict(each) for name, each in pairs.items()}
    rows = [row for name, each in found.items() for row in _rows(FRAMEWORKS[name], each)]
    beside = frozenset(name for name in found if not FRAMEWORKS[name].has_async)
    absent = frozenset(name for name, each in found.items() if each and all(map(_packages, each)))
    known = {name: verdict for name, verdict in verdicts.items() if pairs[name] and name not in beside}
    return WebBenchmark(
        STATEMENT,
        generally(list(known.values())),
        " ".join(filter(None, [_sentence(known, pairs, rounds), _to_install(found, absent)])),
        {key: value for name in found for key, value in _figures(name, tried[name], pairs[name])},
        rows,
        PICTURE,
        _notes(at_once, rounds) if any(tried.values()) else (),
        verdicts,
        {name: _framework_sentence(found[name], pairs[name], tried[name]) for name in found},
        beside,
        absent,
    )


def _tried(found: Sequence[Tried | Lacking]) -> list[Tried]:
    return [each for each in found if isinstance(each, Tried)]


def _packages(found: Tried | Lacking) -> tuple[str, ...]:
    """What is to be installed for it to be measured."""
    return found.packages if isinstance(found, Lacking) else ()


def _framework_verdict(found: Sequence[Compared]) -> Verdict:
    by_pair: dict[Pair, list[Word]] = {}
    for each in found:
        if each.pair.is_async:
            by_pair.setdefault(each.pair, []).append(each.word)
    return all_of([verdict_of(words) for words in by_pair.values()])


# -- in words ---------------------------------------------------------------------------------------------------


def _framework_sentence(found: Sequence[Tried | Lacking], pairs: Sequence[Compared], tried: Sequence[Tried]) -> str:
    said = [
        f"Compared with {pair.plain}, {pair.quick} answers "
        f"{', and '.join(_clause(each) for each in pairs if each.pair == pair)}."
        for pair in dict.fromkeys(each.pair for each in pairs)
    ]
    said += [_SAME_CODE.format(quick=pair.quick) for pair in {each.pair: None for each in pairs} if not pair.is_async]
    said += [
        f"A handler that blocks answers {figure_words(spread(each.rates).median, 'a second')}, however many ask."
        for each in tried
        if "blocking" in each.way
    ]
    return " ".join([*said, *_lacking([each for each in found if isinstance(each, Lacking)], alone=not tried)])


def _lacking(found: Sequence[Lacking], *, alone: bool) -> list[str]:
    """Why ways were not measured, each reason once; all of a framework's ways need no naming."""
    reasons: dict[str, list[str]] = {}
    for each in found:
        reasons.setdefault(each.why, []).append(each.way)
    if alone and len(reasons) == 1:
        return [f"{why[:1].upper()}{why[1:]}." for why in reasons]
    return [f"{listed(ways)}: {why}." for why, ways in reasons.items()]


def _clause(found: Compared) -> str:
    """`8 times as many requests of a page that does nothing (7.2 to 8.2)`."""
    times, low, high = (_digits(each) for each in (found.times.median, found.times.low, found.times.high))
    between = "" if low == high else f" ({low} to {high})"
    how = {"faster": times, "slower": f"only {times}", "alike": f"no more, {times}", "unsure": f"perhaps {times}"}
    return f"{how[found.word]} times as many {_PAGES[found.page]}{between}"


def _digits(times: float) -> str:
    """Two digits, and three near 1, where they matter."""
    return f"{float(f'{times:.{3 if 1 <= times < 1.2 else 2}g}'):g}"


def _sentence(verdicts: Mapping[str, Verdict], pairs: Mapping[str, Sequence[Compared]], rounds: int) -> str:
    """What holds, what does not, and what cannot be told, each with its frameworks."""
    if not verdicts:
        return "No async methods could be compared here."
    said = []
    if holding := [name for name, verdict in verdicts.items() if verdict == "holds"]:
        found = [each for name in holding for each in pairs[name]]
        ranges = [_range(page, [each for each in found if each.page == page]) for page in PAGES]
        said.append(f"With {listed(holding)}, async answers {listed([each for each in ranges if each])}.")
    for name in (name for name, verdict in verdicts.items() if verdict == "does not hold"):
        worst = min(
            (each for each in pairs[name] if each.word in ("slower", "alike")), key=lambda each: each.times.median
        )
        said.append(f"With {name}, {worst.pair.quick} answers {_clause(worst)}, compared with {worst.pair.plain}.")
    if open_ := [name for name, verdict in verdicts.items() if verdict == "not here"]:
        near = "The ways are too near each other, or the rounds too far apart, as on a machine that is busy."
        said.append(f"With {listed(open_)} it cannot be told here. {unsure(rounds, near)}")
    return " ".join(said)


def _to_install(found: Mapping[str, Sequence[Tried | Lacking]], absent: frozenset[str]) -> str:
    """One command for all that is missing."""
    packages = dict.fromkeys(package for each in found.values() for one in each for package in _packages(one))
    if not packages:
        return ""
    names = [name for name in found if name in absent] or list(packages)
    what = f"{listed(names)} {'is' if len(names) == 1 else 'are'}"
    return f"{what} not installed here: pip install {' '.join(packages)}."


def _range(page: Page, found: Sequence[Compared]) -> str:
    """`1.4 to 6.2 times as many of a page that does nothing`."""
    if not found:
        return ""
    times = sorted(each.times.median for each in found)
    low, high = _digits(times[0]), _digits(times[-1])
    return f"{low if low == high else f'{low} to {high}'} times as many {_PAGES[page]}"


def _notes(at_once: int, rounds: int) -> tuple[str, ...]:
    clients = (
        f"{at_once} clients at once, each of which sends its next request when it has its answer; {rounds} rounds, in "
        f"which all ways of a framework take turns, in a process of their own. {few(at_once)} clients ask a handler "
        "that blocks, once."
    )
    return clients, *_NOTES


# -- rows and figures -------------------------------------------------------------------------------------------


def _rows(framework: Framework, found: Sequence[Tried | Lacking]) -> list[Answers]:
    """In the order of the framework's ways, however they were measured."""
    lacking = {each.way: each.why for each in found if isinstance(each, Lacking)}
    tried = {(each.way, each.page): each for each in _tried(found)}
    rows = []
    for way in framework.ways:
        for page in way.pages:
            each = tried.get((way.name, page))
            rows.append(
                _row(framework.name, each)
                if each is not None
                else Answers(way.name, None, rounds=0, group=framework.name, note=lacking.get(way.name, ""), page=page)
            )
    return rows


def _row(framework: str, tried: Tried) -> Answers:
    rates = spread(tried.rates)
    cpu_ns = spread(tried.cpus_ns).median
    times = (figure_words(value, "ns") for value in (cpu_ns, tried.half_ns, tried.late_ns))
    note = "{}: CPU per answer {}, median {}, 99th percentile {}".format(tried.page, *times)
    known = (rates.median, rates.low, rates.high, rates.rounds, framework, note, None)
    return Answers(tried.way, *known, tried.page, cpu_ns, tried.half_ns, tried.late_ns)


def _figures(name: str, tried: Sequence[Tried], pairs: Sequence[Compared]) -> list[tuple[str, float]]:
    """By name: `Starlette async def hello answers_per_s`."""
    figures = []
    for each in tried:
        key = f"{name} {each.way} {each.page}"
        figures += [
            (f"{key} answers_per_s", spread(each.rates).median),
            (f"{key} cpu_ns", spread(each.cpus_ns).median),
            (f"{key} half_ns", each.half_ns),
            (f"{key} late_ns", each.late_ns),
        ]
    figures += [(f"{name} {each.pair.quick} over {each.pair.plain} {each.page}", each.times.median) for each in pairs]
    return figures
