"""Views that a reader can move in: one class a view, no computing.

Rows and columns come from `playground.views`; the drawing is JavaScript, bundled from `src/` into `static/`. This room
decides what travels to a page and back, what a saved notebook keeps of a view (text and a static picture), and when a
live view is told of news. It refuses to know what anything means: a widget asks `views` for columns, and passes them
on.

The widget classes need anywidget, which needs ipywidgets and IPython, so they are imported when they are first asked
for: a script that writes an HTML page never loads them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from playground.widgets.comparison import Comparison
    from playground.widgets.stacked import Stacked
    from playground.widgets.theatre import Theatre
    from playground.widgets.timeline import Timeline
    from playground.widgets.waterfall import Waterfall

__all__ = ["Comparison", "Stacked", "Theatre", "Timeline", "Waterfall"]

_HOMES: Final = {name: name.lower() for name in __all__}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
