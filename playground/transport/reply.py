"""What an app has answered: its messages checked, and its body kept until the client takes it.

A `Reply` decides whether a message may come now (by the table in `playground.asgi`), whether it is well
formed, and whether the body has the length that the headers promise. Every refusal is a `ProtocolError`
that names what was expected and what came. It waits for nothing, wakes nobody and runs no app: it is
plain calls on plain data, and the exchange decides who waits.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from playground.asgi import HTTP_RESPONSE, Message
from playground.errors import ProtocolError
from playground.transport._fields import fields_of
from playground.transport._words import count_of_bytes, show

__all__ = ["Answer", "Header", "Reply"]

Header = tuple[bytes, bytes]

BODILESS = frozenset({204, 304})
"""Statuses whose responses have no body (RFC 9110, sections 15.3.5 and 15.4.5)."""

MOST_DIGITS = 18
"""Of a `content-length`: more bytes than any disk holds, and no more digits than Python reads at once."""

OWED = {
    "start": "Send a response in every branch of the app.",
    "body": "Send a last body message, one without `more_body=True`.",
    "trailers": "The start message promised them; send them, or promise none.",
}
"""What to do about an app that returned too early, by the message that it owed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response.

    Attributes:
        status: the status.
        headers, trailers: pairs of bytes, as the app sent them.
        body: the body.
        early_hints: the `Link` values that came before it.
        debug: the `info` of each `http.response.debug` message.
    """

    status: int
    headers: list[Header]
    body: bytes
    trailers: list[Header]
    early_hints: list[bytes]
    debug: list[Any]


class Reply:
    """One response, as it arrives.

    Attributes:
        label: method and path, for messages to people.
        status: the status, or `None` before the start message.
        headers: pairs of bytes as the app sent them, without `transfer-encoding`, which is the server's.
        trailers: the pairs that came after the body.
        early_hints: the `Link` values that came before the response.
        debug: the `info` of each `http.response.debug` message.
        complete: whether the app has sent all that it owes.
        encoded: whether the headers name a `content-encoding`.
        buffered: bytes of the body that nobody has taken yet.
        size: bytes of the body so far.
        stage: where the response stands in `playground.asgi.HTTP_RESPONSE`.
    """

    __slots__ = (
        "_chunks",
        "_extensions",
        "_head",
        "_missing",
        "buffered",
        "complete",
        "debug",
        "early_hints",
        "encoded",
        "headers",
        "label",
        "size",
        "stage",
        "status",
        "trailers",
    )

    least_status = 200  # the smallest of a final response
    without_body = BODILESS
    checks_fields = True  # whether a header that no server sends is refused

    def __init__(self, label: str, method: str, extensions: Iterable[str] = ()) -> None:
        self.label = label
        self.status: int | None = None
        self.headers: list[Header] = []
        self.trailers: list[Header] = []
        self.early_hints: list[bytes] = []
        self.debug: list[Any] = []
        self.buffered = 0
        self.size = 0
        self.complete = False
        self.encoded = False
        self._chunks: deque[bytes] = deque()
        self._extensions = extensions
        self._head = method == "HEAD"
        self._missing: int | None = None  # bytes that content-length promises and that have not come
        self.stage = HTTP_RESPONSE["start"]

    @property
    def bodiless(self) -> bool:
        """Whether the response has begun and is one that never has a body."""
        return self.status is not None and (self._head or self.status in BODILESS)

    def take(self, message: Message) -> bool:
        """Check one message of the app and keep what it says.

        Returns:
            Whether it brings the client anything new.

        Raises:
            ProtocolError: it may not come now, or it is malformed; nothing of it was kept.
        """
        try:
            kind = message["type"]
            turn = self.stage.turns[kind]
        except (TypeError, KeyError):
            raise self.out_of_turn(self._kind(message)) from None
        size = self.size
        if kind == "http.response.body":
            self._take_body(message)
        elif kind == "http.response.start":
            self._take_start(message)
        else:
            self._take_extra(kind, message)
        before, name = self.stage, turn.set if message.get(turn.flag) else turn.unset
        self.stage = HTTP_RESPONSE[name]
        self.complete = name == "done"
        return self.stage is not before or self.size != size

    def answer(self) -> Answer:
        """Hand over all of a complete response.

        Raises:
            ProtocolError: it is not complete.
        """
        if self.status is None or not self.complete:
            raise self.left_early()
        return Answer(self.status, self.headers, self.pop_all(), self.trailers, self.early_hints, self.debug)

    def pop(self) -> bytes | None:
        """Hand over the next piece of the body, as the app cut it; `None` if there is none now."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self.buffered -= len(chunk)
        return chunk

    def pop_all(self) -> bytes:
        """Hand over what there is of the body in one piece."""
        body = self._chunks.popleft() if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self.buffered = 0
        return body

    def left_early(self) -> ProtocolError:
        """Say what an app still owed when it returned."""
        sent = "without sending one" if self.status is None else f"after {count_of_bytes(self.size)} of body"
        owed = self.stage.expects.strip("`").rpartition(".")[2]
        last = f" with `more_{owed}=False`" if owed != "start" else ""
        return self._refusal(f"expected {self.stage.expects}{last}, but the app returned {sent}", OWED[owed])

    def out_of_turn(self, kind: str) -> ProtocolError:
        """Say what the app should have sent in place of a message of this kind."""
        return self._refusal(f"expected {self.stage.expects}, but the app sent `{kind}`", self.stage.advice)

    def awaits_reader(self, message: Message) -> bool:
        """Whether a message is one of the body, in its place, which can wait until the client reads."""
        body = "http.response.body"
        return body in self.stage.turns and isinstance(message, dict) and message.get("type") == body

    def app_returned(self) -> None:
        """Note that the app has returned. What it owed, it owes still."""

    def _refusal(self, what: str, advice: str) -> ProtocolError:
        return ProtocolError(f"{self.label}: {what}. {advice}")

    def _kind(self, message: Message) -> str:
        try:
            kind = message["type"]
        except (TypeError, KeyError):
            kind = None
        if not isinstance(kind, str):
            raise self._refusal(
                f"expected a message, a dict with a `type`, but the app sent a {type(message).__name__}"
                + (" without one" if isinstance(message, dict) else ""),
                f"Send {self.stage.expects}.",
            )
        return kind

    def _take_start(self, message: Message) -> None:
        status = message.get("status")
        if not isinstance(status, int) or not self.least_status <= status <= 999:
            raise self._refusal(
                f"expected a `status` from 200 to 999, an int, but `http.response.start` holds {show(status)}",
                "A response has one final status; informational ones are the server's.",
            )
        if message.get("trailers"):
            self._must_be_offered("http.response.trailers")
        headers = self._pairs("http.response.start", message)
        lengths: list[bytes] = []
        for name, value in headers:
            length = len(name)  # to look closely at few
            if length == 14 and name.lower() == b"content-length":
                lengths.append(value)
            elif length == 16 and name.lower() == b"content-encoding":
                self.encoded = True
            elif length == 17 and name.lower() == b"transfer-encoding":
                headers = self._passed_on(headers)
        if lengths:
            self._missing = self._promised(lengths, status)
        self.headers = headers
        self.status = int(status)

    def _passed_on(self, headers: list[Header]) -> list[Header]:
        return [pair for pair in headers if pair[0].lower() != b"transfer-encoding"]

    def _pairs(self, kind: str, message: Message) -> list[Header]:
        return fields_of(kind, message, self._refusal, self.checks_fields)

    def _promised(self, values: list[bytes], status: int) -> int | None:
        """Read `content-length`: how much body is to come, or `None` for a response that has none in any case."""
        value, *others = values
        if (other := next((other for other in others if other != value), None)) is not None:
            raise self._refusal(
                f"expected one `content-length`, but `http.response.start` holds {show(value)} and {show(other)}",
                "Send the number of bytes of the body, or leave the header out.",
            )
        if not value.isdigit() or len(value) > MOST_DIGITS:
            digits = f"at most {MOST_DIGITS} digits" if value.isdigit() else "digits"
            raise self._refusal(
                f"expected a `content-length` in {digits}, but `http.response.start` holds {show(value)}",
                "Send the number of bytes of the body, or leave the header out.",
            )
        return None if self._head or status == 304 else int(value)

    def _take_body(self, message: Message) -> None:
        data = message.get("body", b"")
        if type(data) is not bytes:
            data = self._bytes(data)
        if self._head:
            data = b""  # the answer to HEAD is the answer to GET without its body
        elif data and self.status in self.without_body:
            raise self._refusal(
                f"expected no body, as the status is {self.status}, but the app sent "
                f"{count_of_bytes(len(data))} of one",
                "Send an empty body, or a status that has one.",
            )
        if self._missing is not None:
            self._missing = self._still_missing(self._missing, len(data), bool(message.get("more_body")))
        if data:
            self._chunks.append(data)
            self.buffered += len(data)
            self.size += len(data)

    def _bytes(self, data: object) -> bytes:
        if isinstance(data, bytes | bytearray | memoryview):
            return bytes(data)
        raise self._refusal(
            f"expected a `body` of bytes, but `http.response.body` holds {show(data)}",
            "Encode text before sending it.",
        )

    def _still_missing(self, missing: int, length: int, more: bool) -> int:
        """Count `length` bytes off what `content-length` promised."""
        promised, sent = self.size + missing, self.size + length
        if length > missing or (length < missing and not more):
            raise self._refusal(
                f"expected {count_of_bytes(promised)} of body, as `content-length` says, but the app sent "
                f"{'at least ' if more else ''}{sent}",
                "Send the header that fits the body, or leave it out.",
            )
        return missing - length

    def _take_extra(self, kind: str, message: Message) -> None:
        self._must_be_offered(kind)
        if kind == "http.response.trailers":
            self.trailers += self._pairs(kind, message)
        elif kind == "http.response.early_hint":
            self.early_hints += self._links(message.get("links") or ())
        else:
            self.debug.append(message.get("info"))

    def _links(self, links: Any) -> list[bytes]:
        found = list(links) if isinstance(links, Iterable) else [links]
        if strange := [link for link in found if type(link) is not bytes]:
            raise self._refusal(
                f"expected `links` of bytes, but `http.response.early_hint` holds {show(strange[0])}",
                "Send a list of the values of `Link` headers.",
            )
        return found

    def _must_be_offered(self, extension: str) -> None:
        if extension not in self._extensions:
            raise self._refusal(
                f"expected no extension that the scope does not offer, but the app used `{extension}`",
                'Look for it in scope["extensions"] before using it.',
            )
