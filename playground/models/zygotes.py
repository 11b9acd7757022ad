"""The notebook's side of the zygotes: each is started when it is first asked for, kept warm, and ended at exit.

It decides that a process which is forked from this one shares none of them, and that one which died is started anew.
It refuses to know what an order says.
"""

import atexit
import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

from playground.errors import ModelError
from playground.models.flavours import WARMING, Flavour, environment, import_path, require
from playground.models.wire import MESSAGE_BYTES

__all__ = ["WITHOUT_PROCESSES", "Zygote", "are_possible", "end_all", "new_name", "scratch", "warm", "zygote"]

_BOOT: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from playground.models.zygote import main; "
    "main(int(sys.argv[2]), sys.argv[3], sys.argv[4])"
)
WITHOUT_PROCESSES: Final = frozenset({"emscripten", "wasi"})
"""Platforms, as `sys.platform` names them."""

_PATIENCE_S: Final = 60.0
"""How long a zygote may take to import what it needs: a second or two, on a machine that is not busy."""
_ROOM_BYTES: Final = 64_000_000
"""Free memory that a folder in memory must have: rows of half a dozen processes. A container may have no more."""


class Zygote:
    """One that was started, and perhaps still imports.

    Args:
        flavour: what it is patched with.

    Attributes:
        base: the folder below which each order has its own.
        pid: its process.
        is_over: whether it was hung up on.
    """

    def __init__(self, flavour: Flavour) -> None:
        self.base = new_name(scratch(), "playground")
        self._flavour = flavour
        self._ready = False
        self._heard = b""
        self.is_over = False
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        try:
            self.base.mkdir(mode=0o700)
            self._process = self._started(theirs)
        except BaseException:  # an interrupt, too
            self._control.close()
            shutil.rmtree(self.base, ignore_errors=True)
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid

    def _started(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(sys.executable, "-c", _BOOT, json.dumps(import_path())),
                *(str(theirs.fileno()), self._flavour, str(self.base)),
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment() | {WARMING: "1"},
            start_new_session=True,  # the kernel's interrupts are not for it
        )

    def wait(self) -> None:
        """Wait until it has imported what it needs, or died of it.

        Raises:
            ModelError: something cannot be imported.
        """
        with self._lock, contextlib.suppress(OSError):  # who orders is told that it is dead
            self._is_ready()

    def order(self, name: str, descriptors: list[int]) -> bool:
        """Have an experiment forked whose folder is `name`; `False` if there is nobody left to do it."""
        with self._lock:
            try:
                if not self._is_ready():
                    return False
                socket.send_fds(self._control, [name.encode().ljust(MESSAGE_BYTES, b"\0")], descriptors)
            except OSError:
                return False
            return True

    def _is_ready(self) -> bool:
        """Wait until it has imported what it needs; `False` if it died of it.

        Raises:
            ModelError: something cannot be imported.
        """
        if self._ready:
            return True
        deadline_s = time.monotonic() + _PATIENCE_S
        while not self._heard.endswith(b"\n"):
            if not select.select([self._control], [], [], max(0, deadline_s - time.monotonic()))[0]:
                raise ModelError(
                    f"expected a process for {self._flavour} experiments that is ready within {_PATIENCE_S:g} s, got "
                    "one that still imports what it needs. Try again when the machine is less busy"
                )
            piece = self._control.recv(65536)
            if not piece:
                return False
            self._heard += piece
        words: dict[str, Any] = json.loads(self._heard)
        if "problem" in words:
            self.end()
            raise ModelError(
                f"expected a process for {self._flavour} experiments that is ready, got one that could not import "
                f"what it needs:\n{words['problem']}"
            )
        self._ready = True
        return True

    def end(self) -> None:
        """Hang up: it ends, and leaves nothing."""
        self.is_over = True
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.base, ignore_errors=True)

    def forget(self) -> None:
        """In a process that was forked from this one: let go of it, without a word."""
        self._control.close()
        self._process.returncode = 0  # it is not ours to wait for


_lock: Final = threading.RLock()
_started: dict[Flavour, Zygote] = {}


def zygote(flavour: Flavour, *, instead_of: Zygote | None = None) -> Zygote:
    """The zygote of a flavour.

    Args:
        instead_of: one that turned out to be dead.

    Raises:
        ModelError: the library is missing; or a zygote imports a script that asks for one.
    """
    if WARMING in os.environ:
        raise ModelError(
            "expected a library's module, got a script of yours of the same name, which makes an experiment when it is "
            "imported: give the script another name"
        )
    with _lock:
        found = _started.get(flavour)
        if found is not None and (found is instead_of or found.is_over or not found.base.exists()):
            found.end()
            found = None
        if found is None:
            require(flavour)
            found = _started[flavour] = Zygote(flavour)
        return found


def are_possible() -> bool:
    """Whether this system can fork processes, and hand them what they need."""
    return hasattr(os, "fork") and hasattr(socket, "send_fds") and sys.platform not in WITHOUT_PROCESSES


def warm(*flavours: Flavour) -> None:
    """Have the zygotes of some flavours import side by side, and wait for them: so that they disturb nothing later.

    Raises:
        ModelError: a library is missing, or cannot be imported.
    """
    if are_possible():
        for started in [zygote(flavour) for flavour in flavours]:
            started.wait()


def end_all() -> None:
    """End all zygotes, and with them all their experiments."""
    with _lock:
        while _started:
            _, found = _started.popitem()
            found.end()


def new_name(folder: Path, prefix: str) -> Path:
    """A name that nothing has. Who makes it sees first to its end: an interrupt may come in between."""
    return folder / f"{prefix}-{os.urandom(8).hex()}"


def scratch() -> Path:
    """A folder in memory if there is one with room, else the system's folder for scratch files."""
    memory = Path("/dev/shm")
    try:
        room = os.statvfs(memory)
    except (OSError, AttributeError):
        return Path(tempfile.gettempdir())
    has_room = room.f_bavail * room.f_frsize >= _ROOM_BYTES
    return memory if has_room and os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def _forget_all() -> None:
    _lock._at_fork_reinit()  # type: ignore[attr-defined]  # another thread may have held it, which is not there any more
    for found in _started.values():
        found.forget()
    _started.clear()


atexit.register(end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
