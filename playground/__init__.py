"""See what your async web app is doing."""

from playground.errors import LabClosed, LabError, PlaygroundError, ProtocolError, TraceError
from playground.trace import Trace

__version__ = "0.1.0"

__all__ = ["LabClosed", "LabError", "PlaygroundError", "ProtocolError", "Trace", "TraceError"]
