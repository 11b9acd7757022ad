"""The `Host` header: which host a request is for, and on which port.

It decides what is a host at all (RFC 3986, 3.2.2, within what RFC 9112, 3.2 lets a client send). Whether a
host is served here is decided by those who ask: routes by host, trusted hosts, URLs.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from playground.asgi import Scope

__all__ = ["ParsedHost", "parse_host_header", "routable_host"]

_AUTHORITY: Final = re.compile(
    r"(?P<host>\[(?:(?P<ip>[0-9a-f:.]+)|v[0-9a-f]+\.[\w.~!$&'()*+,;=:-]+)\]|[\w.~!$&'()*+,;=%-]+)(?::(?P<port>[0-9]+))?",
    re.ASCII | re.IGNORECASE,
)
# The longest authority that DNS and a port allow is 259 characters; what is longer is only work.
_LONGEST: Final = 1_024


@dataclass(frozen=True, slots=True)
class ParsedHost:
    """A host and its port, as a header writes them.

    Attributes:
        host: a name, or an address in brackets.
        port: its digits; `None` if the header has none.
    """

    host: str
    port: str | None

    @property
    def is_valid_port(self) -> bool:
        """Whether the port, if there is one, is a number up to 65535."""
        digits = (self.port or "").lstrip("0")
        return len(digits) <= 5 and int(digits or 0) <= 65535

    @property
    def authority(self) -> str:
        """Host and port in one text, as a URL has them."""
        return self.host if self.port is None else f"{self.host}:{self.port}"


def parse_host_header(host_header: str | None) -> ParsedHost | None:
    """Take a `Host` header apart; `None` if it is missing or no host."""
    if not host_header or len(host_header) > _LONGEST:
        return None
    found = _AUTHORITY.fullmatch(host_header)
    if found is None or not _is_address(found["ip"]):
        return None
    return ParsedHost(found["host"], found["port"])


def routable_host(scope: Scope) -> str:
    """The host that a request is for, in lower case and without its port; empty if it names none."""
    for name, value in scope["headers"]:
        if name == b"host":
            parsed = parse_host_header(value.decode("latin-1"))
            return parsed.host.lower() if parsed else ""
    return ""


def _is_address(text: str | None) -> bool:
    if text is None:
        return True
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
