"""What multipart forms need that is not of our making: python-multipart, and Python's encodings.

It decides how the library is found, and which encodings and names a form may use. What becomes of the parts is
the form parser's affair.
"""

import codecs
import re
from functools import cache
from typing import Any, Final

from playground.errors import UsageError

__all__ = ["library", "names", "text_codec"]

# What most clients send, in which nothing has to be unescaped.
_PLAIN_DISPOSITION: Final = re.compile(rb'form-data; name="([^"\\]*)"(?:; filename="([^"\\]*)")?')

# Encodings in which decoding takes quadratic time, or means something else than text.
_UNFIT_CODECS: Final = frozenset({"idna", "punycode", "raw_unicode_escape", "unicode_escape"})


def names(disposition: bytes) -> tuple[bytes | None, bytes | None]:
    """The names of a part and of its file, `None` where there is none."""
    plain = _PLAIN_DISPOSITION.fullmatch(disposition)
    if plain is not None:
        return plain[1], plain[2]
    _, options = library().multipart.parse_options_header(disposition)
    return options.get(b"name"), options.get(b"filename")


def text_codec(charset: str) -> str:
    """The encoding by this name, found once for all parts; latin-1 if there is none fit for text."""
    try:
        codec = codecs.lookup(charset)
    except (LookupError, ValueError):
        return "latin-1"
    is_text = getattr(codec, "_is_text_encoding", True)
    return codec.name if is_text and codec.name.replace("-", "_") not in _UNFIT_CODECS else "latin-1"


@cache
def library() -> Any:
    """python-multipart, which only those need who read such forms."""
    try:
        import python_multipart.exceptions
        import python_multipart.multipart
    except ImportError:
        raise UsageError(
            "The `python-multipart` library must be installed to use form parsing. Run: pip install 'playground[web]'"
        ) from None
    return python_multipart
