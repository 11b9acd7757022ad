"""The exceptions of this package.

Everything that we raise on purpose is a `PlaygroundError`, and also the built-in exception that a
reader would expect to catch. A message says what was expected, what arrived, and what to do next.

    PlaygroundError
    ├── ProtocolError           an app broke the order of ASGI messages       (RuntimeError)
    ├── NoAnswer                an app kept its client waiting for too long   (TimeoutError)
    ├── LifespanError           an app could not start up or shut down        (RuntimeError)
    ├── ConnectionClosed        a websocket was closed by the app             (ConnectionError)
    │   └── ConnectionDenied    it was refused, with an HTTP response
    ├── ClientGone              an app sent to a client that had hung up      (ConnectionError, an OSError)
    ├── LabError                a lab was used in a way that cannot work      (RuntimeError)
    │   ├── LabClosed           a lab was used after it was closed
    │   ├── Deadlock            in virtual time, all wait and nobody can go on
    │   ├── Runaway             in virtual time, somebody runs in circles and time stands still
    │   └── NotInVirtualTime    what was asked for happens in the real world only
    ├── NestingError            asyncio.run cannot be allowed in this notebook    (RuntimeError)
    ├── TraceError              a recording cannot be read or written         (ValueError)
    ├── ComparisonError         what was given cannot be compared             (ValueError)
    ├── CourseError             the course has no such exercise or program    (LookupError)
    ├── ClassroomError          a notebook cannot be handed out as it is      (ValueError)
    ├── SweepError              a sweep cannot be made of what was given      (ValueError)
    ├── WatchError              something cannot be watched, or not yet asked (RuntimeError)
    ├── LiteError               a site for the browser cannot be built        (RuntimeError)
    ├── ModelError              a workload cannot be run in the way asked for (RuntimeError)
    ├── UsageError              the toolkit was called in a way that cannot work  (AssertionError)
    │   └── RouteError          a path, or a value for it, cannot be routed   (also ValueError)
    ├── HandlerError            a handler takes or returns what no one can use    (TypeError)
    ├── StreamConsumed          a body was read that had been read before     (RuntimeError)
    └── WrongFrame              a websocket sent text for bytes, or bytes for text  (KeyError)

Beside them stands `BrokenOff`, which is no error: with it a lab ends what nobody waits for any more.
"""

__all__ = [
    "ClassroomError",
    "ClientGone",
    "ComparisonError",
    "ConnectionClosed",
    "ConnectionDenied",
    "CourseError",
    "Deadlock",
    "HandlerError",
    "LabClosed",
    "LabError",
    "LifespanError",
    "LiteError",
    "ModelError",
    "NestingError",
    "NoAnswer",
    "NotInVirtualTime",
    "PlaygroundError",
    "ProtocolError",
    "RouteError",
    "Runaway",
    "StreamConsumed",
    "SweepError",
    "TraceError",
    "UsageError",
    "WatchError",
    "WrongFrame",
]


class BrokenOff(BaseException):
    """Raised in the midst of an app's code, which its caller has given up. Nobody is told of it.

    Like `SystemExit`, it is for no `except Exception`; and it is not of this module's tree, for nobody may catch it.
    """


class PlaygroundError(Exception):
    """Base of all exceptions that this package raises on purpose."""


class ProtocolError(PlaygroundError, RuntimeError):
    """An app sent an ASGI message that is not legal at that point, or ended before it should."""


class LifespanError(PlaygroundError, RuntimeError):
    """An app said that it could not start up, or shut down. What it raised then is the cause."""


class ConnectionClosed(PlaygroundError, ConnectionError):
    """The app has closed the websocket, or closed it instead of accepting it.

    Attributes:
        code: the close code (RFC 6455, section 7.4).
        reason: the app's reason, perhaps empty.
    """

    def __init__(self, message: str, code: int, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class ConnectionDenied(ConnectionClosed):
    """The app refused a websocket with an HTTP response.

    Attributes:
        status, headers, body: the response; the headers are pairs of bytes.
    """

    def __init__(self, message: str, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        super().__init__(message, 1006)  # RFC 6455, 7.1.5: there was no closing handshake
        self.status = status
        self.headers = headers
        self.body = body


class NoAnswer(PlaygroundError, TimeoutError):
    """The client's timeout passed while an app owed it a message; the text names the message."""


class ClientGone(PlaygroundError, ConnectionError):
    """An app sent to a client that had closed the connection.

    It is raised inside the app, by its `send`: the ASGI specification asks for a subclass of `OSError`
    there since its version 2.4. An app may catch it, clean up, and return or let it pass.
    """


class LabError(PlaygroundError, RuntimeError):
    """A lab was asked for something that it cannot do."""


class LabClosed(LabError):
    """A lab was used after it was closed."""


class NestingError(PlaygroundError, RuntimeError):
    """`asyncio.run` cannot be allowed here: nest_asyncio, which that takes, does not work."""


class Deadlock(LabError):
    """In virtual time, nothing can run and no timer is set, but somebody waits. The text names all that wait."""


class Runaway(LabError):
    """In virtual time, something runs in circles without ever letting time pass. The text names it."""


class NotInVirtualTime(LabError):
    """Something was asked for that happens in the real world: a socket, a subprocess, a lock made before the lab."""


class TraceError(PlaygroundError, ValueError):
    """A recording is damaged, foreign, or of a version that this release does not know."""


class ComparisonError(PlaygroundError, ValueError):
    """What was given to `compare` cannot be compared."""


class CourseError(PlaygroundError, LookupError):
    """The course was asked for an exercise, or for its program, that there is not."""


class ClassroomError(PlaygroundError, ValueError):
    """A notebook cannot be handed out as it is."""


class SweepError(PlaygroundError, ValueError):
    """A sweep cannot be made of what was given."""


class WatchError(PlaygroundError, RuntimeError):
    """Something cannot be watched, or its recording was asked for something before it was over."""


class LiteError(PlaygroundError, RuntimeError):
    """A site that needs no server cannot be built: a tool or a package is missing."""


class ModelError(PlaygroundError, RuntimeError):
    """A workload cannot be run in the way asked for, or a process that should run it could not."""


class UsageError(PlaygroundError, AssertionError):
    """The toolkit was called in a way that cannot work.

    An `AssertionError` too, because Starlette asserts at these places and its users catch that.
    """


class RouteError(UsageError, ValueError):
    """A path cannot be a route, or a value cannot stand in one."""


class HandlerError(PlaygroundError, TypeError):
    """A handler takes what it cannot be given, or returned what no response can be made of."""


class StreamConsumed(PlaygroundError, RuntimeError):
    """The body of a request was read as a stream, and then asked for again."""


class WrongFrame(PlaygroundError, KeyError):
    """A message of a websocket is text where bytes were to be received, or bytes where text was.

    A `KeyError` too, because that is what Starlette's users see and catch at this place.
    """

    __str__ = Exception.__str__  # a `KeyError` shows its text in quotation marks
