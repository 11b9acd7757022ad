"""A response as Starlette's test client takes it: checked for its order, and forgiven the rest.

A `LenientReply` refuses what Starlette's client refuses, in Starlette's words followed by ours. What a
server would refuse and that client lets pass, it lets pass too: messages of unknown types, a body that is
not as long as `content-length` says, one where the status has none, and one, or trailers, that never end; and
headers that no server sends.
"""

from playground.asgi import HTTP_RESPONSE, Message
from playground.errors import ProtocolError
from playground.transport.reply import Header, Reply

__all__ = ["LenientReply"]

KNOWN = frozenset(
    {"http.response.start", "http.response.body", "http.response.trailers", "http.response.debug"}
)  # the messages of HTTP and of the two extensions that Starlette's client offers

WRONG = {
    ("start", "http.response.body"): 'without "http.response.start"',
    ("start", "http.response.trailers"): "without declaring trailers",
    ("body", "http.response.trailers"): "without declaring trailers",
    ("body, then trailers", "http.response.trailers"): "before body completed",
    ("trailers", "http.response.body"): "after body completed",
}
"""What is wrong with a message, by the stage of the response and the type; as Starlette's client words it."""


class OutOfTurn(ProtocolError, AssertionError):
    """A message out of order. Starlette's client asserts here, so it is an `AssertionError` too."""


class LenientReply(Reply):
    """One response, as it arrives; see `Reply`."""

    __slots__ = ("has_trailers",)

    least_status = 100
    without_body = frozenset[int]()
    checks_fields = False

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]  # the arguments are those of `Reply`
        self.has_trailers = False

    @property
    def bodiless(self) -> bool:
        """Never: the client reads until the app is done, whatever the status."""
        return False

    def take(self, message: Message) -> bool:
        """Check one message as `Reply.take` does, or ignore it if its type is unknown."""
        if self._kind(message) not in KNOWN:
            return False
        moved = super().take(message)
        self.has_trailers |= self.stage is HTTP_RESPONSE["body, then trailers"]
        return moved

    def out_of_turn(self, kind: str) -> ProtocolError:
        stage = next(name for name, one in HTTP_RESPONSE.items() if one is self.stage)
        words = WRONG.get((stage, kind), "after response completed")
        said = f'Received "{kind}" {words}.'
        if kind == "http.response.start" and not self.complete:
            said = 'Received multiple "http.response.start" messages.'
        return OutOfTurn(f"{said} {super().out_of_turn(kind)}")

    def left_early(self) -> ProtocolError:
        return OutOfTurn(f"TestClient did not receive any response. {super().left_early()}")

    def app_returned(self) -> None:
        """Take what has come for the whole response."""
        if self.status is not None:
            self.stage, self.complete = HTTP_RESPONSE["done"], True

    def _promised(self, values: list[bytes], status: int) -> None:
        return None

    def _passed_on(self, headers: list[Header]) -> list[Header]:
        return headers
