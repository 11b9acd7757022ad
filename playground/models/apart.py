"""A function, called in a process of its own, whatever becomes of it there.

It decides how long it may take, shows what it prints in the cell that asked, kills what must be killed, and puts into
words how it ended. The notebook's process itself never forks, and is never patched. It refuses to know what the
function is for.
"""

import os
import pickle
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from playground.errors import ModelError
from playground.models.child import ANSWER, ORDER, STACKS, Answer
from playground.models.flavours import Flavour
from playground.models.forked import Forked
from playground.models.fresh import Fresh
from playground.models.left import read_left
from playground.models.parcel import Failure, Order, Source, packed, received
from playground.models.rows import Row, read_dropped, read_rows
from playground.models.said import Heard
from playground.models.stacks import own_stack
from playground.models.zygotes import WITHOUT_PROCESSES, Zygote, are_possible, new_name, scratch, zygote

__all__ = ["Apart", "Ending", "run_apart"]

Ending = Literal["returned", "raised", "timed out", "crashed", "interrupted"]

MOST_OUTPUT_BYTES: Final = 10_000_000
"""As much as a notebook bears: its front end holds all that was printed."""

_MOMENT_S: Final = 0.05
"""How long nothing must come for a line that was begun to be shown as it is: what people take for at once."""
_LAST_WORDS_S: Final = 0.5
"""How long a process that is to be killed may take to write down where it is: a busy machine may need some of it."""


_WHY: Final = {
    "SIGKILL": ", and not by its timeout: by somebody else, or by the system for want of memory",
    "SIGBUS": ": perhaps the file system is full that holds what was recorded",
}


@dataclass(frozen=True)
class Apart:
    """How a function ended in a process of its own, and what it did until then.

    Attributes:
        ending: "returned", "raised", "timed out", "crashed" (it was killed, or ended itself), or "interrupted".
        result: what it returned.
        status: of one that crashed, its exit code, or the negative number of the signal that killed it; else `None`.
        error: what it raised, or in words how else it ended, with the line where it was; `None` if it returned.
        rows: what was recorded, by start; also of its process's own children.
        dropped: how many rows found no room.
        left: what it left piece by piece, see `left`.
        out, err: what it printed.
        cpu_s: processor time of its process and those that it waited for; `None` where that is not to be had.
        most_bytes: the most memory that its process held, with what it shares with the process that it was forked
            from; `None` where that is not to be had.
        wall_s: from its call to its end.
        ended_ns: when that was, by `perf_counter_ns`; of one that was killed, or ended itself, when that was seen.
        overhead_s: what the process cost besides: making it, sending the function, fetching the result.
    """

    ending: Ending
    result: Any
    error: Failure | None
    rows: list[Row]
    dropped: int
    left: list[bytes]
    out: str
    err: str
    cpu_s: float | None
    most_bytes: int | None
    wall_s: float
    overhead_s: float
    ended_ns: int
    status: int | None = None


def run_apart(
    function: Callable[..., Any],
    *args: Any,
    flavour: Flavour = "plain",
    timeout_s: float = 30.0,
    show: bool = True,
    meanwhile: Callable[[], object] | None = None,
) -> Apart:
    """Call a function in a process of its own, and wait for its end.

    What it prints appears as if it were printed here, while it runs. However it ends, nothing of it is left: processes
    that it started are killed.

    Args:
        function: any, of a cell or a module; it is sent by value where it comes from a notebook.
        args: what to call it with; they are sent too.
        flavour: "plain", or the library that has replaced the blocking parts of Python's: "gevent", "eventlet".
        timeout_s: how long it may take.
        show: whether what it prints is shown; it is kept in any case.
        meanwhile: called about twenty times a second while nothing is heard of it.

    Raises:
        ModelError: it could not be sent, or a library is missing.
        KeyboardInterrupt: the cell was interrupted; the process is killed first.
    """
    began_ns = time.perf_counter_ns()
    parcel, sources = packed(function, args)
    heard = Heard({"out": sys.stdout, "err": sys.stderr} if show else {}, MOST_OUTPUT_BYTES)
    with _process(parcel, sources, flavour, heard) as (process, folder):
        started_ns = time.perf_counter_ns()
        try:
            is_over = _attend(process, folder, heard, timeout_s, meanwhile)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("the experiment's process was killed") from None
        process.drain()
        heard.end()
        told = _told(folder, process.ended or {}, timeout_s if is_over else None, started_ns)
    overhead_s = (time.perf_counter_ns() - began_ns) / 1e9 - told["wall_s"]
    return Apart(**told, out=heard.text("out"), err=heard.text("err"), overhead_s=overhead_s)


def _told(folder: Path, ended: dict[str, Any], timeout_s: float | None, started_ns: int) -> dict[str, Any]:
    """What the folder and the system tell of an experiment that is over."""
    ended_ns = time.perf_counter_ns()
    answer = _answer(folder)
    ending, result, error = _how(answer, ended, timeout_s, folder)
    if answer is not None:
        started_ns, ended_ns = answer.started_ns, answer.ended_ns
    return {
        "ending": ending,
        "result": result,
        "error": error,
        "rows": read_rows(folder),
        "dropped": read_dropped(folder),
        "left": read_left(folder),
        "cpu_s": ended.get("cpu_s", answer.cpu_s if answer is not None else None),
        "most_bytes": ended.get("most_bytes"),
        "wall_s": (ended_ns - started_ns) / 1e9,
        "ended_ns": ended_ns,
        "status": ended.get("status") if ending == "crashed" else None,
    }


Process = Forked | Fresh


@contextmanager
def _process(
    parcel: bytes, sources: dict[str, Source], flavour: Flavour, heard: Heard
) -> Iterator[tuple[Process, Path]]:
    if sys.platform in WITHOUT_PROCESSES:
        raise ModelError(
            f"expected a system with processes, got {sys.platform}, which has none: choose models that need none"
        )
    way = _forked if are_possible() else _fresh
    with way(parcel, sources, flavour, heard) as (process, folder):
        yield process, folder


@contextmanager
def _fresh(parcel: bytes, sources: dict[str, Source], flavour: Flavour, heard: Heard) -> Iterator[tuple[Fresh, Path]]:
    with _folder(None, parcel, sources) as folder, Fresh(heard) as process:
        process.start(flavour, folder)
        yield process, folder


@contextmanager
def _forked(parcel: bytes, sources: dict[str, Source], flavour: Flavour, heard: Heard) -> Iterator[tuple[Forked, Path]]:
    dead: Zygote | None = None
    for _ in range(2):  # one that died since it was used is started anew
        parent = zygote(flavour, instead_of=dead)
        with _folder(parent.base, parcel, sources) as folder, Forked(heard) as process:
            if process.start(parent, folder):
                yield process, folder
                return
        dead = parent
    raise ModelError(
        f"expected a process for {flavour} experiments that lives, got two that died as soon as they were asked for "
        "something. Restart the kernel; perhaps the machine has no memory left"
    )


@contextmanager
def _folder(base: Path | None, parcel: bytes, sources: dict[str, Source]) -> Iterator[Path]:
    """A folder of an experiment's own, with its order in it, that is gone afterwards."""
    folder = new_name(base or scratch(), "run")
    try:
        folder.mkdir(mode=0o700)
        order = Order(parcel, sources, str(folder), _directory(), sys.path, dict(os.environ))
        with (folder / ORDER).open("wb") as file:
            pickle.dump(order, file, protocol=5)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # one that is being killed may still write into it


def _directory() -> str | None:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it was deleted: the experiment has none either
        return None


def _attend(
    process: Process, folder: Path, heard: Heard, timeout_s: float, meanwhile: Callable[[], object] | None
) -> bool:
    """Hear the process until its end; whether it had to be killed because its time was over."""
    deadline_s = time.monotonic() + timeout_s
    while process.ended is None:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            _kill(process, folder)
            return True
        if not process.listen(min(left_s, _MOMENT_S)):
            process.show_unfinished()
            heard.flush()
            if meanwhile is not None:
                meanwhile()
    return False


def _kill(process: Process, folder: Path) -> None:
    """Have the process write down where it is, then kill it."""
    stacks = folder / STACKS
    process.ask_where()
    deadline_s = time.monotonic() + _LAST_WORDS_S
    while process.ended is None and not _size(stacks) and time.monotonic() < deadline_s:
        process.listen(0.001)
    written = -1
    while process.ended is None and written < (written := _size(stacks)):
        process.listen(0.005)
    process.kill()
    while process.ended is None:
        process.listen(None)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _answer(folder: Path) -> Answer | None:
    try:
        with (folder / ANSWER).open("rb") as file:
            answer: Answer = pickle.load(file)
    except FileNotFoundError:
        return None
    return answer


def _how(
    answer: Answer | None, ended: dict[str, Any], timeout_s: float | None, folder: Path
) -> tuple[Ending, Any, Failure | None]:
    """The ending, the result and the error."""
    if answer is None and timeout_s is not None:
        words = f"expected an end within {timeout_s:g} s, got none: the process was killed"
        return "timed out", None, Failure("TimeoutError", words, own_stack(folder / STACKS))
    if answer is None:
        return "crashed", None, Failure("Crash", _crash(ended.get("status")), own_stack(folder / STACKS))
    if answer.result is None:
        return answer.ending, None, answer.failure
    try:
        return "returned", received(answer.result), None
    except ModelError as error:
        return "raised", None, Failure("ModelError", str(error), "")


def _crash(status: int | None) -> str:
    """How a process ended that left no answer, in words."""
    if status is None:
        return "killed, together with the process that it was forked from"
    if status < 0:
        name = _signal(-status)
        return f"killed by {name}" + _WHY.get(name, "")
    return f"ended by itself before the function returned, as os._exit({status}) does"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # a real-time one
