"""A Jupyter kernel of its own: run cells in it, interrupt them, and hear what they say and when."""

import os
import queue
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

import pytest
from jupyter_client.manager import KernelManager

from tests.conftest import own_settings

__all__ = ["Cell", "Kernel", "separate_kernel"]

_PATIENCE_S = 60
"""How long a cell may say nothing before it counts as hanging."""

_COLOURS = re.compile(r"\x1b\[[\d;]*m")

How = Literal["message", "signal"]


@dataclass
class Cell:
    """What a cell said.

    Attributes:
        said: its text output, and its error as `name: value`.
        error: the whole traceback, without colours.
        messages: all its messages on IOPub, each with the moment of its arrival here, by `time.monotonic`.
        interrupted_s: from the interrupt to the error's arrival; `None` if there was none.
    """

    said: str = ""
    error: str = ""
    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    interrupted_s: float | None = None

    def of_type(self, kind: str) -> list[tuple[float, dict[str, Any]]]:
        """Arrival and content of the messages of one type."""
        return [(at, message["content"]) for at, message in self.messages if message["msg_type"] == kind]

    @property
    def shown(self) -> list[dict[str, Any]]:
        """What it displayed, and its value, in their order: each a bundle, by type of media."""
        kinds = ("execute_result", "display_data")
        return [message["content"]["data"] for _, message in self.messages if message["msg_type"] in kinds]


class Kernel:
    """A kernel, from `with` to the end of the block."""

    def __enter__(self) -> Self:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=_PATIENCE_S)
        self.pid: int = self.manager.provisioner.pid
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code: str) -> str:
        """Run a cell to its end; gives what it said."""
        return self.cell(code).said

    def cell(self, code: str, *, interrupt_at: str | None = None, how: How = "signal") -> Cell:
        """Run a cell to its end; interrupt the kernel once the cell has printed `interrupt_at`."""
        request = self.client.execute(code)
        cell = Cell()
        interrupted_at = None
        while True:
            try:
                message: dict[str, Any] = self.client.get_iopub_msg(timeout=_PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"the cell did not end; it said {cell.said!r}") from None
            now = time.monotonic()
            # what a thread prints may be counted to the cell in whose context the thread's work began
            if message["parent_header"].get("msg_id") != request and message["msg_type"] != "stream":
                continue
            cell.messages.append((now, message))
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                cell.said += content["text"]
                if interrupt_at is not None and interrupt_at in cell.said:
                    interrupt_at = None
                    self.interrupt(how)
                    interrupted_at = time.monotonic()
            elif kind == "error":
                cell.said += f"{content['ename']}: {content['evalue']}\n"
                cell.error = _COLOURS.sub("", "\n".join(content["traceback"]))
                cell.interrupted_s = now - interrupted_at if interrupted_at is not None else None
            elif content.get("execution_state") == "idle":
                return cell

    def interrupt(self, how: How) -> None:
        """What the Stop button does: a signal, or a message for a kernel that is elsewhere."""
        if how == "signal":
            os.kill(self.pid, signal.SIGINT)
        else:
            self.client.control_channel.send(self.client.session.msg("interrupt_request", {}))


@contextmanager
def separate_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel that knows nothing of the settings of whoever runs the tests."""
    with own_settings(tmp_path_factory.mktemp("jupyter")), Kernel() as kernel:
        yield kernel
