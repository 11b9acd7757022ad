"""The start message of a response, made ready for other headers.

It decides that the app's own message and list of headers are left as they are: an app may send the same
ones again, and would find in them what was added before.
"""

from playground.asgi import Message
from playground.web.datastructures import MutableHeaders

__all__ = ["with_own_headers"]


def with_own_headers(start: Message) -> tuple[Message, MutableHeaders]:
    """A copy of a start message, and its headers: what is changed in them is sent with it."""
    raw = list(start.get("headers", ()))
    return {**start, "headers": raw}, MutableHeaders(raw=raw)
