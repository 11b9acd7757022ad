"""What went wrong between an app and its client, in words: what was expected, what came, what to do.

Pure functions from what an exchange knows to an exception. They raise nothing and decide nothing.
"""

from typing import Protocol

from playground.asgi import Stage
from playground.errors import BrokenOff, ClientGone, NoAnswer, ProtocolError
from playground.transport import _crew
from playground.transport._hosts import Host
from playground.transport._words import count_of_bytes
from playground.transport.reply import Reply
from playground.transport.upload import Upload

__all__ = ["broke_off", "closed", "gone", "is_of_leaving", "no_answer", "unstoppable", "was_cancelled", "was_ended"]


class Party(Protocol):
    """A `Reply` or a `Dialogue`: who is spoken of, and what was expected."""

    @property
    def label(self) -> str: ...
    @property
    def stage(self) -> Stage: ...


def no_answer(reply: Reply, upload: Upload, receiving: bool, timeout_s: float) -> NoAnswer:
    """The client's timeout passed.

    Args:
        reply, upload: what has come, and gone, so far.
        receiving: whether the app stands in `receive()`.
        timeout_s: the timeout.
    """
    what, advice = "nothing came", "Send it sooner, or give the client a longer timeout."
    if receiving:
        what = "it waits in `receive()` for a message that is not due"
        advice = "The request's body was at its end; after that there is only `http.disconnect`."
    elif upload.unread and reply.status is None:
        what = "nothing came, and it has not read the request's body"
    return NoAnswer(
        f"{reply.label}: expected {reply.stage.expects} from the app within {timeout_s:g} s, but {what}. {advice}"
    )


def was_cancelled(reply: Party) -> ProtocolError:
    """The app ended by a cancellation that did not come from its client."""
    return ProtocolError(
        f"{reply.label}: expected {reply.stage.expects}, but the app was cancelled, and not by its client. "
        "Look for what cancels its task or lets a `CancelledError` out."
    )


def unstoppable(reply: Party, in_thread: str | None) -> ProtocolError:
    """The app does not end when it is cancelled.

    Args:
        reply: what it has answered.
        in_thread: the function for whose worker thread it waits, if it does.
    """
    what = f"it outlasted {_crew.CANCEL_TRIES} cancellations, {_crew.GRACE_S:g} s apart"
    advice = "Let `CancelledError` pass, and shield from it only what ends soon."
    if in_thread is not None:
        what = f"it still runs in a worker thread, which cannot be cancelled: `{in_thread}`"
        advice = "Let that function end sooner, or give what it waits for a timeout."
    return ProtocolError(f"{reply.label}: expected the app to end when it is cancelled, but {what}. {advice}")


def closed(reply: Reply) -> ClientGone:
    """The client reads from an exchange that was closed."""
    return ClientGone(
        f"{reply.label}: expected an open connection to read from, but the client has closed it. "
        "Read the response before closing it."
    )


def gone(reply: Reply) -> ClientGone:
    """The app sends to a client that hung up."""
    return ClientGone(
        f"{reply.label}: expected an open connection to send to, but the client has closed it. Clean up and return."
    )


def broke_off(reply: Reply, error: BaseException) -> str:
    """What a client hears when the app fails in the middle of its response."""
    return (
        f"{reply.label}: expected {reply.stage.expects}, but the app raised {type(error).__name__} "
        f"after {count_of_bytes(reply.size)} of body. Its traceback stands above, as the cause."
    )


def was_ended(host: Host, error: BaseException) -> bool:
    """Whether an app raised this because somebody ended it. All else is its own, and a KeyboardInterrupt too."""
    return isinstance(error, BrokenOff) or host.is_cancellation(error)


def is_of_leaving(error: BaseException | None) -> bool:
    """Whether an exception comes from the app's being told that its client was gone; of a group, all must."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, ClientGone):
            return True
        if isinstance(error, BaseExceptionGroup) and all(is_of_leaving(one) for one in error.exceptions):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
