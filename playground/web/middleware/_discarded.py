"""The error by which an app learns that what it sends goes nowhere, since a middleware answered instead.

It decides one thing: which errors only say this back, so that whoever answered can keep them from the
server's log.
"""

__all__ = ["Discarded", "is_said_back"]

# An app's layers wrap an error a few times at most; a chain may also have a loop.
_DEEPEST = 10


class Discarded(ConnectionError):
    """Another response has been sent in place of the app's; as for a client that left, an `OSError`."""


def is_said_back(error: BaseException | None, told: BaseException | None = None) -> bool:
    """Whether an app's error is a `Discarded`, or `told`, or was raised because of one."""
    for _ in range(_DEEPEST):
        if error is None:
            break
        if isinstance(error, Discarded) or error is told:
            return True
        if isinstance(error, BaseExceptionGroup) and all(is_said_back(one, told) for one in error.exceptions):
            return True  # it passed through a task group
        error = error.__cause__ or error.__context__
    return False
