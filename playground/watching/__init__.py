"""Which event loops run while something is watched, and who records each: see `watching.session`."""

from playground.watching.session import Session

__all__ = ["Session"]
