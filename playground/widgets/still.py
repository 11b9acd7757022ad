"""What stands for a view where nothing runs: a picture and a text, in a mimebundle.

GitHub, nbviewer and nbconvert take the picture, a terminal takes the text. It decides which types travel, and
knows nothing of widgets.
"""

from playground.trace import Trace
from playground.views.svg import svg
from playground.views.text import report

__all__ = ["still"]


def still(trace: Trace) -> dict[str, str]:
    """The static forms of a recording's timeline, by media type."""
    return {"text/plain": report(trace), "image/svg+xml": svg(trace)}
