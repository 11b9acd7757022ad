"""What every view is as a Jupyter widget: a title, a height, and a recording that each of its pictures asks for.

The recording is no trait of the widget: traits are saved with a notebook, and a million spans would be too.
Each picture asks for it when it is ready (also a second one, or one that is shown again) and is answered with one
binary message, once: it asks again while no answer comes, for the first question may wait until a running cell is
over, and others do not. Callbacks may come on a kernel subshell's thread; what this class changes after it is made is a
set that only grows, or is begun anew, so none of them needs a lock. What a page sends may be anything, and is no
command: only what a picture of ours says is heard.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import anywidget
from traitlets import Int, Unicode

from playground.widgets.audience import kept_by_a_program

__all__ = ["MOST_PICTURES", "View", "hear_anywhere", "told_by"]

MOST_PICTURES: Final = 1_000
"""Pictures of one widget that are remembered: more than any page holds, for whatever runs there may invent them."""
_LONGEST_NAME: Final = 100  # our pictures name themselves by a dozen letters


class View(anywidget.AnyWidget):  # type: ignore[misc]  # the widget libraries come without types
    """A picture of a recording, to be moved in.

    Args:
        packet: what the browser draws, as bytes: see `playground.trace.columns`.
        still: makes what stands for it where nothing runs, by media type: `text/plain`, `image/svg+xml`.
        title: shown above it.
        height: of the picture at most, in CSS pixels; what is higher scrolls.
        traits: first values of a kind of view's own traits.
    """

    # as text, for a path would be watched for changes on behalf of every widget: it would keep each, with its
    # recording, after it was closed
    _esm = Unicode((Path(__file__).parent / "static" / "views.js").read_text(encoding="utf-8")).tag(sync=True)

    title = Unicode().tag(sync=True)
    height = Int(460, min=120).tag(sync=True)

    _own_layout: Any = None
    """The layout that was made for it; `None` if it was given one."""

    def __init__(
        self, packet: bytes, still: Callable[[], Mapping[str, str]], *, title: str, height: int, **traits: Any
    ) -> None:
        self._packet = packet
        self._still = still
        self._answered: set[str] = set()
        super().__init__(title=title, height=height, **traits)
        # one that no front-end was told of has made none, and asking for it would make one
        self._own_layout = None if "layout" in traits or self.comm is None else self.layout
        self.on_msg(self._answer)
        hear_anywhere(self)

    def _answer(self, _: Any, content: Any, buffers: Any) -> None:
        """Send a picture that says it is ready what it is to show."""
        kind, view = told_by(content)
        if kind == "ready" and view not in self._answered:
            if len(self._answered) >= MOST_PICTURES:
                self._answered = set()  # who is answered twice shows the same
            self._answered.add(view)
            self.send({"type": "recording", "view": view}, buffers=[self._packet])

    def close(self) -> None:
        """Close it, and the layout that was made for it: ipywidgets keeps every widget until it is closed."""
        super().close()
        if self._own_layout is not None:
            self._own_layout.close()

    def open(self) -> None:
        """Tell the front-end of this widget; a program that keeps what it hears would show it without a kernel."""
        if not kept_by_a_program():
            super().open()

    def __str__(self) -> str:
        """Its picture in text, for where a widget cannot be shown: what `print` shows in a script."""
        return self._still()["text/plain"]

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        if self.comm is None:
            return dict(self._still()), {}
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, **self._still()}, metadata


def told_by(content: Any) -> tuple[str, str]:
    """What a picture says, and which one it is. Two empty texts, which no picture says, for any other message: whatever
    runs in the page may send one."""
    kind, view = (content.get("type"), content.get("view")) if isinstance(content, dict) else (None, None)
    if not isinstance(kind, str) or not isinstance(view, str) or len(view) > _LONGEST_NAME:
        return "", ""
    return kind, view


def hear_anywhere(widget: Any) -> None:
    """Let what a front-end sends to a widget be heard while a cell runs, if it sends it where it can be.

    ipykernel 7 hands a message to the shell from which the widget spoke last: mostly the main one, which hears nothing
    while a cell runs. No widget of ours waits for an answer, so each may come to the shell that it was sent to.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = None
