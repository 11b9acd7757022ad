"""What the notebook's process and a zygote say to each other: the few words of it."""

from typing import Final

__all__ = ["KILL", "MESSAGE_BYTES", "WHERE"]

MESSAGE_BYTES: Final = 64
"""An order: the name of a folder below the zygote's own, filled up with zeros. With it come four descriptors: the
experiment's line, and the pipes for what it prints, what it writes to its standard output, and to its standard error.
"""

WHERE: Final = b"w"
KILL: Final = b"k"
"""What may be said on an experiment's line: write down where you are; be killed. To hang up is to kill, too.

The other way come lines of JSON: the process's `pid` once it is there, and its `status`, `cpu_s` and `most_bytes` once
it has ended.
"""
