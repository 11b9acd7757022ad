"""JupyterLab for tests, started by our own command, as a process of its own that ends with the test."""

import contextlib
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

__all__ = ["running_lab"]

START_S = 60  # from its address in the log to its first answer: a moment, unless the machine is busy
STOP_S = 30  # it has its kernels to stop first


@contextlib.contextmanager
def running_lab(*options: str) -> Iterator[str]:
    """Run `playground lab --no-browser` with these options on a free port, until the block ends.

    Gives the address of the first notebook, with the token that opens it. Where Jupyter keeps its settings is
    decided by the environment: see the fixture `jupyter_folders`.
    """
    command = [sys.executable, "-m", "playground", "lab", "--no-browser", "--port=0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        log: list[str] = []
        try:
            for line in server.stdout:  # ends when the server does
                log.append(line)
                if address := re.search(r"http://127\.0\.0\.1:\S+", line):
                    break
            else:
                raise AssertionError("JupyterLab ended before it had an address:\n" + "".join(log))
            # someone must go on reading, or the server stops at a full pipe
            threading.Thread(target=log.extend, args=(server.stdout,), daemon=True).start()
            _wait_until_it_answers(address[0])
            yield address[0]
        finally:
            server.terminate()
            try:
                server.wait(STOP_S)
            except subprocess.TimeoutExpired:
                server.kill()
                raise


def _wait_until_it_answers(address: str) -> None:
    """The server names its address a little before it listens there."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=START_S):
                return
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
