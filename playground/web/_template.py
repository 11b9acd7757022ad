"""Path templates: `/items/{id:int}` taken apart once, into literals and parameters.

A template decides what its texts look like (a regular expression), how one is made (a format) and which
convertors its values go through. It refuses to know about routes, methods and requests.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from playground.errors import RouteError

from .convertors import CONVERTOR_TYPES, Convertor

__all__ = ["PARAM_REGEX", "Param", "Piece", "Template", "fill", "parse_template"]

PARAM_REGEX: Final = re.compile(r"\{([a-zA-Z_][a-zA-Z0-9_]*)(?::([a-zA-Z_][a-zA-Z0-9_]*))?\}")
_PORT: Final = re.compile(r":[^\]:]*$")  # not the colons of an address, which stand in brackets
_SLOT: Final = re.compile(r"\{([a-zA-Z_][a-zA-Z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a template: its name, and the convertor that says what its text looks like."""

    name: str
    convertor: Convertor[Any]


Piece = str | Param


@dataclass(frozen=True)
class Template:
    """A path template, taken apart.

    Attributes:
        text: the template as it was written.
        pieces: literals and parameters in order; no literal is empty, no two are neighbours.
    """

    text: str
    pieces: tuple[Piece, ...]

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Matches the texts of this template, a named group for each parameter.

        Compiled when first asked for: the router does without it for nearly every route, and compiling
        is what makes ten thousand routes slow to declare.
        """
        if self.text.startswith("/"):
            return re.compile(f"^{''.join(map(_piece_regex, self.pieces))}$")
        # A host, then, and RFC 9110 (4.2.3) compares hosts in any case.
        return re.compile(f"^{''.join(map(_piece_regex, self.host_pieces))}$", re.IGNORECASE)

    @property
    def host_pieces(self) -> tuple[Piece, ...]:
        """The pieces of a host without its port, which says nothing about where a request goes."""
        if not self.pieces or isinstance(last := self.pieces[-1], Param):
            return self.pieces
        bare = _PORT.sub("", last)
        return (*self.pieces[:-1], bare) if bare else self.pieces[:-1]

    @property
    def format(self) -> str:
        """The template without its convertors: `/items/{id}`."""
        return "".join(piece if isinstance(piece, str) else f"{{{piece.name}}}" for piece in self.pieces)

    @property
    def convertors(self) -> dict[str, Convertor[Any]]:
        return {piece.name: piece.convertor for piece in self.pieces if isinstance(piece, Param)}


def parse_template(text: str) -> Template:
    """Take a template apart.

    Raises:
        RouteError: a convertor is unknown, or a parameter's name is used twice.
    """
    pieces: list[Piece] = []
    end = 0
    for found in PARAM_REGEX.finditer(text):
        if found.start() > end:
            pieces.append(text[end : found.start()])
        pieces.append(Param(found[1], _convertor(found[2] or "str", text)))
        end = found.end()
    if end < len(text):
        pieces.append(text[end:])
    _refuse_duplicates(text, [piece.name for piece in pieces if isinstance(piece, Param)])
    return Template(text, tuple(pieces))


def fill(path: str, convertors: Mapping[str, Convertor[Any]], params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Put the parameters that have a convertor into a path; return it and the parameters left over.

    `params` is emptied of those that were used, as Starlette's `replace_params` does.
    """
    used: set[str] = set()

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in params:
            return found[0]
        used.add(name)
        return convertors[name].to_string(params[name])

    # One pass over the path, so that a value that looks like `{name}` is never filled in turn.
    filled = _SLOT.sub(value, path)
    for name in used:
        del params[name]
    return filled, params


def _piece_regex(piece: Piece) -> str:
    if isinstance(piece, str):
        return re.escape(piece)
    return f"(?P<{piece.name}>{piece.convertor.regex})"


def _convertor(kind: str, text: str) -> Convertor[Any]:
    if kind not in CONVERTOR_TYPES:
        raise RouteError(
            f"Unknown path convertor {kind!r} in the path {text!r}. Known are "
            f"{', '.join(CONVERTOR_TYPES)}; add another with register_url_convertor()."
        )
    return CONVERTOR_TYPES[kind]


def _refuse_duplicates(text: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        plural = "s" if len(twice) > 1 else ""
        raise RouteError(
            f"Duplicated param name{plural} {', '.join(twice)} at path {text}. "
            "Give every parameter of a path a name of its own."
        )
