"""What the site is made of: either toolkit under one name, and the notes by which an app tells a test how far it is."""

from collections import defaultdict
from importlib import import_module
from queue import SimpleQueue
from typing import Any

import anyio

__all__ = ["Notes", "Toolkit"]

NOTE_S = 5
"""How long a test waits for the app's word before it fails."""


class Notes:
    """What an app has to say, from whatever thread, under names that a test chooses."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, SimpleQueue[Any]] = defaultdict(SimpleQueue)

    def say(self, name: str, note: Any) -> None:
        self._queues[name].put(note)

    async def heard(self, name: str) -> Any:
        """Return the next note of this name.

        Raises:
            queue.Empty: there was none within `NOTE_S`.
        """
        return await anyio.to_thread.run_sync(lambda: self._queues[name].get(timeout=NOTE_S))


class Toolkit:
    """The modules of a toolkit, as attributes."""

    def __init__(self, package: str) -> None:
        self._package = package

    def __getattr__(self, module: str) -> Any:
        return import_module(f"{self._package}.{module.replace('__', '.')}")
