"""What a `Trace` or a `Run` shows as a cell's value.

In a kernel that is the interactive timeline, elsewhere its static forms; both carry a text and a picture, so
that a notebook still shows something where no kernel runs. It decides which, and leaves the making to others.
"""

import sys
from importlib.util import find_spec
from typing import Any

from playground.trace import Trace
from playground.widgets.still import still

__all__ = ["mimebundle"]


def mimebundle(trace: Trace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Data and metadata by media type, as IPython's `_repr_mimebundle_` asks for them."""
    if not _in_kernel() or find_spec("anywidget") is None:
        return dict(still(trace)), {}
    from playground.widgets.timeline import Timeline

    return Timeline(trace)._repr_mimebundle_()


def _in_kernel() -> bool:
    """Whether a front-end listens. Asks IPython if someone else imported it: we never do."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython is not None and hasattr(get_ipython(), "kernel")
