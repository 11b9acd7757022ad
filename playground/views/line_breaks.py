"""Where a sentence may be broken into lines: at a space, but not at the one between a number and its unit.

It counts letters. How many fit, and what is said, is the caller's business.
"""

import re
from textwrap import wrap
from typing import Final

from playground.views.wording import one_line

__all__ = ["sentence", "wrapped"]

# A number and its unit stay on one line: this stands for the space between them, and no text of ours holds it.
_BOUND: Final = "\x1f"
_UNITS: Final = re.compile(r"(?<=\d) (?=(?:ns|µs|ms|s|×|bytes|KiB|MiB|GiB)(?:[^\w]|$))")
# A sentence of ours; longer only where a name in it comes from somebody else.
_MOST_LETTERS: Final = 2000


def sentence(words: str) -> str:
    """A sentence on one line, cut if it is far longer than any of ours."""
    return one_line(words, _MOST_LETTERS)


def wrapped(words: str, letters: int, indent: str = "") -> list[str]:
    """A sentence on lines of so many letters; lines after the first are indented."""
    bound = _UNITS.sub(_BOUND, sentence(words))
    return [line.replace(_BOUND, " ") for line in wrap(bound, letters, subsequent_indent=indent)]
