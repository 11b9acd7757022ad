"""Reading the values of a template's parameters out of a text, once it is known to have the right shape.

Most templates need no regular expression for that: their parameters are whole segments, so each value is
looked at by itself. `reader` decides once, for each template, which way is enough; every way gives what the
template's own expression would give.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from re import compile as compile_regex
from typing import Any, Final

from ._shapes import Segment, segments_of, spans
from ._template import Param, Template
from .convertors import Convertor, FloatConvertor, IntegerConvertor, PathConvertor, StringConvertor

__all__ = ["Values", "reader", "values_of"]

Values = dict[str, Any]
_Reader = Callable[[str, Sequence[str] | None], Values | None]

# Python refuses to make a number of more digits than this, for its time grows with their square.
_MOST_DIGITS: Final = sys.int_info.default_max_str_digits

# A parameter that is a whole segment: the segment's place, the parameter's name, what says whether the text
# looks right (`None`: it must only not be empty), and what makes a value of it (`None`: it stays a text).
_Whole = tuple[int, str, Callable[[str], object] | None, Callable[[str], Any] | None]


def reader(template: Template | None) -> _Reader:
    """What reads the values of a text and its segments: `None` stands for a text that does not match.

    Without segments it uses the template's expression.
    """
    if template is None:
        return _never
    by_regex = _by_regex(template)
    taken_apart = _take_apart(segments_of(template.pieces)) if template.text.startswith("/") else None
    if taken_apart is None:
        return by_regex
    wholes, rest = taken_apart
    if not wholes:
        return _of_literal(by_regex) if rest is None else _of_rest(template, rest[1], by_regex)
    if rest is None and len(wholes) == 1:
        return _of_one(wholes[0], by_regex)
    return _of_segments(wholes, rest, by_regex)


def values_of(convertors: Mapping[str, Convertor[Any]], texts: Mapping[str, str]) -> Values | None:
    """The values of the texts that a template's expression found; `None` if one is too long for a number."""
    values: Values = {}
    for name, text in texts.items():
        convertor = convertors[name]
        if type(convertor) is IntegerConvertor and len(text) > _MOST_DIGITS:
            return None
        values[name] = convertor.convert(text)
    return values


def _never(text: str, segments: Sequence[str] | None) -> Values | None:
    return None


def _by_regex(template: Template) -> _Reader:
    convertors = template.convertors

    def read(text: str, segments: Sequence[str] | None) -> Values | None:
        found = template.regex.match(text)
        return None if found is None else values_of(convertors, found.groupdict())

    return read


def _of_literal(by_regex: _Reader) -> _Reader:
    def read(text: str, segments: Sequence[str] | None) -> Values | None:
        return {} if segments is not None else by_regex(text, None)

    return read


def _of_rest(template: Template, name: str, by_regex: _Reader) -> _Reader:
    """What reads a template that is a literal and then a rest: a mount, nearly always."""
    start = sum(len(piece) for piece in template.pieces if isinstance(piece, str))

    def read(text: str, segments: Sequence[str] | None) -> Values | None:
        if segments is None:
            return by_regex(text, None)
        remainder = text[start:]
        return None if "\n" in remainder else {name: remainder}  # the expression, `.*`, stops at a line feed

    return read


def _of_one(whole: _Whole, by_regex: _Reader) -> _Reader:
    place, name, looks_right, convert = whole

    def read_text(text: str, segments: Sequence[str] | None) -> Values | None:
        if segments is None:
            return by_regex(text, None)
        value = segments[place]
        return {name: value} if value else None

    def read(text: str, segments: Sequence[str] | None) -> Values | None:
        if segments is None:
            return by_regex(text, None)
        value = segments[place]
        if not (value if looks_right is None else looks_right(value)):
            return None
        return {name: value if convert is None else convert(value)}

    return read_text if looks_right is None and convert is None else read


def _of_segments(wholes: list[_Whole], rest: tuple[int, str] | None, by_regex: _Reader) -> _Reader:
    def read(text: str, segments: Sequence[str] | None) -> Values | None:
        if segments is None:
            return by_regex(text, None)
        values: Values = {}
        for place, name, looks_right, convert in wholes:
            value = segments[place]
            if not (value if looks_right is None else looks_right(value)):
                return None
            values[name] = value if convert is None else convert(value)
        if rest is not None:
            place, name = rest
            remainder = "/".join(segments[place:])
            if "\n" in remainder:  # the expression of a path, `.*`, stops at a line feed
                return None
            values[name] = remainder
        return values

    return read


def _take_apart(segments: list[Segment]) -> tuple[list[_Whole], tuple[int, str] | None] | None:
    """Where the values lie, if that is all there is to matching: whole segments, then perhaps a rest."""
    wholes: list[_Whole] = []
    for place, segment in enumerate(segments):
        params = [piece for piece in segment if isinstance(piece, Param)]
        if not params:
            continue
        if len(segment) > 1:
            return None
        param = params[0]
        if not spans(param):
            wholes.append((place, param.name, _check(param.convertor), _convert(param.convertor)))
        elif type(param.convertor) is PathConvertor and place == len(segments) - 1:
            return wholes, (place, param.name)
        else:
            return None
    return wholes, None


def _check(convertor: Convertor[Any]) -> Callable[[str], object] | None:
    if type(convertor) is IntegerConvertor:
        return _is_whole_number
    return None if convertor.regex == StringConvertor.regex else compile_regex(convertor.regex).fullmatch


def _is_whole_number(text: str) -> bool:
    return text.isdigit() and text.isascii() and len(text) <= _MOST_DIGITS


def _convert(convertor: Convertor[Any]) -> Callable[[str], Any] | None:
    """What makes a value of a text; the call of a convertor of ours that only passes it on is spared."""
    kind = type(convertor)
    if kind is StringConvertor:
        return None
    return {IntegerConvertor: int, FloatConvertor: float}.get(kind, convertor.convert)
