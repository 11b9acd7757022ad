"""The process of one experiment: it opens the parcel, calls the function, leaves the answer in the folder, and ends.

It is made in two ways, forked from a zygote or as a fresh interpreter, and does the same in both. It decides what the
function finds: the notebook's working directory, path and environment, a `__main__` of its own, streams that are
heard, a writer of rows. It refuses to know who waits for the answer.
"""

import faulthandler
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal

from playground.errors import ModelError
from playground.models import rows
from playground.models.parcel import Failure, Order, failed, know, opened, result_of
from playground.models.said import Said

__all__ = ["ANSWER", "ORDER", "STACKS", "Answer", "run"]

ORDER: Final = "order"
ANSWER: Final = "answer"
STACKS: Final = "stacks"
"""The files of an experiment's folder: what to do, how it ended, and where it was when it was killed."""


@dataclass(frozen=True)
class Answer:
    """How the function ended.

    Attributes:
        ending: whether it returned or raised; "interrupted" if it was by a KeyboardInterrupt.
        result: what it returned, as bytes.
        failure: what it raised.
        started_ns, ended_ns: when it was called, and when it was over.
        cpu_s: processor time of this process and those that it waited for.
    """

    ending: Literal["returned", "raised", "interrupted"]
    result: bytes | None
    failure: Failure | None
    started_ns: int
    ended_ns: int
    cpu_s: float


def run(folder: Path, pieces: int) -> int:
    """Run the experiment of a folder.

    Args:
        folder: the experiment's own, which holds its order.
        pieces: the pipe for what is printed.

    Returns:
        what this process is to end with.
    """
    _tell_where(folder)
    sys.stdout, sys.stderr = Said(pieces, "out"), Said(pieces, "err")
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__dict__["__builtins__"] = __builtins__
    with (folder / ORDER).open("rb") as file:
        order: Order = pickle.load(file)
    started_ns = time.perf_counter_ns()
    try:
        _move_in(order)
        rows.record_in(folder)
        function, args = opened(order.parcel)
    except BaseException as error:  # noqa: BLE001  (also what a module raises that is imported for it)
        answer = _ended("raised", started_ns, failure=failed(error))
    else:
        answer = _call(function, args)
    _leave(folder, answer)
    return 0 if answer.ending == "returned" else 1


def _tell_where(folder: Path) -> None:
    """Write down where each thread is if this process crashes, or is asked to before it is killed."""
    stacks = os.open(folder / STACKS, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    faulthandler.enable(stacks)
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR2, stacks)


def _move_in(order: Order) -> None:
    """Be where the notebook's process is, and know its cells by their names."""
    know(order.sources)
    if order.directory is not None:
        os.chdir(order.directory)
    if os.environ != order.environ:
        os.environ.clear()
        os.environ.update(order.environ)
    sys.path[:] = order.path
    sys.argv[:] = [""]


def _call(function: Callable[..., Any], args: tuple[Any, ...]) -> Answer:
    started_ns = time.perf_counter_ns()
    try:
        result = function(*args)
    except KeyboardInterrupt as error:
        return _ended("interrupted", started_ns, failure=failed(error))
    except BaseException as error:  # noqa: BLE001  (it is told to the notebook's process, whatever it is)
        return _ended("raised", started_ns, failure=failed(error))
    answer = _ended("returned", started_ns)
    try:
        return replace(answer, result=result_of(result))
    except ModelError as error:
        return replace(answer, ending="raised", failure=_failure(str(error)))


def _failure(words: str) -> Failure:
    return Failure("ModelError", words, "")


def _ended(
    ending: Literal["returned", "raised", "interrupted"], started_ns: int, failure: Failure | None = None
) -> Answer:
    ended_ns, spent = time.perf_counter_ns(), os.times()
    cpu_s = spent.user + spent.system + spent.children_user + spent.children_system
    return Answer(ending, None, failure, started_ns, ended_ns, cpu_s)


def _leave(folder: Path, answer: Answer) -> None:
    """Leave the answer where it is looked for: all of it, or nothing."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    part = folder / f"{ANSWER}.part"
    try:
        part.write_bytes(pickle.dumps(answer, protocol=5))
    except OSError as error:
        words = f"expected room for the result in {folder}, got none: {error.strerror}. Return less"
        part.write_bytes(pickle.dumps(replace(answer, ending="raised", result=None, failure=_failure(words))))
    part.replace(folder / ANSWER)
