"""An experiment's process where processes cannot be forked: a fresh Python for each, which is told the same.

The pipes are those that every system gives a process, its standard streams, and each is read by a thread, for Windows
cannot wait for a pipe: what Python prints comes through one, what programs and libraries in C write through the other.
The process ends when its standard input does, so that it does not outlive the notebook's.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any, Final, Literal

from playground.models.flavours import Flavour, environment, import_path, require
from playground.models.said import Heard, Pieces

__all__ = ["Fresh"]

_BOOT: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from playground.models.alone import main; "
    "main(sys.argv[2], sys.argv[3])"
)
_AT_ONCE: Final = 1 << 16
_GLANCE_S: Final = 0.05
"""How often to see whether a quiet process has ended, and to let an interrupt through, which Windows holds back."""
_PATIENCE_S: Final = 5.0
"""How long a process may take to be dead after it was killed."""

_Pipe = Literal["pieces", "out"]


class Fresh:
    """One that is asked for: the same as `Forked`.

    Args:
        heard: who wants to know what it prints.

    Attributes:
        ended: how it ended, once it has.
    """

    def __init__(self, heard: Heard) -> None:
        self.ended: dict[str, Any] | None = None
        self._heard = heard
        self._said: queue.SimpleQueue[tuple[_Pipe, bytes]] = queue.SimpleQueue()
        self._pieces = Pieces()
        self._readers: list[threading.Thread] = []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, flavour: Flavour, folder: Path) -> None:
        """Start it.

        Raises:
            ModelError: the library is missing.
        """
        require(flavour)
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-c", _BOOT, json.dumps(import_path()), flavour, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment(),
            start_new_session=True,
        )
        pipes: tuple[tuple[_Pipe, IO[bytes] | None], ...] = (
            ("pieces", self._process.stdout),
            ("out", self._process.stderr),
        )
        for name, pipe in pipes:
            reader = threading.Thread(target=self._read, args=(name, pipe), name=f"playground {name}", daemon=True)
            reader.start()
            self._readers.append(reader)

    def _read(self, name: _Pipe, pipe: IO[bytes]) -> None:
        while data := os.read(pipe.fileno(), _AT_ONCE):
            self._said.put((name, data))
        self._said.put((name, b""))

    def listen(self, timeout_s: float | None) -> bool:
        """Hear what comes, or wait for it; `False` if nothing came in time."""
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left_s = _GLANCE_S if deadline_s is None else min(_GLANCE_S, deadline_s - time.monotonic())
            try:
                name, data = self._said.get(timeout=max(0, left_s))
            except queue.Empty:
                if self._has_ended() or left_s <= 0:
                    return False
                continue
            self._hear(name, data)
            return True

    def _hear(self, name: _Pipe, data: bytes) -> None:
        if name == "out":
            self._heard.hear(name, data)
            return
        self._heard.hear_all(self._pieces.feed(data))

    def _has_ended(self) -> bool:
        status = self._process.poll() if self._process is not None else None
        if status is not None and self.ended is None:
            self.ended = {"status": status}
            self.kill()  # what it has left behind
        return status is not None

    def show_unfinished(self) -> None:
        """Show the lines that were begun and not ended."""
        self._heard.hear_all(self._pieces.unfinished())

    def ask_where(self) -> None:
        """Have it write down where it is, where the system has a signal for that."""
        if self._process is not None and self._process.poll() is None and hasattr(signal, "SIGUSR2"):
            self._process.send_signal(signal.SIGUSR2)

    def kill(self) -> None:
        """Kill it, and all that it has started: on Windows, only if it lives itself, for there is no group of them."""
        if self._process is None:
            return
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        elif self._process.poll() is None:  # pragma: no cover (Windows, where there is no killpg)
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(self._process.pid)], capture_output=True, check=False)

    def drain(self) -> None:
        """Hear what is left in the pipes."""
        for reader in self._readers:
            reader.join(_PATIENCE_S)
        while not self._said.empty():
            self._hear(*self._said.get())
        self.show_unfinished()

    def __enter__(self) -> "Fresh":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        if self.ended is None:
            self.kill()
        self._process.wait(_PATIENCE_S)
        self.drain()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
