"""ASGI in types and in one table: the three callables, and the order in which a response's messages may come.

The table is a state machine. A response is in one `Stage` at a time; the stage says which messages are
legal there, and each of them leads on by its `Turn`. Who runs the app, what the messages carry and who
waits for whom is no business of this module, and it imports nothing of ours, so every room may rest on it.
Names are those of the ASGI 3.0 specification and of its HTTP part, version 2.5.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

__all__ = ["HTTP_RESPONSE", "ASGIApp", "Message", "Receive", "Scope", "Send", "Stage", "Turn"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Turn(NamedTuple):
    """Where a message leads.

    Attributes:
        flag: the key of the message that decides, such as `more_body`; empty if nothing does.
        unset, set: names of the next stage where the flag is false or missing, and where it is true.
    """

    flag: str
    unset: str
    set: str


class Stage(NamedTuple):
    """A point in the life of a response.

    Attributes:
        expects: what the app may send now, in words that complete "expected …".
        advice: what to tell an author whose app sent something else.
        turns: the legal messages by type.
    """

    expects: str
    advice: str
    turns: Mapping[str, Turn]


def _aside(stage: str) -> dict[str, Turn]:
    """The message that may come at any time and changes nothing."""
    return {"http.response.debug": Turn("", stage, stage)}


HTTP_RESPONSE: Mapping[str, Stage] = {
    "start": Stage(
        "`http.response.start`",
        "Send the status and the headers first, then the body.",
        {
            "http.response.start": Turn("trailers", "body", "body, then trailers"),
            "http.response.early_hint": Turn("", "start", "start"),
            **_aside("start"),
        },
    ),
    "body": Stage(
        "`http.response.body`",
        "Send the status and the headers once, then only the body.",
        {"http.response.body": Turn("more_body", "done", "body"), **_aside("body")},
    ),
    "body, then trailers": Stage(
        "`http.response.body`",
        "Send the rest of the body before the trailers.",
        {
            "http.response.body": Turn("more_body", "trailers", "body, then trailers"),
            **_aside("body, then trailers"),
        },
    ),
    "trailers": Stage(
        "`http.response.trailers`",
        "The start message promised trailers; send them after the last of the body.",
        {"http.response.trailers": Turn("more_trailers", "done", "trailers"), **_aside("trailers")},
    ),
    "done": Stage(
        "nothing more",
        "A body message without `more_body=True` ends the response; send nothing after it.",
        {},
    ),
}
"""Every stage of a response to an HTTP request, from "start" to "done"."""
