"""The `Set-Cookie` header: one cookie and its attributes, as text.

It decides which attributes may be had and how a moment is written. Quoting is the standard library's.
"""

import http.cookies
import sys
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final

from playground.errors import UsageError

__all__ = ["set_cookie_header"]

_SAME_SITE: Final = ("strict", "lax", "none")


def set_cookie_header(key: str, value: str, attributes: Mapping[str, Any]) -> str:
    """The value of the header.

    Args:
        attributes: by their names in the header, in lower case. Those that are `None` or false are left
            out, but for a `max-age` and `expires` of 0, by which a cookie ends.

    Raises:
        http.cookies.CookieError: the key is not a legal one.
        UsageError: `samesite` is not a legal value.
        ValueError: `partitioned`, before Python 3.14.
    """
    same_site = attributes.get("samesite")
    if same_site is not None and same_site.lower() not in _SAME_SITE:
        raise UsageError(f"samesite must be either 'strict', 'lax' or 'none', got {same_site!r}")
    if attributes.get("partitioned") and sys.version_info < (3, 14):
        raise ValueError("Partitioned cookies are only supported in Python 3.14 and above.")
    cookie: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
    cookie[key] = value
    for name, given in attributes.items():
        if isinstance(given, datetime):
            cookie[key][name] = format_datetime(given, usegmt=True)
        elif given is not None and given is not False:
            cookie[key][name] = given
    return cookie[key].OutputString()
