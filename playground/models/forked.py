"""An experiment's process that a zygote has forked, as the notebook's process knows it: pipes, and a line."""

import contextlib
import json
import os
import selectors
import signal
import socket
import time
from pathlib import Path
from typing import Any, Final

from playground.models.said import Heard, Pieces
from playground.models.wire import KILL, WHERE
from playground.models.zygotes import Zygote

__all__ = ["Forked"]

_AT_ONCE: Final = 1 << 16
"""Bytes: what a pipe holds."""
_PATIENCE_S: Final = 5.0
"""How long a process may take to be dead after it was killed: the system does that at once, unless a disk hangs."""


class Forked:
    """One that is asked for. `with` sees to it that it is gone at the block's end.

    Args:
        heard: who wants to know what it prints.

    Attributes:
        ended: how it ended, once it has: see `wire`.
    """

    def __init__(self, heard: Heard) -> None:
        self.ended: dict[str, Any] | None = None
        self._heard = heard
        self._pieces = Pieces()
        self._pid: int | None = None
        self._said = b""
        self._open = contextlib.ExitStack()
        self._selector = self._open.enter_context(selectors.DefaultSelector())

    def start(self, zygote: Zygote, folder: Path) -> bool:
        """Have it forked; `False` if the zygote is dead."""
        self._line, line = socket.socketpair()
        self._open.callback(self._line.close)
        self._selector.register(self._line, selectors.EVENT_READ, "line")
        with contextlib.ExitStack() as theirs:
            theirs.callback(line.close)
            descriptors = [line.fileno(), *(self._pipe(name, theirs) for name in ("pieces", "out", "err"))]
            if not zygote.order(folder.name, descriptors):
                return False
        self._line.setblocking(False)
        while self._pid is None and self.ended is None:
            self.listen(None)
        return self._pid is not None

    def _pipe(self, name: str, theirs: contextlib.ExitStack) -> int:
        ours, end = os.pipe()
        self._open.callback(os.close, ours)
        theirs.callback(os.close, end)
        os.set_blocking(ours, False)
        self._selector.register(ours, selectors.EVENT_READ, name)
        return end

    def listen(self, timeout_s: float | None) -> bool:
        """Hear what comes, or wait for it; `False` if nothing came in time."""
        events = self._selector.select(timeout_s)
        for key, _ in sorted(events, key=lambda event: event[0].data == "line"):  # what was said before the end
            if key.data == "line":
                self._hear_line()
            else:
                self._hear_pipe(key.fd, key.data)
        return bool(events)

    def _hear_pipe(self, descriptor: int, name: Any) -> bool:
        """Hear one piece; `False` if there is none."""
        try:
            data = os.read(descriptor, _AT_ONCE)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(descriptor)
        elif name == "pieces":
            self._heard.hear_all(self._pieces.feed(data))
        else:
            self._heard.hear(name, data)
        return bool(data)

    def show_unfinished(self) -> None:
        """Show the lines that were begun and not ended."""
        self._heard.hear_all(self._pieces.unfinished())

    def _hear_line(self) -> None:
        try:
            data = self._line.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        *messages, self._said = (self._said + data).split(b"\n")
        for message in map(json.loads, messages):
            self._pid = message.get("pid", self._pid)
            if "status" in message:
                self.ended = message
        if not data and self.ended is None:
            self._lose_zygote()

    def _lose_zygote(self) -> None:
        """Nobody tells us how it ends, and nobody but us can see to it that it does."""
        self.ended = {}
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)

    def ask_where(self) -> None:
        """Have it write down where it is, from a signal handler."""
        self._tell(WHERE)

    def kill(self) -> None:
        """Have it killed, and all of its group."""
        self._tell(KILL)

    def _tell(self, word: bytes) -> None:
        with contextlib.suppress(OSError):  # the zygote is dead: `listen` finds that out
            self._line.send(word)

    def drain(self) -> None:
        """Hear what is left in the pipes."""
        for key in list(self._selector.get_map().values()):
            while key.data != "line" and self._hear_pipe(key.fd, key.data):
                pass
        self.show_unfinished()

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *_: object) -> None:
        with self._open:
            if self._pid is not None and self.ended is None:
                self.kill()
                deadline_s = time.monotonic() + _PATIENCE_S
                while self.ended is None and (left_s := deadline_s - time.monotonic()) > 0:
                    self.listen(left_s)
                self.drain()
