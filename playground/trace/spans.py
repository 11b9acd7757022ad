"""Spans: how long each layer of an app, its routing and its handler had a request, one within the other.

While a request passes, nothing is worked out: `ways` notes on a trail what was entered or left, and when. Here it is
worked out what that meant, when somebody asks for the spans. A span may be left open until the next begins or the
call around it ends: that of the routing, which is over when what it has found is entered, and that of the response,
which is being sent until the route is done.
"""

from collections.abc import Callable
from types import CodeType
from typing import Any, Final, Protocol

from playground.trace.rows import SpanKind

__all__ = ["CLOSED", "OVER", "Answered", "Branch", "SpanRecord", "Told", "Trail", "Unwatched", "Walk"]


class SpanRecord:
    """One span while it happens.

    Attributes:
        request: an index into the recorder's requests.
        kind, name: what had the request, and what it is called.
        start_ns, end_ns: nanoseconds of the recorder's clock; `None` until known.
        parent: an index into the recorder's spans, or `None`.
        task, code: numbers of the task and of the code; 0 for none.
        number: its own index, once it has one.
        within: the span that is its parent.
        around: the open span that it is within, while it lasts; see `Walk.open`.
    """

    __slots__ = ("around", "code", "end_ns", "kind", "name", "number", "request", "start_ns", "task", "within")

    def __init__(
        self, request: int, kind: SpanKind, name: str, start_ns: int, within: "SpanRecord | None", task: int, code: int
    ) -> None:
        self.request = request
        self.kind = kind
        self.name = name
        self.start_ns = start_ns
        self.end_ns: int | None = None
        self.within = within
        self.task = task
        self.code = code
        self.number: int | None = None
        self.around: SpanRecord | None = None

    @property
    def parent(self) -> int | None:
        return None if self.within is None else self.within.number


class Note(Protocol):
    """What may be noted on a trail, with the time. Noted as well is a class, of what was made and is now being sent."""

    def tell(self, walk: "Walk", at_ns: int) -> None:
        """Work out what it means for the spans."""


class Told:
    """A layer, a router or a handler is entered: a span begins, and the routing ends. One for each, noted each time.

    Args:
        kind, name: what it is, and what its spans are called.
        code: where it is written, if that is known.
    """

    __slots__ = ("code", "kind", "left", "name")

    def __init__(self, kind: SpanKind, name: str, code: CodeType | None = None) -> None:
        self.kind: SpanKind = kind
        self.name = name
        self.code = code
        self.left = Left(self)

    def tell(self, walk: "Walk", at_ns: int) -> None:
        span = walk.enter(self.kind, self.name, self.code, at_ns)
        if self.kind == "routing":
            walk.inside, walk.open = span.within, span
        elif self.kind == "dependency":  # it is in the way of a call, and ends before that
            walk.leave_open(span)
            return
        walk.entered.append((self, span))


class Left:
    """What was told of is left: its span ends, and what is open within."""

    __slots__ = ("_told",)

    def __init__(self, told: Told) -> None:
        self._told = told

    def tell(self, walk: "Walk", at_ns: int) -> None:
        walk.leave(self._told, at_ns)


class Closed:
    """What is open is over."""

    __slots__ = ()

    def tell(self, walk: "Walk", at_ns: int) -> None:
        walk.end(at_ns)


class Over:
    """The request is over."""

    __slots__ = ()

    def tell(self, walk: "Walk", at_ns: int) -> None:
        walk.is_over = True


CLOSED: Final = Closed()
OVER: Final = Over()


class Answered:
    """A response was made within what is open; if no handler was called for it, that runs while it is sent."""

    __slots__ = ("_kind",)

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def tell(self, walk: "Walk", at_ns: int) -> None:
        if walk.open is not None and walk.open.kind == "dependency":
            walk.end(at_ns)
            walk.answer(self._kind, at_ns)
        elif walk.open is not None:
            walk.open.name = self._kind.__qualname__


class Unwatched:
    """A route was found that nobody watches: the routing held its handler too, which is nearly all of it."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def tell(self, walk: "Walk", at_ns: int) -> None:
        if walk.open is not None and walk.open.kind == "routing":
            walk.open.kind, walk.open.name = "handler", self._name


Trail = tuple[list[Any], int, int, "Branch | None", "Callable[[], bool] | None"]
"""What is noted on a request's way in one task: notes and times in turn, not told yet; the request, an index into the
recorder's requests; the task's number; where it branches off another trail, and what says that it has come to an end.
"""


class Walk:
    """Where a trail has led so far.

    Attributes:
        inside: the span that it is in; `None` outside of all.
        open: a span that no call of its own ends: the routing, which the next span ends; the dependencies, which the
            handler ends; the response, which ends with the call around it. It is gone into, but for the routing.
        entered: what was entered and not left, the innermost last.
        begun: the spans that began on it and have no number yet, in order.
        is_over: whether nothing more comes.
    """

    __slots__ = (
        "_branch",
        "_given_up",
        "_has_ended",
        "_notes",
        "_number",
        "_request",
        "_taken",
        "_task",
        "begun",
        "entered",
        "inside",
        "is_over",
        "open",
    )

    def __init__(self, trail: Trail, number: Callable[[CodeType], int]) -> None:
        self._notes, self._request, self._task, self._branch, self._has_ended = trail
        self.inside: SpanRecord | None = None
        self.open: SpanRecord | None = None
        self.entered: list[tuple[Told, SpanRecord]] = []
        self.begun: list[SpanRecord] = []
        self.is_over = False
        self._given_up: list[tuple[Told, SpanRecord]] = []
        self._taken: list[Any] = []
        self._number = number

    def take(self) -> None:
        """Take the notes off the trail."""
        if self._has_ended is not None:
            self.is_over = self._has_ended()
        until = len(self._notes) & ~1  # a note's time may be about to follow it
        self._taken = self._notes[:until]
        del self._notes[:until]

    def tell(self) -> None:
        """Tell what they mean."""
        if self._branch is not None:
            self.inside, self._branch = self._branch.inside, None
        notes = iter(self._taken)
        for note, at_ns in zip(notes, notes, strict=True):
            if isinstance(note, type):
                self.answer(note, at_ns)
            else:
                note.tell(self, at_ns)
        self._taken = []

    def enter(self, kind: SpanKind, name: str, code: CodeType | None, at_ns: int) -> SpanRecord:
        """Begin a span and go into it; the routing ends."""
        around, self.open = self.open, None
        if around is not None and around.kind == "routing":
            around.end_ns, around = at_ns, None
        number = 0 if code is None else self._number(code)
        self.inside = span = SpanRecord(self._request, kind, name, at_ns, self.inside, self._task, number)
        span.around = around
        self.begun.append(span)
        return span

    def leave(self, told: Told, at_ns: int) -> None:
        """End the innermost span of that, and what is open within, and go out of it.

        What was entered within it and not left was given up by its caller, and moves nothing when somebody closes it.
        """
        entered = self.entered
        for index in range(len(entered) - 1, -1, -1):
            if entered[index][0] is told:
                span = entered[index][1]
                self._given_up += entered[index + 1 :]
                del entered[index:]
                self.end(at_ns)
                if span.end_ns is None:
                    span.end_ns = at_ns
                self.inside, self.open, span.around = span.within, span.around, None
                return
        for index, (which, span) in enumerate(self._given_up):
            if which is told:
                span.end_ns = at_ns
                del self._given_up[index]
                return

    def end(self, at_ns: int) -> None:
        """End what is open, and go out of it."""
        if self.open is not None:
            self.open.end_ns, self.inside, self.open = at_ns, self.open.within, None

    def leave_open(self, span: SpanRecord) -> None:
        """Leave a span open that was gone into."""
        self.open, span.around = span, None

    def answer(self, made: type, at_ns: int) -> None:
        """A response begins to be sent."""
        self.leave_open(self.enter("response", made.__qualname__, None, at_ns))


class Branch:
    """A task was made here, which goes on from here on a trail of its own."""

    __slots__ = ("inside",)

    def __init__(self) -> None:
        self.inside: SpanRecord | None = None

    def tell(self, walk: Walk, at_ns: int) -> None:
        self.inside = walk.inside
        if walk.open is not None and walk.open.kind == "routing":  # what was found is entered, if by another task
            walk.end(at_ns)
