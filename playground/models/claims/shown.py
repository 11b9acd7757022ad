"""How much of a claim has been measured, shown while one waits for it: of a child, by a file that grows with each.

It decides how that is told and how often. A line that is written anew makes work for the notebook's page, on the very
machine that is being measured: so it is written twice a second at most.
"""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from playground.progress import Progress

__all__ = ["Measuring", "Tell"]

_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Tell:
    """What a child calls when it has measured one thing more; sent to it by value.

    Attributes:
        path: the file that grows by a byte each time.
    """

    path: str

    def __call__(self) -> None:
        with open(self.path, "ab", buffering=0) as file:
            file.write(b".")


class Measuring(Progress):
    """How many of so many measurements are done.

    Args:
        total: how many there are.

    Attributes:
        tell: what a child calls after each.

    A context manager: when it is left, the line and the file are gone.
    """

    def __init__(self, total: int) -> None:
        super().__init__(max(1, total))
        descriptor, path = tempfile.mkstemp(prefix="playground-measured-")
        os.close(descriptor)
        self.tell = Tell(path)
        self._told_at_s = time.monotonic()

    def look(self) -> None:
        """See how far it has got, and show it, now and then. Called by the thread that waits, as often as it likes."""
        if time.monotonic() - self._told_at_s < _EVERY_S:
            return
        done = Path(self.tell.path).stat().st_size
        self.sent(done, done)
        self.show()
        self._told_at_s = time.monotonic()

    def one_more(self) -> None:
        """Note that this thread itself has measured one thing more, and show it."""
        self.tell()
        self.look()

    def words(self) -> str:
        """What the line says beside its bar."""
        return f"{self.count:,} of {self.total:,.0f} measurements done"

    def __exit__(self, *exc_info: object) -> None:
        super().__exit__(*exc_info)
        Path(self.tell.path).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self
