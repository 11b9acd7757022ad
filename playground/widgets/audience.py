"""Who looks at what a cell shows: a front-end that can show a widget, a program that only keeps outputs, or nobody.

A widget's state that such a program keeps (`nbclient`, and so `nbconvert --execute` and papermill) is worse than none:
whoever opens the notebook then is shown a widget without a kernel, and not the picture that stands beside it. Programs
are known by what they do not do: they never let a cell ask its user anything (`allow_stdin` of an `execute_request`,
in Jupyter's messaging protocol), which JupyterLab, Notebook and VS Code all do. Voila runs cells by nbclient too, but
shows their widgets live; it says who it is in `SERVER_SOFTWARE`.
"""

import os
import sys
from typing import Any

__all__ = ["in_kernel", "kept_by_a_program"]


def in_kernel() -> bool:
    """Whether this runs in a Jupyter kernel."""
    return _kernel() is not None


def kept_by_a_program() -> bool:
    """Whether what the running cell shows goes to a program that keeps outputs and shows no widget."""
    if sys.platform == "emscripten":  # the kernel is in the browser's page itself
        return False
    get_parent = getattr(_kernel(), "get_parent", None)
    if get_parent is None or os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        return False
    request = get_parent("shell") or {}
    return request.get("content", {}).get("allow_stdin", True) is False


def _kernel() -> Any:
    """The kernel, or `None`. Asks IPython if someone else imported it: we never do."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return None if get_ipython is None else getattr(get_ipython(), "kernel", None)
