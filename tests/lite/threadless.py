"""A Python without threads and sockets, as a browser's is: what the tests of simulated workers run in."""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

__all__ = ["threadless"]


@contextmanager
def threadless() -> Iterator[None]:
    """While it is open, no thread can be started, and Python says that it has none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "_emscripten_info", SimpleNamespace(pthreads=False), raising=False)
        for name in ("_start_new_thread", "_start_joinable_thread"):  # until Python 3.12, and from 3.13 on
            if hasattr(threading, name):
                patch.setattr(threading, name, _no_thread)
        patch.setattr(socket, "socketpair", _no_socket)
        yield


def _no_thread(*args: Any, **kwargs: Any) -> NoReturn:
    raise RuntimeError("can't start new thread")


def _no_socket(*args: Any, **kwargs: Any) -> NoReturn:
    raise OSError("no sockets here")
