"""What an app says on a websocket: its messages checked, and kept until the client takes them.

A `Dialogue` is to a websocket what a `Reply` is to a request: it decides whether a message may come now, by
the table below, and whether it is well formed. Names are those of the ASGI specification's websocket part,
version 2.5. It waits for nothing and runs no app.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

from playground.asgi import Message, Stage, Turn
from playground.errors import ConnectionClosed, ConnectionDenied, ProtocolError
from playground.transport._fields import fault_of_subprotocols, fields_of
from playground.transport._words import show
from playground.transport.reply import Header, Reply

__all__ = ["WEBSOCKET", "Dialogue", "is_utf8", "size_of"]


def _to(stage: str) -> Turn:
    return Turn("", stage, stage)


WEBSOCKET: Mapping[str, Stage] = {
    "connecting": Stage(
        "`websocket.accept`, `websocket.close` or `websocket.http.response.start`",
        "Accept the connection, or refuse it, before anything else.",
        {
            "websocket.accept": _to("open"),
            "websocket.close": _to("closed"),
            "websocket.http.response.start": _to("denying"),
        },
    ),
    "open": Stage(
        "`websocket.send` or `websocket.close`",
        "A connection is accepted once; after that send, and close it at the end.",
        {"websocket.send": _to("open"), "websocket.close": _to("closed")},
    ),
    "denying": Stage(
        "`websocket.http.response.body`",
        "A response in place of a connection has a start and a body, and nothing else.",
        {"websocket.http.response.body": Turn("more_body", "closed", "denying")},
    ),
    "closed": Stage("nothing more", "The connection is closed; send nothing after that.", {}),
}
"""Every stage of an app's side of a websocket."""

MOST_CODE = 0xFFFF
"""The largest close code that fits into its two bytes (RFC 6455, section 5.5.1)."""

OVERHEAD_BYTES = 64
"""What a message counts for besides its data, so that messages of nothing fill a buffer too."""


class Dialogue:
    """One websocket, as the app speaks.

    Attributes:
        label: how messages begin.
        stage: where the app's side stands in `WEBSOCKET`.
        subprotocol, headers: what the app accepted with; `None` and empty before that.
        accepted: whether it has accepted.
        buffered: how much lies here that the client has not taken, as `size_of` counts.
    """

    __slots__ = ("_close", "_denial", "_queue", "accepted", "buffered", "headers", "label", "stage", "subprotocol")

    def __init__(self, label: str) -> None:
        self.label = label
        self.stage = WEBSOCKET["connecting"]
        self.subprotocol: str | None = None
        self.headers: list[Header] = []
        self.accepted = False
        self.buffered = 0
        self._queue: deque[Message] = deque()
        self._close: Message | None = None
        self._denial = Reply(label, "GET")

    @property
    def closed(self) -> bool:
        """Whether the app has closed the connection, or refused it."""
        return not self.stage.turns

    @property
    def close_code(self) -> int:
        """The app's close code; 1006 if it refused the connection without one."""
        return 1006 if self._close is None else int(self._close.get("code") or 1000)

    def take(self, message: Message) -> None:
        """Check one message of the app and keep what it says.

        Raises:
            ProtocolError: it may not come now, or it is malformed; nothing of it was kept.
        """
        kind = message.get("type") if isinstance(message, dict) else None
        turn = self.stage.turns.get(str(kind))
        if turn is None:
            came = f"sent `{kind}`" if isinstance(kind, str) else "sent what is no message, a dict with a `type`"
            raise self._refusal(f"expected {self.stage.expects}, but the app {came}", self.stage.advice)
        if kind == "websocket.send":
            self._queue.append(self._checked(message))
            self.buffered += size_of(message)
        elif kind == "websocket.close":
            self._close = self._checked_close(message)
        elif kind == "websocket.accept":
            self.headers, self.subprotocol = fields_of(kind, message, self._refusal), self._subprotocol(message)
            self.accepted = True
        else:
            self._denial.take({**message, "type": str(kind).removeprefix("websocket.")})
        self.stage = WEBSOCKET[turn.set if message.get(turn.flag) else turn.unset]

    def pop(self) -> Message | None:
        """Hand over the next message, or `None` if there is none now."""
        if not self._queue:
            return None
        message = self._queue.popleft()
        self.buffered -= size_of(message)
        return message

    def ending(self) -> ConnectionClosed:
        """Say how the app has closed the connection, or refused it."""
        if self._close is None:
            answer = self._denial.answer()
            return ConnectionDenied(
                f"{self.label}: expected the app to accept the connection, but it answered {answer.status}.",
                answer.status,
                answer.headers,
                answer.body,
            )
        code, reason = self.close_code, str(self._close.get("reason") or "")
        words = f"with code {code}" + (f" ({reason})" if reason else "")
        if not self.accepted:
            text = f"{self.label}: expected the app to accept the connection, but it closed it {words}."
        else:
            text = f"{self.label}: expected a message, but the app has closed the connection {words}."
        return ConnectionClosed(text, code, reason)

    def left_early(self) -> Exception:
        """Say how a connection ended whose app returned without closing it."""
        if self.accepted:
            return ConnectionClosed(
                f"{self.label}: expected a message, but the app has returned, which closes the connection.", 1000
            )
        return self._refusal(
            f"expected {self.stage.expects}, but the app returned without sending it", self.stage.advice
        )

    def _subprotocol(self, message: Message) -> str | None:
        chosen = message.get("subprotocol")
        if chosen is None or chosen == "":  # which some servers take for none
            return None
        if isinstance(chosen, str) and fault_of_subprotocols([chosen]) is None:
            return chosen
        raise self._refusal(
            f"expected a `subprotocol` that is a token, or none, but `websocket.accept` holds {show(chosen)}",
            'Choose one of scope["subprotocols"].',
        )

    def _checked_close(self, message: Message) -> Message:
        code, reason = message.get("code", 1000), message.get("reason")
        if code is not None and not (isinstance(code, int) and 0 <= code <= MOST_CODE):
            raise self._refusal(
                f"expected a `code` of two bytes, an int, but `websocket.close` holds {show(code)}",
                "Send 1000, or one from 3000 to 4999 of your own.",
            )
        if not (reason is None or isinstance(reason, str)):
            raise self._refusal(
                f"expected a `reason` of str, but `websocket.close` holds {show(reason)}", "Send text, or none."
            )
        return message

    def _refusal(self, what: str, advice: str) -> ProtocolError:
        return ProtocolError(f"{self.label}: {what}. {advice}")

    def _checked(self, message: Message) -> Message:
        text, data = message.get("text"), message.get("bytes")
        if isinstance(text, str) and data is None:
            if not is_utf8(text):
                raise self._refusal(
                    "expected `text` that is UTF-8 on the wire, but `websocket.send` holds half of a surrogate pair",
                    "Send what came as bytes as bytes, or decode it with errors='replace'.",
                )
            return message
        if text is None and isinstance(data, bytes | bytearray | memoryview):
            return {**message, "bytes": bytes(data)}
        raise self._refusal(
            "expected `text` of str or `bytes` of bytes, and one of the two, but `websocket.send` holds "
            f"{_kind(text)} and {_kind(data)}",
            "Send text, or bytes.",
        )


def size_of(message: Message) -> int:
    """How much a message with `text` or `bytes` counts for in a buffer, in characters or bytes."""
    data: Any = message.get("text") or message.get("bytes") or ""
    return len(data) + OVERHEAD_BYTES


def is_utf8(text: str) -> bool:
    """Whether a text can be sent: one with half of a surrogate pair, as in a path that was no UTF-8, cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
