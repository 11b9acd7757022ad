"""Whose worker a thread is, asked of threads that have nothing to do with the loop."""

import threading
from argparse import Namespace

from playground import App, Lab


class Options(threading.Thread):
    """A thread that keeps what it was given under a name at which `threading` keeps something else."""

    def __init__(self, options: Namespace, lab: Lab) -> None:
        super().__init__()
        self._args = options
        self.lab = lab
        self.closed: str | None = None

    def run(self) -> None:
        self.lab.close()
        self.closed = repr(self.lab)


def test_any_thread_may_close_a_lab_whatever_its_attributes_are_called() -> None:
    lab = Lab(App())
    thread = Options(Namespace(verbose=True), lab)
    thread.start()
    thread.join()
    lab.close()
    assert thread.closed == "<Lab closed: 0 runs>"
