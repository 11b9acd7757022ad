"""A progress bar for what takes long: one line that is written over, in a cell or on a terminal.

It is shown by the thread that waits, not by the loop that works, and only after a second: what is quick needs none.
It knows how to write a line, and nothing of what is being done.
"""

import sys
import time
from typing import Any, Final, Self

__all__ = ["Progress"]

_SILENT_S: Final = 1.0
_WIDTH: Final = 30


class Progress:
    """How far sending has got.

    Args:
        total: how much the whole is: here, its duration in seconds, in the lab's time.

    Attributes:
        count: how many were sent.
        at: up to where the whole is done.

    A context manager: when it is left, the line is gone.
    """

    def __init__(self, total: float) -> None:
        self.total = total
        self.count = 0
        self.at = 0.0
        self._began = time.monotonic()
        self._line: Any = None

    def sent(self, count: int, at: float) -> None:
        """Note how many were sent, up to what moment. Called on the loop's thread."""
        self.count = count
        self.at = at

    def show(self) -> None:
        """Write the line anew. Called by the thread that waits."""
        if time.monotonic() - self._began < _SILENT_S:
            return
        if self._line is None:
            self._line = _line()
        self._line.write(self.text())

    def text(self) -> str:
        """The line itself."""
        share = min(1.0, self.at / self.total)
        full = round(share * _WIDTH)
        bar = "█" * full + "░" * (_WIDTH - full)
        return f"{bar} {share:4.0%}  {self.words()}"

    def words(self) -> str:
        """What the line says beside its bar."""
        return f"{self.at:,.0f} of {self.total:,.0f} s, {self.count:,} requests sent"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._line is not None:
            self._line.clear()


def _line() -> Any:
    """Where to write: a cell's output in a notebook, else standard error if a person may read it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return _CellLine(ipython.display) if shell is not None and hasattr(shell, "kernel") else _TerminalLine()  # type: ignore[union-attr]


class _CellLine:
    """A line in the output of a cell, of plain text."""

    def __init__(self, display: Any) -> None:
        self._display = display
        self._handle: Any = None

    def write(self, text: str) -> None:
        content = {"text/plain": text}
        if self._handle is None:
            self._handle = self._display.display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)

    def clear(self) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": ""}, raw=True)


class _TerminalLine:
    """A line on a terminal, written over."""

    def write(self, text: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{text}")
            sys.stderr.flush()

    def clear(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
