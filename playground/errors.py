"""The exceptions of this package.

Everything that we raise on purpose is a `PlaygroundError`, and also the built-in exception that a
reader would expect to catch. A message says what was expected, what arrived, and what to do next.

    PlaygroundError
    ├── ProtocolError           an app broke the order of ASGI messages       (RuntimeError)
    ├── LabError                a lab was used in a way that cannot work      (RuntimeError)
    │   └── LabClosed           a lab was used after it was closed
    └── TraceError              a recording cannot be read or written         (ValueError)
"""

__all__ = ["LabClosed", "LabError", "PlaygroundError", "ProtocolError", "TraceError"]


class PlaygroundError(Exception):
    """Base of all exceptions that this package raises on purpose."""


class ProtocolError(PlaygroundError, RuntimeError):
    """An app sent an ASGI message that is not legal at that point, or ended before it should."""


class LabError(PlaygroundError, RuntimeError):
    """A lab was asked for something that it cannot do."""


class LabClosed(LabError):
    """A lab was used after it was closed."""


class TraceError(PlaygroundError, ValueError):
    """A recording is damaged, foreign, or of a version that this release does not know."""
