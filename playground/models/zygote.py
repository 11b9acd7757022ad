"""A clean process from which experiments are forked: one thread, and all that they need imported.

It is started once for each flavour, forks one process for each order, and tells how that ended. It decides that nothing
is left over: whoever hangs up, on one experiment or on all, has their processes killed. It refuses to know what is run.

What it uses itself it takes hold of before gevent or eventlet replace it: its own waiting is nobody's green thread.
"""

import ctypes
import gc
import json
import os
import pkgutil
import shutil
import socket
import sys
import traceback
import warnings
from dataclasses import dataclass
from importlib import import_module
from os import WNOHANG, fork, kill, killpg, read, wait4
from pathlib import Path
from resource import RLIMIT_CORE, getrlimit, setrlimit
from select import POLLIN, poll
from signal import SIG_DFL, SIGCHLD, SIGINT, SIGKILL, SIGUSR2, default_int_handler, set_wakeup_fd, signal
from typing import Any, Final

from playground import models
from playground.models import rows, said
from playground.models.flavours import WARMING, Flavour, patch
from playground.models.wire import MESSAGE_BYTES, WHERE

__all__ = ["main"]

_UNPATCHED: Final = (rows, said)
"""Imported before anything is replaced, for they ask for the system's threads and pipes."""

_WARM: Final = {
    "plain": (
        *("asyncio", "anyio", "anyio._backends._asyncio", "multiprocessing.pool", "multiprocessing.popen_fork"),
        *("multiprocessing.synchronize", "multiprocessing.managers", "concurrent.futures.process"),
        *("concurrent.futures.thread", "queue", "trio", "anyio._backends._trio", "uvloop"),
        "playground.watching.watch",
    ),
    "gevent": ("gevent", "gevent.pool", "gevent.threadpool", "gevent.lock", "playground.watching.watch"),
    "eventlet": ("eventlet", "eventlet.greenpool", "eventlet.tpool"),
}
"""What is imported once, so that no experiment pays for it."""

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
"""From linux/prctl.h."""


@dataclass
class _Child:
    line: socket.socket
    folder: Path


class _Zygote:
    """Waits for orders, for what is said on the lines, and for processes that end.

    Args:
        control: where orders come from.
        base: the folder below which each order has its own.
    """

    def __init__(self, control: socket.socket, base: Path) -> None:
        self._control = control
        self._base = base
        self._children: dict[int, _Child] = {}
        self._by_line: dict[int, int] = {}
        self._woken, waker = os.pipe()
        for end in (self._woken, waker):
            os.set_blocking(end, False)
        signal(SIGCHLD, lambda *_: None)  # without a handler nobody writes to the waker
        set_wakeup_fd(waker)
        self._waker = waker
        self._poll = poll()
        self._poll.register(control, POLLIN)
        self._poll.register(self._woken, POLLIN)

    def serve(self) -> None:
        """Do so until the other end hangs up; then leave nothing behind."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._control.fileno():
                    if not self._take_order():
                        self._end()
                        return
                elif descriptor == self._woken:
                    self._drain()
                    self._reap()
                else:
                    self._hear(descriptor)

    def _take_order(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 4)
        if len(message) < MESSAGE_BYTES or len(descriptors) < 4:
            return False
        name = message.rstrip(b"\0").decode()
        line = socket.socket(fileno=descriptors[0])
        pid = fork()
        if pid == 0:  # pragma: no cover (a forked process is counted from its next function on)
            self._become_child(self._base / name, descriptors)
        for descriptor in descriptors[1:]:
            os.close(descriptor)
        self._children[pid] = _Child(line, self._base / name)
        self._by_line[line.fileno()] = pid
        self._poll.register(line, POLLIN)
        _tell(line, {"pid": pid})
        return True

    def _become_child(self, folder: Path, descriptors: list[int]) -> None:
        code = 70  # EX_SOFTWARE of sysexits.h: what goes wrong before the function is called is our fault
        try:
            _settle(descriptors)
            self._forget()
            from playground.models.child import run  # only now: what it loads is to be patched

            code = run(folder, descriptors[1])
            _library_call("fflush", None)
        except BaseException:  # noqa: BLE001  (it must not go on as a second zygote)
            traceback.print_exc()
        finally:
            os._exit(code)

    def _forget(self) -> None:
        """In the child: let go of what is the zygote's."""
        self._control.close()
        os.close(self._woken)
        os.close(self._waker)
        for child in self._children.values():
            child.line.close()

    def _drain(self) -> None:
        try:
            while read(self._woken, 4096):
                pass
        except BlockingIOError:
            return

    def _reap(self) -> bool:
        """See off those that have ended; whether others are left."""
        while True:
            try:
                pid, status, usage = wait4(-1, WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                self._sweep()
                return True
            child = self._children.pop(pid, None)
            if child is None:
                continue  # somebody's child that came to us when its parent died
            _kill_group(pid)
            ended = {
                "status": os.waitstatus_to_exitcode(status),
                "cpu_s": usage.ru_utime + usage.ru_stime,
                "most_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            }
            _tell(child.line, ended)
            self._hang_up(child)

    def _hang_up(self, child: _Child) -> None:
        self._stop_hearing(child)
        child.line.close()

    def _stop_hearing(self, child: _Child) -> None:
        if self._by_line.pop(child.line.fileno(), None) is not None:
            self._poll.unregister(child.line)

    def _sweep(self) -> None:
        """Kill those that outlived the experiment that they came from, in a group of their own.

        While others are being run it cannot be told whose they are, so they wait until no experiment is.
        """
        if self._children:
            return
        try:
            with open("/proc/thread-self/children") as file:
                left = [int(pid) for pid in file.read().split()]
        except OSError:  # pragma: no cover (not Linux: they go where the system sends orphans)
            return
        for pid in left:
            kill(pid, SIGKILL)  # its own children come to us as it dies, and we are called again

    def _hear(self, descriptor: int) -> None:
        pid = self._by_line.get(descriptor)
        if pid is None:
            return  # it ended in this same round
        child = self._children[pid]
        try:
            said = child.line.recv(1)
        except ConnectionResetError:
            said = b""
        if said == WHERE:
            kill(pid, SIGUSR2)
            return
        _kill_group(pid)
        if not said:  # who hung up says no more, but would be readable for ever
            self._stop_hearing(child)

    def _end(self) -> None:
        for pid in self._children:
            _kill_group(pid)
        while self._reap():  # theirs too, in sessions of their own: who is killed leaves us those that it has started
            self._poll.poll(100)
            self._drain()
        shutil.rmtree(self._base, ignore_errors=True)


def _settle(descriptors: list[int]) -> None:
    """In the child: a session of its own, its streams, and signals as a program finds them."""
    os.setsid()
    if sys.platform == "linux":
        _library_call("prctl", _PR_SET_PDEATHSIG, SIGKILL)
    set_wakeup_fd(-1)
    signal(SIGCHLD, SIG_DFL)
    signal(SIGINT, default_int_handler)
    os.close(descriptors[0])
    setrlimit(RLIMIT_CORE, (0, getrlimit(RLIMIT_CORE)[1]))  # a crash is a lesson, not a file in the student's folder
    for descriptor, standard in zip(descriptors[2:], (1, 2), strict=True):
        os.dup2(descriptor, standard)
        os.close(descriptor)


def _kill_group(pid: int) -> None:
    for send in (killpg, kill):  # it has no group yet if it was only just forked
        try:
            send(pid, SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _tell(line: socket.socket, message: dict[str, Any]) -> None:
    try:
        line.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        return  # who asked has hung up, and nobody else wants to know


_LIBRARY: Final = ctypes.CDLL(None)


def _library_call(name: str, *args: Any) -> None:
    getattr(_LIBRARY, name)(*args)


def _warm_up(flavour: Flavour) -> None:
    """Import what experiments need, as far as it is there: who misses something is told when it is asked for."""
    found = [module.name for module in pkgutil.walk_packages(models.__path__, "playground.models.")]
    for name in (*_WARM[flavour], *found):
        try:
            import_module(name)
        except ImportError:
            continue


def main(descriptor: int, flavour: Flavour, base: str) -> None:
    """Be a zygote, until whoever started it hangs up.

    Args:
        descriptor: the socket that orders come through.
        flavour: "plain", "gevent" or "eventlet".
        base: the folder below which each order has its own.
    """
    control = socket.socket(fileno=descriptor)
    signal(SIGINT, default_int_handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            patch(flavour)
            _warm_up(flavour)
        del os.environ[WARMING]
    except BaseException:  # noqa: BLE001  (whatever a library does as it is imported)
        _tell(control, {"problem": traceback.format_exc()})
        return
    if sys.platform == "linux":
        _library_call("prctl", _PR_SET_CHILD_SUBREAPER, 1)
    gc.collect()
    gc.freeze()  # so that the children do not copy pages by looking through them
    _tell(control, {"ready": True})
    _Zygote(control, Path(base)).serve()
