"""The process of one experiment: it opens the parcel, calls the function, leaves the answer in the folder, and ends.

It is made in two ways, forked from a zygote or as a fresh interpreter, and does the same in both. It decides what the
function finds: the notebook's working directory, path and environment, a `__main__` of its own, streams that are
heard, a writer of rows. It refuses to know who waits for the answer.
"""

import faulthandler
import linecache
import os
import pickle
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final, Literal

from playground import code
from playground.models import rows
from playground.models.parcel import Failure, Order, failed, opened, result_of
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
    """

    ending: Literal["returned", "raised", "interrupted"]
    result: bytes | None
    failure: Failure | None
    started_ns: int
    ended_ns: int


def run(folder: Path, said: int | None = None) -> int:
    """Run the experiment of a folder.

    Args:
        folder: the experiment's own, which holds its order.
        said: where to write what is printed; `None` for the standard streams as they are.

    Returns:
        what this process is to end with.
    """
    _tell_where(folder)
    if said is not None:
        sys.stdout, sys.stderr = Said(said, "out"), Said(said, "err")
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__dict__["__builtins__"] = __builtins__
    with (folder / ORDER).open("rb") as file:
        order: Order = pickle.load(file)
    try:
        _move_in(order)
        rows.record_in(folder)
        answer = _call(order.parcel)
    except BaseException as error:  # noqa: BLE001  (also a SystemExit of the module that is imported)
        now_ns = time.perf_counter_ns()
        answer = Answer("raised", None, failed(error), now_ns, now_ns)
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
    for file, (name, text) in order.sources.items():
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        code.GIVEN_NAMES[file] = name
    if order.directory is not None:
        os.chdir(order.directory)
    if os.environ != order.environ:
        os.environ.clear()
        os.environ.update(order.environ)
    sys.path[:] = order.path
    sys.argv[:] = [""]


def _call(parcel: bytes) -> Answer:
    started_ns = time.perf_counter_ns()
    try:
        function, args = opened(parcel)
        started_ns = time.perf_counter_ns()
        result = function(*args)
        ended_ns = time.perf_counter_ns()
        return Answer("returned", result_of(result), None, started_ns, ended_ns)
    except KeyboardInterrupt as error:
        return Answer("interrupted", None, failed(error), started_ns, time.perf_counter_ns())
    except BaseException as error:  # noqa: BLE001  (it is told to the notebook's process, whatever it is)
        return Answer("raised", None, failed(error), started_ns, time.perf_counter_ns())


def _leave(folder: Path, answer: Answer) -> None:
    """Leave the answer where it is looked for: all of it, or nothing."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    part = folder / f"{ANSWER}.part"
    with part.open("wb") as file:
        pickle.dump(answer, file, protocol=5)
    part.replace(folder / ANSWER)
