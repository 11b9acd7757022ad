"""An app that was drawn: a script of messages to send and of other acts, and what came of it, over HTTP or a websocket.

It knows no order of messages: whether a script may be played, and what must follow, is for the properties to say.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.asgi import Message, Receive, Scope, Send

__all__ = ["Own", "Played"]


class Own(Exception):
    """What the app raises of its own accord."""


@dataclass
class Played:
    """An app that plays a script: `receive`, `sleep`, `raise`, `swallow` (what is refused from now on), or a message.

    Attributes:
        taken: the messages that were taken from it.
        received: those that it received.
        refused: the message that was refused first, and the error.
    """

    script: Sequence[Any]
    taken: list[Any] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)
    refused: tuple[Any, BaseException] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        swallows = False
        for step in self.script:
            if step == "receive":
                self.received.append(await receive())
            elif step == "sleep":
                await asyncio.sleep(1)
            elif step == "raise":
                raise Own
            elif step == "swallow":
                swallows = True
            else:
                try:
                    await send(step)
                    self.taken.append(step)
                except Exception as error:
                    self.refused = self.refused or (step, error)
                    if not swallows:
                        raise
