"""What is said of an app that returns without an answer, and when nothing is."""

from typing import Any

import pytest

from playground import Lab
from playground.trace import Message, Request, Trace
from playground.views.diagnosis import diagnose


def one(method: str = "GET", **fields: Any) -> Trace:
    given = {"end_ns": 5, "messages": (), "error": None, **fields}
    return Trace(
        requests=[Request(0, method, "/a", route=None, status=None, start_ns=0, task=None, handoffs=(), **given)]
    )


async def silent(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise RuntimeError("it has none")
    await receive()


def test_a_burst_against_an_app_that_never_answers_says_why_all_failed() -> None:
    with Lab(silent, clock="virtual") as lab:
        (finding,) = lab.burst("/a", n=3).diagnosis
    assert str(finding) == (
        "All 3 requests ended without an answer. `GET /a` returned and had sent nothing. "
        "Send a response in every branch of the app."
    )
    assert (finding.rule, finding.severity) == ("no-answer", "bad")
    assert finding.evidence == (("requests", 0), ("requests", 1), ("requests", 2))


def test_of_a_websocket_it_says_what_a_websocket_answers() -> None:
    (finding,) = diagnose(one("WEBSOCKET", messages=(Message("receive", "websocket.connect", 1, ""),)))
    assert str(finding) == (
        "The request ended without an answer. `WEBSOCKET /a` returned and had sent nothing. "
        "Accept the session, or close it, in every branch of the app."
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"end_ns": None},
        {"error": "CancelledError"},
        {"messages": (Message("receive", "http.disconnect", 1, ""),)},
        {"messages": (Message("receive", "websocket.disconnect", 1, "code 1006"),)},
        {"messages": (Message("send", "websocket.close", 1, ""),)},
    ],
    ids=["goes on", "was cancelled", "client left", "session left", "refused"],
)
def test_who_need_not_answer_any_more_or_has_answered_is_not_told(fields: dict[str, Any]) -> None:
    assert diagnose(one(**fields)) == []
