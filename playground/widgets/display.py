"""What a `Trace`, a `Run` or a comparison shows as a cell's value.

In a kernel that is an interactive view, elsewhere its static forms; both carry a text and a picture, so
that a notebook still shows something where no kernel runs. It decides which, and leaves the making to others.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from playground.trace import Trace
from playground.views.compare import Compared
from playground.views.stacked import TITLE, stack
from playground.widgets.audience import in_kernel, kept_by_a_program
from playground.widgets.still import still, still_comparison, still_stacked

__all__ = ["comparison_mimebundle", "mimebundle", "stacked_mimebundle"]


def mimebundle(trace: Trace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Data and metadata by media type, as IPython's `_repr_mimebundle_` asks for them."""
    if trace.jobs:
        return stacked_mimebundle({trace.title: trace}, trace.title)
    if not _has_widgets():
        return dict(still(trace)), {}
    from playground.widgets.timeline import Timeline  # it and the two below load anywidget, which may be missing

    return Timeline(trace)._repr_mimebundle_()


def comparison_mimebundle(traces: Mapping[str, Trace]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same of runs that are compared."""
    if not _has_widgets():
        return dict(still_comparison(Compared(traces))), {}
    from playground.widgets.comparison import Comparison  # as above

    return Comparison(traces)._repr_mimebundle_()


def stacked_mimebundle(traces: Mapping[str, Trace], title: str = TITLE) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same of ways to run jobs."""
    if not _has_widgets():
        return dict(still_stacked(stack(traces), title)), {}
    from playground.widgets.stacked import Stacked  # as above

    return Stacked(traces, title=title)._repr_mimebundle_()


def _has_widgets() -> bool:
    return in_kernel() and not kept_by_a_program() and find_spec("anywidget") is not None
