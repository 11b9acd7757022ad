"""The `Set-Cookie` header: one cookie and its attributes, as text.

It decides which keys and attributes may be had, how a value is quoted and how a moment is written, as the
standard library's `http.cookies` does (RFC 6265, 4.1.1), whose general machinery takes three times as
long for a single cookie. What the cookie means is the app's affair.
"""

import re
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime, formatdate
from http.cookies import CookieError
from typing import Any, Final

from playground.errors import UsageError

__all__ = ["set_cookie_header"]

_SAME_SITE: Final = ("strict", "lax", "none")

# The attributes by their names here, with their names in the header, in the order in which they are written.
_ATTRIBUTES: Final = {
    "domain": "Domain",
    "expires": "expires",
    "httponly": "HttpOnly",
    "max-age": "Max-Age",
    "partitioned": "Partitioned",
    "path": "Path",
    "samesite": "SameSite",
    "secure": "Secure",
}

# A token of RFC 9110, 5.6.2, and the colon, which the standard library takes too.
_TOKEN: Final = re.compile(r"[\w!#$%&'*+\-.^`|~:]+", re.ASCII)

# In quotes: a backslash before quotes and backslashes; three octal digits for what else may not stand there.
_PLAIN_IN_QUOTES: Final = frozenset("!#$%&'*+-.^_`|~: ()/<=>?@[]{}")
_QUOTED: Final = {
    code: f"\\{code:03o}"
    for code in range(256)
    if not (chr(code).isascii() and chr(code).isalnum()) and chr(code) not in _PLAIN_IN_QUOTES
} | {ord('"'): '\\"', ord("\\"): "\\\\"}

# Control characters, which no attribute may hold (RFC 6265, 4.1.1). A semicolon may not stand there either,
# but apps add attributes that Python does not know in this way (`path="/; Partitioned"`), and so they may.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def set_cookie_header(key: str, value: str, attributes: Mapping[str, Any]) -> str:
    """The value of the header.

    Args:
        attributes: by their names in the header, in lower case. Those that are `None`, false or empty are
            left out, but for a `max-age` and `expires` of 0, by which a cookie ends.

    Raises:
        http.cookies.CookieError: the key is no token, or an attribute's name; or an attribute holds a
            control character.
        UsageError: `samesite` is not a legal value.
        ValueError: `partitioned`, before Python 3.14; or `expires` is a moment that is not in UTC.
    """
    _refuse_impossible(key, attributes)
    parts = [f"{key}={_quote(value)}"]
    for name, written in _ATTRIBUTES.items():
        given = attributes.get(name)
        if given is True:
            parts.append(written)
        elif given is not None and given is not False and given != "":
            text = _moment(given) if name == "expires" else str(given)
            if _CONTROL.search(text):
                raise CookieError(
                    f"The attribute {written} of the cookie {key!r} was given {text!r}, which holds a control "
                    "character: it could end the header. Remove or encode it."
                )
            parts.append(f"{written}={text}")
    return "; ".join(parts).rstrip()  # a header ends in no blank (RFC 9110, 5.5): h11 would refuse it


def _refuse_impossible(key: str, attributes: Mapping[str, Any]) -> None:
    same_site = attributes.get("samesite")
    if same_site is not None and same_site.lower() not in _SAME_SITE:
        raise UsageError(f"samesite must be either 'strict', 'lax' or 'none', got {same_site!r}")
    if attributes.get("partitioned") and sys.version_info < (3, 14):
        raise ValueError("Partitioned cookies are only supported in Python 3.14 and above.")
    if _TOKEN.fullmatch(key) is None:
        raise CookieError(
            f"Illegal key {key!r}: expected a cookie's name of letters, digits and !#$%&'*+-.^_`|~: alone. Rename it."
        )
    if key.lower() in _ATTRIBUTES or key.lower() in ("comment", "version"):
        raise CookieError(f"Attempt to set a reserved key {key!r}: it is an attribute's name. Rename the cookie.")


def _quote(value: str) -> str:
    if _TOKEN.fullmatch(value):
        return value
    return f'"{value.translate(_QUOTED)}"'


def _moment(given: datetime | str | float) -> str:
    """A moment, or seconds from now, as HTTP writes it (RFC 9110, 5.6.7); a text as it is."""
    if isinstance(given, datetime):
        return format_datetime(given, usegmt=True)
    if isinstance(given, str):
        return given
    return formatdate(time.time() + given, usegmt=True)
