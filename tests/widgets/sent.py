"""What a widget answers to its front-end, without one: the message is handed to it as ipywidgets would."""

from typing import Any


def sent_by(widget: Any, content: Any) -> list[tuple[Any, list[bytes]]]:
    """What a widget sends when the front-end sends it `content`: messages, each with its buffers."""
    sent: list[tuple[Any, list[bytes]]] = []
    widget.send = lambda content, buffers=None: sent.append((content, buffers))
    widget._handle_custom_msg(content, [])
    return sent
