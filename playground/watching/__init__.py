"""Which event loops run while something is watched, and who records each: code that is no web app, and no lab's.

This room decides which loops belong to a watch (all that begin while it is open, in any thread, asyncio's, uvloop's or
trio's, and the one within which it was called), when each recording begins and ends, and that everything borrowed is
given back. It refuses to know how a loop is recorded, which is `clock`'s and `trace`'s to say, and how the result is
shown. See `session` for the loops of a process, `parts` for those of one thread, and `watch` for what people call.
"""

from playground.watching.session import Session

__all__ = ["Session"]
