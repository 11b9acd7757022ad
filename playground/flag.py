"""A flag that one thread raises and others wait for, in real time, whichever time the raising one is in.

While a virtual loop is open, `threading.Event` is made of locks for which a thread in virtual time parks: a loop that
raises one while a thread outside is about to wait for it would stand still, or let its time jump, for no reason that
its app knows. This is made of a lock that is nobody's to replace. It knows nothing of clocks.
"""

# by its own name: while a virtual loop is open, `threading` has another
from _thread import allocate_lock

__all__ = ["Flag"]


class Flag:
    """Down at first; once raised, it stays up.

    Attributes:
        up: whether it is.
    """

    __slots__ = ("_lock", "up")

    def __init__(self) -> None:
        self.up = False
        self._lock = allocate_lock()
        self._lock.acquire()

    def set(self) -> None:
        """Raise it; nothing happens if it is up. For one thread, or several that take turns."""
        if not self.up:
            self.up = True
            self._lock.release()

    def wait(self, timeout_s: float = -1) -> bool:
        """Wait until it is up, or for so many seconds; gives whether it is."""
        if not self.up and self._lock.acquire(timeout=timeout_s):
            self._lock.release()  # each who waits lets the next through
        return self.up
