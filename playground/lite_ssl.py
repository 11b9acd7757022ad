"""What stands for `ssl` in a browser, where Python has none: its names, for those who import them, and no encryption.

anyio names its classes in what it says about sockets, of which a browser has none either; so whoever asks for one of
these at work is told so. The site's packages have this file as `ssl.py` (see `lite_packages`); nobody else needs it.
"""

from typing import Any, NoReturn

__all__ = ["MemoryBIO", "SSLContext", "SSLError", "SSLObject", "SSLSocket", "create_default_context"]


class SSLError(OSError):
    """What goes wrong with encryption; nothing does where there is none."""


class SSLZeroReturnError(SSLError): ...


class SSLWantReadError(SSLError): ...


class SSLWantWriteError(SSLError): ...


class SSLSyscallError(SSLError): ...


class SSLEOFError(SSLError): ...


class SSLCertVerificationError(SSLError): ...


CertificateError = SSLCertVerificationError


class SSLContext:
    """Refuses to be made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse()


class SSLObject(SSLContext): ...


class SSLSocket(SSLContext): ...


class MemoryBIO(SSLContext): ...


def create_default_context(*args: Any, **kwargs: Any) -> SSLContext:
    """Refuses too."""
    _refuse()


def _refuse() -> NoReturn:
    raise SSLError(
        "expected no encrypted connection in a browser, where Python has neither sockets nor ssl: talk to an app in "
        "this process (Lab, ASGITransport), or run this outside the browser"
    )
