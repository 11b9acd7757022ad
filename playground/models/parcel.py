"""What travels between the notebook's process and an experiment's: functions, results and errors, as bytes.

What was defined in a cell travels by value, with its source for tracebacks; what was imported travels by name. It
decides what an error looks like on the way back: its type, its words, and of its traceback the student's own lines. It
refuses to know how the bytes get across.
"""

import io
import linecache
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Final

from playground.code import GIVEN_NAMES, is_own, own_place, short_name
from playground.errors import ModelError

__all__ = [
    "Failure",
    "Order",
    "Source",
    "failed",
    "know",
    "opened",
    "own_lines",
    "packed",
    "received",
    "result_of",
    "sources",
]


def _cloudpickle() -> Any:
    try:
        import cloudpickle
    except ImportError:
        return None
    return cloudpickle


_LIBRARY: Final = _cloudpickle()  # at once: an experiment must not change which modules the notebook has imported
_AT_HOME_ONLY: Final = frozenset({"gevent", "eventlet", "greenlet", "trio"})
"""Packages that an experiment never brings into the notebook's process."""

Source = tuple[str, str]
"""What a file is called, and its text."""


@dataclass(frozen=True)
class Order:
    """An experiment, as its process is told of it.

    Attributes:
        parcel: the function and its arguments.
        sources: by file name, those of the parcel's that are no files: the notebook's cells.
        folder: the experiment's own.
        directory, path, environ: the working directory, `sys.path` and the environment to have.
    """

    parcel: bytes
    sources: dict[str, Source]
    folder: str
    directory: str | None
    path: list[str]
    environ: dict[str, str]


@dataclass(frozen=True)
class Failure:
    """How something ended that did not return.

    Attributes:
        type: the name of the exception's type.
        message: its text.
        traceback: of its traceback the user's own lines, as Python writes them; may be empty.
        place: the innermost of them, `cell 3, line 4`; may be empty.
    """

    type: str
    message: str
    traceback: str
    _pickled: bytes | None = field(default=None, repr=False, compare=False)
    place: str = ""

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type

    def exception(self) -> Exception:
        """The exception again, to be raised: of its own type where that is known here, else a `ModelError`.

        Where it was raised first is told by a note.
        """
        error = _unpickled_error(self._pickled)
        if error is None:
            error = ModelError(str(self))
        if self.traceback:
            error.add_note("In the experiment's process:\n" + self.traceback.rstrip("\n"))
        return error


def packed(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[bytes, dict[str, Source]]:
    """A call as bytes, and the sources that it needs for its tracebacks.

    Raises:
        ModelError: cloudpickle is missing, or something cannot travel.
    """
    _require_library()
    buffer = io.BytesIO()
    pickler = _pickler(buffer)
    try:
        pickler.dump((function, args))
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError, ValueError) as error:
        raise ModelError(
            f"expected a function that can be sent to another process, got one that cannot: {error}. Make what it "
            "uses (an open file, a lock, a connection) inside the function"
        ) from error
    return buffer.getvalue(), sources(pickler.files)


def _require_library() -> None:
    if _LIBRARY is None:
        raise ModelError(
            "expected cloudpickle, which sends a notebook's functions to another process, got none installed: run "
            "pip install 'playground[models]'"
        )


def _pickler(buffer: io.BytesIO) -> Any:
    class Pickler(_LIBRARY.Pickler):  # type: ignore[misc, name-defined]
        """One that notes from which files the code comes that it sends by value."""

        def __init__(self) -> None:
            super().__init__(buffer, protocol=5)
            self.files: set[str] = set()

        def reducer_override(self, thing: Any) -> Any:
            if isinstance(thing, CodeType):
                self.files.add(thing.co_filename)
            return super().reducer_override(thing)

    return Pickler()


def sources(files: Iterable[str]) -> dict[str, Source]:
    """The names and texts of those files that are none on disk, so that another process has them too."""
    texts = {file: "".join(linecache.getlines(file)) for file in files if not os.path.exists(file)}
    return {file: (short_name(file), text) for file, text in texts.items() if text}


def know(texts: dict[str, Source]) -> None:
    """Have files that are none on disk known here, for tracebacks and by their names."""
    for file, (name, text) in texts.items():
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        GIVEN_NAMES[file] = name


def opened(parcel: bytes) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The call again. What was defined in the notebook is in `__main__` then, where pickle looks for it."""
    call: tuple[Callable[..., Any], tuple[Any, ...]] = _Opener(io.BytesIO(parcel)).load()
    return call


class _Opener(pickle.Unpickler):
    """One that puts functions and classes of `__main__` into `__main__`, for the process pools of user's own."""

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if module.startswith("cloudpickle") and name in ("_make_function", "_make_skeleton_class"):
            return _remembering(found)
        return found


def _remembering(make: Callable[..., Any]) -> Callable[..., Any]:
    def made(*args: Any) -> Any:
        thing = make(*args)
        main = sys.modules["__main__"]
        if thing.__module__ == "__main__" and thing.__qualname__.isidentifier() and thing.__name__ != "<lambda>":
            setattr(main, thing.__name__, thing)
        return thing

    return made


def result_of(result: Any) -> bytes:
    """A result as bytes.

    Raises:
        ModelError: it cannot travel.
    """
    try:
        sent: bytes = _LIBRARY.dumps(result, protocol=5)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError, ValueError) as error:
        raise ModelError(
            f"expected a result that can be sent back to the notebook's process, got one that cannot: {error}. Return "
            "plain values"
        ) from error
    return sent


class _Receiver(pickle.Unpickler):
    """One for the notebook's process, into which not everything may come."""

    def find_class(self, module: str, name: str) -> Any:
        package = module.partition(".")[0]
        if package in _AT_HOME_ONLY and module not in sys.modules:
            raise ModelError(
                f"expected a result of types that the notebook's process may have, got {module}.{name}: {package} "
                "stays in the experiment's process. Return plain values"
            )
        return super().find_class(module, name)


def received(sent: bytes) -> Any:
    """A result again, in the notebook's process.

    Raises:
        ModelError: it cannot be had here.
    """
    try:
        return _Receiver(io.BytesIO(sent)).load()
    except ModelError:
        raise
    except Exception as error:  # whatever a class of the user's raises as it is made
        raise ModelError(
            f"expected a result that can be read in the notebook's process, got {type(error).__name__}: {error}. "
            "Return plain values"
        ) from error


def failed(error: BaseException) -> Failure:
    """An error as it is told to the notebook's process."""
    try:
        pickled = _LIBRARY.dumps(error, protocol=5) if isinstance(error, Exception) else None
    except Exception:  # noqa: BLE001  (an error that cannot travel is told in words)
        pickled = None
    return Failure(type(error).__qualname__, _text(error), own_lines(error), pickled, own_place(error))


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as another:  # noqa: BLE001  (the user's own __str__)
        return f"<its text cannot be had: {type(another).__name__}>"


class _Known(pickle.Unpickler):
    """One that imports nothing: an error whose module is not here is told in words."""

    def find_class(self, module: str, name: str) -> Any:
        if module not in sys.modules:
            raise pickle.UnpicklingError(f"{module} is not imported here")
        return super().find_class(module, name)


def _unpickled_error(pickled: bytes | None) -> Exception | None:
    if pickled is None:
        return None
    try:
        error = _Known(io.BytesIO(pickled)).load()
    except Exception:  # noqa: BLE001  (an error whose class cannot be made again is told in words)
        return None
    return error if isinstance(error, Exception) else None


def own_lines(error: BaseException) -> str:
    """A traceback as Python writes it, of the user's own lines only, in which cells are called `cell 3`."""
    told = traceback.TracebackException.from_exception(error)
    _reduce(told, set())
    return "".join(told.format())


def _reduce(told: traceback.TracebackException, seen: set[int]) -> None:
    if id(told) in seen:
        return
    seen.add(id(told))
    told.stack = traceback.StackSummary.from_list([_renamed(line) for line in told.stack if is_own(line.filename)])
    for other in (told.__cause__, told.__context__, *(told.exceptions or ())):
        if other is not None:
            _reduce(other, seen)


def _renamed(line: traceback.FrameSummary) -> traceback.FrameSummary:
    name = short_name(line.filename)
    if name != line.filename:
        linecache.getlines(line.filename)
        if line.filename in linecache.cache:
            linecache.cache[name] = linecache.cache[line.filename]
    return traceback.FrameSummary(
        name,
        line.lineno,
        line.name,
        lookup_line=False,
        end_lineno=line.end_lineno,
        colno=line.colno,
        end_colno=line.end_colno,
    )
