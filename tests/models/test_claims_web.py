"""The web benchmark's words: what its figures allow one to say.

The judging is held against made-up figures, borderline ones above all; no test looks at how fast anything is.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.models.claims import web_ways
from playground.models.claims.claim import Verdict
from playground.models.claims.web_judged import Word, compared, generally, verdict_of, word, word_of
from playground.models.claims.web_told import Answers, judged
from playground.models.claims.web_ways import FRAMEWORKS, Lacking, Page, Tried
from tests.by_hand import MS


def off(ratio: float, *others: float) -> list[float]:
    """Eleven rounds of which most came to `ratio`."""
    return [ratio] * (11 - len(others)) + list(others)


# -- words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (off(2.0), "faster"),
        (off(1.06), "faster"),
        (off(2.0, 0.5), "faster"),  # one round that was held up
        (off(2.0, 0.5, 0.5), "unsure"),  # two of them
        (off(0.5), "slower"),
        (off(0.94), "slower"),
        (off(0.5, 2.0), "slower"),
        (off(0.5, 2.0, 2.0), "unsure"),
        (off(1.0), "alike"),
        (off(1.05), "alike"),
        (off(1.0, 1.08, 0.93), "alike"),
        (off(1.0, 1.2, 0.8), "alike"),
        (off(1.0, 1.2, 1.2), "unsure"),
        ([2.0] * 5, "unsure"),  # too few rounds for anything
        ([2.0] * 6, "faster"),
    ],
)
def test_a_word_is_said_only_if_the_rounds_agree(times: list[float], said: Word) -> None:
    assert word(times) == said


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30))
def test_the_word_of_the_inverse_is_the_inverse(times: list[float]) -> None:
    swapped: dict[Word, Word] = {"faster": "slower", "slower": "faster", "alike": "alike", "unsure": "unsure"}
    # on a level itself the inverse may come to lie beside it
    away = [each for each in times if all(abs(each / level - 1) > 1e-9 for level in (1.05, 1 / 1.05, 1.1, 1 / 1.1))]
    if away:
        assert word([1 / each for each in away]) == swapped[word(away)]


@pytest.mark.parametrize(
    ("times", "cheaper", "said"),
    [
        (off(2.0), off(2.0), "faster"),
        (off(2.0), off(1.01), "faster"),
        (off(2.0), off(0.9), "unsure"),  # it took more of the processor and was faster: somebody else had it
        (off(2.0), off(1.0), "unsure"),
        (off(0.5), off(0.5), "slower"),
        (off(0.5), off(1.3), "unsure"),  # threads were given more of a busy machine
        (off(1.0), off(1.0), "alike"),
        (off(1.0), off(2.0), "unsure"),
        (off(1.3, 0.7, 0.7), off(2.0), "unsure"),
    ],
)
def test_where_only_computing_takes_time_the_processor_must_bear_it_out(
    times: list[float], cheaper: list[float], said: Word
) -> None:
    assert word_of("hello", times, cheaper) == said


@pytest.mark.parametrize(
    ("times", "cheaper", "said"),
    [
        (off(2.0), off(0.5), "faster"),  # it waits for more at once, whatever it computes
        (off(0.5), off(0.5), "slower"),
        (off(0.5), off(1.0), "unsure"),  # it computes no more: others had the machine
        (off(0.5), off(0.95), "unsure"),
        (off(0.93), off(0.5), "unsure"),  # a tenth is asked of what speaks against the claim
        (off(0.72, 0.51, 1.2), off(0.8, 1.1, 1.1), "unsure"),
        (off(1.0), off(2.0), "alike"),
    ],
)
def test_to_be_slower_takes_more_of_the_processor_on_a_page_that_waits_too(
    times: list[float], cheaper: list[float], said: Word
) -> None:
    assert word_of("io", times, cheaper) == said


@pytest.mark.parametrize("spread", [0.02, 0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("truth", [0.5, 0.9, 1.0, 1.1, 2.0])
def test_a_machine_that_is_busy_hides_the_truth_and_does_not_turn_it_round(truth: float, spread: float) -> None:
    """Each way is held up at random in each round: what is said is true all but one time in fifty, as of a coin.

    Where the processor's time must bear it out, which is held up by other chances, it is true always.
    """
    chance = random.Random(f"{truth} {spread}")

    def rounds() -> list[float]:
        return [truth * chance.lognormvariate(0, spread) / chance.lognormvariate(0, spread) for _ in range(11)]

    said = [(word(times), word_of("hello", times, rounds())) for times in (rounds() for _ in range(2000))]
    assert sum(is_wrong(by_clock, truth) for by_clock, _ in said) <= 2000 / 50
    assert sum(is_wrong(by_both, truth) for _, by_both in said) <= 1


def is_wrong(said: Word, truth: float) -> bool:
    if said == "alike":
        return not 0.9 <= truth <= 1.1
    return (said == "faster" and truth <= 1.0) or (said == "slower" and truth >= 1.0)


@pytest.mark.parametrize("truth", [0.5, 2.0])
def test_a_machine_that_is_idle_shows_it(truth: float) -> None:
    chance = random.Random(1)
    said = {word([truth * chance.lognormvariate(0, 0.1) for _ in range(11)]) for _ in range(200)}
    assert said == {"faster" if truth > 1 else "slower"}


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (["faster", "faster"], "holds"),
        (["alike", "faster"], "holds"),
        (["faster"], "holds"),
        (["faster", "slower"], "does not hold"),
        (["unsure", "slower"], "does not hold"),
        (["alike", "alike"], "does not hold"),
        (["unsure", "faster"], "not here"),
        (["unsure", "alike"], "not here"),
        (["unsure", "unsure"], "not here"),
        ([], "not here"),
    ],
)
def test_a_pair_holds_if_it_is_faster_somewhere_and_slower_nowhere(words: list[Word], verdict: str) -> None:
    assert verdict_of(words) == verdict


@pytest.mark.parametrize("page", ["hello", "io"])
def test_one_busy_minute_gives_no_word_against_the_claim(page: Page) -> None:
    """All rounds alike are slowed down by up to a half by the clock, and by a little more in processor time."""
    chance = random.Random(7)
    for _ in range(500):
        busy, dearer = chance.uniform(0.5, 1.0), chance.uniform(0.92, 1.0)
        times = [busy * chance.lognormvariate(0, 0.2) for _ in range(9)]
        cheaper = [dearer * chance.lognormvariate(0, 0.02) for _ in range(9)]
        assert word_of(page, times, cheaper) != "slower"


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (["holds"], "holds"),
        (["holds", "holds", "does not hold"], "holds"),
        (["holds", "holds", "not here"], "holds"),
        (["holds", "does not hold"], "does not hold"),
        (["holds", "not here"], "not here"),
        (["does not hold", "not here", "not here"], "not here"),
        ([], "not here"),
    ],
)
def test_generally_is_with_more_than_half_of_them(verdicts: list[Verdict], said: str) -> None:
    assert generally(verdicts) == said


# -- the claim ----------------------------------------------------------------------------------------------------


def tried(way: str, page: Page, rates: Sequence[float], cpu_ns: float = 10_000.0) -> Tried:
    return Tried(way, page, tuple(rates), (cpu_ns,) * len(rates), tuple(range(MS, 101 * MS, MS)))


def both(quick: str, plain: str, hello: float, io: float) -> list[Tried]:
    """Two ways, of which the first answers so many times as much, for as much less of the processor."""
    return [
        tried(quick, "hello", off(1000 * hello), 10_000 / hello),
        tried(quick, "io", off(100 * io)),
        tried(plain, "hello", off(1000)),
        tried(plain, "io", off(100)),
    ]


PLAIN = "def on 40 threads"
STARLETTE = both("async def", PLAIN, 5.0, 2.0)


def test_it_holds_if_it_holds_with_all() -> None:
    claim = judged({"Starlette": STARLETTE, "FastAPI": both("async def", PLAIN, 2.5, 1.5)}, 80, 11)
    assert claim.verdict == "holds"
    assert claim.verdicts == {"Starlette": "holds", "FastAPI": "holds"}
    assert claim.sentence == (
        "With Starlette and FastAPI, async answers 2.5 to 5 times as many requests of a page that does nothing and "
        "1.5 to 2 times as many of one that waits for 20 ms."
    )
    assert claim.sentences["Starlette"] == (
        "Compared with def on 40 threads, async def answers 5 times as many requests of a page that does nothing, and "
        "2 times as many of one that waits for 20 ms."
    )
    assert claim.figures["Starlette async def over def on 40 threads hello"] == 5.0
    assert claim.figures["Starlette async def io answers_per_s"] == 200.0
    assert claim.figures["Starlette async def hello cpu_ns"] == 2000.0


def test_one_that_is_slower_is_enough_and_is_named() -> None:
    django = [
        *both("ASGI async def", "ASGI def", 1.5, 1.5),
        tried("WSGI on 40 threads", "hello", [12_000] * 3 + [15_000] * 5 + [20_000] * 3, 1000.0),
        tried("WSGI on 40 threads", "io", off(300)),
    ]
    claim = judged({"Starlette": STARLETTE, "Django": django}, 80, 11)
    assert claim.verdict == "does not hold"
    assert claim.verdicts == {"Starlette": "holds", "Django": "does not hold"}
    assert claim.sentence == (
        "With Starlette, async answers 5 times as many requests of a page that does nothing and 2 times as many of one "
        "that waits for 20 ms. With Django, ASGI async def answers only 0.1 times as many requests of a page that does "
        "nothing (0.087 to 0.11), compared with WSGI on 40 threads."
    )


def test_what_cannot_be_told_is_said_to_be() -> None:
    unsteady = [
        replace(each, rates=(500.0, 50.0) * 5 + (500.0,)) if (each.way, each.page) == (PLAIN, "io") else each
        for each in STARLETTE
    ]
    claim = judged({"Starlette": unsteady}, 80, 11)
    assert claim.verdict == "not here"
    assert claim.sentence == (
        "With Starlette it cannot be told here. The ways are too near each other, or the rounds too far apart, as on a "
        "machine that is busy."
    )
    assert claim.sentences["Starlette"].endswith(
        ", and perhaps 0.4 times as many of one that waits for 20 ms (0.4 to 4)."
    )


def test_no_faster_is_said_as_such() -> None:
    claim = judged({"Starlette": both("async def", PLAIN, 1.03, 1.0)}, 80, 11)
    assert claim.verdict == "does not hold"
    assert claim.sentence == (
        "With Starlette, async def answers no more, 1 times as many of one that waits for 20 ms, compared with def on "
        "40 threads."
    )


@pytest.mark.parametrize("times", [0.2, 1.0, 5.0])
def test_the_same_code_on_another_server_model_is_no_part_of_the_verdict(times: float) -> None:
    flask = both("WSGI on gevent", "WSGI on 40 threads", times, times)
    alone = judged({"Flask": flask}, 80, 11)
    assert (alone.verdict, alone.sentence) == ("not here", "No async methods could be compared here.")
    assert alone.sentences["Flask"].endswith(
        "The same plain functions twice, on another server model each: WSGI on gevent has a green thread for each "
        "request, and is no async method. That says nothing of the claim."
    )
    with_others = judged({"Starlette": STARLETTE, "Flask": flask}, 80, 11)
    assert (with_others.verdict, with_others.verdicts["Flask"]) == ("holds", "not here")
    assert with_others.beside == {"Flask"}
    assert "Flask" not in with_others.sentence


def test_too_few_rounds_are_not_laid_to_the_machine() -> None:
    three = [replace(each, rates=each.rates[:3], cpus_ns=each.cpus_ns[:3]) for each in STARLETTE]
    assert judged({"Starlette": three}, 80, 3).sentence == (
        "With Starlette it cannot be told here. To tell, it takes at least 6 rounds, and there were 3."
    )


def test_what_is_not_installed_has_a_row_that_says_so_and_no_part_in_the_verdict() -> None:
    lacking = [Lacking.not_installed(way.name, ["quart"]) for way in FRAMEWORKS["Quart"].ways]
    claim = judged({"Starlette": STARLETTE, "Quart": lacking}, 80, 11)
    assert claim.verdict == "holds"
    assert claim.verdicts["Quart"] == "not here"
    assert {row.note for row in claim.rows if row.group == "Quart"} == {"not installed: pip install quart"}
    assert {row.median for row in claim.rows if row.group == "Quart"} == {None}
    assert claim.sentences["Quart"] == "Not installed: pip install quart."
    assert claim.absent == {"Quart"}
    assert claim.sentence.endswith(" Quart is not installed here: pip install quart.")


def test_one_way_that_lacks_something_is_named() -> None:
    found = [each for each in both("WSGI on gevent", "WSGI on 40 threads", 1.0, 2.0) if "gevent" not in each.way]
    claim = judged({"Flask": [*found, Lacking.not_installed("WSGI on gevent", ["gevent"])]}, 80, 11)
    assert claim.sentences["Flask"] == "WSGI on gevent: not installed: pip install gevent."
    assert claim.verdict == "not here"
    assert claim.sentence == (
        "No async methods could be compared here. gevent is not installed here: pip install gevent."
    )
    assert claim.figures["Flask WSGI on 40 threads io answers_per_s"] == 100.0


def test_a_framework_that_lacks_a_side_has_no_part_in_the_verdict() -> None:
    found = {"Starlette": STARLETTE, "Flask": both("WSGI on gevent", "WSGI on 40 threads", 1.0, 2.0)[2:]}
    claim = judged(found, 80, 11)
    assert claim.verdict == "holds"
    assert "Flask" not in claim.sentence


def test_nothing_measured_is_nothing_said() -> None:
    claim = judged({"Quart": [Lacking("async def", "not measured here: its process crashed")]}, 80, 11)
    assert (claim.verdict, claim.sentence) == ("not here", "No async methods could be compared here.")


def test_rows_stand_in_the_order_of_the_ways_with_their_figures() -> None:
    claim = judged({"Starlette": list(reversed(STARLETTE))}, 80, 11)
    assert [(row.name, row.page) for row in claim.rows] == [
        ("async def", "hello"),
        ("async def", "io"),
        (PLAIN, "hello"),
        (PLAIN, "io"),
        ("async def, blocking", "io"),
    ]
    first = claim.rows[0]
    assert isinstance(first, Answers)
    assert (first.median, first.cpu_ns, first.half_ns, first.late_ns) == (5000.0, 2000.0, 50.5 * MS, 99.01 * MS)


@pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=FRAMEWORKS)
def test_what_is_compared_are_ways_of_the_framework(framework: web_ways.Framework) -> None:
    ways = {way.name: way for way in framework.ways}
    assert len(ways) == len(framework.ways)
    for pair in framework.pairs:
        assert ways[pair.quick].pages == ways[pair.plain].pages == ("hello", "io")
    assert all(way.pages == ("io",) and "blocking" in way.name for way in framework.ways if way.blocks)


def test_compared_are_only_pages_that_both_have() -> None:
    assert [each.page for each in compared(FRAMEWORKS["Starlette"], STARLETTE[1:])] == ["io"]
