"""Views that a reader can move in: one class a view, no computing.

Rows and columns come from `playground.views`; the drawing is JavaScript, bundled into `static/`. The widget
classes need anywidget, which needs ipywidgets and IPython, so they are imported when they are first asked for:
a script that writes an HTML page never loads them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.widgets.timeline import Timeline

__all__ = ["Timeline"]


def __getattr__(name: str) -> Any:
    if name == "Timeline":
        from playground.widgets.timeline import Timeline

        return Timeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
