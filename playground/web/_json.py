"""JSON as responses send it: compact, in Unicode, without the numbers that JSON does not have.

`json.dumps` builds an encoder for each call, which takes longer than encoding a small answer. Here one
encoder is kept. It does not look for circles, for that needs a table of its own for each call; what runs
too deep is encoded again by the standard library, whose error says why.
"""

import json
import json.encoder
from collections.abc import Callable, Iterable
from typing import Any, Final

__all__ = ["to_json"]

_SEPARATORS: Final = (",", ":")
_standard: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=_SEPARATORS)


def to_json(content: Any) -> str:
    """`content` as JSON.

    Raises:
        TypeError: something in it has no JSON.
        ValueError: a number is infinite or not a number, or something contains itself.
    """
    if _pieces is None:
        return _standard.encode(content)
    try:
        return "".join(_pieces(content, 0))
    except RecursionError:
        return _standard.encode(content)


def _kept_encoder() -> Callable[[Any, int], Iterable[str]] | None:
    """CPython's encoder in C, as `json.JSONEncoder` sets it up; `None` where there is none."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return None
    item_separator, key_separator = _SEPARATORS
    no_circles, indent, sort_keys, skip_keys, allow_nan = None, None, False, False, False
    encode_text = json.encoder.encode_basestring
    encoder: Callable[[Any, int], Iterable[str]] = make(
        no_circles,
        _standard.default,
        encode_text,
        indent,
        key_separator,
        item_separator,
        sort_keys,
        skip_keys,
        allow_nan,
    )
    return encoder


_pieces: Final = _kept_encoder()
