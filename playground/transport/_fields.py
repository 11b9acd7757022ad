"""Header fields that no server and no client would put on the wire (RFC 9110, 5.1 and 5.5).

It decides by the names and values alone, for both directions. Where servers differ (h11 refuses blanks around a value,
httptools refuses every control character), an app is held to what all refuse; a client to h11's rules, by which httpx
sends. What a field means is not its affair.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from playground.asgi import Message
from playground.transport._words import show

__all__ = ["fault_of_client", "fault_of_subprotocols", "fields_of"]

_Refusal = Callable[[str, str], Exception]

_TOKEN: Final = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+").fullmatch
_ENDS_FIELD: Final = re.compile(rb"[\0\n\v\f\r]").search

# Names that were looked at and are well: an app uses a few dozen; the limit is there for those from outside.
_KNOWN: Final[set[bytes]] = set()
_MOST_KNOWN: Final = 1024

_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

_NAME_ADVICE: Final = "Write letters, digits and hyphens alone."
_VALUE_ADVICE: Final = "Remove line breaks and other control characters from it, or encode them."


def fields_of(kind: str, message: Message, refusal: _Refusal, checked: bool = True) -> list[tuple[bytes, bytes]]:
    """Read the `headers` of an app's message: an iterable of pairs of bytes.

    Args:
        kind: the message's type.
        message: the message.
        refusal: makes the error of what was expected and what arrived, and of what to do.
        checked: whether fields that no server sends are refused too.

    Raises:
        what `refusal` makes: they are none.
    """
    given = message.get("headers") or ()
    try:
        entries = iter(given)
    except TypeError:
        raise refusal(*_no_pair(kind, given)) from None
    fields: list[tuple[bytes, bytes]] = []
    for pair in entries:
        try:
            name, value = pair
        except (TypeError, ValueError):
            raise refusal(*_no_pair(kind, pair)) from None
        if type(name) is not bytes or type(value) is not bytes:
            raise refusal(*_no_pair(kind, pair))
        if checked and ((name not in _KNOWN and not _is_name(name)) or _ENDS_FIELD(value) is not None):
            raise refusal(*_not_sent(kind, name, value))
        fields.append(pair if type(pair) is tuple else (name, value))
    return fields


def fault_of_client(method: str, fields: Iterable[tuple[bytes, bytes]]) -> str | None:
    """What is wrong with the method or the fields of a request, and what to do; `None` if nothing is."""
    if method not in _METHODS and _TOKEN(method.encode("utf-8", "replace")) is None:
        return f"expected a method that is a token, but it is {show(method)}. Write letters alone."
    hosts = 0
    for name, value in fields:
        hosts += len(name) == 4 and name.lower() == b"host"
        if name not in _KNOWN and not _is_name(name):
            return f"expected header names that are tokens, but one is {show(name)}. {_NAME_ADVICE}"
        if _ENDS_FIELD(value) is not None or value.strip(b" \t") != value:
            return (
                f"expected header values without line breaks, and without blanks around them, but {show(name)} has "
                f"{show(value)}. Strip it. {_VALUE_ADVICE}"
            )
    return None if hosts < 2 else f"expected one `host` header, but there are {hosts}. Send the one that is meant."


def fault_of_subprotocols(offered: Iterable[str]) -> str | None:
    """What is wrong with subprotocols (RFC 6455, 4.1), in a sentence; `None` if nothing is."""
    for one in offered:
        if _TOKEN(one.encode("utf-8", "replace")) is None:
            return f"expected subprotocols that are tokens, but one is {show(one)}. {_NAME_ADVICE}"
    return None


def _no_pair(kind: str, found: object) -> tuple[str, str]:
    return (
        f"expected `headers` of (name, value) pairs of bytes, but `{kind}` holds {show(found)}",
        'Write b"name", or encode the text as latin-1.',
    )


def _not_sent(kind: str, name: bytes, value: bytes) -> tuple[str, str]:
    if not _is_name(name):
        return f"expected header names that are tokens, but `{kind}` holds {show(name)}", _NAME_ADVICE
    return (
        f"expected header values without line breaks, but `{kind}` holds {show(value)} as {show(name)}",
        _VALUE_ADVICE,
    )


def _is_name(name: bytes) -> bool:
    if _TOKEN(name) is None:
        return False
    if len(_KNOWN) < _MOST_KNOWN:
        _KNOWN.add(name)
    return True
