"""An error as it is read: of one that came through our own code, the lines of the user's and no others.

Between a cell and the handler that failed lie some forty frames of client, transport and event loop. It decides which
frames are shown; how they look is IPython's affair.
"""

from types import TracebackType

from playground.code import is_own

__all__ = ["from_the_app", "shorten"]


def from_the_app(traceback: TracebackType | None) -> TracebackType | None:
    """The part of a traceback from the first frame that is the app's own code; all of it if there is none."""
    found = traceback
    while found is not None and not is_own(found.tb_frame.f_code.co_filename):
        found = found.tb_next
    return found or traceback


def shorten(error: BaseException) -> None:
    """Leave of an error's traceback, and of those that led to it, the user's own lines.

    A traceback that never comes through this package, or that has no line of the user's own, stays as it is.
    """
    seen: set[int] = set()
    step: BaseException | None = error
    while step is not None and id(step) not in seen:
        seen.add(id(step))
        step.__traceback__ = _own(step.__traceback__)
        step = step.__cause__ or (None if step.__suppress_context__ else step.__context__)


def _own(traceback: TracebackType | None) -> TracebackType | None:
    frames = []
    at = traceback
    while at is not None:
        frames.append(at)
        at = at.tb_next
    own = [each for each in frames if is_own(each.tb_frame.f_code.co_filename)]
    ours = any(each.tb_frame.f_globals.get("__name__", "").split(".")[0] == "playground" for each in frames)
    if not own or not ours:
        return traceback
    shown: TracebackType | None = None
    for each in reversed(own):
        shown = TracebackType(shown, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return shown
