"""A handler's parameters, filled from a request or a websocket: `def hello(name: str, times: int = 1)`.

Once, when a handler is registered, this module decides where each parameter comes from (the connection
itself, the path, or the query) and how its text is converted; a handler that could never be called is
refused there, in words. For a request it then only converts, and says what did not convert. It refuses
to know how the handler is called and what becomes of its result.
"""

import inspect
import math
import re
import types
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from playground.errors import HandlerError

from ._connection import HTTPConnection
from .exceptions import HTTPException
from .requests import Request

__all__ = ["Binding", "ParameterError", "Problem", "bind"]

_REQUIRED: Final[Any] = inspect.Parameter.empty
_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
_TRUE: Final = frozenset({"1", "true", "yes", "on", "t", "y"})
_FALSE: Final = frozenset({"0", "false", "no", "off", "f", "n"})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one parameter of a request.

    Attributes:
        source: where it comes from.
        name: its name.
        given: its text; `None` if it is missing.
        wanted: what it should have been, such as `a whole number`.
    """

    source: Literal["path", "query"]
    name: str
    given: str | None
    wanted: str

    def __str__(self) -> str:
        if self.given is None:
            return f"The {self.source} parameter {self.name!r} is missing: it must be {self.wanted}."
        return f"The {self.source} parameter {self.name!r} must be {self.wanted}, got {self.given!r}."


class ParameterError(HTTPException):
    """A request's parameters are not what its handler takes: 422.

    Attributes:
        problems: one for each parameter that is missing or does not convert.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(422, " ".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type that a text may become.

    Attributes:
        type: the type.
        convert: makes a value of a text, or raises `ValueError`.
        wanted: what the text must be, in words.
    """

    type: type
    convert: Callable[[str], Any]
    wanted: str


@dataclass(frozen=True, slots=True)
class _Field:
    """One parameter of a handler that comes from the path or the query."""

    source: Literal["path", "query"]
    name: str
    kind: _Kind
    default: Any

    def read(self, given: Any) -> Any:
        # A convertor of the route may have made it what it should be already; of 309 digits it makes an infinity.
        if isinstance(given, self.kind.type) and given != math.inf:
            return given
        return self.kind.convert(str(given))


class Binding:
    """How to call one handler.

    Args:
        connection_name: the parameter that takes the request or the websocket, or `None`.
        fields: the parameters that come from the path and the query.
    """

    def __init__(self, connection_name: str | None, fields: list[_Field]) -> None:
        self._connection_name = connection_name
        self._fields = fields

    def arguments(self, connection: HTTPConnection[Any]) -> dict[str, Any]:
        """The handler's keyword arguments for this request or websocket.

        Raises:
            ParameterError: some are missing or do not convert.
        """
        arguments: dict[str, Any] = {}
        if self._connection_name is not None:
            arguments[self._connection_name] = connection
        problems: list[Problem] = []
        for field in self._fields:
            given = (connection.path_params if field.source == "path" else connection.query_params).get(field.name)
            if given is None:
                if field.default is _REQUIRED:
                    problems.append(Problem(field.source, field.name, None, field.kind.wanted))
                arguments[field.name] = field.default
                continue
            try:
                arguments[field.name] = field.read(given)
            except ValueError:
                problems.append(Problem(field.source, field.name, str(given), field.kind.wanted))
        if problems:
            raise ParameterError(problems)
        return arguments


def bind(
    handler: Callable[..., Any],
    path: str,
    path_params: Collection[str],
    connection: type[HTTPConnection[Any]] = Request,
) -> Binding:
    """Work out how to call a handler.

    Args:
        handler: the function.
        path: the template of its route, for messages.
        path_params: the names of the template's parameters.
        connection: what the handler answers: `Request` or `WebSocket`. A parameter that is annotated so, or has
            its name in lower case and no annotation, takes it.

    Raises:
        HandlerError: it takes what no request has, or does not take what the path has.
    """
    where = f"The handler {_name(handler)!r} of {path!r}"
    connection_name: str | None = None
    fields: list[_Field] = []
    for parameter in _signature(handler, where).parameters.values():
        _refuse_nameless(parameter, where)
        if _takes(parameter, connection):
            connection_name = parameter.name
        else:
            source: Literal["path", "query"] = "path" if parameter.name in path_params else "query"
            kind = _kind(parameter, where, connection)
            fields.append(_Field(source, parameter.name, kind, parameter.default))
    if connection_name is None:
        _refuse_ignored(handler, path, path_params, {field.name for field in fields}, connection)
    return Binding(connection_name, fields)


def _refuse_nameless(parameter: inspect.Parameter, where: str) -> None:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise HandlerError(
            f"{where} takes {str(parameter).partition(':')[0]!r}, which no request fills. "
            "Give each parameter a name of its own, without * and /."
        )


def _refuse_ignored(
    handler: Callable[..., Any],
    path: str,
    path_params: Collection[str],
    taken: set[str],
    connection: type[HTTPConnection[Any]],
) -> None:
    ignored = [name for name in path_params if name not in taken]
    if not ignored:
        return
    name = connection.__name__.lower()
    raise HandlerError(
        f"The path {path!r} has the parameter {ignored[0]!r}, which the handler {_name(handler)!r} does not "
        f"take. Write `def {_name(handler)}({', '.join(path_params)})`, or take the `{name}` and read "
        f"`{name}.path_params`."
    )


def _signature(handler: Callable[..., Any], where: str) -> inspect.Signature:
    try:
        return inspect.signature(handler, eval_str=True)
    except NameError as error:
        raise HandlerError(
            f"{where} has an annotation that cannot be looked up: {error}. "
            "Import or define the name before the handler."
        ) from error


def _takes(parameter: inspect.Parameter, connection: type[HTTPConnection[Any]]) -> bool:
    annotation = get_origin(parameter.annotation) or parameter.annotation
    if annotation is inspect.Parameter.empty:
        return parameter.name == connection.__name__.lower()
    return isinstance(annotation, type) and issubclass(annotation, connection)


def _kind(parameter: inspect.Parameter, where: str, connection: type[HTTPConnection[Any]]) -> _Kind:
    annotation = _plain(parameter.annotation)
    for kind in _KINDS:
        if annotation is kind.type:
            return kind
    name = connection.__name__
    raise HandlerError(
        f"{where} takes {parameter.name!r} as {_shown(parameter.annotation)}, which no text of a path or a "
        f"query becomes. Annotate it as {', '.join(kind.type.__name__ for kind in _KINDS)} or {name}, "
        f"or take the `{name.lower()}` and read it from there."
    )


def _plain(annotation: Any) -> Any:
    """An annotation without what does not say how to convert: `Annotated`, and `None` beside a type."""
    if annotation is inspect.Parameter.empty or annotation is Any:
        return str
    origin = get_origin(annotation)
    if origin is Annotated:
        return _plain(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        others = [arg for arg in get_args(annotation) if arg is not type(None)]
        if len(others) == 1:
            return _plain(others[0])
    return annotation


def _shown(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _name(handler: Callable[..., Any]) -> str:
    return getattr(handler, "__name__", type(handler).__name__)


def _to_int(text: str) -> int:
    if _WHOLE_NUMBER.fullmatch(text) is None:  # int() would take spaces and underscores too
        raise ValueError(text)
    return int(text)


def _to_float(text: str) -> float:
    number = float(text)
    if "_" in text or not math.isfinite(number):  # which JSON has no words for
        raise ValueError(text)
    return number


def _to_bool(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(text)
    return word in _TRUE


_KINDS: Final = (
    _Kind(str, str, "a text"),
    _Kind(int, _to_int, "a whole number"),
    _Kind(float, _to_float, "a number"),
    _Kind(bool, _to_bool, "true or false"),
    _Kind(uuid.UUID, uuid.UUID, "a UUID"),
)
