"""A claim that was tried: what it shows as the value of a cell, and where its functions are found."""

import os
import time
from pathlib import Path

import pytest

import playground.models.claims as claims
from playground.models.claims import Claim, Measured, Picture, away
from playground.models.claims.away import NotTriedError
from playground.views.claims_sheet import in_a_cell

TRIED = Claim(
    "Snails are slow.",
    "holds",
    "A snail took 3 s.",
    {"snail_ns": 3e9},
    [Measured("snail", 3e9, 2e9, 4e9, 9)],
    Picture("bars", "ns", "time for a metre"),
)


def test_it_is_shown_as_text_and_as_a_picture() -> None:
    bundle = TRIED._repr_mimebundle_()
    assert bundle == {"text/plain": str(TRIED), "image/svg+xml": in_a_cell(TRIED.to_svg())}
    assert bundle["text/plain"].startswith("Claim: Snails are slow.\nHere: holds. A snail took 3 s.\n")
    assert bundle["image/svg+xml"].startswith("<svg ")


def test_its_picture_can_be_kept(tmp_path: Path) -> None:
    drawn = TRIED.to_svg(tmp_path / "snail.svg", width=600)
    assert (tmp_path / "snail.svg").read_text(encoding="utf-8") == drawn
    assert 'width="600"' in drawn


def test_its_repr_is_short() -> None:
    assert repr(TRIED) == "<Claim: 'Snails are slow.' holds>"


@pytest.mark.parametrize("name", claims.__all__)
def test_all_that_is_promised_is_there(name: str) -> None:
    assert getattr(claims, name).__name__ == name
    assert name in dir(claims)


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(AttributeError, match=r"^module 'playground\.models\.claims' has no attribute 'snails'$"):
        claims.snails  # noqa: B018


def answer(number: int) -> int:
    if number < 0:
        raise ValueError("below nothing")
    return number * 2


def rest(duration_s: float) -> None:
    time.sleep(duration_s)


def test_what_is_measured_away_comes_back() -> None:
    assert away.away(answer, 21, timeout_s=30.0) == 42


def test_what_raises_away_is_told_in_a_sentence() -> None:
    with pytest.raises(
        NotTriedError, match=r"^What is measured in a child process raised: ValueError: below nothing\.$"
    ):
        away.away(answer, -1, timeout_s=30.0)


def test_what_takes_too_long_away_is_told_in_a_sentence() -> None:
    with pytest.raises(NotTriedError, match=r"^What is measured in a child process was not done after 0\.2 s\.$"):
        away.away(rest, 30.0, timeout_s=0.2)


def test_where_there_are_no_processes_no_claim_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "emscripten")
    tried = [claims.latency_ladder(), claims.async_speed(), claims.long_waits()]
    assert {claim.verdict for claim in tried} == {"not here"}
    why = "expected a system with processes, got emscripten, which has none: choose models that need none"
    assert {claim.sentence for claim in tried} == {f"This cannot be tried here: {why}."}
    assert claims.threads_and_processes().verdict == "not here"


def test_a_process_that_dies_away_is_told_in_a_sentence() -> None:
    with pytest.raises(NotTriedError, match=r"^What is measured in a child process crashed: "):
        away.away(lambda: os._exit(3), timeout_s=30.0)
