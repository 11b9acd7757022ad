"""Cookies, read as browsers write them.

It decides what a `Cookie` header says: leniently, for one malformed pair must not hide the others.
Writing cookies is the response's affair.
"""

import re
from typing import Final

__all__ = ["parse_cookies"]

# In a quoted value a backslash stands before a character's three octal digits, or before any character.
_ESCAPE: Final = re.compile(r"\\(?:([0-3][0-7][0-7])|(.))")


def parse_cookies(header: str) -> dict[str, str]:
    """The cookies of a `Cookie` header by name; of two with one name, the last."""
    cookies: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            name, value = name.strip(), value.strip()
        else:  # as in browsers: a lone word is the value of a cookie without a name
            name, value = "", name.strip()
        if name or value:
            cookies[name] = _unquote(value) if value[:1] == '"' else value
    return cookies


def _unquote(value: str) -> str:
    if len(value) < 2 or value[-1] != '"':
        return value
    inner = value[1:-1]
    return _ESCAPE.sub(_unescape, inner) if "\\" in inner else inner


def _unescape(found: re.Match[str]) -> str:
    return chr(int(found[1], 8)) if found[1] else found[2]
