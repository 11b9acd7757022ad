"""The `Range` header: which stretches of a body a client asks for (RFC 9110, 14.2).

It decides what a header means for a body of a given length, and refuses what cannot be meant, each in the
words that the client is sent. Time and memory grow with the header's length alone: stretches are sorted and
merged, so none is sent twice, and a header with too many is as if it had not come.
"""

from typing import Final

__all__ = ["MalformedRangeHeader", "RangeNotSatisfiable", "parse_ranges"]

# Longer numbers than this are beyond every file, so they need not be read (reading takes quadratic time).
_MOST_DIGITS: Final = 18
_BEYOND: Final = 10**_MOST_DIGITS


class MalformedRangeHeader(Exception):
    """The header cannot be meant: 400, with this as its text."""

    def __init__(self, content: str = "Malformed range header.") -> None:
        super().__init__(content)
        self.content = content


class RangeNotSatisfiable(Exception):
    """A stretch begins behind the body: 416."""

    def __init__(self, max_size: int) -> None:
        super().__init__(f"A range begins behind the last of {max_size} bytes.")
        self.max_size = max_size


def parse_ranges(header: str, size: int, most: int) -> list[tuple[int, int]] | None:
    """The stretches that are asked for.

    Args:
        header: the value of `Range`.
        size: the length of the body, in bytes.
        most: how many stretches may be asked for at once.

    Returns:
        Start and end (exclusive) of each stretch in bytes, in order, with a gap between any two; `None` if
        too many are asked for, and the header is to be ignored.

    Raises:
        MalformedRangeHeader: the unit is not bytes, nothing is asked for, or a start is behind its end.
        RangeNotSatisfiable: a stretch begins behind the body.
    """
    unit, equals, wanted = header.partition("=")
    if not equals:
        raise MalformedRangeHeader()
    if unit.strip().lower() != "bytes":
        raise MalformedRangeHeader("Only support bytes range")
    if wanted.count(",") >= most:
        return None
    ranges = [stretch for part in wanted.split(",") if (stretch := _stretch(part, size)) is not None]
    if not ranges:
        raise MalformedRangeHeader("Range header: range must be requested")
    if any(start >= size for start, _ in ranges):
        raise RangeNotSatisfiable(size)
    if any(start >= end for start, end in ranges):
        raise MalformedRangeHeader("Range header: start must be less than end")
    return ranges if len(ranges) == 1 else _merged(ranges)


def _stretch(part: str, size: int) -> tuple[int, int] | None:
    """One stretch; `None` if it is none, for what is not understood is passed over."""
    first, dash, last = part.partition("-")
    first, last = first.strip(), last.strip()
    if not dash or not (first or last) or not (_is_number(first) and _is_number(last)):
        return None
    if not first:  # the last so many bytes
        return max(size - _number(last), 0), size
    return _number(first), min(_number(last) + 1, size) if last else size


def _is_number(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit())


def _number(digits: str) -> int:
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= _MOST_DIGITS else _BEYOND


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged
