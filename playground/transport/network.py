"""Simulated conditions of a network: what happens to each request, decided from a seed and nothing else.

A `Network` is four numbers and a seed. `fate(n)` says what the nth request of a transport meets, and
`arrival_s` when what was sent at one end is there at the other; both are pure functions, so a run can be
repeated and a fault looked at again. Who waits, and by which clock, is decided in `_journey.py`.
"""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from playground.errors import UsageError

__all__ = ["Fate", "Network", "head_bytes"]

Loss = Literal["connect", "response", "body"]

LOSSES: tuple[Loss, ...] = ("connect", "response", "body")


@dataclass(frozen=True, slots=True)
class Fate:
    """What one request meets.

    Attributes:
        out_s, back_s: the delay on the way to the app, and on the way back.
        lost: where the connection is reset: before the request arrives, in place of the response, or in its
            body; `None` if it is not.
        lost_at_piece: how many pieces of the body arrive before it is reset there; fewer if it has fewer.
    """

    out_s: float
    back_s: float
    lost: Loss | None
    lost_at_piece: int


@dataclass(frozen=True, slots=True)
class Network:
    """Simulated conditions.

    Args:
        latency_s: the delay in each direction, so a request takes at least twice that.
        jitter_s: up to how much is added to it, in each direction, evenly distributed; one draw a request,
            so that the pieces of a body stay in order.
        bandwidth_bps: bits a second in each direction, for heads and bodies as HTTP/1.1 writes them, and for the frames
            of websockets. `None` for no limit.
        loss: the share of requests, from 0 to 1, whose connection is reset.
        seed: what the draws come from.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bandwidth_bps: float | None = None
    loss: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("latency_s", "jitter_s"):
            self._check(name, 0 <= getattr(self, name) < math.inf, "a number of seconds, 0 or more")
        self._check("bandwidth_bps", self.bandwidth_bps is None or self.bandwidth_bps > 0, "more than 0, or None")
        self._check("loss", 0 <= self.loss <= 1, "a share from 0 to 1")

    def fate(self, number: int) -> Fate:
        """Decide what request `number` meets. The same seed and number give the same fate, always."""
        draw = random.Random(f"{self.seed}/{number}")
        out_s = self.latency_s + draw.random() * self.jitter_s
        back_s = self.latency_s + draw.random() * self.jitter_s
        lost = draw.choice(LOSSES) if draw.random() < self.loss else None
        return Fate(out_s, back_s, lost, draw.randrange(4))

    def arrival_s(self, sent_s: float, free_s: float, delay_s: float, size: int) -> float:
        """Decide when data is at the other end.

        Args:
            sent_s: when it was sent.
            free_s: when the data before it had arrived.
            delay_s: the delay of this request in this direction.
            size: how many bytes it is.
        """
        return max(sent_s + delay_s, free_s) + (0.0 if self.bandwidth_bps is None else size * 8 / self.bandwidth_bps)

    def _check(self, name: str, right: bool, expected: str) -> None:
        if not right:
            raise UsageError(f"Network: expected `{name}` to be {expected}, but it is {getattr(self, name)!r}.")


def head_bytes(first_line: str, headers: Iterable[tuple[bytes, bytes]]) -> int:
    """How many bytes the head of a request or of a response is in HTTP/1.1 (RFC 9112, section 2.1).

    Args:
        first_line: such as `GET /path HTTP/1.1`, or `HTTP/1.1 200 OK`.
        headers: names and values, each of which stands in a line of its own, with a colon and a space between them.
    """
    return len(first_line) + sum(len(name) + len(value) + 4 for name, value in headers) + 4
