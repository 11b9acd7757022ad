"""Plain def handlers are run in threads: what two witnesses must agree on, and what a lab sees of three frameworks."""

import sys
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import pytest

from playground.errors import ModelError
from playground.models.apart import run_apart
from playground.models.claims import handlers
from playground.models.claims.handlers import handlers_in_threads, judged
from playground.models.claims.handlers_seen import KINDS, MAKERS, Seen, observe
from playground.trace import Trace, store
from playground.views.claims_svg import svg as claim_svg
from playground.views.claims_timeline import svg, text


def seen(kind: str, handed: int, on_loop: int, *costs_ns: int, framework: str = "Starlette") -> Seen:
    return Seen(framework, kind, 6, handed, min(handed, 3), on_loop, costs_ns)


GOOD = [seen("async def", 0, 6), seen("def", 6, 0, 100_000, 200_000, 300_000)]


def test_it_holds_if_all_ran_where_they_belong() -> None:
    claim = judged({"Starlette": GOOD})
    assert claim.verdict == "holds"
    assert claim.sentence == (
        "With Starlette, all 6 def handlers ran in worker threads, and all 6 async def handlers in the thread of the "
        "loop. Handing over and back took 200 µs (150 to 250 µs)."
    )
    assert claim.figures == {
        "Starlette async def handed": 0,
        "Starlette def handed": 6,
        "Starlette async def on_loop": 6,
        "Starlette def on_loop": 0,
        "handoff_ns": 200_000,
    }
    assert [(row.group, row.name, row.median, row.note) for row in claim.rows] == [
        ("Starlette", "async def", 0, "of 6: on the loop"),
        ("Starlette", "def", 6, "of 6, in 3 threads"),
    ]


@pytest.mark.parametrize(
    ("found", "verdict", "sentence"),
    [
        (
            [seen("async def", 0, 6), seen("def", 0, 6)],
            "does not hold",
            "With Starlette, 0 of 6 def handlers ran in a worker thread.",
        ),
        (
            [seen("async def", 1, 5), seen("def", 5, 1)],
            "does not hold",
            (
                "With Starlette, 1 of 6 async def handlers ran in a worker thread. "
                "With Starlette, 5 of 6 def handlers ran in a worker thread."
            ),
        ),
        # what the recording saw handed over, the handler saw on the loop; and one that nobody saw
        ([seen("async def", 0, 6), seen("def", 6, 1)], "not here", "The two witnesses do not agree on Starlette."),
        ([seen("async def", 0, 6), seen("def", 5, 0)], "not here", "The two witnesses do not agree on Starlette."),
        ([], "not here", "No framework could be tried here."),
    ],
)
def test_what_was_seen_otherwise_is_said(found: Sequence[Seen], verdict: str, sentence: str) -> None:
    claim = judged({"Starlette": found})
    assert (claim.verdict, claim.sentence) == (verdict, sentence)


def test_what_is_not_installed_is_told_and_has_no_part_in_the_verdict() -> None:
    claim = judged({"Starlette": GOOD, "FastAPI": "not installed: pip install fastapi"})
    assert claim.verdict == "holds"
    (missing,) = (row for row in claim.rows if row.group == "FastAPI")
    assert (missing.median, missing.note) == (None, "not installed: pip install fastapi")


@pytest.mark.parametrize("framework", MAKERS)
def test_a_lab_sees_both_kinds_of_each_framework(framework: str) -> None:
    apart = run_apart(observe, framework, 4)
    assert (apart.ending, apart.error) == ("returned", None)
    found, recording = apart.result
    assert [(each.kind, each.requests, each.handed, each.on_loop) for each in found] == [
        (KINDS[0], 4, 0, 4),
        (KINDS[1], 4, 4, 0),
    ]
    assert [len(each.costs_ns) for each in found] == [0, 4]
    assert all(cost > 0 for cost in found[1].costs_ns)
    assert 1 <= found[1].threads <= 4
    trace = store.restore(Trace, recording)
    assert [request.path for request in trace.requests] == ["/def", "/async"] * 4
    assert {call.function for call in trace.handoffs} == {"in_thread"}


@pytest.fixture(scope="module")
def claim() -> handlers.HandlersClaim:
    before = set(sys.modules)
    tried = handlers_in_threads(3)
    assert {each for each in set(sys.modules) - before if each.split(".")[0] in ("fastapi", "starlette")} == set()
    return tried


@pytest.mark.slow
def test_it_holds_with_the_frameworks_that_are_locked(claim: handlers.HandlersClaim) -> None:
    assert claim.verdict == "holds"
    assert claim.sentence.startswith(
        "With playground, Starlette and FastAPI, all 9 def handlers ran in worker threads, and all 9 async def "
        "handlers in the thread of the loop."
    )


def test_the_timeline_of_a_run_is_part_of_the_picture_and_of_the_text(claim: handlers.HandlersClaim) -> None:
    assert claim.trace is not None
    assert claim.trace.title == "Handlers of playground"
    drawn = ElementTree.fromstring(claim.to_svg(width=700))
    words = "".join(drawn.itertext())
    for told in (claim.statement, "✓ holds", "Handlers of playground", "worker-0"):
        assert told in words
    _, _, wide, high = (int(number) for number in drawn.get("viewBox", "").split())
    assert (drawn.get("width"), drawn.get("height")) == (str(wide), str(high)) == ("700", str(high))
    (below,) = drawn.findall("{http://www.w3.org/2000/svg}g")
    assert high == int(below.get("transform", "")[len("translate(0 ") : -1]) + int(below[0].get("height", ""))
    assert str(claim).endswith(str(claim.trace).rstrip().splitlines()[-1])


def test_without_a_recording_it_is_a_claim_like_any_other() -> None:
    claim = judged({"Starlette": GOOD})
    assert svg(claim, None, width=600) == claim_svg(claim, width=600)
    assert "Handlers of" not in text(claim, None)


def test_a_child_that_fails_and_a_place_without_processes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(function: Any, *given: Any, **more: Any) -> Any:
        if given[0] == "playground":
            raise ModelError("no processes here")
        return run_apart(fail, **more)

    monkeypatch.setattr(handlers, "run_apart", away)
    claim = handlers_in_threads()
    assert [(row.group, row.note) for row in claim.rows] == [
        ("playground", "not measured here: no processes here"),
        ("Starlette", "not measured here: its process raised, ZeroDivisionError: mine"),
        ("FastAPI", "not measured here: its process raised, ZeroDivisionError: mine"),
    ]
    assert (claim.verdict, claim.trace) == ("not here", None)


def fail() -> None:
    raise ZeroDivisionError("mine")


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "find_spec", lambda name: None)
    monkeypatch.setattr(handlers, "run_apart", lambda *given, **more: pytest.fail("tried") if given[1] else None)
    monkeypatch.setitem(MAKERS, "playground", ("nowhere", MAKERS["playground"][1]))
    assert [row.note for row in handlers_in_threads().rows] == [
        *("not installed: pip install nowhere", "not installed: pip install starlette"),
        "not installed: pip install fastapi",
    ]


def test_no_requests_are_refused_in_words() -> None:
    with pytest.raises(
        ModelError, match=r"^expected requests to be a whole number, 1 or more, got 0: write requests=6$"
    ):
        handlers_in_threads(0)
