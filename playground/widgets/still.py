"""What stands for a view where nothing runs: a picture and a text, in a mimebundle.

GitHub, nbviewer and nbconvert take the picture, a terminal takes the text. It decides which types travel, and
knows nothing of widgets.
"""

from playground.trace import Trace
from playground.views.compare import Compared
from playground.views.comparison import text
from playground.views.comparison_svg import svg as comparison_svg
from playground.views.stacked import TITLE, Stack
from playground.views.stacked_svg import svg as stacked_svg
from playground.views.stacked_text import text as stacked_text
from playground.views.svg import svg
from playground.views.text import report

__all__ = ["still", "still_comparison", "still_stacked"]


def still(trace: Trace) -> dict[str, str]:
    """The static forms of a recording's timeline, by media type."""
    return {"text/plain": report(trace), "image/svg+xml": svg(trace)}


def still_comparison(compared: Compared) -> dict[str, str]:
    """The static forms of a comparison, by media type."""
    return {"text/plain": text(compared), "image/svg+xml": comparison_svg(compared)}


def still_stacked(stacked: Stack, title: str = TITLE) -> dict[str, str]:
    """The static forms of ways to run jobs, by media type."""
    return {"text/plain": stacked_text(stacked, title=title), "image/svg+xml": stacked_svg(stacked, title=title)}
